"""Which side each recording is on: whole takes shared out title by title, the official sides, or those of files.

A take is one player's performance of a piece, which the table may have cut into several recordings, a movement each:
sides that came between them would test what was all but heard in training.
"""

import difflib
import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from train.config import DataConfig
from train.data.dataset import SPLITS, TEST, TRAIN, VALIDATION
from train.data.files import is_file, read_json
from train.errors import CallError, MaestroError

# Names of the files that hold a side, as the seeds have them.
FILES = {TRAIN: ("train.json",), VALIDATION: ("val.json", "validation.json"), TEST: ("test.json",)}


@dataclass(frozen=True)
class Entry:
    """A recording before it has its labels.

    ``piece`` is the composition, ``take`` what must stay on one side, ``official`` the table's side, ``side`` ours.
    """

    id: str
    piece: str
    take: str
    official: str
    side: str = ""


def takes_of(entries: Iterable[Entry]) -> dict[str, tuple[str, ...]]:
    """Piece -> its takes, sorted."""
    found: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        found[entry.piece].add(entry.take)
    return {piece: tuple(sorted(takes)) for piece, takes in sorted(found.items())}


def by_performances(entries: Sequence[Entry], config: DataConfig) -> list[Entry]:
    """Takes of every title shared out; a title with too few stays together on its official side.

    What becomes of a title's takes depends on them, the title and the seed alone: other titles may come and go.
    Where a title with few takes has several official sides it is put where most of its recordings are.
    """
    sides: dict[str, str] = {}
    official: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in entries:
        official[entry.piece][entry.official] += 1
    for piece, takes in takes_of(entries).items():
        if len(takes) >= max(config.min_recordings, 2):
            sides.update(share_out(piece, takes, config))
        else:
            common = max(SPLITS, key=lambda side, of=official[piece]: of[side])  # type: ignore[misc]
            sides.update(dict.fromkeys(takes, common))
    return [replace(entry, side=sides[entry.take]) for entry in entries]


def share_out(piece: str, takes: Sequence[str], config: DataConfig) -> dict[str, str]:
    """A side for each take of one title: one at least for training and test and, from three on, for validation."""

    def draw(take: str) -> str:
        return hashlib.sha256(f"{config.seed}\n{piece}\n{take}".encode()).hexdigest()

    count = len(takes)
    test = max(1, math.floor(config.test_share * count + 0.5))
    validation = max(1, math.floor(config.validation_share * count + 0.5)) if count > 2 else 0
    while test + validation >= count:
        test, validation = (test - 1, validation) if test > validation else (test, validation - 1)
    sides = [TEST] * test + [VALIDATION] * validation + [TRAIN] * (count - test - validation)
    return dict(zip(sorted(takes, key=draw), sides, strict=True))


def by_table(entries: Sequence[Entry]) -> list[Entry]:
    """The table's own sides."""
    return apart([replace(entry, side=entry.official) for entry in entries])


def by_files(entries: Sequence[Entry], known: Iterable[str], folder: str) -> list[Entry]:
    """Sides that train.json, val.json and test.json give, lists of ids; recordings in none of them are left out.

    Parameters
    ----------
    entries
        Recordings that are there.
    known
        Ids of the whole table.
    folder
        Where the files are.

    Raises
    ------
    CallError
        No folder was named.
    MaestroError
        A file is not there or no list of ids; an id is unknown, or given twice.
    """
    if not folder:
        raise CallError(
            "configuration key data.split_files", "is empty", cure="set it to the folder of train.json and the others"
        )
    names = dict.fromkeys(sorted(known))
    sides: dict[str, tuple[str, str]] = {}
    for side, choices in FILES.items():
        path = next((path for name in choices if is_file(path := Path(folder) / name)), Path(folder) / choices[0])
        for entry in _ids(path):
            if entry not in names:
                close = difflib.get_close_matches(entry, names, n=1)
                cure = f"did you mean {close[0]!r}?" if close else "give ids of MAESTRO v3.0.0, YEAR__recording"
                raise MaestroError(str(path), f"{entry!r} is no recording of the table", cure=cure)
            if entry in sides:
                other = sides[entry][1]
                found = f"holds {entry!r} twice" if other == str(path) else f"holds {entry!r}, which {other} holds too"
                raise MaestroError(str(path), found, cure="a recording has one side; take it out once")
            sides[entry] = (side, str(path))
    return apart([replace(entry, side=sides[entry.id][0]) for entry in entries if entry.id in sides])


def apart(entries: Sequence[Entry]) -> list[Entry]:
    """Make recordings takes of their own where sides that others chose come between those of one take."""
    divided = set(divided_takes(entries))
    return [replace(entry, take=entry.id) if entry.take in divided else entry for entry in entries]


def divided_takes(entries: Iterable[Entry]) -> list[str]:
    """Takes that are on several sides, sorted."""
    sides: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        sides[entry.take].add(entry.side)
    return sorted(take for take, found in sides.items() if len(found) > 1)


def on_sides(names: Mapping[str, str], entries: Iterable[Entry]) -> dict[str, set[str]]:
    """Class name -> the sides it is on; ``names`` maps a recording's id to its class."""
    found: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        if entry.id in names:
            found[names[entry.id]].add(entry.side)
    return found


def _ids(path: Path) -> list[str]:
    found = read_json(
        path, "mend it, or choose another split", "data.split_files needs train.json, val.json, test.json"
    )
    if not isinstance(found, list) or not all(isinstance(entry, str) for entry in found):
        raise MaestroError(str(path), "is no list of ids", allowed='["2004__MIDI-Unprocessed_XP_16_...", ...]')
    return found
