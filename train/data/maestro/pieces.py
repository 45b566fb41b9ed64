"""What each row of the table is: its composition, and the take that it is all or a part of."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from train.data.maestro.catalogue import COMPOSERS
from train.data.maestro.table import Row
from train.data.maestro.titles import Key, join_titles, parse_title, piece_names, shares_music


@dataclass(frozen=True)
class Pieces:
    """Identities of a table's rows.

    Attributes
    ----------
    piece : id -> name
        'Composer - Title', the title that most recordings of the piece have.
    take : id -> name
        What one player played of one piece in one round of a year.
    joined : tuple of str
        Every piece that has several titles, with these.
    keys : name -> key
        What the pieces were told apart by.
    """

    piece: Mapping[str, str]
    take: Mapping[str, str]
    joined: tuple[str, ...]
    keys: Mapping[str, Key]


def identify(rows: Sequence[Row], asap: Mapping[str, str]) -> Pieces:
    """Find which rows are one piece and which are one take.

    Parameters
    ----------
    rows
        The whole table, so that what is there of it changes no name.
    asap
        MIDI file name -> ASAP's identity, of those recordings that it has; may be empty. It joins titles that name
        the same movements, and tells what vague titles mean.
    """
    titles = Counter((row.composer, row.title) for row in rows)
    of_title = join_titles(titles)
    keys = {row.id: of_title[row.composer, row.title] for row in rows}
    for row in rows:
        if parse_title(row.composer, row.title).is_vague:
            # Nobody knows whether two of them are one work.
            keys[row.id] = (*keys[row.id], "of", session(row))
    keys = _joined_by_asap(rows, keys, asap)
    names = _names(rows, keys)
    piece = {row.id: names[keys[row.id]] for row in rows}
    take = {row.id: f"{row.year}__{session(row)}__{piece[row.id]}" for row in rows}
    variants: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        variants[piece[row.id]].add(f"{row.composer} - {row.title}")
    joined = tuple(
        f"{name}: " + " | ".join(sorted(title.split(" - ", 1)[1] for title in found))
        for name, found in sorted(variants.items())
        if len(found) > 1
    )
    return Pieces(piece, take, joined, {name: key for key, name in names.items()})


def attributed(row: Row) -> Row:
    """A row under who wrote it, where the table has another composer or another way to name the same."""
    composer = COMPOSERS.get((row.composer, row.title))
    return replace(row, composer=composer) if composer else row


def session(row: Row) -> str:
    """The player and the round of the competition, from the file's name; the whole name where it does not say."""
    stem = PurePosixPath(row.midi).stem
    if rounds := re.findall(r"(\d+_R\d+_(?:19|20)\d\d)(?!\d)", stem):
        return str(rounds[-1])
    if player := re.search(r"PIANO\d+", stem):
        return player[0]
    return stem


def _joined_by_asap(rows: Sequence[Row], keys: Mapping[str, Key], asap: Mapping[str, str]) -> dict[str, Key]:
    """Keys of the rows after ASAP's word on them."""
    identities: dict[Key, set[str]] = defaultdict(set)
    for row in rows:
        if row.midi in asap:
            identities[keys[row.id]].add(asap[row.midi])
    vague = {keys[row.id] for row in rows if parse_title(row.composer, row.title).is_vague}
    firm: dict[tuple[str, ...], Key] = {}
    becomes: dict[Key, Key] = {}
    certain = {key: min(found) for key, found in identities.items() if len(found) == 1}
    # The key with the fewest marks first, and vague ones last, so that others become like it.
    for key, identity in sorted(certain.items(), key=lambda item: (item[0] in vague, len("".join(item[0])), item[0])):
        if key in vague:
            becomes[key] = next(
                (firm[place] for place in sorted(firm) if place[0] == identity), ("asap", identity, "", "")
            )
        else:
            # ASAP may know one movement of a work played whole: only titles of the same parts are joined.
            becomes[key] = firm.setdefault((identity, key[0], *key[1:3]), key)
    return {name: becomes.get(key, key) for name, key in keys.items()}


def _names(rows: Sequence[Row], keys: Mapping[str, Key]) -> dict[Key, str]:
    """A name for every key, no two alike: vague titles name a piece only where it has no other."""
    counts: dict[Key, Counter[tuple[str, str]]] = defaultdict(Counter)
    for row in rows:
        counts[keys[row.id]][row.composer, row.title] += 1
    names = {}
    for key, found in counts.items():
        telling = {pair: count for pair, count in found.items() if not parse_title(*pair).is_vague} or found
        names[key] = piece_names(telling, dict.fromkeys(telling, key))[key]
    often = Counter(names.values())
    # The session, or what ASAP calls it.
    return {
        key: name if often[name] == 1 else f"{name} ({next(filter(None, reversed(key)))})"
        for key, name in names.items()
    }


def confusable(keys: Mapping[str, Key], takes: Mapping[str, int]) -> dict[str, str]:
    """Titles to leave out because another title with more takes has the same music: a work and a movement of it, say.

    Parameters
    ----------
    keys : name -> key
        Of the titles that would be classes.
    takes : name -> count
        How many takes each has.

    Returns
    -------
    dict of name -> the name that stays
    """
    works: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, key in keys.items():
        for number in key[1].split(" + "):
            works[key[0], number.split("/")[0]].append(name)
    left: dict[str, str] = {}
    for names in works.values():
        kept: list[str] = []
        for name in sorted(names, key=lambda name: (-takes[name], name)):
            other = next((other for other in kept if shares_music(keys[name], keys[other])), None)
            if other is None:
                kept.append(name)
            elif name not in left:
                left[name] = other
    return left
