"""Rows told as pieces and takes; ASAP's word on them; eras."""

import unicodedata

import pytest

from train.data.maestro.asap import read_asap
from train.data.maestro.eras import DEBATABLE, ERAS, check_eras, era_of, read_eras
from train.data.maestro.pieces import confusable, identify, session
from train.data.maestro.table import find_table, read_table
from train.errors import CallError, MaestroError

HEADER = "composer,title,maestro_midi_performance,start,end\n"


@pytest.fixture
def rows_of(write):
    """Rows of the table as read, from rows as written."""
    return lambda rows: read_table(find_table(write(rows)))


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("MIDI-Unprocessed_SMF_17_R1_2004_01-02_ORIG_MID--AUDIO_20_R2_2004_02_Track02_wav", "20_R2_2004"),
        ("MIDI-Unprocessed_XP_16_R2_2004_01_ORIG_MID--AUDIO_16_R2_2004_03_Track03_wav", "16_R2_2004"),
        ("MIDI-Unprocessed_03_R2_2008_01-03_ORIG_MID--AUDIO_03_R2_2008_wav--2", "03_R2_2008"),
        ("MIDI-Unprocessed_07_R1_2009_04-05_ORIG_MID--AUDIO_07_R1_2009_07_R1_2009_04_WAV", "07_R1_2009"),
        ("MIDI-Unprocessed_15_R1_2011_MID--AUDIO_R1-D6_09_Track09_wav", "15_R1_2011"),
        ("ORIG-MIDI_03_7_8_13_Group__MID--AUDIO_19_R2_2013_wav--3", "19_R2_2013"),
        ("MIDI-Unprocessed_R1_D1-1-8_mid--AUDIO-from_mp3_02_R1_2015_wav--3", "02_R1_2015"),
        ("MIDI-Unprocessed_066_PIANO066_MID--AUDIO-split_07-07-17_Piano-e_3-02_wav--3", "PIANO066"),
        ("MIDI-Unprocessed_Recital1-3_MID--AUDIO_01_R1_2018_wav--4", "01_R1_2018"),
        ("something_else", "something_else"),
    ],
)
def test_player_and_round_stand_in_the_name(row, rows_of, stem, name):
    (found,) = rows_of([{**row(0), "midi_filename": f"2013/{stem}.midi"}])
    assert session(found) == name


def test_parts_of_a_take_are_one_take_and_other_pieces_of_the_same_player_are_not(row, rows_of):
    sonata = "Sonata in B-flat Major, D. 96"
    rows = [row(n, composer="Franz Schubert", title=f"{sonata}{n}", player=4, part=n) for n in range(3)]
    rows.append(row(5, composer="Franz Schubert", title="Impromptus Op. 90", player=4, part=5))
    rows.append(row(6, composer="Franz Schubert", title=f"{sonata}0", player=5))
    rows.append(row(7, composer="Franz Schubert", title=f"{sonata}0", player=4, year=2014))
    found = identify(rows_of(rows), {})
    takes = [found.take[key] for key in sorted(found.take)]
    assert len(set(found.piece.values())) == 2
    assert len(set(takes)) == 4
    assert len(set(takes[:3])) == 1
    (joined,) = found.joined
    assert joined == (
        "Franz Schubert - Sonata in B-flat Major, D. 960: Sonata in B-flat Major, D. 960 | "
        "Sonata in B-flat Major, D. 961 | Sonata in B-flat Major, D. 962"
    )


def test_vague_titles_are_a_piece_for_each_take(row, rows_of):
    bach = {"composer": "Johann Sebastian Bach", "title": "Prelude & Fugue"}
    rows = [row(0, player=1, part=1, **bach), row(1, player=1, part=2, **bach), row(2, player=2, **bach)]
    found = identify(rows_of(rows), {})
    assert sorted(found.piece.values()) == [
        "Johann Sebastian Bach - Prelude & Fugue (01_R1_2013)",
        "Johann Sebastian Bach - Prelude & Fugue (01_R1_2013)",
        "Johann Sebastian Bach - Prelude & Fugue (02_R1_2013)",
    ]


def test_asap_joins_titles_and_tells_what_vague_ones_are(row, rows_of):
    bach = "Johann Sebastian Bach"
    titles = [
        "Prelude and Fugue in A Minor, WTC II, BWV 847",
        "Prelude & Fugue",
        "Prelude and Fugue, BWV 889",
        "Toccata",
    ]
    rows = rows_of([row(n, composer=bach, title=title, player=n) for n, title in enumerate(titles)])
    assert len(set(identify(rows, {}).piece.values())) == 4
    known = {found.midi: "Bach - Fugue_bwv_889 + Prelude_bwv_889" for found in rows if found.title != "Toccata"}
    assert len(set(identify(rows, known).piece.values())) == 2


def test_vague_titles_do_not_name_pieces(row, rows_of):
    """What ASAP tells of them makes neither nameless nor equal names."""
    bach = {"composer": "Johann Sebastian Bach"}
    titles = ["Prelude & Fugue", "Prelude & Fugue", "Prelude & Fugue", "Prelude & Fugue", "Prelude and Fugue, BWV 889"]
    rows = rows_of([row(n, title=title, player=n, **bach) for n, title in enumerate(titles)])
    numbers = (889, 889, 890, 891, 889)
    known = {found.midi: f"Bach - Fugue_bwv_{number}" for found, number in zip(rows, numbers, strict=True)}
    found = identify(rows, known)
    assert [found.piece[entry.id].removeprefix("Johann Sebastian Bach - ") for entry in rows] == [
        "Prelude and Fugue, BWV 889",
        "Prelude and Fugue, BWV 889",
        "Prelude & Fugue (Bach - Fugue_bwv_890)",
        "Prelude & Fugue (Bach - Fugue_bwv_891)",
        "Prelude and Fugue, BWV 889",
    ]


def test_asap_does_not_join_a_whole_with_its_movement(row, rows_of):
    titles = ["Sonata No. 31, Op. 110 (Complete)", "Sonata No. 31, Op. 110, First movement"]
    rows = rows_of([row(n, composer="Ludwig van Beethoven", title=title, player=n) for n, title in enumerate(titles)])
    known = {found.midi: "Beethoven - Piano_Sonatas_31-1" for found in rows}
    assert len(set(identify(rows, known).piece.values())) == 2


def test_of_titles_with_common_music_the_one_with_more_takes_stays():
    def key(number, movement=""):
        return ("a", number, movement, "")

    keys = {"whole": key("op 53"), "first": key("op 53", "1"), "second": key("op 53", "2"), "other": key("op 54")}
    assert confusable(keys, {"whole": 3, "first": 9, "second": 4, "other": 1}) == {"whole": "first"}
    assert confusable(keys, {"whole": 9, "first": 3, "second": 4, "other": 1}) == {"first": "whole", "second": "whole"}


def test_asap_counts_where_it_knows_a_recording_from_end_to_end(row, rows_of, tmp_path):
    rows = rows_of([{**row(n), "duration": "300"} for n in range(5)])
    names = ["{maestro}/" + found.midi for found in rows]
    path = tmp_path / "metadata.csv"
    path.write_text(
        HEADER + f"Bach,Fugue_bwv_1,{names[0]},151,\nBach,Prelude_bwv_1,{names[0]},,150\n"
        f"Bach,Prelude_bwv_2,{names[1]},,150\n"  # The fugue is missing.
        f"Bach,Prelude_bwv_3,{names[2]},,100\nBach,Fugue_bwv_3,{names[2]},150,\n"  # Something between.
        f"Schumann,Toccata_repeat,{names[3]},4,\n"
        "Bach,Fugue_bwv_9,{maestro}/2013/unknown.midi,,\nBach,Fugue_bwv_9,,,\n"
    )
    found = read_asap(path, {entry.midi: entry for entry in rows})
    assert found == {rows[0].midi: "Bach - Fugue_bwv_1 + Prelude_bwv_1", rows[3].midi: "Schumann - Toccata"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such file"),
        ("composer,title\nBach,x\n", "has no column 'maestro_midi_performance'"),
        (HEADER + "Bach,x,{maestro}/2013/none.midi,,\n", r"names no recording of the MAESTRO table\. Set data.asap"),
        (HEADER + "Bach,x,{name},soon,\n", r"line 2: start is 'soon' \(expected seconds, or nothing\)"),
        (HEADER + "Bach,x,{name},,-1\n", "line 2: end is '-1'"),
        (HEADER + "Bach,x\n", "line 2: has 2 cells"),
    ],
)
def test_a_wrong_asap_table_is_refused(row, rows_of, tmp_path, text, message):
    rows = rows_of([row(0)])
    path = tmp_path / "metadata.csv"
    if text is not None:
        path.write_text(text.replace("{name}", "{maestro}/" + rows[0].midi))
    with pytest.raises(MaestroError, match=message):
        read_asap(path, {found.midi: found for found in rows})


def test_every_composer_of_the_table_has_an_era(whole):
    composers = {found.composer for found in read_table(find_table(whole))}
    assert len(composers) == 60
    assert {era_of(composer) for composer in composers} == {"Baroque", "Classical", "Romantic", "Modern"}
    assert set(DEBATABLE) <= composers


def test_eras():
    assert all(era_of(name) for name in DEBATABLE)
    assert set(ERAS.values()) == {"Baroque", "Classical", "Romantic", "Modern"}
    assert era_of("Franz Schubert / Franz Liszt") == "Romantic"
    assert era_of("Nobody") is None
    own = {"Franz Schubert": "Classical", "Franz Schubert / Franz Liszt": "Late", "Nobody": "Modern"}
    assert era_of("Franz Schubert", own) == "Classical"
    assert era_of("Franz Schubert / Franz Liszt", own) == "Late"
    assert era_of("Somebody / Nobody", own) == "Modern"


@pytest.mark.parametrize(
    ("name", "text"),
    [("eras.csv", "composer,era\nAda Composer,Modern\n"), ("eras.toml", '"Ada Composer" = "Modern"\n')],
)
def test_eras_of_the_users_own(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_eras(tmp_path / name) == {"Ada Composer": "Modern"}
    apart = unicodedata.normalize("NFD", "Frédéric Chopin")
    (tmp_path / name).write_text(text.replace("Ada Composer", apart), encoding="utf-8")
    assert read_eras(tmp_path / name) == {"Frédéric Chopin": "Modern"}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("eras.csv", None, "no such file"),
        ("eras.toml", None, "no such table of eras"),
        ("eras.csv", "composer;era\nA;B\n", "has no column 'composer'"),
        ("eras.csv", "composer,era\nA,B\nA,C\n", "'A' has two eras: B and C. Keep one"),
        ("eras.csv", "composer,era\nA,\n", r"'A' has the era '' \(expected \"Composer\" = \"Era\", both words\)"),
        ("eras.toml", "A = 1\n", "'A' has the era 1"),
        ("eras.toml", "A = \n", "not valid TOML"),
    ],
)
def test_wrong_eras_are_refused(tmp_path, name, text, message):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises((CallError, MaestroError), match=message):
        read_eras(tmp_path / name)


def test_eras_of_nobody_are_refused():
    with pytest.raises(
        MaestroError, match=r"own.csv: names none of the table's composers \(expected names such as 'A'\)"
    ):
        check_eras({"B": "Modern"}, {"A"}, "own.csv")
    check_eras({"B": "Modern"}, {"A / B"}, "own.csv")
    check_eras({}, {"A"}, "")
