"""Tables that people make: what is read of them, and what is refused."""

import pytest

from train.data.csv_table import composed, many, nearest, read_table, some
from train.errors import MaestroError


@pytest.fixture
def table(tmp_path):
    """Write a table and read it: table(content, required, known) -> Table."""

    def read(content, required=("file",), known=None):
        path = tmp_path / "t.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_table(path, required, known)

    return read


def test_cells_are_stripped_and_empty_rows_passed_over(table):
    found = table('file , mood\r\n a.wav, "sad, slow"\r\n\r\n,\r\nb.wav,\r\n')
    assert found.columns == ("file", "mood")
    assert [(row.line, row.cells) for row in found.rows] == [
        (2, {"file": "a.wav", "mood": "sad, slow"}),
        (5, {"file": "b.wav", "mood": ""}),
    ]
    assert found.at(found.rows[1]) == f"{found.path}, line 5"


def test_a_cell_over_several_lines_and_a_byte_order_mark(table):
    found = table(b'\xef\xbb\xbffile,mood\n"a\nb",sad\nc,gay\n')
    assert [(row.line, row.cells["file"]) for row in found.rows] == [(3, "a\nb"), (4, "c")]


def test_names_compare_in_composed_form(table):
    assert table("file\nFaure\u0301.wav\n").rows[0].cells["file"] == composed("Faure\u0301.wav") == "Fauré.wav"


def test_a_cell_may_have_ten_thousand_characters(table):
    assert len(table("file\n" + "b" * 10_000).rows[0].cells["file"]) == 10_000


def test_counts_have_their_noun():
    assert (many(0, "file"), many(1, "file"), many(2, "copy", "copies")) == ("0 files", "1 file", "2 copies")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"t\.csv: is empty \(expected a header: file\)"),
        ("\n,,\n", r"t\.csv: is empty"),
        ("file,mood\n", r"t\.csv: has a header and no rows\. Add a row"),
        ("name,mood\na,b\n", r"header: has no column 'file'; its columns are 'name', 'mood' .*Name the columns"),
        ("file;mood\na;b\n", r"header: has no column 'file'.*Separate the cells with commas"),
        ("name;x,mood\na,b\n", r"has no column 'file'.*Name the columns"),
        ("file\tmood\na\tb\n", r"Separate the cells with commas"),
        ("file,,mood\na,b,c\n", r"header: column 2 has no name\. Name it"),
        ("file,mood,mood\na,b,c\n", r"header: has column 'mood' twice\. Rename"),
        ("file,modo\na,b\n", r"unknown column 'modo' \(did you mean 'mood'\?\) \(expected file, mood\)"),
        ("file,mood\na,b\nc\n", r"line 3: has 1 cells \(expected 2, as in the header\)\. Put cells that hold a comma"),
        ("file,mood\na,b,c\n", r"line 2: has 3 cells"),
        ('file,mood\na,"b\n', r"line 2: is not CSV: .*\. Close every quotation mark"),
        ('file,mood\na,"b"c\n', r"line 2: is not CSV"),
        ("file,mood\na," + "b" * 10_001, r"line 2: is not CSV: a cell of more than 10000 characters"),
        ("file,mood\nFauré,b\n".encode("latin-1"), r"line 2: is not text in UTF-8\. Save it as CSV in UTF-8"),
        ("file,mood\na,b\n".encode("utf-16"), r"line 1: is not text in UTF-8"),
        ("file,mood\na,b\n".encode("utf-16-le"), r"t\.csv: holds zero bytes"),
        (b"PK\x03\x04\x00\x00", r"holds zero bytes: it is no text in UTF-8\. Save it as CSV"),
    ],
)
def test_what_is_no_table(table, content, message):
    with pytest.raises(MaestroError, match=message):
        table(content, known=("file", "mood"))


def test_what_is_no_file(tmp_path):
    with pytest.raises(MaestroError, match=r"t\.csv: no such file\. Check the path"):
        read_table(tmp_path / "t.csv", ["file"])
    with pytest.raises(MaestroError, match=r"is a folder \(expected a CSV file\)"):
        read_table(tmp_path, ["file"])


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    (tmp_path / "t.csv").write_text("file\na\n")

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(type(tmp_path), "read_bytes", refuse)
    with pytest.raises(MaestroError, match=r"cannot be read: Permission denied\. Check its permissions"):
        read_table(tmp_path / "t.csv", ["file"])


def test_names_in_messages():
    assert nearest("Balade", ["Ballade", "Fugue"]) == " (did you mean 'Ballade'?)"
    assert nearest("xyz", ["Ballade"]) == ""
    assert some(["a", "b", "c"], 2) == "a, b and 1 more"
    assert some(["a", "b"], 2) == "a, b"
