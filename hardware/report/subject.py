"""A run as the page sees it: its files, read and held against each other; what cannot be used says why."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hardware.measurement import quantity_of, read_measurement
from hardware.report.blocks import Missing
from train.artifacts import RunFolder, read_json, sha256
from train.config import Config, load_config
from train.errors import MaestroError

# Sections of measurement.json and the command that makes each.
MAKERS = {
    "baseline": "python -m hardware baseline {run}",
    "robustness": "python -m hardware robustness {run}",
    "loihi2": "python -m hardware deploy {run}",
    "simulator_check": "python -m hardware bundle {run} --read result.json",
}
_MEASURE = "python -m hardware measure {run}"
NEURONS = {"lif": "LIF", "dh_lif": "DH-LIF", "ann": "ANN"}


@dataclass(frozen=True, eq=False)
class Subject:
    """A run, its name on the page, and what is known of it.

    Parameters
    ----------
    label
        Different from every other run's on the page.
    number
        Its place among the runs, which gives its colour.
    content
        ``measurement.json``.
    """

    run: RunFolder
    label: str
    number: int
    content: Mapping[str, Any]

    @cached_property
    def hashes(self) -> dict[str, str | None]:
        """Of the network's files as they are now; None where there is no such file."""
        paths = {"net_sha256": self.run.net, "checkpoint_sha256": self.run.checkpoint}
        return {key: sha256(path) if path.is_file() else None for key, path in paths.items()}

    @cached_property
    def config(self) -> Config:
        """The run's configuration."""
        return load_config(self.run.require(self.run.config, f"python -m train fit --run {self.run.path}"))

    @property
    def spiking(self) -> bool:
        """Whether it has spikes at all."""
        return self.config.network.neuron != "ann"

    @property
    def analog(self) -> bool:
        """Whether it has analog dendrites, which run in the simulator alone."""
        return self.config.network.neuron == "dh_lif" and self.config.dendrites.realisation == "analog"

    @property
    def kind(self) -> str:
        """Its neurons in words."""
        neuron = self.config.network.neuron
        word = NEURONS.get(neuron, neuron)
        return f"{word}, {self.config.dendrites.realisation} dendrites" if neuron == "dh_lif" else word

    def command(self, name: str) -> str:
        """What makes a section of ``measurement.json``."""
        return MAKERS.get(name, _MEASURE).format(run=self.run.path)

    @property
    def file_name(self) -> str:
        """Its ``measurement.json``, as messages name it."""
        return unticked(str(self.run.measurement))

    @cached_property
    def damaged(self) -> dict[str, str]:
        """Sections with a number that is none, and where it stands."""
        found = {name: next(_no_numbers(section), "") for name, section in self.content.items()}
        return {name: why for name, why in found.items() if why}

    def section(self, name: str) -> Mapping[str, Any] | Missing:
        """A section of ``measurement.json``, if it is there, whole, and of this network."""
        found = self.content.get(name)
        command = self.command(name)
        if found is None:
            return Missing(self.label, f"measurement.json has no section {name}", command)
        if not isinstance(found, Mapping):
            return Missing(self.label, f"section {name} of measurement.json is damaged", command)
        if name in self.damaged:
            why = f"section {name} of {self.file_name} is damaged: {self.damaged[name]}"
            return Missing(self.label, why, command)
        if isinstance(found.get("unavailable"), str):
            return Missing(self.label, found["unavailable"], command)
        stale = self.stale(found.get("identity", found))
        return Missing(self.label, f"section {name} was measured on {stale}", command) if stale else found

    def stale(self, identity: Any) -> str:
        """How what a section was made of differs from the files here; empty if it does not."""
        if not isinstance(identity, Mapping):
            return "a network that it does not name"
        words = {"net_sha256": "another model.net", "checkpoint_sha256": "another checkpoint.pt"}
        for key, what in words.items():
            recorded, here = identity.get(key), self.hashes[key]
            if key in identity and here is not None and recorded != here:
                return f"{what} than the run has now ({_short(recorded)}, here {_short(here)})"
        return ""

    def file(self, path: Path, made_by: str) -> Any:
        """A JSON file of the run, or a :class:`Missing`."""
        command = made_by.format(run=self.run.path)
        if not path.is_file():
            return Missing(self.label, f"the run has no {path.name}", command)
        try:
            return read_json(path, f"make it again with `{command}`")
        except MaestroError as error:
            return Missing(self.label, error.found, command)


def _no_numbers(entry: Any, where: str = "") -> Iterator[str]:
    """Places in plain data where a number is none, as JSON's NaN, Infinity, or null in a quantity."""
    if isinstance(entry, float) and not math.isfinite(entry):
        yield f"{where} is {entry}"
    elif isinstance(entry, list):
        for place, inner in enumerate(entry):
            yield from _no_numbers(inner, f"{where}[{place}]")
    elif isinstance(entry, Mapping):
        if {"value", "unit"} <= entry.keys() or "unavailable" in entry:
            try:
                quantity_of(entry)
            except MaestroError as error:
                yield f"{where}: {error.found}"
            return
        for key, inner in entry.items():
            yield from _no_numbers(inner, f"{where}.{key}" if where else str(key))


def unticked(text: str) -> str:
    """Text of a file's or folder's name for prose, where backticks mean code."""
    return text.replace("`", "\u02cb")


def _short(digest: Any) -> str:
    return str(digest)[:12] if digest else "none"


def gather(runs: Sequence[Path]) -> list[Subject]:
    """The runs of a page.

    Raises
    ------
    MaestroError
        A run is missing or was never measured, or its file is damaged.
    """
    folders = [RunFolder(path) for path in dict.fromkeys(runs)]
    for folder in folders:
        folder.require(folder.config, f"python -m train fit --run {folder.path}")
        folder.require(folder.measurement, f"python -m hardware measure {folder.path}")
    names = [unticked(folder.path.resolve().name) for folder in folders]
    labels = [
        name if names.count(name) == 1 else unticked(str(folder.path))
        for name, folder in zip(names, folders, strict=True)
    ]
    return [
        Subject(folder, label, number, read_measurement(folder))
        for number, (folder, label) in enumerate(zip(folders, labels, strict=True))
    ]
