"""``python -m export``: a trained network as a file that runs on Lava and Loihi 2, and the rules for such files."""

from dataclasses import asdict
from pathlib import Path

import click

from train.artifacts import RunFolder
from train.console import emit_json, emit_table, say, stage
from train.errors import CallError

main = stage("export", "From a trained network to a NetX file that runs spike for spike as it was trained.")


@main.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--limit", type=click.IntRange(min=1), default=64, help="Test clips that the gate compares.")
@click.option("--one-group", is_flag=True, help="Write pooling out as ordinary convolutions: same spikes, see HW009.")
@click.option("--json", "as_json", is_flag=True, help="Print manifest.json.")
def netx(run: Path, limit: int, one_group: bool, as_json: bool) -> None:
    """Write RUN's model.net and manifest.json, if every spike of every layer is as trained."""
    from export.dendrites import ANALOG, simulator_only
    from export.lint import dendritic
    from export.pipeline import export_run

    folder = RunFolder(run)
    manifest = export_run(folder, limit, ungrouped=one_group)
    if manifest.realisation == ANALOG:
        say(simulator_only(dendritic(folder.net)))
    if as_json:
        emit_json(asdict(manifest))
        return
    gate = manifest.gate
    rows = [[layer, f"{gate.spikes[layer] / gate.clips:.1f}"] for layer in manifest.layers]
    title = f"gate passed: SLAYER == reference, every spike of {gate.clips} clips of {gate.steps} steps"
    emit_table(title, ["layer", "spikes a clip"], rows)
    say(f"wrote {folder.net} and {folder.manifest}")


@main.command()
@click.argument("net", metavar="[NET|RUN]", type=click.Path(path_type=Path), required=False)
@click.option("--steps", type=click.IntRange(min=1), help="Longest run between resets; else the manifest's clip.")
@click.option("--chip", is_flag=True, help="Judge the rules that only Loihi 2 has, too.")
@click.option(
    "--period", type=int, help="With --chip: steps from one sample to the next; else the shortest that will do."
)
@click.option(
    "--explain", "code", metavar="CODE", is_flag=False, flag_value="", help="A rule's page; without CODE, their list."
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def lint(
    ctx: click.Context,
    net: Path | None,
    steps: int | None,
    chip: bool,
    period: int | None,
    code: str | None,
    as_json: bool,
) -> None:
    """Say what in the file NET, or in RUN's, would run wrongly; exit 1 if anything would. Warnings change nothing."""
    from export.dendrites import simulator_only
    from export.lint import dendritic, errors, explain, lint, manifest_steps, net_file, report

    if code is not None:
        click.echo(explain(code))
        return
    if net is None:
        raise CallError("lint", "no file given", cure="write `python -m export lint NET`")
    if period is not None and not chip:
        raise CallError("lint", "--period is given without --chip", cure="add --chip: the simulator takes any period")
    net = net_file(net)
    steps = steps or manifest_steps(net)
    findings = lint(net, steps, chip, period)
    refused = errors(findings)
    if analog := dendritic(net):
        say(simulator_only(analog))
    if chip and period is not None and steps is None:
        say("how long a sample is is not known, so that the gap of HW002 is not judged: give --steps")
    if as_json:
        emit_json(report(net, findings, steps, chip, period))
    else:
        for finding in findings:
            click.echo(str(finding))
        count = len(findings) - len(refused)
        warned = f", {count} warning{'s' if count != 1 else ''}" if count else ""
        say(f"{net}: {len(refused)} broken rules{warned}" if refused else f"{net}: no rule is broken{warned}")
    if refused:
        ctx.exit(1)


if __name__ == "__main__":
    main()
