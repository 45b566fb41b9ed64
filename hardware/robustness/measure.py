"""How often a run is right under every condition: one cell each, kept as soon as it is done."""

import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.gate import gate_clips
from hardware.baseline.kept import Kept, only_here
from hardware.measurement import Quantity, current, file_section, identity, require_recognition, unavailable
from hardware.robustness.conditions import AXES, Condition, all_conditions
from hardware.robustness.decider import Decider, decider_of
from train.artifacts import RunFolder
from train.config import Config, load_config
from train.console import progress, say
from train.data.augment.ahead import ahead
from train.data.augment.batches import hear, prepare
from train.data.augment.hearing import Hearing
from train.data.augment.renderings import render_ahead
from train.data.dataset import DataSet
from train.data.noisy import noise_pool
from train.data.recordings import heard_dataset
from train.metrics import accuracy, decide

# Raise it when the changes of one and the same clip change.
FORMAT = 1
SECTION = "robustness"
# Decides the noise of every clip, whatever the run was trained with; no training draws from it.
SEED = 20260
_BATCH = 192

Clip = tuple[str, int]


def measure_robustness(
    run: RunFolder, *, limit: int | None = None, folder: str = "", workers: int = 2, again: bool = False
) -> dict[str, Any]:
    """Try a run against noise, level, rooms and the rest, and file what was found as ``robustness``.

    The changes are fixed: a clip's noise depends on its recording, its place in it and the kind, and is the same at
    every ratio. The clean clips are the ones that accuracy is measured on, from the same features.

    Parameters
    ----------
    run
        Trained and, but for the ANN, exported.
    limit
        Clips, as many of each test set, spread evenly; all if None.
    folder
        The user's own noise; else the configuration's ``noise.folder``.
    workers
        Processes that hear; 0 for none beside this one. They change nothing but the time.
    again
        Throw away what an earlier call kept.

    Returns
    -------
    dict
        The section, as it is filed.

    Raises
    ------
    CallError
        The run decides on steps and not on clips.
    MaestroError
        It is not trained or exported, a recording is missing, or another call is at it.
    """
    config = load_config(run.require(run.config, f"python -m train fit --run {run.path}"))
    require_recognition(run, config)
    config = replace(config, noise=replace(config.noise, folder=folder)) if folder else config
    cells = run.path / SECTION
    with only_here(cells):
        decider, data = decider_of(run, config), heard_dataset(config)
        chosen = _chosen(decider, limit)
        conditions = all_conditions(folder=bool(config.noise.folder))
        kept = Kept(cells, _made_of(run, config, data, chosen))
        if again:
            kept.forget("cell")
        clean = kept.get("cell", "clean") or _clean(decider, chosen)
        kept.put(clean, "cell", "clean")
        found = {condition.name: kept.get("cell", condition.name) for condition in conditions}
        missing = [condition for condition in conditions if found[condition.name] is None]
        if len(missing) < len(conditions):
            say(f"{len(conditions) - len(missing)} of {len(conditions)} conditions are kept from an earlier call")
        hearing = Hearing(config, data, training=False)
        with closing(_under(decider, hearing, chosen, missing, workers)) as done:
            for condition, cell in done:
                kept.put(cell, "cell", condition.name)
                found[condition.name] = cell
        section = _section(run, decider, chosen, limit, clean, conditions, found)
        file_section(run, SECTION, section)
    return section


def _chosen(decider: Decider, limit: int | None) -> list[Clip]:
    if limit is not None:
        return gate_clips(decider.sets, limit)
    return [(split, index) for split, clips in decider.sets.items() for index in range(len(clips))]


def _made_of(run: RunFolder, config: Config, data: DataSet, chosen: Sequence[Clip]) -> dict[str, Any]:
    """All that decides a cell."""
    packages = ("numpy", "scipy", "librosa", "pyroomacoustics", "python-stretch")
    noise = noise_pool(config, data, "folder", training=False) if config.noise.folder else ()
    return {
        "format": FORMAT,
        **identity(run),
        "clips": chosen,
        "versions": {package: metadata.version(package) for package in packages},
        "noise": [recording.id for recording in noise],
    }


def _clean(decider: Decider, chosen: Sequence[Clip]) -> dict[str, Any]:
    """From the features that training and measuring take."""

    def features() -> Iterator[NDArray[np.float32]]:
        for split, index in chosen:
            yield decider.sets[split].features([index])[0]

    with progress("robustness: clean", len(chosen), "clips", quiet_end=True) as meter:
        return _cell(decider, chosen, features(), meter.advance)


def _under(
    decider: Decider, hearing: Hearing, chosen: Sequence[Clip], conditions: Sequence[Condition], workers: int
) -> Generator[tuple[Condition, dict[str, Any]], None, None]:
    """Cells of some conditions, one after the other, while the next are heard already."""
    if not conditions:
        return
    prepare(hearing.config, [condition.recipe for condition in conditions])
    by_id = {recording.id: recording for recording in hearing.data.recordings}
    names = {decider.sets[split].names[decider.sets[split].recording[index]] for split, index in chosen}
    render_ahead(hearing.data, [by_id[name] for name in sorted(names)], hearing.config.sample_rate_hz)
    jobs = (
        (
            by_id[clips.names[clips.recording[index]]],
            int(clips.start[index]),
            condition.recipe,
            _seed(clips.names[clips.recording[index]], int(clips.start[index])),
        )
        for condition in conditions
        for clips, index in ((decider.sets[split], index) for split, index in chosen)
    )
    with (
        closing(ahead(hear, hearing, jobs, workers, "robustness")) as heard,
        progress("robustness", len(conditions) * len(chosen), "clips") as meter,
    ):
        for condition in conditions:

            def told(clips: int, name: str = condition.name) -> None:
                meter.advance(clips, name)

            yield condition, _cell(decider, chosen, heard, told)


def _seed(recording: str, start: int) -> tuple[int, ...]:
    return SEED, zlib.crc32(recording.encode()), start


def _cell(decider: Decider, chosen: Sequence[Clip], heard: Iterator[NDArray[np.float32]], told: Any) -> dict[str, Any]:
    """Accuracies by test set and head of the clips, whose features come in their order."""
    parts = []
    for first in range(0, len(chosen), _BATCH):
        batch = chosen[first : first + _BATCH]
        parts.append(decider.scores(np.stack([next(heard) for _ in batch])))
        told(len(batch))
    decided = decide(np.concatenate(parts), decider.slices)
    found = {}
    for split, clips in decider.sets.items():
        rows = [row for row, (of, _) in enumerate(chosen) if of == split]
        indices = [chosen[row][1] for row in rows]
        right = accuracy(
            {head: values[rows] for head, values in decided.items()},
            {head: clips.labels[head][indices] for head in decided},
        )
        found[split] = {"clips": len(rows), "heads": {head: _number(entry) for head, entry in right.items()}}
    return found


def _number(entry: Mapping[str, Any]) -> dict[str, Any]:
    if not entry["clips"]:
        return unavailable("no clip of this test set is labelled")
    how = f"{entry['correct']} of {entry['clips']} clips right, 95 % interval (Wilson 1927), clips as independent"
    value, low, high = (100 * entry[key] for key in ("accuracy", "low", "high"))
    return Quantity(value, "%", "measured", how, low, high).as_dict()


def _section(
    run: RunFolder,
    decider: Decider,
    chosen: Sequence[Clip],
    limit: int | None,
    clean: Mapping[str, Any],
    conditions: Sequence[Condition],
    found: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "identity": identity(run),
        "method": f"{decider.method}; every clip changed as a whole, from its recording's sound, by a fixed seed",
        "seed": SEED,
        "limit": limit,
        "clips": len(chosen),
        "as_measured": None if limit is not None else _as_measured(run, clean),
        "axes": {axis: {"title": title, "unit": unit, "clean": clean} for axis, (title, unit, clean) in AXES.items()},
        "clean": {"sets": clean},
        "conditions": [
            {"axis": condition.axis, "kind": condition.kind, "value": condition.value, "sets": found[condition.name]}
            for condition in conditions
        ],
    }


def _as_measured(run: RunFolder, clean: Mapping[str, Any]) -> bool | None:
    """Whether the clean clips are right exactly as often as `measure` found; None if it has not measured them."""
    measured = current(run).get("accuracy", {}).get("sets")
    if measured is None:
        return None
    expected = {
        split: {head: found["accuracy"] for head, found in entry["heads"].items()} for split, entry in measured.items()
    }
    return expected == {split: entry["heads"] for split, entry in clean.items()}
