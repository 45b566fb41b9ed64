"""Labels from CSV files: a head more for any data set, emotion say.

A file has a header and a row for everything that an annotator says of a piece::

    piece,label,value,annotator,source,licence
    "Chopin - Ballade No. 1, Op. 23",emotion,dramatic,anna,own listening,CC BY 4.0

``piece`` is a piece of the data set, or the id of one of its recordings, of which a row of its own counts for more
than those of its piece; ``label`` is the head and ``value`` the class. The last three columns may be left out.
Where annotators differ the majority decides, and a tie leaves the piece unlabelled. A head that the data set has
already is replaced as a whole, for two vocabularies in one head would be no vocabulary.
"""

import csv
import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from train.artifacts import atomic_write
from train.config import DataConfig
from train.data.csv_table import Table, composed, many, nearest, read_table, some
from train.data.dataset import DataSet, Recording, classes_of
from train.data.files import is_file, is_folder
from train.data.heads import check_class_names, check_head, check_head_name, in_head_order, pieces_heard_again
from train.data.label_votes import agreement, majority
from train.errors import MaestroError

REQUIRED = ("piece", "label", "value")
COLUMNS = (*REQUIRED, "annotator", "source", "licence")
# Unknown keys for which a message looks for the nearest known one, which takes time.
_SUGGESTED = 10
_UNSTATED = "not stated"


@dataclasses.dataclass(frozen=True)
class _Claim:
    """What an annotator says of a key, and where it stands."""

    key: str
    head: str
    value: str
    annotator: str
    source: str
    licence: str
    where: str


def attach_labels(data: DataSet, config: DataConfig) -> DataSet:
    """A data set with the labels of the configuration's label files.

    Only ``config.heads`` are attached, where any are named. Recordings that the files do not speak of stay
    unlabelled in those heads.

    Parameters
    ----------
    data
        Recordings with their sides.
    config
        Its ``labels`` are the files, ``min_coverage`` the share of the recordings a head must reach.

    Returns
    -------
    DataSet
        With the heads added or replaced, in the order of `in_head_order`; its remarks tell the coverage,
        unknown keys, duplicates, disagreement and classes absent from a side, its details sources and licences.

    Raises
    ------
    MaestroError
        A file cannot be read or a row is wrong; one annotator says two things of one piece; no row is about a
        piece of the data set; a head reaches too few recordings, has one class, or one that training lacks.
    """
    claims = [claim for path in config.labels for claim in _read(Path(path))]
    if not data.recordings:
        return data
    files = " and ".join(config.labels)
    remarks, details = list(data.remarks), dict(data.details)
    wanted = [claim for claim in claims if not config.heads or claim.head in config.heads]
    if len(wanted) < len(claims):
        spare = sorted({claim.head for claim in claims} - set(config.heads))
        remarks.append(f"{files}: {some(spare)} not among data.heads, left out")
    for head in in_head_order(claim.head for claim in wanted):
        of_head = [claim for claim in wanted if claim.head == head]
        check_class_names(files, head, (claim.value for claim in of_head))
        if head in data.labels:
            remarks.append(f"{head}: the labels of {files} take the place of the data set's own")
        once = _without_repeats(head, of_head, remarks)
        known = _without_unknown(data, files, head, once, remarks, details)
        decided = _decide(head, known, remarks, details)
        data = dataclasses.replace(data, recordings=_labelled(data.recordings, head, decided))
        remarks += check_head(files, head, data.recordings, config.min_coverage)
        if head != "title":
            remarks += pieces_heard_again(head, data.recordings)
        details[f"{head}: sources and licences of its labels"] = _origins(of_head)
    found = data.labels | classes_of(data.recordings, sorted({claim.head for claim in wanted}))
    labels = {head: found[head] for head in in_head_order(found)}
    return dataclasses.replace(data, labels=labels, remarks=tuple(remarks), details=details)


def _read(path: Path) -> list[_Claim]:
    table = read_table(path, REQUIRED, COLUMNS)
    claims = []
    for row in table.rows:
        if row.cells["piece"] and not any(text for column, text in row.cells.items() if column != "piece"):
            # As write_template leaves it: nothing is said of the piece yet.
            continue
        where = table.at(row)
        for column in REQUIRED:
            _check_cell(where, column, row.cells[column])
        check_head_name(where, row.cells["label"])
        key, head, value = (row.cells[column] for column in REQUIRED)
        annotator, source, licence = (row.cells.get(column, "") for column in COLUMNS[len(REQUIRED) :])
        claims.append(_Claim(key, head, value, annotator, source, licence, where))
    _check_annotators(table, claims)
    return claims


def write_template(path: Path, data: DataSet) -> int:
    """Write a label file to be filled in, a line for each piece, and say how many they are.

    Lines that are left as they are say nothing.

    Raises
    ------
    MaestroError
        The file is there already, or cannot be written.
    """
    if is_file(path) or is_folder(path):
        raise MaestroError(str(path), "is there already", cure="name another file; labels in it would be lost")
    pieces = list(dict.fromkeys(recording.piece for recording in data.recordings))
    with atomic_write(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *([piece, *[""] * (len(COLUMNS) - 1)] for piece in sorted(pieces))])
    return len(pieces)


def _check_cell(where: str, column: str, text: str) -> None:
    # Spreadsheets and pandas leave these where a value is missing.
    if not text or text.casefold() == "nan":
        found = f"{column} is {text!r}" if text else f"{column} is blank"
        raise MaestroError(where, found, cure="fill it, or leave the row out")


def _check_annotators(table: Table, claims: Sequence[_Claim]) -> None:
    """Refuse a file in which some rows name their annotator and some do not: who said what would be a guess."""
    nameless = [claim for claim in claims if not claim.annotator]
    if nameless and len(nameless) < len(claims):
        cure = "name the annotator in every row, or in none"
        raise MaestroError(nameless[0].where, "annotator is blank, as it is not in other rows", cure=cure)


def _without_repeats(head: str, claims: Sequence[_Claim], remarks: list[str]) -> list[_Claim]:
    """Each annotator's word on each key, once."""
    first: dict[tuple[str, str], _Claim] = {}
    for claim in claims:
        known = first.setdefault((claim.key, claim.annotator), claim)
        if known.value != claim.value:
            who = f"annotator {claim.annotator!r}" if claim.annotator else "one and the same annotator"
            raise MaestroError(
                claim.where,
                f"{head} of {claim.key!r} is {claim.value!r}, but {known.value!r} in {known.where}, by {who}",
                cure="keep one of the rows, or name who said what in the column annotator",
            )
    if repeats := len(claims) - len(first):
        remarks.append(f"{head}: {repeats} of {len(claims)} rows say again what their annotator said; counted once")
    return list(first.values())


def _without_unknown(
    data: DataSet,
    files: str,
    head: str,
    claims: Sequence[_Claim],
    remarks: list[str],
    details: dict[str, tuple[str, ...]],
) -> list[_Claim]:
    """The rows about pieces and recordings of the data set; the keys of the others are counted and named."""
    names = {_key(name) for entry in data.recordings for name in (entry.piece, entry.id)}
    keys = dict.fromkeys(claim.key for claim in claims)
    unknown = [key for key in keys if key not in names]
    shown = [f"{key!r}{nearest(key, names)}" for key in unknown[:_SUGGESTED]]
    shown += [repr(key) for key in unknown[_SUGGESTED:]]
    if len(unknown) == len(keys):
        raise MaestroError(
            files,
            f"no key of {head} is a piece or a recording of {data.name}: {some(shown, 3)}",
            allowed=f"keys like {data.recordings[0].piece!r}",
        )
    if unknown:
        verb = "names" if len(unknown) == 1 else "name"
        remarks.append(
            f"{head}: {len(unknown)} of {len(keys)} keys {verb} no piece or recording of {data.name}: {some(shown, 3)}"
        )
        details[f"{head}: unknown keys of {files}"] = tuple(shown)
    return [claim for claim in claims if claim.key in names]


def _decide(
    head: str, claims: Sequence[_Claim], remarks: list[str], details: dict[str, tuple[str, ...]]
) -> dict[str, str | None]:
    """Key -> what most annotators say, None for a tie."""
    said: dict[str, list[str]] = {}
    for claim in claims:
        said.setdefault(claim.key, []).append(claim.value)
    decided = {key: majority(values) for key, values in said.items()}
    found = agreement(list(said.values()))
    if found is not None:
        alpha = "" if found.alpha is None else f", Krippendorff's alpha {found.alpha:.2f}"
        remarks.append(
            f"{head}: {found.units} of {len(said)} keys have several annotators, "
            f"pairs of whom agree in {100 * found.share:.0f} %{alpha}"
        )
    if ties := [key for key, value in decided.items() if value is None]:
        remarks.append(f"{head}: {many(len(ties), 'tie')} between annotators left unlabelled")
        details[f"{head}: ties between annotators"] = tuple(f"{key}: {', '.join(sorted(said[key]))}" for key in ties)
    return decided


def _labelled(recordings: Sequence[Recording], head: str, decided: Mapping[str, str | None]) -> tuple[Recording, ...]:
    found = []
    for entry in recordings:
        labels = {name: value for name, value in entry.labels.items() if name != head}
        own = _key(entry.id)
        value = decided[own] if own in decided else decided.get(_key(entry.piece))
        if value is not None:
            labels[head] = value
        found.append(dataclasses.replace(entry, labels=labels))
    return tuple(found)


def _key(name: str) -> str:
    """A piece or a recording as a table's cells have it."""
    return composed(name).strip()


def _origins(claims: Sequence[_Claim]) -> tuple[str, ...]:
    """Where a head's labels come from, and under which terms."""
    counts = Counter((claim.source or _UNSTATED, claim.licence or _UNSTATED) for claim in claims)
    return tuple(
        f"source {source}, licence {licence}: {many(count, 'row')}"
        for (source, licence), count in sorted(counts.items())
    )
