"""Any folder of recordings as a data set.

Without an index, the sub-folders are the classes of the one head ``title``::

    ROOT/CLASS/1.wav            a group of its own
    ROOT/CLASS/TAKE/1.wav       of one group with what else lies in TAKE

With one (``data.index``), a CSV file says it all: columns ``file`` (from ROOT), ``group`` (what must stay on one
side), ``split`` (train, validation, test or test_SOMETHING), ``piece`` (what label files call it), of which only
``file`` must be there, and a column for each head.

WAV, FLAC, OGG, MP3, AIFF and MIDI files count, whatever the case of their suffix. Files of the same content are of
one group, wherever they lie. Sides are drawn by group where the index has none.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from train.config import DataConfig
from train.data.csv_table import many, some
from train.data.dataset import SPLITS, DataSet, Recording, classes_of
from train.data.files import is_file, is_folder
from train.data.folder_files import AUDIO_SUFFIXES, Entry, Found, read_index, walk_folder
from train.data.folder_headers import identical, measured, printable
from train.data.folder_sides import draw_sides
from train.data.heads import check_class_names, check_head, in_head_order
from train.errors import CallError, MaestroError

_KINDS = f"{', '.join(AUDIO_SUFFIXES)} or .mid"


def read_folder(config: DataConfig, *, files: bool = True) -> DataSet:
    """The folder ``config.root`` as a data set.

    Parameters
    ----------
    config
        Its ``root``, ``index``, ``heads``, ``media``, shares, ``seed``, ``min_coverage`` and ``skip_bad`` count; with
        ``split`` 'official' the index must say the sides.
    files
        Whether the files are looked at. If not, lengths are 0 and files of the same content are not found.

    Returns
    -------
    DataSet
        Recordings in the order of their paths; the id of each is its path from the folder.

    Raises
    ------
    MaestroError
        The folder or the index is not there or wrong; files are damaged, which are named (with ``skip_bad`` left out
        and told instead); the same recording has two labels or two sides; there are too few groups for three sides;
        or a head cannot be learned (`check_head`).
    CallError
        ``split`` is no choice for a folder, or none of ``heads`` is labelled there.
    """
    root = Path(config.root)
    if config.split == "files":
        raise CallError("configuration key data.split", "is 'files'", allowed="performances or official for a folder")
    if not is_folder(root):
        fault = "is a file" if is_file(root) else "no such folder"
        raise MaestroError(str(root), fault, cure="set data.root to the folder of the recordings")
    where = config.index or str(root)
    found = read_index(root, Path(config.index)) if config.index else walk_folder(root)
    remarks: list[str] = []
    details: dict[str, tuple[str, ...]] = {}
    entries = _chosen(found, config, remarks, details)
    if not entries:
        raise _nothing(root, found, config)
    entries, lengths = _heard(root, entries, config.skip_bad, files, remarks, details)
    if files:
        entries = _with_twins(root, entries, remarks, details)
    entries = _on_sides(where, entries, config, remarks)
    recordings = tuple(
        Recording(entry.file, entry.file, entry.split, lengths[entry.file], entry.piece, entry.group,
                  entry.labels)
        for entry in entries
    )  # fmt: skip
    heads = in_head_order(head for entry in entries for head in entry.labels)
    if not heads and not config.labels:
        if config.heads:
            of = in_head_order(head for entry in found.entries for head in entry.labels)
            raise CallError(
                "configuration key data.heads",
                f"names {some(config.heads)}, which {where} has no labels of",
                allowed=f"of {some(of)}" if of else "",
                cure="choose another, or give label files (data.labels)",
            )
        cure = "give the index a column for each head, or label files with data.labels"
        raise MaestroError(where, "has no labels, nothing to learn", cure=cure)
    for head in heads:
        check_class_names(where, head, (entry.labels[head] for entry in entries if head in entry.labels))
        remarks += check_head(where, head, recordings, config.min_coverage)
    return DataSet("the folder", root, recordings, classes_of(recordings, heads), tuple(remarks), details)


def _chosen(found: Found, config: DataConfig, remarks: list[str], details: dict[str, tuple[str, ...]]) -> list[Entry]:
    """Entries of the media and heads asked for; loose files only where label files may label them."""
    entries = found.entries
    if found.others:
        kinds = ", ".join(f"{printable(suffix)} {count}" for suffix, count in sorted(found.others.items()))
        remarks.append(f"{many(sum(found.others.values()), 'file')} not taken for recordings by the suffix: {kinds}")
    if found.loose and not config.labels:
        told = [printable(file) for file in found.loose]
        remarks.append(f"{many(len(told), 'recording')} in no class's folder, left out: {some(told, 3)}")
        details["recordings in no class's folder"] = tuple(told)
        loose = set(found.loose)
        entries = [entry for entry in entries if entry.file not in loose]
    if config.media != "any":
        kept = [entry for entry in entries if entry.is_midi == (config.media == "midi")]
    else:
        heard = {_stem(entry) for entry in entries if not entry.is_midi}
        kept = [entry for entry in entries if not entry.is_midi or _stem(entry) not in heard]
    if spare := len(entries) - len(kept):
        reason = "beside audio of the same name" if config.media == "any" else f"not {config.media}"
        remarks.append(f"{many(spare, 'file')} left out: {reason}")
    if config.heads:
        kept = [
            dataclasses.replace(entry, labels={h: name for h, name in entry.labels.items() if h in config.heads})
            for entry in kept
        ]
    return kept


def _stem(entry: Entry) -> str:
    return str(PurePosixPath(entry.file).with_suffix(""))


def _nothing(root: Path, found: Found, config: DataConfig) -> MaestroError:
    """The error of a folder without a single recording to be used."""
    if config.index:
        return MaestroError(config.index, f"names no file that is {config.media}", cure="set data.media to any")
    if found.loose:
        text = f"has {many(len(found.loose), 'recording')} and no class: none lies in a sub-folder"
    else:
        text = "holds no recordings"
    tables = sorted(path for path in root.glob("*.csv"))
    cure = f"set data.index={tables[0]}" if tables else "make a sub-folder for each class, or name a CSV by data.index"
    return MaestroError(str(root), text, allowed=f"sub-folders of {_KINDS} files", cure=cure)


def _heard(
    root: Path,
    entries: Sequence[Entry],
    skip_bad: bool,
    files: bool,
    remarks: list[str],
    details: dict[str, tuple[str, ...]],
) -> tuple[list[Entry], dict[str, float]]:
    """Entries whose files can be used, and their lengths in seconds."""
    lengths, faults = measured(root, [entry.file for entry in entries], headers=files)
    if faults:
        told = list(faults.values())
        if not skip_bad:
            cure = "mend or delete them, or leave them out with `--set data.skip_bad=true`"
            raise MaestroError(str(root), f"{many(len(told), 'file')} cannot be used: {some(told)}", cure=cure)
        if not lengths:
            raise MaestroError(str(root), f"no file can be used: {some(told, 3)}", cure="give whole recordings")
        remarks.append(f"{many(len(told), 'damaged file')} left out: {some([printable(name) for name in faults], 3)}")
        details["damaged files left out"] = tuple(told)
    return [entry for entry in entries if entry.file in lengths], lengths


def _with_twins(
    root: Path, entries: Sequence[Entry], remarks: list[str], details: dict[str, tuple[str, ...]]
) -> list[Entry]:
    """Entries with the groups of files of the same content joined, each under the first of their names."""
    twins = identical(root, [entry.file for entry in entries])
    if not twins:
        return list(entries)
    by_file = {entry.file: entry for entry in entries}
    joined: dict[str, str] = {}

    def leader(group: str) -> str:
        while group in joined:
            group = joined[group]
        return group

    for same in twins:
        first, *others = (by_file[file] for file in same)
        _check_same(root, [first, *others])
        for other in others:
            low, high = sorted((leader(first.group), leader(other.group)))
            if low != high:
                joined[high] = low
    copies = sum(len(same) - 1 for same in twins)
    remarks.append(f"{many(copies, 'copy', 'copies')} of other files, kept on one side with them")
    details["files of the same content"] = tuple(" = ".join(same) for same in twins)
    return [dataclasses.replace(entry, group=leader(entry.group)) for entry in entries]


def _check_same(root: Path, entries: Sequence[Entry]) -> None:
    """Refuse files of the same content that have two labels or two sides; some may have no label."""
    said: dict[str, Entry] = {}
    for other in entries:
        for head, name in other.labels.items():
            one = said.setdefault(head, other)
            if one.labels[head] != name:
                raise _two_of_one(root, one, other, f"{head} is {one.labels[head]!r} and {name!r}")
        if other.split != entries[0].split:
            raise _two_of_one(root, entries[0], other, f"on {entries[0].split} and {other.split}")


def _two_of_one(root: Path, one: Entry, other: Entry, found: str) -> MaestroError:
    where = f"{root / one.file} and {other.file}"
    return MaestroError(where, f"are the same recording, but {found}", cure="delete one of the files")


def _on_sides(where: str, entries: Sequence[Entry], config: DataConfig, remarks: list[str]) -> list[Entry]:
    """Entries with the sides that the index gives, or that are drawn."""
    groups: dict[str, set[tuple[str, str]]] = {}
    for entry in entries:
        groups.setdefault(entry.group, set()).update(entry.labels.items())
    if all(entry.split for entry in entries):
        remarks.append(f"{many(len(groups), 'group')} on the sides that the index names")
        found = list(entries)
    elif config.split == "official":
        cure = "give it a column split in data.index, or set data.split=performances to have sides drawn"
        raise MaestroError(where, "names no sides", cure=cure)
    else:
        sides = draw_sides(groups, config.validation_share, config.test_share, config.seed)
        found = [dataclasses.replace(entry, split=sides[entry.group]) for entry in entries]
        counts = ", ".join(f"{side} {sum(on == side for on in sides.values())}" for side in SPLITS)
        remarks.append(f"{many(len(groups), 'group')} put on sides by lot: {counts}")
    missing = [side for side in SPLITS if all(entry.split != side for entry in found)]
    if missing:
        raise MaestroError(
            where,
            f"{many(len(groups), 'group')} of recordings, which leaves none for {' and '.join(missing)}",
            allowed="three groups at least of one class",
            cure="give more recordings, smaller groups, or sides in a column split of data.index",
        )
    return found
