"""MAESTRO's table: both forms of it, and whatever can be wrong with one."""

import json
import re

import pytest

from train.data.maestro.table import COLUMNS, find_table, read_table
from train.errors import MaestroError


def test_both_forms_give_the_same_rows_in_the_same_order(write, two_titles):
    as_csv = read_table(find_table(write(two_titles, folder="a")))
    as_json = read_table(find_table(write(two_titles[::-1], "json", folder="b")))

    def plain(rows):
        return [(r.id, r.composer, r.title, r.split, r.year, r.midi, r.audio, r.duration_s) for r in rows]

    assert plain(as_csv) == plain(as_json)
    assert as_csv[0].id == "2013__ORIG-MIDI_000_MID--AUDIO_01_R1_2013_wav"
    assert [r.id for r in as_csv] == sorted(r.id for r in as_csv)


def test_a_byte_order_mark_and_stray_spaces_are_no_matter(write, two_titles):
    root = write([{**entry, "canonical_title": f" {entry['canonical_title']}  "} for entry in two_titles])
    path = find_table(root)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert {entry.title for entry in read_table(path)} == {entry["canonical_title"] for entry in two_titles}


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("split", "dev", r"split is 'dev' \(expected train or validation or test\)"),
        ("duration", "nan", r"duration is 'nan' \(expected seconds above 0\)"),
        ("duration", "inf", "duration is 'inf'"),
        ("duration", "-1", "duration is '-1'"),
        ("duration", "long", "duration is 'long'"),
        ("year", "13", r"year is '13' \(expected a year of four digits\)"),
        ("canonical_title", "", "canonical_title is empty"),
        ("audio_filename", "/etc/passwd", r"audio_filename is '/etc/passwd' \(expected a path inside the data set\)"),
        ("midi_filename", "2013/../../x.midi", "midi_filename is"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_wrong_cell_is_named_with_its_line(write, two_titles, column, value, text, kind):
    rows = [dict(entry) for entry in two_titles]
    rows[3][column] = value
    line = "line 5" if kind == "csv" else "row 3"
    with pytest.raises(
        MaestroError, match=rf"maestro-v3.0.0.{kind}, {line}: {text}.*Download maestro-v3.0.0.csv again"
    ):
        read_table(find_table(write(rows, kind)))


@pytest.mark.parametrize(
    ("column", "text"),
    [("midi_filename", "has the midi 2013/.* of .*line 2 once more"), ("audio_filename", "has the audio 2013/")],
)
def test_a_file_named_twice_is_refused(write, two_titles, column, text):
    rows = [dict(entry) for entry in two_titles]
    rows[5][column] = rows[0][column]
    with pytest.raises(MaestroError, match=text):
        read_table(find_table(write(rows)))


def test_one_recording_in_two_folders_is_refused(write, two_titles):
    rows = [dict(entry) for entry in two_titles]
    rows[5]["midi_filename"] = rows[0]["midi_filename"].replace("2013/", "copy/", 1)
    with pytest.raises(MaestroError, match="has the id 2013__"):
        read_table(find_table(write(rows)))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda b: b[: len(b) - 30], r"line 12: has 5 cells|line 12: has 6 cells"),
        (lambda b: b.replace(b"duration", b"seconds"), "has no column 'duration'"),
        (lambda b: b.replace("é".encode(), b"\xe9"), "is not text in UTF-8"),
        (lambda b: b.splitlines()[0], "has a header and no rows"),
        (lambda b: b"", "is empty"),
        (lambda b: b.replace(b"Sonata Op. 1", b'"Sonata'), "is not CSV"),
    ],
)
def test_a_damaged_csv_is_refused(write, two_titles, change, text):
    path = find_table(write(two_titles))
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(MaestroError, match=text):
        read_table(path)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda t: t[:-20], "cannot be read as JSON"),
        (lambda t: "[" * 100_000, "cannot be read as JSON: brackets within brackets without end"),
        (lambda t: json.dumps([1, 2]), "is no object of columns .*earlier versions have a list"),
        (lambda t: t.replace('"duration"', '"seconds"'), "has no column 'duration'"),
        (lambda t: json.dumps({**json.loads(t), "year": {"0": "2013"}}), "column year has other rows"),
        (lambda t: json.dumps({name: {} for name in COLUMNS}), "has no rows"),
        (lambda t: t.encode().replace(b"Ballade", b"\xe9"), "is not text in UTF-8"),
    ],
)
def test_a_damaged_json_is_refused(write, two_titles, change, text):
    path = find_table(write(two_titles, "json"))
    changed = change(path.read_text())
    path.write_bytes(changed if isinstance(changed, bytes) else changed.encode())
    with pytest.raises(MaestroError, match=text):
        read_table(path)


def test_a_json_that_cannot_be_read(tmp_path):
    (tmp_path / "maestro-v3.0.0.json").mkdir()
    with pytest.raises(MaestroError, match="cannot be read: Is a directory"):
        read_table(tmp_path / "maestro-v3.0.0.json")


@pytest.mark.parametrize(("count", "version"), [(1184, "v1.0.0"), (1282, "v2.0.0")])
def test_tables_of_earlier_versions_are_told_by_their_length(write, row, count, version):
    path = find_table(write([row(number, title=f"Sonata No. {number}") for number in range(count)]))
    text = rf"has {count} rows, as MAESTRO {version} has \(expected v3.0.0's 1276\)\. Use the table of v3.0.0"
    with pytest.raises(MaestroError, match=text):
        read_table(path)


def test_tables_of_earlier_versions_are_told_by_their_name(write, two_titles):
    path = find_table(write(two_titles))
    old = path.rename(path.with_name("maestro-v2.0.0.csv"))
    with pytest.raises(MaestroError, match=r"is MAESTRO v2.0.0's \(expected the table of v3.0.0\)"):
        read_table(old)
    with pytest.raises(MaestroError, match=r"holds maestro-v2.0.0.csv \(expected maestro-v3.0.0.csv or .json\)"):
        find_table(old.parent)


def test_where_the_table_is(tmp_path, write, two_titles):
    with pytest.raises(MaestroError, match=r"no such folder\. Set data.root"):
        find_table(tmp_path / "none")
    (tmp_path / "table.csv").touch()
    with pytest.raises(MaestroError, match=r"table.csv: is a file\. Set data.root to the folder"):
        find_table(tmp_path / "table.csv")
    with pytest.raises(MaestroError, match=r"no such table\. Set data.table"):
        find_table(tmp_path, "none.csv")
    (tmp_path / "maestro-v3.0.0.csv").mkdir()
    with pytest.raises(MaestroError, match=r"holds no table of MAESTRO .* Set data.root"):
        find_table(tmp_path)
    root = write(two_titles)
    assert find_table(tmp_path, str(root / "maestro-v3.0.0.csv")) == root / "maestro-v3.0.0.csv"
    root.rename(tmp_path / "maestro-v3.0.0")
    with pytest.raises(MaestroError, match=f"Did you mean {re.escape(str(tmp_path / 'maestro-v3.0.0'))}"):
        find_table(tmp_path)
