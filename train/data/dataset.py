"""A data set: recordings with their labels and the side each is on, whatever they were read from."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from train.config import Config
from train.errors import CallError, MaestroError

TRAIN, VALIDATION, TEST = "train", "validation", "test"
# Sides that every data set has; one may have more test sets, named test_SOMETHING.
SPLITS = (TRAIN, VALIDATION, TEST)


@dataclass(frozen=True)
class Recording:
    """One recording.

    Attributes
    ----------
    id
        Unique in its data set.
    file
        Its sound or MIDI file, relative to the data set's folder.
    split
        The side it is on: 'train', 'validation', 'test' or 'test_SOMETHING'.
    duration_s
        Length in seconds, as the table or the file's header says.
    piece
        The composition, which label files speak of.
    group
        What must stay on one side. Recordings of one group never are on two.
    labels
        Head -> class name; a head that is not there is unlabelled.
    """

    id: str
    file: str
    split: str
    duration_s: float
    piece: str
    group: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class DataSet:
    """Recordings and what is to be told of them.

    Attributes
    ----------
    name
        What it is called in messages.
    path
        Folder that the recordings' files are relative to.
    recordings
        All that have a side, in a fixed order.
    labels
        Head -> class names, sorted; the order of heads and classes is the last layer's.
    remarks
        What a user should know: a line each (how many files are missing, say).
    details
        Lists behind the remarks, by a title: every missing file, every joined title.
    """

    name: str
    path: Path
    recordings: tuple[Recording, ...]
    labels: dict[str, tuple[str, ...]]
    remarks: tuple[str, ...] = ()
    details: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def splits(self) -> tuple[str, ...]:
        """Sides that have recordings: train, validation, test and then further test sets."""
        found = {recording.split for recording in self.recordings}
        return tuple(split for split in SPLITS if split in found) + tuple(sorted(found - set(SPLITS)))

    def of_split(self, split: str) -> list[Recording]:
        """Recordings of one side, in their order."""
        return [recording for recording in self.recordings if recording.split == split]

    def file_of(self, recording: Recording) -> Path:
        """Where a recording's file lies."""
        return self.path / recording.file


def classes_of(recordings: Sequence[Recording], heads: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Class names of each head that any recording has a label of, sorted."""
    found = {head: sorted({entry.labels[head] for entry in recordings if head in entry.labels}) for head in heads}
    return {head: tuple(names) for head, names in found.items() if names}


def test_splits(splits: Sequence[str]) -> tuple[str, ...]:
    """Those of ``splits`` that are test sets."""
    return tuple(split for split in splits if split.startswith(TEST))


def open_dataset(config: Config) -> DataSet:
    """The configuration's data set, with the labels of its label files.

    Raises
    ------
    MaestroError
        It is not there, is damaged, or cannot be built; a side is empty.
    CallError
        What the configuration says of it is wrong.
    """
    found = _read(config)
    if config.data.labels:
        from train.data.label_files import attach_labels

        found = attach_labels(found, config.data)
    found = _chosen(found, config.data.heads)
    for split in SPLITS:
        if split not in found.splits:
            raise MaestroError(
                found.name,
                f"has no recording for {split}",
                cure="give more recordings, or choose other splits; `--summary` shows them",
            )
    return found


def _chosen(data: DataSet, heads: Sequence[str]) -> DataSet:
    """The data set with those heads alone, in their order; all of them if none is named."""
    for head in heads:
        if head not in data.labels:
            raise CallError(
                "configuration key data.heads",
                f"names {head!r}, which {data.name} has no labels of",
                allowed=f"of {', '.join(data.labels)}",
                cure="choose another, or give label files (data.labels)",
            )
    if not (heads or data.labels):
        raise MaestroError(data.name, "has no labels", cure="give label files (data.labels)")
    return dataclasses.replace(data, labels={head: data.labels[head] for head in heads or data.labels})


def _read(config: Config) -> DataSet:
    # Only here: each reader loads what it needs.
    if config.data.source == "maestro":
        from train.data.maestro.reader import read_maestro

        return read_maestro(config.data)
    if config.data.source == "folder":
        from train.data.folder import read_folder

        return read_folder(config.data)
    from train.data.corpus import corpus_dataset

    return corpus_dataset(config.corpus)
