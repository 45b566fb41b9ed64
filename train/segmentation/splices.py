"""Clips cut together from two recordings, with the style of every step for a label.

The cut is made in the features: a frame belongs to one recording alone, where a cut in the sound would blur the
frames whose windows reach over it (six of a thousand, with windows of 64 ms at a hop of 10 ms).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.config import Config, TaskConfig
from train.config_checks import TASK_SIDES
from train.data.clips import ClipSet, Frames, too_short
from train.data.dataset import SPLITS, DataSet, Recording, open_dataset
from train.data.recordings import Features, changed_features
from train.errors import CallError, MaestroError
from train.features import clip_steps

HEAD = "style"
# The side of titles that no other side has.
TEST_TITLES = "test_titles"
SIDES = (*TASK_SIDES, TEST_TITLES)

# Pieces of a style on a side, each with the numbers of its recordings.
Pieces = dict[str, list[int]]


@dataclass(frozen=True)
class Splice:
    """A clip of ``steps`` frames: ``first`` from frame ``first_start`` on, and ``second`` from step ``cut`` on."""

    first: Frames
    first_start: int
    second: Frames
    second_start: int
    cut: int
    steps: int

    @property
    def shape(self) -> tuple[int, ...]:
        """(feature, step)."""
        return (self.first.shape[0], self.steps)

    def __getitem__(self, key: tuple[slice, slice], /) -> Features:
        rows, columns = key
        start, stop, _ = columns.indices(self.steps)
        before = slice(self.first_start + min(start, self.cut), self.first_start + min(stop, self.cut))
        moved = self.second_start - self.cut
        after = slice(moved + max(start, self.cut), moved + max(stop, self.cut))
        return np.concatenate([self.first[rows, before], self.second[rows, after]], axis=1)


def spliced_sets(config: Config) -> tuple[dict[str, ClipSet], dict[str, tuple[str, ...]]]:
    """Clips of every side, drawn from the data set's recordings of that side by ``task.seed``.

    Returns
    -------
    dict of side -> ClipSet
        'train', 'validation' and 'test' of new performances; 'test_titles' of titles that the others have not, where
        titles are held out. Labels of the head 'style' have shape (clip, step).
    dict of head -> class names

    Raises
    ------
    MaestroError
        The data set is not there or damaged, has no such styles, or has no recording of one on a side.
    CallError
        More titles are to be held out than there are.
    """
    task, data = config.task, open_dataset(config)
    known = data.labels.get(HEAD, ())
    for style in task.styles:
        if style not in known:
            raise MaestroError(
                data.name,
                f"has no recording of the style {style!r}",
                allowed=f"one of {', '.join(known)}" if known else "recordings with styles",
                cure="set task.styles",
            )
    wanted = [entry for entry in data.recordings if entry.labels.get(HEAD) in task.styles and entry.split in SPLITS]
    # Titles are held out whichever recordings turn out to be bad.
    held = held_out(wanted, task)
    steps = clip_steps(config.features)
    used: list[Recording] = []
    sequences: list[Frames] = []
    for recording, sequence in zip(wanted, changed_features(data, wanted, config, [None])[0], strict=True):
        if sequence is None:
            continue
        if sequence.shape[1] < steps:
            raise too_short(recording.id, sequence.shape[1], steps)
        used.append(recording)
        sequences.append(sequence)
    sets = {}
    for number, side in enumerate(SIDES if task.held_out else TASK_SIDES):
        of_side = [index for index, recording in enumerate(used) if _side(recording, held) == side]
        pieces = [_pieces(data, used, of_side, style, side) for style in task.styles]
        count = getattr(task, f"{side.partition('_')[0]}_clips")
        sets[side] = draw(sequences, pieces, count, steps, task, number)
    return sets, {HEAD: task.styles}


def held_out(recordings: Sequence[Recording], task: TaskConfig) -> frozenset[str]:
    """Titles kept for a test set of their own, ``task.held_out`` of each style, drawn by ``task.seed``.

    Raises
    ------
    CallError
        A style has no title left.
    """
    found: set[str] = set()
    for number, style in enumerate(task.styles):
        titles = sorted({entry.piece for entry in recordings if entry.labels[HEAD] == style})
        if task.held_out and task.held_out >= len(titles):
            raise CallError(
                "configuration key task.held_out",
                f"is {task.held_out} where {style} has {len(titles)} titles",
                allowed=f"at most {len(titles) - 1}",
            )
        order = np.random.default_rng((task.seed, len(SIDES), number)).permutation(len(titles))
        found |= {titles[index] for index in order[: task.held_out]}
    return frozenset(found)


def draw(
    sequences: Sequence[Frames],
    pieces: Sequence[Mapping[str, Sequence[int]]],
    count: int,
    steps: int,
    task: TaskConfig,
    side: int,
) -> ClipSet:
    """Clips of one side.

    Parameters
    ----------
    sequences : each (feature, frame)
        Features of recordings.
    pieces
        For both styles the side's pieces, each with the numbers of its recordings.
    count
        Clips.
    steps
        Frames of a clip.
    task
        Order of the styles, place of the cut, seed.
    side
        A number of the side's own. A clip follows from seed, side and its own number, whatever ``count`` is.
    """
    low, high = round(task.cut_low * steps), round(task.cut_high * steps)
    splices: list[Frames] = []
    styles = np.empty((count, steps), np.int64)
    for clip in range(count):
        generator = np.random.default_rng((task.seed, side, clip))
        before, after = orders(task)[clip % len(orders(task))]
        cut = int(generator.integers(low, high + 1))
        piece, first = _pick(generator, pieces[before])
        # No cut joins a piece to itself where there is another: a cut is a cut, whether the style changes or not.
        _, second = _pick(generator, pieces[after], without=piece)
        starts = [
            int(generator.integers(sequences[recording].shape[1] - length + 1))
            for recording, length in ((first, cut), (second, steps - cut))
        ]
        splices.append(Splice(sequences[first], starts[0], sequences[second], starts[1], cut, steps))
        styles[clip, :cut], styles[clip, cut:] = before, after
    names = tuple(f"splice{clip}" for clip in range(count))
    return ClipSet(tuple(splices), np.arange(count), np.zeros(count, np.int64), {HEAD: styles}, steps, names)


def orders(task: TaskConfig) -> tuple[tuple[int, int], ...]:
    """Numbers of the styles before and after the cut, of clip after clip."""
    return ((0, 1),) if task.order == "forward" else ((0, 1), (1, 0), (0, 0), (1, 1))


def cuts(clips: ClipSet) -> NDArray[np.int64]:
    """First step after the cut of every clip, shape (clip,)."""
    return np.array([splice.cut for splice in clips.sequences if isinstance(splice, Splice)], np.int64)


def _side(recording: Recording, held: frozenset[str]) -> str:
    return TEST_TITLES if recording.piece in held else recording.split


def _pieces(data: DataSet, recordings: Sequence[Recording], chosen: Sequence[int], style: str, side: str) -> Pieces:
    found: Pieces = {}
    for index in chosen:
        if recordings[index].labels[HEAD] == style:
            found.setdefault(recordings[index].piece, []).append(index)
    if not found:
        raise MaestroError(
            data.name,
            f"has no recording of {style} for {side}",
            cure="give more recordings, choose other splits, or hold out fewer titles (task.held_out)",
        )
    return dict(sorted(found.items()))


def _pick(generator: np.random.Generator, pieces: Mapping[str, Sequence[int]], without: str = "") -> tuple[str, int]:
    """A piece, and a recording of it; every piece is as likely, however many recordings it has."""
    titles = [title for title in pieces if title != without] or list(pieces)
    title = titles[int(generator.integers(len(titles)))]
    return title, pieces[title][int(generator.integers(len(pieces[title])))]
