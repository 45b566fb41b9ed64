"""Judge a NetX file, ours or another's, against the rules of ``export/rulebook.py``."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from export import netx
from export.rawnet import raw_layers
from export.rulebook import RULES, UNFIT, Rule
from train.artifacts import read_json
from train.errors import CallError, MaestroError


@dataclass(frozen=True)
class Finding:
    """A broken rule: its code, the layer, and what is wrong there."""

    code: str
    title: str
    where: str
    found: str
    cure: str

    def __str__(self) -> str:
        return f"{self.code} {self.where}: {self.found}. {self.cure}"


def lint(path: Path, steps: int | None = None) -> list[Finding]:
    """Every broken rule of a file, in the order of layers.

    Parameters
    ----------
    path
        A NetX file.
    steps
        Length of a run between resets; None if a run may last for ever. It bounds what a current can reach.

    Raises
    ------
    MaestroError
        The file is missing, truncated, not HDF5 or without layers.
    """
    findings = [
        Finding(rule.code, rule.title, layer.where, found, rule.cure)
        for layer in raw_layers(path)
        for rule in RULES
        for found in rule.check(layer, steps)
    ]
    if not findings:
        try:
            netx.read(path)
        except MaestroError as error:
            where = error.where.removeprefix(f"{path}, ")
            allowed = f" (expected {error.allowed})" if error.allowed else ""
            findings.append(Finding(UNFIT.code, UNFIT.title, where, error.found + allowed, UNFIT.cure))
    return findings


def dendritic(path: Path) -> tuple[str, ...]:
    """Names of the layers with analog dendrites, which run in the simulator only.

    Raises
    ------
    MaestroError
        As :func:`lint`.
    """
    return tuple(layer.name for layer in raw_layers(path) if layer.dendritic)


def require_clean(path: Path, steps: int | None = None) -> None:
    """Refuse a file that breaks a rule.

    Raises
    ------
    MaestroError
        Says the first finding and how many there are.
    """
    findings = lint(path, steps)
    if findings:
        first = findings[0]
        more = f", and {len(findings) - 1} more" if len(findings) > 1 else ""
        raise MaestroError(
            f"{first.where} breaks rule {first.code}",
            f"{first.found}{more}",
            cure=f"{first.cure}; `python -m export lint --explain {first.code}` says why",
        )


def manifest_steps(net: Path) -> int | None:
    """Length of a clip from the manifest beside a network, None where there is none."""
    manifest = net.parent / "manifest.json"
    if not manifest.is_file():
        return None
    values = read_json(manifest, cure="export again")
    steps = values.get("steps") if isinstance(values, Mapping) else None
    return steps if type(steps) is int and steps > 0 else None


def report(path: Path, findings: list[Finding], steps: int | None) -> dict[str, object]:
    """The findings as plain data, and the layers that run in the simulator only."""
    return {
        "net": str(path),
        "steps": steps,
        "rules": len(RULES) + 1,
        "simulator_only": list(dendritic(path)),
        "findings": [asdict(finding) for finding in findings],
    }


def explain(code: str) -> str:
    """A rule's page.

    Raises
    ------
    CallError
        There is no rule of that code.
    """
    rules: dict[str, Rule] = {rule.code: rule for rule in (*RULES, UNFIT)}
    rule = rules.get(code.upper())
    if rule is None:
        raise CallError(f"rule {code}", "unknown", allowed=f"one of {', '.join(sorted(rules))}")
    return f"{rule.code}: {rule.title}\n\nWhy:  {rule.reason}\nCure: {rule.cure}"
