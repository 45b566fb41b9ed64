"""Where all of it comes from: files and their hashes, versions, machines, commands, dates."""

from collections.abc import Mapping, Sequence
from typing import Any

from hardware.report.blocks import Block, Cell, Fold, Missing, Points, Row, Section, Table, Text, words
from hardware.report.subject import Subject
from train.artifacts import provenance as here
from train.artifacts import sha256

_SECTIONS = ("network", "accuracy", "counters", "energy", "baseline", "derived", "loihi2", "simulator_check")
_FILES = (
    "config.toml",
    "checkpoint.pt",
    "metrics.json",
    "model.net",
    "manifest.json",
    "parity.json",
    "measurement.json",
)


def provenance(subjects: Sequence[Subject]) -> Section:
    """Hashes, versions, commands and dates of every run."""
    blocks: list[Block] = []
    made = here()
    for subject in subjects:
        rows = [_row(subject, name) for name in _SECTIONS if name in subject.content]
        columns = ("section", "date (UTC)", "commit", "machine", "of these files")
        blocks.append(Table(f"{subject.label}: sections of measurement.json", columns, tuple(rows), wide=True))
        blocks.append(_files(subject))
    blocks.append(_versions(subjects, made))
    blocks.append(Fold("Commands that make all of this again", (Points(tuple(_commands(subjects))),)))
    blocks.append(Text(f"This page: {_machine(made)}, commit {_commit(made)}, {made['date']}."))
    return Section("provenance", "Provenance", blocks)


def _row(subject: Subject, name: str) -> Row:
    entry = subject.content[name]
    made = entry.get("provenance", {}) if isinstance(entry, Mapping) else {}
    found = subject.section(name)
    current = words("not these: stale" if isinstance(found, Missing) else "yes")
    return Row(name, (words(str(made.get("date", "unknown"))), words(_commit(made)), words(_machine(made)), current))


def _commit(made: Mapping[str, Any]) -> str:
    commit = str(made.get("commit", "unknown"))
    digest, _, rest = commit.partition(" ")
    return f"{digest[:12]} {rest}".strip()


def _machine(made: Mapping[str, Any]) -> str:
    machine = made.get("machine", {})
    if not isinstance(machine, Mapping) or not machine:
        return "an unknown machine"
    return f"{machine.get('processor')}, {machine.get('cores')} cores, {machine.get('system')}"


def _files(subject: Subject) -> Table:
    rows = []
    for name in _FILES:
        path = subject.run.path / name
        if path.is_file():
            rows.append(Row(name, (Cell(sha256(path), number=False),)))
        else:
            rows.append(Row(name, (Cell("none", missing="the run has no such file"),)))
    return Table(f"{subject.label}: files of {subject.run.path}", ("file", "SHA-256"), tuple(rows), wide=True)


def _versions(subjects: Sequence[Subject], made: Mapping[str, Any]) -> Table:
    of_runs = []
    for subject in subjects:
        training = subject.file(subject.run.metrics, "python -m train fit --run {run}")
        trained = {} if isinstance(training, Missing) else training.get("provenance", {})
        measured: Any = next(
            (
                subject.content[name].get("provenance", {})
                for name in _SECTIONS
                if isinstance(subject.content.get(name), Mapping)
            ),
            {},
        )
        of_runs += [(f"{subject.label}, trained", trained), (f"{subject.label}, measured", measured)]
    of_runs.append(("this page", made))
    packages = dict.fromkeys(name for _, entry in of_runs for name in entry.get("versions", {}))
    rows = [
        Row(name, tuple(words(str(entry.get("versions", {}).get(name, "unknown"))) for _, entry in of_runs))
        for name in packages
    ]
    return Table("Versions", ("package", *(label for label, _ in of_runs)), tuple(rows), wide=True)


def _commands(subjects: Sequence[Subject]) -> list[str]:
    found = []
    for subject in subjects:
        path = subject.run.path
        found.append(f"`python -m train fit {path / 'config.toml'} --run {path}`")
        if subject.spiking:
            found += [f"`python -m export netx {path}`", f"`python -m lava_runtime parity {path}`"]
        found.append(f"`python -m hardware measure {path}`")
    return [*found, f"`python -m hardware report {' '.join(str(subject.run.path) for subject in subjects)}`"]
