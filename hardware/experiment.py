"""What the controlled experiment is made of: which models, tuned and compared how, heard under what conditions."""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hardware.fairness import require_alike
from train.config import Config, load_config
from train.config_build import build_section
from train.config_checks import HEADS, NOISES, check_choice
from train.errors import CallError
from train.presets import read_preset

PRESETS = Path(__file__).parent / "configs"
SPLITS = ("test", "test_keyboards")
CLEAN = "clean"

Condition = tuple[str, int]


@dataclass(frozen=True)
class Tuning:
    """The budget of a search: ``epochs`` a cell, trained with a ``seed`` that is not compared."""

    epochs: int = 3
    seed: int = 101


@dataclass(frozen=True)
class Evaluation:
    """Which test sets are heard, clean and with each kind of noise at each ``snr_db``.

    ``gate_clips``: clips on which the exported integers are compared with the trained network, spike for spike.
    """

    splits: tuple[str, ...] = SPLITS
    noises: tuple[str, ...] = NOISES
    snr_db: tuple[int, ...] = (20, 10, 0)
    gate_clips: int = 4

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Every noise at every ratio."""
        return tuple((kind, snr_db) for kind in self.noises for snr_db in self.snr_db)


@dataclass(frozen=True)
class Model:
    """One of the models compared: a preset with overrides.

    ``grid`` holds the axes it is searched on, as ``python -m train search`` takes them; a model without one takes
    what was found for ``tuned_as``, or is left as it is.
    """

    label: str = ""
    preset: str = "lif"
    overrides: tuple[str, ...] = ()
    grid: tuple[str, ...] = ()
    tuned_as: str = ""


@dataclass(frozen=True)
class Experiment:
    """The whole experiment. ``models`` is filled from the file's tables ``[models.NAME]``, in their order.

    ``head`` is the one that summary and pictures are about; differences are taken to the ``baselines``.
    """

    name: str = "compare"
    seeds: int = 5
    first_seed: int = 1
    head: str = "title"
    baselines: tuple[str, ...] = ("lif", "ann")
    shared: tuple[str, ...] = ()
    tuning: Tuning = field(default_factory=Tuning)
    evaluation: Evaluation = field(default_factory=Evaluation)

    models: dict[str, Model] = field(default_factory=dict)

    @property
    def all_seeds(self) -> tuple[int, ...]:
        """The seeds compared."""
        return tuple(range(self.first_seed, self.first_seed + self.seeds))

    def source(self, model: str) -> str:
        """The model whose search a model's settings come from, itself or another; '' for none."""
        entry = self.models[model]
        return entry.tuned_as or (model if entry.grid else "")

    def searched(self, models: Iterable[str]) -> tuple[str, ...]:
        """The models to be searched so that ``models`` can be compared, in the file's order."""
        needed = {self.source(model) for model in models}
        return tuple(model for model in self.models if model in needed)

    def shared_config(self) -> Config:
        """The first model's configuration as it stands before any search: data and encoding are everyone's."""
        first = next(iter(self.models))
        return self.config(first, self.first_seed)

    def config(self, model: str, seed: int, chosen: Sequence[str] = ()) -> Config:
        """A model's configuration for one seed, with what its search has ``chosen``."""
        return self._load(model, [*chosen, f"training.seed={seed}"])

    def tuning_config(self, model: str, cell: Sequence[str]) -> Config:
        """Configuration of one cell of a model's search."""
        return self._load(model, [*cell, f"training.seed={self.tuning.seed}", f"training.epochs={self.tuning.epochs}"])

    def _load(self, model: str, overrides: Sequence[str]) -> Config:
        entry = self.models[model]
        # A cell keeps to one core, several run side by side.
        own = [f"name={model}", *overrides, "training.threads=1"]
        return load_config(entry.preset, [*self.shared, *entry.overrides, *own])


def load_experiment(source: str | Path, *, seeds: int | None = None) -> Experiment:
    """Read an experiment's file, or a preset by its name.

    Parameters
    ----------
    source
        TOML file or name of a preset.
    seeds
        Number of seeds, if not the file's.

    Raises
    ------
    CallError
        No such file, not TOML, an unknown key (with a suggestion), a value of the wrong type or range, models that
        differ in more than their neuron may, unequal searches.
    """
    values = read_preset(source, PRESETS, "experiment")
    if seeds is not None:
        values["seeds"] = seeds
    return parse_experiment(values)


def parse_experiment(values: dict[str, Any]) -> Experiment:
    """Check plain values and make an experiment of them.

    Raises
    ------
    CallError
        As :func:`load_experiment`.
    """
    tables = values.get("models", {})
    if not isinstance(tables, dict) or not tables:
        raise CallError("configuration section models", "names no model", cure="add a table [models.NAME]")
    models = {}
    for name, table in tables.items():
        _check_name(f"configuration section models.{name}", name)
        if not isinstance(table, dict):
            raise CallError(f"configuration key models.{name}", f"is {table!r}", allowed="a section of keys")
        model = build_section(Model, table, f"models.{name}.")
        models[name] = replace(model, label=model.label or name)
    rest = {key: value for key, value in values.items() if key != "models"}
    experiment = replace(build_section(Experiment, rest, ""), models=models)
    _check(experiment)
    return experiment


def choose_models(experiment: Experiment, names: Sequence[str]) -> tuple[str, ...]:
    """The models named, in the experiment's order; all of them if none is.

    Raises
    ------
    CallError
        There is no model of that name.
    """
    for name in names:
        _known(name, "--models", experiment)
    return tuple(model for model in experiment.models if not names or model in names)


def search_cells(experiment: Experiment, model: str) -> list[tuple[str, ...]]:
    """Every cell of a model's search, as overrides."""
    from train.search import parse_grid

    return parse_grid(experiment.models[model].grid)


def _check(experiment: Experiment) -> None:
    evaluation, tuning = experiment.evaluation, experiment.tuning
    _check_name("configuration key name", experiment.name)
    check_choice("head", experiment.head, HEADS)
    for split in evaluation.splits:
        check_choice("evaluation.splits", split, SPLITS)
    for kind in evaluation.noises:
        check_choice("evaluation.noises", kind, NOISES)
    lists: dict[str, Sequence[Any]] = {
        "baselines": experiment.baselines,
        "evaluation.splits": evaluation.splits,
        "evaluation.noises": evaluation.noises,
        "evaluation.snr_db": evaluation.snr_db,
    }
    for key, values in lists.items():
        twice = [value for value in values if values.count(value) > 1]
        if twice:
            raise CallError(f"configuration key {key}", f"names {twice[0]} twice", allowed="each once")
    bounds = (
        ("seeds", experiment.seeds, 1, 1000),
        ("first_seed", experiment.first_seed, 0, 1_000_000),
        ("tuning.epochs", tuning.epochs, 1, 100_000),
        ("tuning.seed", tuning.seed, 0, 1_000_000),
        ("evaluation.gate_clips", evaluation.gate_clips, 1, 100_000),
        *(("evaluation.snr_db", value, -60, 120) for value in evaluation.snr_db),
    )
    for key, value, low, high in bounds:
        if not low <= value <= high:
            raise CallError(f"configuration key {key}", f"is {value}", allowed=f"{low} to {high}")
    if not evaluation.splits:
        raise CallError("configuration key evaluation.splits", "is empty", allowed="at least one test set")
    if tuning.seed in experiment.all_seeds:
        raise CallError(
            "configuration key tuning.seed",
            f"is {tuning.seed}, one of the seeds compared",
            allowed=f"a seed that is not among {experiment.all_seeds[0]} to {experiment.all_seeds[-1]}",
        )
    for name in experiment.baselines:
        _known(name, "configuration key baselines", experiment)
    _check_models(experiment)


def _check_models(experiment: Experiment) -> None:
    data, tables = experiment.shared_config(), experiment.models
    for name, model in tables.items():
        where = f"configuration key models.{name}.tuned_as"
        if model.tuned_as:
            _known(model.tuned_as, where, experiment)
            if model.grid or not tables[model.tuned_as].grid:
                raise CallError(where, f"is {model.tuned_as!r}", allowed="a model with a grid, by one without")
        require_alike(f"model {name}", experiment.config(name, experiment.first_seed), next(iter(tables)), data)


def _check_name(where: str, name: str) -> None:
    """Refuse a name that would not do as a part of a path."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise CallError(where, f"is named {name!r}", allowed="a letter followed by letters, digits and underscores")


def _known(name: str, where: str, experiment: Experiment) -> None:
    if name not in experiment.models:
        close = difflib.get_close_matches(name, experiment.models, n=1)
        raise CallError(
            where,
            f"names {name!r}, which is no model here",
            allowed=f"one of {', '.join(experiment.models)}",
            cure=f"did you mean {close[0]!r}?" if close else "",
        )
