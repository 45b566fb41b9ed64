"""Batches of training clips, a share of them changed anew in every epoch."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from train.config import Config
from train.data.augment.ahead import ahead
from train.data.augment.effects import stretch
from train.data.augment.hearing import Hearing
from train.data.augment.recipe import Recipe, draw_recipe
from train.data.augment.renderings import render_ahead
from train.data.augment.rooms import room_response
from train.data.clips import ClipSet
from train.data.dataset import DataSet, Recording
from train.features import warm_up

Batch = tuple[NDArray[np.int64], NDArray[np.int64]]
_Job = tuple[Recording, int, Recipe, tuple[int, ...]]
# What random numbers are for: whether a clip is changed and how, and its noise.
_RECIPE, _NOISE = 11, 12


def heard_batches(
    config: Config, data: DataSet, clips: ClipSet, batches: Sequence[Batch], epoch: int
) -> Generator[NDArray[np.float32], None, None]:
    """Features of an epoch's batches, in order; clips that are not changed as ``clips.features`` gives them.

    The processes begin with this call, which should come before a progress bar's. Whether and how a clip is changed is
    decided by ``augment.seed``, the epoch and the clip's number alone, and not by the number of processes that do it
    ahead of need.

    Parameters
    ----------
    config
        Section ``augment`` says what is done to how many.
    data
        The data set that the clips are of.
    clips
        Training clips. A clip that is changed is made from its recording's own sound.
    batches : each (indices, offsets), both of shape (clip,)
        Clips of each batch, and frames to move each of them by.
    epoch
        Which, 0 or more.

    Returns
    -------
    generator of NDArray[np.float32], each (clip, feature, time)
        Closing it ends the processes.

    Raises
    ------
    MaestroError
        A recording is missing or damaged, there is nothing to make noise of, or a process was killed.
    """
    augment = config.augment
    if augment.share == 0:
        return (clips.features(indices, offsets) for indices, offsets in batches)
    drawn = [[_recipe(config, epoch, int(clip)) for clip in indices] for indices, _ in batches]
    heard = set(clips.names)
    render_ahead(data, [one for one in data.recordings if one.id in heard], config.sample_rate_hz)
    prepare(config, [recipe for of_batch in drawn for recipe in of_batch if recipe is not None])
    jobs = _jobs(config, data, clips, batches, drawn, epoch)
    changed = ahead(hear, Hearing(config, data, training=True), jobs, augment.workers, "changed clips")
    return _joined(clips, batches, drawn, changed)


def _joined(
    clips: ClipSet,
    batches: Sequence[Batch],
    drawn: Sequence[Sequence[Recipe | None]],
    changed: Generator[NDArray[np.float32], None, None],
) -> Generator[NDArray[np.float32], None, None]:
    with closing(changed):
        for (indices, offsets), recipes in zip(batches, drawn, strict=True):
            as_it_is = np.array([recipe is None for recipe in recipes], bool)
            plain = clips.features(indices[as_it_is], offsets[as_it_is])
            found = np.empty((len(indices), *plain.shape[1:]), np.float32)
            found[as_it_is] = plain
            for row in np.flatnonzero(~as_it_is):
                found[row] = next(changed)
            yield found


def hear(hearing: Hearing, job: _Job) -> NDArray[np.float32]:
    """Features of a job's clip."""
    return hearing.features(*job)


def prepare(config: Config, recipes: Sequence[Recipe]) -> None:
    """Load and make what every process needs, before they are forked: librosa, and the rooms."""
    warm_up()
    if any(recipe.semitones or recipe.tempo != 1 for recipe in recipes):
        stretch(np.zeros(1, np.float32), config.sample_rate_hz)
    for rt60_s, room in {(recipe.rt60_s, recipe.room) for recipe in recipes if recipe.rt60_s}:
        room_response(rt60_s, room, config.sample_rate_hz)


def _recipe(config: Config, epoch: int, clip: int) -> Recipe | None:
    """What is done to a clip in an epoch; None for nothing."""
    rng = np.random.default_rng((config.augment.seed, epoch, clip, _RECIPE))
    return draw_recipe(config.augment, rng) if rng.random() < config.augment.share else None


def _jobs(
    config: Config,
    data: DataSet,
    clips: ClipSet,
    batches: Sequence[Batch],
    drawn: Sequence[Sequence[Recipe | None]],
    epoch: int,
) -> Iterator[_Job]:
    by_id = {recording.id: recording for recording in data.recordings}
    for (indices, offsets), recipes in zip(batches, drawn, strict=True):
        starts = clips.starts(indices, offsets)
        for clip, start, recipe in zip(indices, starts, recipes, strict=True):
            if recipe is not None:
                recording = by_id[clips.names[clips.recording[clip]]]
                yield recording, int(start), recipe, (config.augment.seed, epoch, int(clip), _NOISE)
