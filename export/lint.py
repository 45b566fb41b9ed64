"""Judge a NetX file, ours or another's, against ``export/rulebook.py``, and for the chip ``export/chip_rules.py``."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from export import netx
from export.chip_checks import Plan, host_io, latency
from export.chip_rules import CHIP_RULES
from export.pages import PAGES
from export.rawnet import raw_layers
from export.rulebook import ERROR, RULES, UNFIT, Rule
from export.schedule import CHIP_INPUT_DELAY, schedule
from train.artifacts import RunFolder, read_json
from train.errors import CallError, MaestroError


@dataclass(frozen=True)
class Finding:
    """A broken rule: its code, the layer, what is wrong there, and whether that is an error or a warning."""

    code: str
    title: str
    where: str
    found: str
    cure: str
    severity: str = ERROR

    def __str__(self) -> str:
        kind = "" if self.severity == ERROR else f"{self.severity}, "
        return f"{self.code} {kind}{self.where}: {self.found}. {self.cure}"


def lint(path: Path, steps: int | None = None, chip: bool = False, period: int | None = None) -> list[Finding]:
    """Every broken rule of a file, in the order of layers; then, if asked for, those of the chip in their own order.

    Parameters
    ----------
    path
        A NetX file.
    steps
        Length of a run between resets; None if a run may last for ever. It bounds what a current can reach.
    chip
        Whether the rules of ``export/chip_rules.py`` are judged too.
    period
        Steps from one sample to the next on the chip; None for the shortest that will do.

    Raises
    ------
    MaestroError
        The file is missing, truncated, not HDF5 or without layers.
    """
    layers = raw_layers(path)
    findings = [
        _finding(rule, layer.where, found) for layer in layers for rule in RULES for found in rule.check(layer, steps)
    ]
    if not findings:
        try:
            netx.read(path)
        except MaestroError as error:
            where = error.where.removeprefix(f"{path}, ")
            allowed = f" (expected {error.allowed})" if error.allowed else ""
            findings.append(_finding(UNFIT, where, error.found + allowed))
    if chip:
        plan = Plan(steps, period)
        findings += [_finding(rule, where, found) for rule in CHIP_RULES for where, found in rule.check(layers, plan)]
    return findings


def _finding(rule: Rule[Any], where: str, found: str) -> Finding:
    return Finding(rule.code, rule.title, where, found, rule.cure, rule.severity)


def errors(findings: Sequence[Finding]) -> list[Finding]:
    """Those that are refused; the others are warnings."""
    return [finding for finding in findings if finding.severity == ERROR]


def dendritic(path: Path) -> tuple[str, ...]:
    """Names of the layers with analog dendrites, which run in the simulator only.

    Raises
    ------
    MaestroError
        As :func:`lint`.
    """
    return tuple(layer.name for layer in raw_layers(path) if layer.dendritic)


def require_clean(path: Path, steps: int | None = None, chip: bool = False, period: int | None = None) -> list[Finding]:
    """Refuse a file that breaks a rule; the warnings, if it breaks none.

    Raises
    ------
    MaestroError
        Says the first error and how many there are.
    """
    findings = lint(path, steps, chip, period)
    refused = errors(findings)
    if refused:
        first = refused[0]
        more = f", and {len(refused) - 1} more" if len(refused) > 1 else ""
        raise MaestroError(
            f"{first.where} breaks rule {first.code}",
            f"{first.found}{more}",
            cure=f"{first.cure}; `python -m export lint --explain {first.code}` says why",
        )
    return findings


def net_file(net: Path) -> Path:
    """The NetX file of a path to one, or to a run folder.

    Raises
    ------
    MaestroError
        A run folder without one.
    """
    if not net.is_dir():
        return net
    folder = RunFolder(net)
    return folder.require(folder.net, f"python -m export netx {net}")


def manifest_steps(net: Path) -> int | None:
    """Length of a clip from the manifest beside a network, None where there is none."""
    manifest = net.parent / "manifest.json"
    if not manifest.is_file():
        return None
    values = read_json(manifest, cure="export again")
    steps = values.get("steps") if isinstance(values, Mapping) else None
    return steps if type(steps) is int and steps > 0 else None


def report(
    path: Path, findings: Sequence[Finding], steps: int | None, chip: bool = False, period: int | None = None
) -> dict[str, object]:
    """The findings as plain data, and the layers that run in the simulator only.

    For the chip also the schedule of its runs, where the rules for it are kept and the steps are known, and what
    the input from the host may cost.
    """
    values: dict[str, object] = {
        "net": str(path),
        "steps": steps,
        "rules": len(RULES) + 1 + (len(CHIP_RULES) if chip else 0),
        "simulator_only": list(dendritic(path)),
        "errors": len(errors(findings)),
        "warnings": len(findings) - len(errors(findings)),
        "findings": [asdict(finding) for finding in findings],
    }
    if chip:
        layers = raw_layers(path)
        estimate, plan = host_io(layers), None
        if steps is not None and not {"HW001", "HW002"} & {finding.code for finding in findings}:
            plan = schedule(steps, latency(layers), input_delay=CHIP_INPUT_DELAY, period=period).as_dict()
        values["chip"] = {"schedule": plan, "host_io": estimate.as_dict() if estimate else None}
    return values


def explain(code: str) -> str:
    """A rule's page; the codes with their titles where ``code`` is empty.

    Raises
    ------
    CallError
        There is no rule of that code.
    """
    rules: dict[str, Rule[Any]] = {rule.code: rule for rule in sorted((*RULES, UNFIT), key=lambda rule: rule.code)}
    rules |= {rule.code: rule for rule in CHIP_RULES}
    if not code:
        lines = [f"{rule.code}  {rule.severity:7}  {rule.title}" for rule in rules.values()]
        return "\n".join([*lines, "", "HW rules are judged with --chip. --explain CODE tells a rule's story."])
    rule = rules.get(code.upper())
    if rule is None:
        raise CallError(f"rule {code}", "unknown", allowed=f"one of {', '.join(rules)}")
    page = PAGES[rule.code]
    parts = {
        "What": page.what,
        "Why": rule.reason,
        "Shows": page.shows,
        "Example": page.example,
        "Cure": rule.cure,
        "Source": page.source,
    }
    lines = [f"{name + ':':8} {text}" for name, text in parts.items()]
    return "\n".join([f"{rule.code}: {rule.title} ({rule.severity})", "", *lines])
