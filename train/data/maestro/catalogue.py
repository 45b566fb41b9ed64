"""What titles mean: misprints of the table, the numbers that nicknames stand for, and numbers that are the same work.

Facts about music, each of which may join titles; whatever is not here is joined only where numbers agree.
"""

import re
from collections.abc import Mapping

# (composer, title as the table has it) -> as it should read. A title that contradicts itself is mended only where
# another number in it leaves no doubt.
MISPRINTS: Mapping[tuple[str, str], str] = {
    # Opus 31 is in B-flat minor; so say the other titles of it, and Chopin has no second scherzo.
    ("Frédéric Chopin", "Scherzo No. 2 in B-flat Major, Op. 31"): "Scherzo No. 2 in B-flat Minor, Op. 31",
    # Beethoven's opus 22 is in B-flat, his opus 81a in E-flat; there is no opus 81 of his for piano.
    (
        "Ludwig van Beethoven",
        "Sonata No. 11 in E-flat Major, Op. 22 (Complete)",
    ): "Sonata No. 11 in B-flat Major, Op. 22",
    ("Ludwig van Beethoven", "Sonata No. 26 in 3-flat Major, Op. 81a (2nd & 3rd Movements)"): (
        "Sonata No. 26 in E-flat Major, Op. 81a (2nd & 3rd Movements)"
    ),
    ("Ludwig van Beethoven", "Sonata Op. 81 No. 26, 'Les Adieux'"): "Sonata No. 26, Op. 81a",
    # Scriabin's Fifth has no key in its title; F-sharp is its key signature's.
    ("Alexander Scriabin", "Sonata No. 5 in F-sharp Minor, Op. 53"): "Sonata No. 5, Op. 53",
    ("Edvard Grieg", "Lyric Piece in E Minor, “Valse-Impromptu,” Op. 47 No.1"): "Lyric Piece, Op. 47 No. 1",
}

# (composer, title) as the table has them -> who wrote it, as other rows have the name. The first four cannot be the
# table's: Debussy used no such opus numbers, Chopin no Lesure numbers, Kirkpatrick's of Scarlatti end at 555, and the
# Eroica is Beethoven's. The others are works of Liszt's that the table writes in two ways.
COMPOSERS: Mapping[tuple[str, str], str] = {
    ("Claude Debussy", "Barcarolle, Op. 60"): "Frédéric Chopin",
    ("Frédéric Chopin", "Preludes, Book II, L 123, VI. Général Lavine - eccentric"): "Claude Debussy",
    ("Domenico Scarlatti", "Sonata in D Major, K. 576"): "Wolfgang Amadeus Mozart",
    ("Frédéric Chopin", 'Variations and Fugue in E-flat Major, Op. 35, "Eroica"'): "Ludwig van Beethoven",
    ("Charles Gounod / Franz Liszt", "Faust Waltz"): "Franz Liszt",
    ("Giuseppe Verdi / Franz Liszt", "Rigoletto Parap."): "Franz Liszt",
    ("Franz Liszt", "Tristan and Isolde - Liebestod, S.447"): "Richard Wagner / Franz Liszt",
}

# Where a composer's catalogue is not opus numbers: the letters that count.
LETTERS: Mapping[str, tuple[str, ...]] = {
    "johann sebastian bach": ("bwv",),
    "domenico scarlatti": ("k", "l"),
    "wolfgang amadeus mozart": ("k",),
    "franz schubert": ("d", "op"),
    "franz liszt": ("s",),
    "claude debussy": ("l",),
    "george frideric handel": ("hwv",),
    "henry purcell": ("z",),
    "cesar franck": ("m", "op"),
    "joseph haydn": ("hob",),
    "ludwig van beethoven": ("op", "woo"),
}

# Numbers that are one work: opus and Deutsch's of Schubert, Longo's and Kirkpatrick's of Scarlatti, one of Mozart.
SAME: Mapping[tuple[str, str], str] = {
    ("franz schubert", "op 142"): "d 935",
    ("franz schubert", "op 90"): "d 899",
    ("franz schubert", "op 94"): "d 780",
    ("franz schubert", "op 120"): "d 664",
    ("domenico scarlatti", "l 33"): "k 87",
    # The sonata's finale, written before it.
    ("wolfgang amadeus mozart", "k 494"): "k 533",
}

# Works whose movements titles name by number or by "prelude": both are numbers inside the work.
SETS = ("l 117", "l 123", *(f"bwv {number}" for number in range(806, 812)))

# composer -> (what a title without, or with half, a number says; the number, "catalogue number/part").
# Patterns are of the normalised title (train.data.maestro.titles.normalise), from its beginning.
NICKNAMES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "alexander scriabin": (
        (r"sonata no 2\b", "op 19"),
        (r"sonata no 9\b", "op 68"),
        (r"fantasy\b.*\bop 28", "op 28"),
    ),
    "cesar franck": ((r"(prelude|prel) (choral|chorale|chor)( and)? (fugue|fug)\b", "m 21"),),
    "claude debussy": (
        (r"(prelude no 24|prelude book ii)? ?(fireworks|feux d artifice)\b", "l 123/12"),
        (r"(les )?collines d anacapri\b", "l 117/5"),
        (r"l ?isle joyeuse\b", "l 106"),
        (r"images? book (i|1)( l 110)?$", "l 110"),
        (r"images series i$", "l 110"),
        (r"images? book (ii|2)$", "l 111"),
        (r"prelude no 7 book ii la terrasse\b", "l 123/7"),
        (r"prelude book ii( l 123)?$", "l 123"),
        (r"etude (no 6 book i )?pour les huits? doigts$", "l 136/6"),
    ),
    "felix mendelssohn": ((r"variations (serieuses|seriouses) op 54", "op 54"),),
    "felix mendelssohn / sergei rachmaninoff": (
        (r"scherzo( from (a |mendelssohn s )midsummer night s dream)?$", "op 61 scherzo"),
    ),
    "franz liszt": (
        (r"(la campanella|.*\bpaganini\b.*\bno 3 .*campanella)", "s 141/3"),
        (r"(dante sonata|apres une lecture de dante\b)", "s 161/7"),
        (r"concert etude (no 2 )?gnomenreigen\b", "s 145/2"),
        (r"concert etude waldesrauschen", "s 145/1"),
        (r"(concert etude (no 2 )?|trois etude de concert )la leggierezza\b", "s 144/2"),
        (r"concert etude (no 3 in d flat major )?un sospiro\b", "s 144/3"),
        (r"mephisto waltz( no 1)?( s 514)?$", "s 514"),
        (r"(rhapsodie espagnole|spanish rhapsody|rhapsody esp\b)", "s 254"),
        (r"(rigoletto (paraphrase|parap)|paraphrase de concert sur rigoletto)\b", "s 434"),
        (r"faust waltz$", "s 407"),
        (r"(rem of|reminiscences de) don juan\b", "s 418"),
        (r"sonata in b minor\b", "s 178"),
        (r"venezia e napoli( s 162)?$", "s 162"),
        (r"tarantella (s 162 no 3 from venezia e napoli|from annees de pelerinage 2eme annee)$", "s 162/3"),
        *((rf"hungarian rhapsody no {number}\b(?!\d)", f"s 244/{number}") for number in range(1, 20)),
        *(
            (rf"(transcendental etude|etude d execution transcendante) no {number}\b", f"s 139/{number}")
            for number in range(1, 13)
        ),
    ),
    "franz schubert": ((r"(fantasia in c major wanderer|wanderer fantasy)\b", "d 760"),),
    "frederic chopin": (
        *(
            (rf"ballade( no)? {number}\b", opus)
            for number, opus in enumerate(("op 23", "op 38", "op 47", "op 52"), start=1)
        ),
        *(
            (rf"scherzo( no)? {number}\b", opus)
            for number, opus in enumerate(("op 20", "op 31", "op 39", "op 54"), start=1)
        ),
        (r"sonata( no)? 3\b", "op 58"),
        (r"barcarolle in f sharp", "op 60"),
        (r"polonaise fantasy$", "op 61"),
        (r"andante spianato\b.*\bop 22", "op 22"),
    ),
    "george frideric handel": ((r"chaconne in g\b", "hwv 435"), (r"suite no 3 in d minor$", "hwv 428")),
    "isaac albeniz": (
        (r"evocacion from iberia$", "iberia/1"),
        (r"triana from iberia$", "iberia/6"),
    ),
    "johann sebastian bach": (
        *((rf"prelude from( the)? english suite no {number}\b", f"bwv {805 + number}/1") for number in (1, 2, 4, 5, 6)),
        (r"english suite no 2 in a minor bwv 807 prelude$", "bwv 807/1"),
        (r"english suite in a minor", "bwv 807"),
        (r"italian concerto\b", "bwv 971"),
        (r"partita no 2 in c minor$", "bwv 826"),
        (r"partita no 6 in e minor$", "bwv 830"),
        (r"french suite no 5 in g major$", "bwv 816"),
    ),
    "johann sebastian bach / ferruccio busoni": ((r"chaconne\b", "bwv 1004"),),
    "johann sebastian bach / egon petri": ((r"sheep may safely graze\b", "bwv 208"),),
    "johannes brahms": (
        (r"sonata no 1$", "op 1"),
        (r"(paganini variations|variations on a theme by paganini) op 35 book (2|ii)$", "op 35/book 2"),
        (r"paganini variations op 35 books i and ii$", "op 35"),
        (r"variations on a theme by paganini (op 35 volumes 1 and 2|books i and ii)$", "op 35"),
    ),
    "joseph haydn": (
        (r"sonata in c minor$", "hob xvi 20"),
        (r"sonata in f major hob xvi 23", "hob xvi 23"),
    ),
    "leos janacek": ((r"(piano )?sonata 1 x 1905\b", "1 x 1905"), (r"in the mists", "in the mists")),
    "ludwig van beethoven": (
        (
            r"(eroica variations|15 variations and fugue in e flat\b|variations and fugue in e flat major) ?.*\bop 35",
            "op 35",
        ),
        (r"sonata op 10 no 3$", "op 10/3"),
        (r"thirty two (variations|variaions)", "woo 80"),
    ),
    "mily balakirev": ((r"(islamei|islamey|oriental fantasy islamey)$", "op 18"),),
    "modest mussorgsky": ((r"pictures at an (e|exhibition)$", "pictures"),),
    "pyotr ilyich tchaikovsky": ((r"dumka\b", "op 59"),),
    "pyotr ilyich tchaikovsky / mikhail pletnev": (
        (r"(concert suite from the (ballet )?nutcracker|nutcracker suite)$", "op 71"),
    ),
    "pyotr ilyich tchaikovsky / sergei rachmaninoff": ((r"lullaby\b", "op 16/1"),),
    "richard wagner / franz liszt": ((r"isoldas ?liebestod$", "s 447"), (r"isolde s liebestod$", "s 447")),
    "robert schumann": (
        (r"kreisleriana$", "op 16"),
        (r"symphonic etude$", "op 13"),
        (r"sonata (no 1 in )?f sharp minor$", "op 11"),
    ),
    "sergei rachmaninoff": (
        (r"moments musicaux$", "op 16"),
        (r"sonata no 2 in b flat minor$", "op 36"),
        (r"elegie in e flat minor op 3$", "op 3/1"),
        (r"polka de w ?r$", "polka de w r"),
    ),
}

# Schubert's sonatas: key (semitones above C, mode) -> Deutsch's number. In the table the number goes up by one from
# movement to movement of one take (D. 960, 961, 962, 963), as a spreadsheet fills a column: no such sonatas exist.
SCHUBERT_FILLED: Mapping[tuple[int, str], int] = {
    (9, "major"): 959,
    (10, "major"): 960,
    (0, "minor"): 958,
    (0, "major"): 840,
    (7, "major"): 894,
    (9, "minor"): 845,
}


def number_of(composer: str, title: str) -> str | None:
    """The number that a normalised title's nickname stands for, None if it is none we know."""
    for pattern, number in NICKNAMES.get(composer, ()):
        if re.match(pattern, title):
            return number
    return None


def well_tempered(book: int, tonic: int, mode: str) -> str:
    """Schmieder's number of a prelude and fugue: both books go up chromatically, major before minor.

    Parameters
    ----------
    book
        1 or 2.
    tonic
        Semitones above C.
    mode
        'major' or 'minor'.
    """
    return f"bwv {(846, 870)[book - 1] + 2 * tonic + (mode == 'minor')}"
