"""Which titles name one piece: spelling, punctuation, accents and catalogues set aside, different works kept apart.

A title is read into parts: catalogue number, number inside it, movements, key, kind of piece, and words that make it
another thing (an arrangement, a selection). Two titles of a composer are one piece where number, movements and those
words agree and neither key nor kind contradict; without a number, where all their words agree.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from train.data.maestro.catalogue import LETTERS, MISPRINTS, SAME, SCHUBERT_FILLED, SETS, number_of, well_tempered

Key = tuple[str, ...]
Value = TypeVar("Value", bound=Hashable)

_TONICS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_SPELLINGS = (
    (r"\bB[- ]?[Mm]oll\b", "B flat minor"),  # German calls B-flat B.
    (r"\b([A-G])[- ]?[Mm]oll\b", r"\1 minor"),
    (r"\b([A-G])b\b", r"\1 flat"),
    (r"#", " sharp "),
    (r"(\d)\s*-\s*(\d)", r"\1 to \2"),
    (r"(\d)/(\d)", r"\1 no \2"),
    (r"(\d) ?/ ?([A-Z]\.? ?\d)", r"\1 \2"),
    (r"&", " and "),
)
_WORDS = {
    "opus": "op",
    "nos": "no",
    "et": "and",
    "e": "e",
    "min": "minor",
    "maj": "major",
    "son": "sonata",
    "fantasie": "fantasy",
    "fantasia": "fantasy",
    "fantasien": "fantasies",
    "fuge": "fugue",
    "wtk": "wtc",
    "bagtellen": "bagatelles",
    "var": "variations",
    "elegy": "elegie",
    "opp": "op",
}
# Kinds of piece: titles of one number whose kinds have nothing in common are not one piece.
_KINDS = (
    *("sonata", "ballade", "etude", "scherzo", "nocturne", "mazurka", "polonaise", "waltz", "rondo", "toccata"),
    *("impromptu", "intermezzo", "rhapsody", "fantasy", "fantasies", "variations", "chaconne", "suite", "partita"),
    *("concerto", "barcarolle", "berceuse", "preludefugue", "prelude", "fugue", "humoresque", "bagatelles"),
    *("tarantella", "romances"),
)
_PLURALS = {"etudes": "etude", "preludes": "prelude", "impromptus": "impromptu", "sonatas": "sonata"}
# What makes a recording another thing than the work of that number.
_APART = (
    r"\b(arr|arrangement|edition|version|transcription|transcriptions|selections|posthumous|posth|1913|1931|excerpts)\b"
)
_VAGUE = rf"{'|'.join(_KINDS)}|in|[a-g]|flat|sharp|major|minor|two|three|four|five|hungarian|tableaux|fairy|tales"
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
_ROMANS = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7}
_ROMAN = r"(?:III|II|IV|I|VII|VI|V)"
_MOVEMENTS = re.compile(rf"[,”]\s*({_ROMAN})(?:(?:\.?\s*and\s*({_ROMAN}))?\.|\s+-)\s*(?!\d).*$")
_NAMED = re.compile(
    r"\(?((?:(?:1st|2nd|3rd|4th|first|second|third|fourth)[ ,]*(?:(?:and|&)[ ]*)?)+)(?:movements?|mov)\b\.?\)?", re.I
)


@dataclass(frozen=True)
class Parsed:
    """A title's parts; ``numbers`` are 'op 10/3', all that a title has, and ``words`` count only without any."""

    composer: str
    numbers: tuple[str, ...]
    movements: tuple[int, ...]
    apart: tuple[str, ...]
    words: str
    key: tuple[int, str] | None
    kinds: frozenset[str]

    @property
    def identity(self) -> Key:
        """What two titles of one piece have in common, before key and kind are compared."""
        movements = " ".join(map(str, self.movements))
        return (self.composer, " + ".join(self.numbers) or self.words, movements, " ".join(self.apart))

    @property
    def is_vague(self) -> bool:
        """Whether it says no more than kind, key and how many: 'Prelude & Fugue', 'Sonata in F'."""
        return not self.numbers and all(re.fullmatch(_VAGUE, word) for word in self.words.split())


def plain(text: str) -> str:
    """Lower case, no accents, no punctuation but '/' between names."""
    letters = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).lower()
    return " ".join(re.sub(r"[^a-z0-9/]+", " ", letters).split())


def normalise(title: str) -> str:
    """A title in plain words, abbreviations and variant spellings replaced: 'impromptu op 90 no 3 in g flat major'."""
    for pattern, replacement in _SPELLINGS:
        title = re.sub(pattern, replacement, title)
    text = plain(title).replace("/", " ")
    text = re.sub(r"\bdmin\b", "d minor", re.sub(r"\bwt([ck])(i+)\b", r"wt\1 \2", text))
    # "Op15" and "K96", but not "1st" or "81a".
    text = re.sub(r"\b(op|k|d|s|l|bwv|woo|hwv|z|m|r|no)(\d)", r"\1 \2", text)
    words = [_PLURALS.get(word, _WORDS.get(word, word)) for word in text.split()]
    return re.sub(r"\bprelude and fugue\b", "preludefugue", " ".join(word for word in words if word != "complete"))


@lru_cache(maxsize=8192)
def parse_title(composer: str, title: str) -> Parsed:
    """Read a title of a composer, both as the table writes them."""
    composer, title = " ".join(composer.split()), " ".join(title.split())
    title = MISPRINTS.get((composer, title), title)
    who = plain(composer)
    movements, rest = _movements(title)
    text = normalise(rest)
    key = _key_of(text)
    book = re.search(r"\b(?:wtc|book) (ii|i)\b", text) if "preludefugue" in text else None
    nickname = number_of(who, text.replace("preludefugue", "prelude fugue") if who == "cesar franck" else text)
    numbers = (nickname,) if nickname else _numbers(who, text, key)
    if movements and len(numbers) == 1 and numbers[0] in SETS:
        numbers, movements = (f"{numbers[0]}/{' '.join(map(str, movements))}",), ()
    apart = sorted(set(re.findall(_APART, text)))
    if book and key and key[1]:
        meant = well_tempered(len(book[1]), key[0], key[1])
        if numbers and numbers != (meant,):
            apart.append(text)  # The title contradicts itself; nobody knows which of the two is right.
        numbers = (meant,)
    if not nickname:
        if found := re.match(r"(.*) from\b", text):
            apart.append(f"from: {found[1]}")
        if found := re.search(r"\bbooks? .*$", text) if not book else None:
            apart.append(found[0])
    arrangers = re.findall(r"\barr(?:angement)? (.*)$|\((\w+) edition\)", text)
    apart += [" ".join(filter(None, names)) for names in arrangers]
    kinds = frozenset(word for word in text.split() if word in _KINDS)
    return Parsed(who, numbers, movements, tuple(apart), text, key, kinds)


def join_titles(titles: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], Key]:
    """The piece of every title of a table.

    Parameters
    ----------
    titles
        (composer, title) -> how many recordings have it.

    Returns
    -------
    dict of (composer, title) -> key
        Titles with one key are one piece. Neither order nor other composers' titles matter.
    """
    groups: dict[Key, list[tuple[str, str]]] = {}
    for pair in sorted(titles):
        groups.setdefault(parse_title(*pair).identity, []).append(pair)
    found = {}
    for identity, pairs in groups.items():
        parsed = {pair: parse_title(*pair) for pair in pairs}
        common_key = _commonest((own.key, titles[pair]) for pair, own in parsed.items() if own.key)
        common_kind = _commonest((tuple(sorted(own.kinds)), titles[pair]) for pair, own in parsed.items() if own.kinds)
        for pair in pairs:
            found[pair] = identity
            own = parsed[pair]
            other_key = own.key is not None and common_key is not None and not _agree(own.key, common_key)
            other_kind = bool(own.kinds) and not own.kinds & set(common_kind or ())
            if other_key or other_kind:
                found[pair] = (*identity, own.words)
    return found


def piece_names(titles: Mapping[tuple[str, str], int], keys: Mapping[tuple[str, str], Key]) -> dict[Key, str]:
    """'Composer - Title' of every piece, the title that most of its recordings have (of several, the first by name)."""
    best: dict[Key, tuple[int, str]] = {}
    for pair in sorted(titles):
        name = f"{pair[0]} - {pair[1]}"
        if keys[pair] not in best or titles[pair] > best[keys[pair]][0]:
            best[keys[pair]] = (titles[pair], name)
    return {key: name for key, (_, name) in best.items()}


def _commonest(counted: Iterable[tuple[Value, int]]) -> Value | None:
    """The value with the highest count, of several the first by its text; None of nothing."""
    total: Counter[Value] = Counter()
    for value, count in counted:
        total[value] += count
    return min(total, key=lambda value: (-total[value], str(value)), default=None)


def _agree(one: tuple[int, str], other: tuple[int, str]) -> bool:
    return one[0] == other[0] and (not one[1] or not other[1] or one[1] == other[1])


def _movements(title: str) -> tuple[tuple[int, ...], str]:
    """Movements that a title names, and the title without them."""
    if found := _NAMED.search(title):
        ordinals = re.findall(r"1st|2nd|3rd|4th|first|second|third|fourth", found[1].lower())
        return tuple(_ORDINALS[word] for word in ordinals), title[: found.start()].rstrip(" ,(") + title[found.end() :]
    if found := _MOVEMENTS.search(title):
        return tuple(_ROMANS[roman] for roman in found.groups() if roman), title[: found.start()]
    return (), title


def _key_of(text: str) -> tuple[int, str] | None:
    """Tonic, in semitones above C, and mode ('' if not said) of a normalised title; None without a key."""
    found = re.search(r"\b([a-g]) ?(flat|sharp)? (major|minor)\b", text) or re.search(
        r"\bin ([a-g])(?: (flat|sharp))?()\b(?! (?:major|minor))", text
    )
    if not found:
        return None
    return (_TONICS[found[1]] + {"flat": -1, "sharp": 1}.get(found[2] or "", 0)) % 12, found[3]


def _numbers(composer: str, text: str, key: tuple[int, str] | None) -> tuple[str, ...]:
    """Catalogue numbers in a normalised title, with the numbers inside them: 'op 10/3', 'op 8/5 11 12'."""
    found: dict[str, str] = {}
    for letter in LETTERS.get(composer, ("op", "bwv", "s", "woo")):
        kind = "hob xvi" if letter == "hob" else letter
        for match in re.finditer(rf"\b{kind} (\d+[a-z]?)\b((?: no)? no \d+(?: (?:and |to )?\d+)*)?", text):
            work = f"{kind} {match[1]}"
            if composer == "franz schubert" and letter == "d":
                work = f"d {_schubert(int(match[1]), key)}" if match[1].isdigit() else work
            work = SAME.get((composer, work), work)
            inside = " ".join(re.sub(r"\b(no|and)\b", " ", match[2] or "").split())
            found[work] = found.get(work) or inside
        if found and len(LETTERS.get(composer, ())) > 1 and composer != "franz schubert":
            break
    return tuple(sorted(f"{work}/{inside}" if inside else work for work, inside in found.items()))


def _schubert(number: int, key: tuple[int, str] | None) -> int:
    """Deutsch's number of a sonata whose number was filled upwards from movement to movement (catalogue)."""
    for filled, first in SCHUBERT_FILLED.items():
        if key and _agree(key, filled) and first < number <= first + 3:
            return first
    return number


def shares_music(one: Key, other: Key) -> bool:
    """Whether two pieces of one work have music in common: the whole and a part of it, or parts that overlap."""
    return any(
        composer == other[0] and work == other_work and _overlap(inside, other_inside) and _overlap(one[2], other[2])
        for composer, work, inside in _works(one)
        for _, other_work, other_inside in _works(other)
    )


def _works(key: Key) -> list[tuple[str, str, str]]:
    """(composer, work, numbers inside it) of every number in a key."""
    return [(key[0], number.partition("/")[0], number.partition("/")[2]) for number in key[1].split(" + ")]


def _overlap(one: str, other: str) -> bool:
    """Whether two lists of numbers have one in common; an empty list stands for all."""
    return not one or not other or bool(_members(one) & _members(other))


def _members(text: str) -> set[str]:
    """'1 to 3 5' -> {1, 2, 3, 5}."""
    found = set(text.split()) - {"to"}
    for first, last in re.findall(r"(\d+) to (\d+)", text):
        found |= {str(number) for number in range(int(first), int(last) + 1)}
    return found
