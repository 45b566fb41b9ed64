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
@click.option("--json", "as_json", is_flag=True, help="Print manifest.json.")
def netx(run: Path, limit: int, as_json: bool) -> None:
    """Write RUN's model.net and manifest.json, if every spike of every layer is as trained."""
    from export.dendrites import ANALOG, simulator_only
    from export.lint import dendritic
    from export.pipeline import export_run

    folder = RunFolder(run)
    manifest = export_run(folder, limit)
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
@click.argument("net", type=click.Path(path_type=Path), required=False)
@click.option("--steps", type=click.IntRange(min=1), help="Longest run between resets; else the manifest's clip.")
@click.option("--explain", "code", metavar="CODE", help="Say why there is a rule, and what to do.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def lint(ctx: click.Context, net: Path | None, steps: int | None, code: str | None, as_json: bool) -> None:
    """Say what in the file NET would run wrongly; exit 1 if anything would."""
    from export.dendrites import simulator_only
    from export.lint import dendritic, explain, lint, manifest_steps, report

    if code is not None:
        click.echo(explain(code))
        return
    if net is None:
        raise CallError("lint", "no file given", cure="write `python -m export lint NET`")
    steps = steps or manifest_steps(net)
    findings = lint(net, steps)
    if analog := dendritic(net):
        say(simulator_only(analog))
    if as_json:
        emit_json(report(net, findings, steps))
    else:
        for finding in findings:
            click.echo(str(finding))
        say(f"{net}: {len(findings)} broken rules" if findings else f"{net}: no rule is broken")
    if findings:
        ctx.exit(1)


if __name__ == "__main__":
    main()
