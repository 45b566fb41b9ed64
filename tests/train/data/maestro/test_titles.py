"""Which titles are one piece and which are not, both ways."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.data.maestro.catalogue import COMPOSERS, MISPRINTS, well_tempered
from train.data.maestro.titles import join_titles, normalise, parse_title, piece_names, shares_music

BEETHOVEN, CHOPIN, SCHUBERT = "Ludwig van Beethoven", "Frédéric Chopin", "Franz Schubert"
BACH, LISZT, HAYDN = "Johann Sebastian Bach", "Franz Liszt", "Joseph Haydn"

SAME = [
    # Spelling, punctuation, accents.
    (
        "Felix Mendelssohn",
        ["Variations Serieuses, Op. 54", "Variations Serieuses Op. 54", "Variations sérieuses, Op.54"],
    ),
    ("Felix Mendelssohn", ["Variations Seriouses, Op. 54", "Variations serieuses, Opus 54"]),
    (BEETHOVEN, ["Thirty-Two Variations in C Minor, WoO 80", "Thirty-Two Variaions in C minor, WoO80   "]),
    ("Robert Schumann", ["Toccata Op. 7", "Toccata in C Major, Opus 7", "Toccata in C, Op. 7"]),
    # Order, key said or not.
    (CHOPIN, ["Etude Op. 10 No. 8", "Etude in F Major, Op. 10, No. 8", "Etudes Op. 10 Nos. 8"]),
    (CHOPIN, ["Barcarolle in F#", "Barcarolle in F-sharp Major, Op. 60", "Barcarolle, Op. 60"]),
    (BACH, ["Prelude and Fugue in C-sharp Major, BWV 848", "Prelude and Fugue in D-flat Major, WTC I, BWV 848"]),
    # Catalogues that stand for one another, and nicknames.
    (SCHUBERT, ["Impromptu Op. 142 No. 3 in B-flat Major", "Impromptu Op.142 No.3, in B-Flat Major, D935"]),
    (BACH, ["Prelude & Fugue in G Minor, WTK II", "Prelude and Fugue in G Minor, WTC II,  BWV 885"]),
    (BACH, ["Prelude and Fugue in B-Moll, No. 22 WTKII", "Prelude and Fugue in B-flat Minor, WTC II"]),
    (LISZT, ['"La Campanella"', 'Grandes ètudes de Paganini No. 3 "La Campanella", S. 141']),
    (LISZT, ["Dante Sonata", "Après une lecture de Dante: Fantasia quasi Sonata, S.161, No. 7"]),
    (LISZT, ["Rhapsody Esp.", "Spanish Rhapsody", "Rhapsodie Espagnole, S. 254"]),
    ("César Franck", ["Prel./Chor./Fug.", "Prélude, chorale, et fugue, M. 21", "Prelude, Choral et Fugue"]),
    (CHOPIN, ["Ballade 4 Op. 52", "Ballade No. 4 in F Minor, Op. 52"]),
    ("Muzio Clementi", ["Sonata Bb, Op. 24, No. 2", "Sonata Op. 24/2", "Sonata in B-flat Major, Op.24, No. 2"]),
    # Movements.
    (HAYDN, ["Sonata in E flat Major, Hob. XVI: 52, I. Allegro", "Sonata in E-flat Major, Hob. XVI:52, 1st mov."]),
    (
        BEETHOVEN,
        ["Sonata No. 21 in C major, Op. 53, “Waldstein,” I. Allegro con brio", "Sonata Op. 53, First Movement"],
    ),
    # A column of a spreadsheet filled downwards: movements, not works.
    (SCHUBERT, ["Son. in Bb D.960", "Son. in Bb D.961", "Son. in Bb D.962", "Sonata in B-flat Major, D. 963"]),
    (SCHUBERT, ["Sonata in A D959", "Sonata in A D960", "Sonata in A D961", "Sonata in A D962"]),
    # Misprints that another number decides.
    (CHOPIN, ["Scherzo No. 2 in B-flat Major, Op. 31", "Scherzo No. 2 in B-flat Minor, Op.31"]),
]
DIFFERENT = [
    (
        CHOPIN,
        ["Etude Op. 10 No. 1", "Etude Op. 10 No. 10", "Etude Op. 10 No. 12", "Etude Op. 25 No. 1", "12 Etudes, Op. 25"],
    ),
    (CHOPIN, ["Sonata No. 3 in B Minor, Op. 58", "Sonata No. 3 in B Minor, Op. 58, 1st mov.", "Sonata No. 2, Op. 35"]),
    (CHOPIN, ["Sonata No. 2 in B-flat Minor, Op. 35", 'Variations and Fugue in E-flat Major, Op. 35, "Eroica"']),
    (CHOPIN, ["Preludes, Op.28", "Two Preludes from Op. 28, Nos. 15 and 24"]),
    (
        BEETHOVEN,
        ["Sonata No. 16, Op. 31 No. 1", "Sonata No. 17, Op. 31 No. 2", "Sonata No. 16, Op. 31 No. 1, I. and II. "],
    ),
    (BEETHOVEN, ["Sonata in E-flat Major, Op. 81a", "Sonata No. 26, Op. 81a (2nd & 3rd Movements)"]),
    (BACH, ["Prelude and Fugue in A Minor, WTC I, BWV 865", "Prelude and Fugue in A Minor, WTC II, BWV 889"]),
    # It contradicts itself: nobody knows which of the two it is.
    (BACH, ["Prelude and Fugue in A Minor, WTC II, BWV 847", "Prelude and Fugue in A Minor, WTC II, BWV 889"]),
    (BACH, ["Toccata from Partita No. 6 in E Minor, Missing Opening!!!!", "Partita No. 6 in E Minor"]),
    (
        SCHUBERT,
        ["Sonata in C Minor, D. 958", "Sonata in A Minor, D. 845", "Sonata in A Minor, D784", "Sonata in A Min."],
    ),
    (SCHUBERT, ["Impromptus Op. 90", "Impromptus Op. 90, No. 3", "Impromptu Op. 142 No. 3"]),
    (LISZT, ["Hungarian Rhapsody No. 13, S. 244/13", "Hungarian Rhapsody No. 13 (arr. Volodos)", "Hungarian Rhapsody"]),
    (LISZT, ["Hungarian Rhapsody No. 1", "Hungarian Rhapsody No. 10", "Hungarian Rhapsody No. 12"]),
    (LISZT, ["Venezia e Napoli, S. 162", "Tarantella, S. 162 No. 3 from Venezia e Napoli"]),
    (LISZT, ["Tarantella, Venezia e Napoli in G Minor, S.159", "Tarantelle di Bravura, S. 386"]),
    ("Sergei Rachmaninoff", ["Sonata No. 2 in B-flat Minor, Op. 36", "Sonata No. 2 in B-Flat Minor Op. 36 (1913)"]),
    ("Sergei Rachmaninoff", ["Prelude Op. 23, No. 2", "Preludes Op. 23, Nos. 2, 4 and 5", "Prelude Op. 32/5"]),
    ("Robert Schumann", ["Symphonic Etudes, Op. 13", "Symphonic Etudes, Op. 13 (with Posthumous Etudes)"]),
    ("Robert Schumann", ["Kreisleriana, Op. 16", "Kreisleriana, Op. 16 (1st edition) (Complete)"]),
    ("Johannes Brahms", ["Fantasien Op.116", "Fantasias Op. 116 (Selections)", "Paganini Variations, Op. 35 Book 2"]),
    ("Domenico Scarlatti", ["Sonata in D Minor, K. 1", "Sonata in D Minor, K. 141", "Sonata in D Minor, K. 9"]),
    ("Wolfgang Amadeus Mozart", ["Sonata in F", "Sonata in F K332", "Sonata in F Major, K280"]),
]


def keys_of(composer, titles):
    return [*join_titles({(composer, title): 1 for title in titles}).values()]


@pytest.mark.parametrize(("composer", "titles"), SAME)
def test_one_piece(composer, titles):
    assert len(set(keys_of(composer, titles))) == 1


@pytest.mark.parametrize(("composer", "titles"), DIFFERENT)
def test_as_many_pieces_as_titles(composer, titles):
    assert len(set(keys_of(composer, titles))) == len(titles)


def test_composers_are_kept_apart():
    pairs = [(CHOPIN, "Sonata Op. 1"), (BEETHOVEN, "Sonata Op. 1"), ("Franz Schubert / Franz Liszt", "Die Forelle")]
    assert len(set(join_titles(dict.fromkeys([*pairs, (SCHUBERT, "Die Forelle")], 1)).values())) == 4


def test_normal_form():
    assert normalise("Impromptu Op.90, No. 3 — in G-flat Major") == "impromptu op 90 no 3 in g flat major"
    assert normalise("Sonata Bb, Op. 24/2 (Complete)") == "sonata b flat op 24 no 2"
    assert normalise("Études Op.10 Nos. 1-5") == "etude op 10 no 1 to 5"


def test_vague_titles_say_so():
    for composer, title in [(BACH, "Prelude & Fugue"), (SCHUBERT, "Sonata in A Min."), (LISZT, "Hungarian Rhapsody")]:
        assert parse_title(composer, title).is_vague
    for composer, title in [(LISZT, "Funerailles"), (SCHUBERT, "Sonata in A D959"), (LISZT, '"La Campanella"')]:
        assert not parse_title(composer, title).is_vague


def test_a_title_that_contradicts_the_others_stands_apart():
    titles = {(CHOPIN, "Waltz in A Minor, Op. 34 No. 2"): 3, (CHOPIN, "Waltz in F Major, Op. 34 No. 2"): 1}
    titles[CHOPIN, "Waltz Op. 34 No. 2"] = 1
    keys = join_titles(titles)
    assert len(set(keys.values())) == 2
    assert keys[CHOPIN, "Waltz Op. 34 No. 2"] == keys[CHOPIN, "Waltz in A Minor, Op. 34 No. 2"]


def test_another_kind_of_piece_of_the_same_number_stands_apart():
    titles = {
        (CHOPIN, "Ballade Op. 38"): 2,
        (CHOPIN, "Ballade No. 2 in F Major, Op. 38"): 1,
        (CHOPIN, "Waltz, Op. 38"): 1,
    }
    keys = join_titles(titles)
    assert len(set(keys.values())) == 2
    assert keys[CHOPIN, "Ballade Op. 38"] == keys[CHOPIN, "Ballade No. 2 in F Major, Op. 38"]


@pytest.mark.parametrize(
    ("composer", "title", "same"),
    [
        ("Claude Debussy", "Barcarolle, Op. 60", "Barcarolle in F-sharp Major, Op. 60"),
        ("Frédéric Chopin", "Preludes, Book II, L 123, VI. Général Lavine - eccentric", ""),
        ("Domenico Scarlatti", "Sonata in D Major, K. 576", "Sonata in D Major K576"),
        ("Frédéric Chopin", 'Variations and Fugue in E-flat Major, Op. 35, "Eroica"', "Eroica Variations, Op. 35"),
        ("Charles Gounod / Franz Liszt", "Faust Waltz", "Valse de l'opera Faust de Charles Gounod, S.407"),
        ("Giuseppe Verdi / Franz Liszt", "Rigoletto Parap.", "Rigoletto Paraphrase, S. 434"),
        ("Franz Liszt", "Tristan and Isolde - Liebestod, S.447", "Isolde's Liebestod"),
    ],
)
def test_every_composer_put_right_finds_its_piece(composer, title, same):
    who = COMPOSERS[composer, title]
    assert len(set(keys_of(who, [title, same] if same else [title]))) == 1
    if not same:
        # No other title has it; it is read as the sixth prelude of the second book.
        assert parse_title(who, title).numbers == ("l 123/6",)


def test_every_misprint_reads_as_another_title():
    for (composer, title), meant in MISPRINTS.items():
        assert title != meant
        assert len(set(keys_of(composer, [title, meant]))) == 1


def test_bach_counts_chromatically():
    assert well_tempered(1, 0, "major") == "bwv 846"
    assert well_tempered(1, 11, "minor") == "bwv 869"
    assert well_tempered(2, 0, "major") == "bwv 870"
    assert well_tempered(2, 11, "minor") == "bwv 893"


def test_the_commonest_title_names_the_piece():
    titles = {
        (CHOPIN, "Berceuse Op. 57"): 1,
        (CHOPIN, "Berceuse, Op. 57"): 2,
        (CHOPIN, "Berceuse in D-Flat Major, Op. 57"): 2,
    }
    keys = join_titles(titles)
    assert set(piece_names(titles, keys).values()) == {"Frédéric Chopin - Berceuse in D-Flat Major, Op. 57"}


@pytest.mark.parametrize(
    ("composer", "one", "other", "common"),
    [
        (BEETHOVEN, "Sonata No. 21, Op. 53", "Sonata No. 21, Op. 53, First Movement", True),
        (BEETHOVEN, "Sonata, Op. 2 No. 3, I. and II. ", "Sonata, Op. 2 No. 3, 1st mov.", True),
        (CHOPIN, "12 Etudes, Op. 25", "Etude Op. 25 No. 11", True),
        (CHOPIN, "Etudes Op. 25 Nos. 1-5", "Etude Op. 25 No. 4", True),
        (CHOPIN, "Etudes Op. 25 Nos. 1-5", "Etude Op. 25 No. 6", False),
        (CHOPIN, "Etude Op. 25 No. 1", "Etude Op. 25 No. 11", False),
        (CHOPIN, "Etude Op. 25 No. 1", "Etude Op. 10 No. 1", False),
        ("Wolfgang Amadeus Mozart", "Sonata K. 576, I - Allegro", "Sonata K. 576, II - Adagio", False),
        ("Sergei Rachmaninoff", "Sonata No. 2 in B-flat Minor, Op. 36", "Sonata No. 2, Op. 36 (1913)", True),
    ],
)
def test_music_in_common(composer, one, other, common):
    first, second = keys_of(composer, [one, other])
    assert shares_music(first, second) is common
    assert shares_music(second, first) is common


PARTS = (
    *("Sonata", "Etude", "Op.", "No.", "1", "2", "10", "25", ",", "in C", "B-flat", "Major", "minor", "-", "("),
    *("Book II", "I.", "1st mov.", "D. 960", "&", "é", "from"),
)
TITLES = st.lists(st.sampled_from(PARTS), min_size=1, max_size=8).map(" ".join)
WRITERS = st.sampled_from([BACH, SCHUBERT, CHOPIN, LISZT, HAYDN, "Ada Composer", "Ada Composer / Franz Liszt"])


@given(st.dictionaries(st.tuples(WRITERS, TITLES), st.integers(1, 5), max_size=12), st.randoms())
def test_order_does_not_matter_and_other_composers_do_not(titles, random):
    pairs = list(titles.items())
    random.shuffle(pairs)
    keys = join_titles(titles)
    assert keys == join_titles(dict(pairs))
    for composer in {pair[0] for pair in titles}:
        own = {pair: count for pair, count in titles.items() if pair[0] == composer}
        assert join_titles(own) == {pair: keys[pair] for pair in own}
    names = piece_names(titles, keys)
    assert all(name in {" - ".join(pair) for pair in titles} for name in names.values())


def test_the_whole_table_against_asap(whole, shared):
    """ASAP, made by others from the scores, never finds two works in a piece of ours, and few of its own apart."""
    from train.data.maestro.asap import read_asap
    from train.data.maestro.table import find_table, read_table

    rows = read_table(find_table(whole))
    asap = read_asap(shared / "asap" / "metadata.csv", {row.midi: row for row in rows})
    assert len(asap) == 357
    keys = join_titles(Counter((row.composer, row.title) for row in rows))
    works, pieces = {}, {}
    for row in rows:
        if row.midi in asap:
            key = keys[row.composer, row.title]
            # 'Piano_Sonatas_21-1' and '_21-3' are one work, so are a prelude and its fugue.
            work = {
                name.split("-")[0].removeprefix("Prelude_").removeprefix("Fugue_")
                for name in asap[row.midi].split(" - ", 1)[1].split(" + ")
            }
            works.setdefault(key, set()).update(work)
            pieces.setdefault(asap[row.midi], set()).add(key)
    assert [key for key, found in works.items() if len(found) > 1] == []
    assert sorted(identity for identity, found in pieces.items() if len(found) > 1) == [
        # The first contradicts itself in MAESTRO; of the others one title says a movement and one does not.
        "Bach - Fugue_bwv_870 + Prelude_bwv_870",
        "Beethoven - Piano_Sonatas_31-1",
        "Haydn - Keyboard_Sonatas_50-1",
    ]
