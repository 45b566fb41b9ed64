"""MAESTRO as a data set: what is there of it, with titles, styles and sides."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from train.config import DataConfig
from train.data.dataset import TEST, TRAIN, DataSet, Recording, classes_of
from train.data.files import is_file
from train.data.maestro.asap import read_asap
from train.data.maestro.eras import DEBATABLE, check_eras, era_of, read_eras
from train.data.maestro.pieces import Pieces, attributed, confusable, identify
from train.data.maestro.sides import Entry, by_files, by_performances, by_table, divided_takes, on_sides, takes_of
from train.data.maestro.table import ROWS, Row, find_table, read_table
from train.errors import CallError, MaestroError

# Those that MAESTRO's own table can give.
HEADS = ("title", "style")
# data.media -> which of a row's files are heard, the first that is there.
KINDS = {"any": ("audio", "midi"), "audio": ("audio",), "midi": ("midi",)}


@dataclass
class _Notes:
    """What is said of the data set: remarks, and the lists behind them."""

    remarks: list[str] = field(default_factory=list)
    details: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def add(self, remark: str, title: str = "", items: Sequence[str] = ()) -> None:
        self.remarks.append(remark)
        if title:
            self.details[title] = tuple(items)


def read_maestro(config: DataConfig, *, files: bool = True) -> DataSet:
    """Read MAESTRO v3.0.0 from the folder it is distributed in, or what is there of it.

    Parameters
    ----------
    config
        Section data: root, table, asap, eras, media, split, split_files, min_recordings, shares, seed.
    files
        Leave out what has no file. Without, every row of the table counts, and no file need be there.

    Returns
    -------
    DataSet
        Heads title and style. Ids are ``YEAR__stem``, groups are takes: one player's performance of one piece, which
        may be several recordings.

    Raises
    ------
    MaestroError
        No table, a wrong one, or none of its files; a file of labels or sides is wrong; there is nothing to learn.
    CallError
        data.split_files is not set, data.eras is wrong, or data.heads names what only a label file could give.
    """
    found = look_at_maestro(config, files=files)
    if config.labels:
        # What is to be learned is known once they are attached.
        return found
    for head in config.heads:
        if head not in HEADS:
            raise CallError(
                "configuration key data.heads",
                f"names {head!r}, which MAESTRO has no labels of",
                allowed=f"of {', '.join(HEADS)}",
                cure="choose another, or give label files (data.labels)",
            )
    reasons = [remark for remark in found.remarks if remark.startswith("no head")]
    if not found.labels or any(head not in found.labels for head in config.heads):
        raise MaestroError(
            config.root,
            f"nothing to learn: {'; '.join(reasons)}",
            cure="choose another data.split, set data.min_recordings lower, give more recordings, or label files "
            "with data.labels",
        )
    return found


def look_at_maestro(config: DataConfig, *, files: bool = True) -> DataSet:
    """The same, even if nothing can be learned from it: what it has no labels of is among its remarks."""
    root = Path(config.root)
    table = find_table(root, config.table)
    rows = read_table(table)
    notes = _Notes()
    written = [attributed(row) for row in rows]
    if len(rows) != ROWS:
        notes.add(f"the table has {len(rows)} recordings; MAESTRO v3.0.0's has {ROWS}")
    _tell_table(notes, rows, written)
    titles = len({(row.composer, row.title) for row in rows})
    rows = written
    asap = read_asap(Path(config.asap), {row.midi: row for row in rows}) if config.asap else {}
    pieces = identify(rows, asap)
    _tell_pieces(notes, titles, pieces, asap, config)
    present = _present(notes, root, rows, config, files)
    by_id = {row.id: row for row in rows}
    entries = [Entry(row.id, pieces.piece[row.id], pieces.take[row.id], row.split) for row, _ in present]
    placed = _placed(notes, entries, rows, config)
    labels = {}
    if not config.heads or "title" in config.heads:
        labels["title"] = _titles(notes, placed, pieces, config)
    if not config.heads or "style" in config.heads:
        labels["style"] = _styles(notes, placed, by_id, config)
    if config.heads == ("title",) and labels["title"] and not config.labels:
        # Who learns titles alone needs no recording without one; it would only be computed.
        placed = [entry for entry in placed if entry.id in labels["title"]]
    path_of = {row.id: file for row, file in present}
    recordings = tuple(
        Recording(
            id=entry.id,
            file=path_of[entry.id],
            split=entry.side,
            duration_s=by_id[entry.id].duration_s,
            piece=entry.piece,
            group=entry.take,
            labels={head: names[entry.id] for head, names in labels.items() if entry.id in names},
        )
        for entry in placed
    )
    heads = classes_of(recordings, tuple(labels))
    return DataSet("MAESTRO v3.0.0", root, recordings, heads, tuple(notes.remarks), notes.details)


def has_files(config: DataConfig) -> bool:
    """Whether any recording of the table is there, as sound or MIDI as ``config.media`` asks."""
    root = Path(config.root)
    rows = read_table(find_table(root, config.table))
    return any(is_file(root / getattr(row, kind)) for row in rows for kind in KINDS[config.media])


def _tell_table(notes: _Notes, rows: Sequence[Row], written: Sequence[Row]) -> None:
    composers = len({row.composer for row in rows})
    hours = sum(row.duration_s for row in rows) / 3600
    notes.add(f"the table: {len(rows)} recordings, {hours:.2f} h, {composers} composers")
    changed = [(row, now.composer) for row, now in zip(rows, written, strict=True) if now is not row]
    if changed:
        notes.add(
            f"{len(changed)} recordings are counted to another composer than the table has",
            "composers put right",
            sorted(f"{row.composer} - {row.title}: {composer}" for row, composer in changed),
        )


def _tell_pieces(notes: _Notes, titles: int, pieces: Pieces, asap: Mapping[str, str], config: DataConfig) -> None:
    notes.add(
        f"{titles} titles are {len(set(pieces.piece.values()))} pieces, {len(pieces.joined)} with several titles",
        "joined titles",
        pieces.joined,
    )
    if config.asap:
        notes.add(f"ASAP knows {len(asap)} recordings from beginning to end")
    takes = Counter(pieces.take.values())
    parts = sorted(take for take, count in takes.items() if count > 1)
    notes.add(
        f"{len(takes)} takes in {len(pieces.take)} recordings: "
        f"{len(parts)} takes are cut into several, and stay on one side",
        "takes of several recordings",
        [f"{take}: {takes[take]}" for take in parts],
    )


def _present(notes: _Notes, root: Path, rows: Sequence[Row], config: DataConfig, files: bool) -> list[tuple[Row, str]]:
    """Rows with the file that is heard of each, those without a file left out and told."""
    kinds = KINDS[config.media]
    found: list[tuple[Row, str]] = []
    missing: list[str] = []
    used: Counter[str] = Counter()
    for row in rows:
        there = next((kind for kind in kinds if not files or is_file(root / getattr(row, kind))), None)
        if there is None:
            missing.append(" or ".join(getattr(row, kind) for kind in kinds))
            continue
        used[there] += 1
        found.append((row, getattr(row, there)))
    if not found:
        raise MaestroError(
            str(root),
            f"holds none of the {len(rows)} {' or '.join(kinds)} files of its table, {missing[0]} for one",
            cure="unpack the data set there, or look at its table alone with `python -m train data maestro --summary`",
        )
    if missing:
        notes.add(f"{len(missing)} of {len(rows)} recordings have no file and are left out", "missing files", missing)
    if files and used["midi"]:
        notes.add(f"{used['midi']} recordings are rendered from MIDI, {used['audio']} are sound")
    return found


def _placed(notes: _Notes, entries: Sequence[Entry], rows: Sequence[Row], config: DataConfig) -> list[Entry]:
    """Entries with their sides, those without one left out."""
    if config.split == "performances":
        return by_performances(entries, config)
    if config.split == "official":
        placed = by_table(entries)
        whole = {entry.id: entry.take for entry in entries}
        source = "the official split"
    else:
        placed = by_files(entries, (row.id for row in rows), config.split_files)
        whole = {entry.id: entry.take for entry in entries}
        source = "the split files"
        if len(placed) < len(entries):
            kept = {entry.id for entry in placed}
            left = [entry.id for entry in entries if entry.id not in kept]
            notes.add(f"{len(left)} recordings are in none of the split files and are left out", "without a side", left)
    divided = divided_takes(Entry(e.id, e.piece, whole[e.id], e.official, e.side) for e in placed)
    if divided:
        notes.add(
            f"{source} comes between the movements of {len(divided)} takes; split=performances does not",
            "takes on several sides",
            divided,
        )
    return placed


def _titles(notes: _Notes, placed: Sequence[Entry], pieces: Pieces, config: DataConfig) -> dict[str, str]:
    """Recording id -> title, of the pieces that can be learned and tested."""
    least = max(config.min_recordings, 2) if config.split == "performances" else config.min_recordings
    takes = {piece: len(found) for piece, found in takes_of(placed).items()}
    named = {entry.id: entry.piece for entry in placed}
    enough = {piece for piece, count in takes.items() if count >= least}
    few = sum(entry.piece not in enough for entry in placed)
    if few:
        notes.add(
            f"{few} recordings are of {len(takes) - len(enough)} pieces with fewer than {least} takes: not for titles",
            "pieces with too few takes",
            [f"{piece}: {takes[piece]}" for piece in sorted(set(takes) - enough)],
        )
    sides = on_sides(named, placed)
    heard = {piece for piece in enough if {TRAIN, TEST} <= sides[piece]}
    several = sum(len(found) > 1 for found in sides.values())
    alike = confusable({piece: pieces.keys[piece] for piece in heard}, takes)
    if alike:
        notes.add(
            f"{len(alike)} titles are left out that have their music in common with another title",
            "titles left out",
            [f"{piece}: as {other}" for piece, other in sorted(alike.items())],
        )
    classes = heard - set(alike)
    found = {entry.id: entry.piece for entry in placed if entry.piece in classes}
    tested = sum(entry.side == TEST for entry in placed)
    covered = sum(entry.side == TEST and entry.id in found for entry in placed)
    # Under shares of our own, takes beyond the titles' are on test for style alone.
    if len(classes) < 2 or (config.split != "performances" and covered < config.min_coverage * tested):
        notes.add(
            f"no head title: {several} of {len(takes)} pieces are on more than one side, "
            f"{len(classes)} are learned and tested, {covered} of {tested} test recordings; "
            "split=performances is made for titles"
        )
        return {}
    return found


def _styles(notes: _Notes, placed: Sequence[Entry], rows: Mapping[str, Row], config: DataConfig) -> dict[str, str]:
    """Recording id -> era of its composer, of the eras that can be learned and tested."""
    composers = {rows[entry.id].composer for entry in placed}
    own = read_eras(Path(config.eras)) if config.eras else {}
    check_eras(own, {row.composer for row in rows.values()}, config.eras)
    named = {entry.id: era for entry in placed if (era := era_of(rows[entry.id].composer, own)) is not None}
    unknown = sorted(composer for composer in composers if era_of(composer, own) is None)
    if unknown:
        notes.add(f"{len(unknown)} composers have no era: no style", "composers without an era", unknown)
    debatable = [
        f"{composer}: {era_of(composer, own)}; {DEBATABLE[composer]}"
        for composer in sorted(composers & set(DEBATABLE))
        if composer not in own
    ]
    if debatable:
        notes.add(f"the eras of {len(debatable)} composers can be argued about", "debatable eras", debatable)
    sides = on_sides(named, placed)
    lacking = sorted(era for era, found in sides.items() if not {TRAIN, TEST} <= found)
    if lacking:
        notes.add(f"style: not on both sides, training and test, so left out: {', '.join(lacking)}")
    if config.split == "performances":
        heard = {entry.piece for entry in placed if entry.side == TRAIN}
        tested = [entry for entry in placed if entry.side == TEST]
        again = sum(entry.piece in heard for entry in tested)
        notes.add(
            f"style is tested on pieces heard in training: {again} of {len(tested)} test recordings; "
            "split=official keeps pieces apart"
        )
    found = {name: era for name, era in named.items() if era not in lacking}
    if len(set(found.values())) < 2:
        notes.add("no head style: fewer than two eras can be learned and tested")
        return {}
    return found
