"""Tables and violations, however they were pasted."""

import json

import pytest

from hardware.logs.log import read_log
from train.errors import MaestroError

FORMS = ("terminal", "crlf", "indented", "notebook", "json lines", "json line", "coloured")


def form(text, how, as_notebook):
    if how == "notebook":
        return as_notebook(text)
    if how == "json lines":
        # Some lines of an .ipynb, as an editor shows them.
        return json.dumps(text.splitlines(keepends=True), indent=6)[2:-2]
    return {
        "terminal": text,
        "crlf": text.replace("\n", "\r\n"),
        "indented": "".join(f"    {line}\n" for line in text.splitlines()),
        "json line": json.dumps(text),
        "coloured": "".join(f"\x1b[1;30m{line}\x1b[0m\n" for line in text.splitlines()),
    }[how]


@pytest.mark.parametrize("how", FORMS)
def test_a_table_of_2022_is_read(logs, pasted, as_notebook, how):
    log = read_log(pasted(form(logs["oxford"], how, as_notebook)))
    (table,) = log.tables
    assert (table.compiler, table.unit, table.total) == ("2022", "count", 5)
    assert table.rows[0].values == {
        "AxonIn": 256,
        "NeuronGr": 1,
        "Neurons": 100,
        "Synapses": 8064,
        "AxonMap": 100,
        "AxonMem": 0,
    }
    assert [row.cores for row in table.rows] == [2, 3]
    assert [(each.core, each.register, each.allocation, each.limit) for each in log.violations] == [
        (0, "SynMem", 16128, 12000),
        (1, "SynMem", 16200, 12000),
        (1, "SynMem", 16000, 12000),
    ]
    assert log.converged is None


@pytest.mark.parametrize("how", FORMS)
def test_a_table_in_per_cent_is_read(logs, pasted, as_notebook, how):
    log = read_log(pasted(form(logs["yolo"], how, as_notebook)))
    (table,) = log.tables
    assert (table.compiler, table.unit, table.total) == ("newer", "percent", 36)
    assert table.rows[1].values["Synapses"] == 86.4
    assert table.rows[1].values["Total"] == 87.47
    assert table.rows[0].note == "Conv(4, 14, 48)"
    assert (log.converged, log.iterations) == (True, 3)


def test_the_oldest_compilers_violations_are_read(pasted):
    text = "Violation core_id=1 reg_name='SynMem' last_allocation=247808 self.cost_db.registers[reg_name]=8184\n"
    log = read_log(pasted(text + "Exception: Partitioning could not converge\n"))
    assert log.violations[0].allocation == 247808
    assert log.violations[0].limit == 8184
    assert log.converged is False


def test_two_tables_are_two(logs, pasted):
    log = read_log(pasted(logs["oxford"] + logs["yolo"]))
    assert [table.compiler for table in log.tables] == ["2022", "newer"]
    assert log.tables[1].line > log.tables[0].line


def signless(text):
    return text.replace("%", "")


def test_per_cent_without_signs_are_known_by_their_form(logs, pasted, cli):
    """As compiler_tables.md has mnist's table; without the column Total the decimals say it."""
    (with_signs,) = read_log(pasted(logs["mnist"])).tables
    log = read_log(pasted(signless(logs["mnist"]), "bare.txt"))
    (table,) = log.tables
    assert (table.compiler, table.unit, table.rows) == ("newer", "percent", with_signs.rows)
    assert log.notes == ("line 2: a table without % signs, in per cent by its column Total or its decimals",)
    assert read_log(pasted(logs["mnist"])).notes == ()
    printed = cli("hardware", "log", pasted(signless(logs["mnist"]), "bare.txt")).output
    assert "5 cores, compiler newer" in printed
    assert "78.4%" in printed
    whole = "| AxonIn |NeuronGr| Neurons|Synapses| AxonMap| AxonMem|  Total |  Cores |\n"
    log = read_log(
        pasted(whole + "|:---|---:|---|---|---|---|---|---|\n| 1 | 12 | 1 | 17 | 1 | 0 | 15 | 1 |\n| Total | 1 |")
    )
    assert log.tables[0].unit == "percent"
    narrow = "| AxonIn |NeuronGr| Neurons|Synapses| AxonMap| AxonMem|  Cores |\n| 1 | 12.50 | 1 | 17 | 1 | 0 | 1 |\n"
    assert read_log(pasted(narrow + "| Total | 1 |")).tables[0].unit == "percent"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "| 1 | 12.50 | 1 | 9408 | 1 | 0 | 1 |",
            r"line 3: ends a table with Total or decimals, as per cent have, and Synapses of 9408, as counts have",
        ),
        ("| 1 | 12.50% | 1 | 17% | 1 | 0 | 1 |", "line 3: ends a table of counts and of per cent"),
    ],
)
def test_a_table_that_may_be_either_is_refused(pasted, text, message):
    heading = "| AxonIn |NeuronGr| Neurons|Synapses| AxonMap| AxonMem|  Cores |"
    with pytest.raises(MaestroError, match=message):
        read_log(pasted(f"{heading}\n{text}\n| Total | 1 |"))


def cut(text, first, last=None):
    return "\n".join(text.splitlines()[first:last])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: cut(text, 0, 9), r"line 6: begins a table that does not end \(expected a line Total\)"),
        (lambda text: cut(text, 7), r"line 1: is a row of the compiler's table without its heading"),
        (lambda text: text + cut(text, 4, 9), "begins a table that does not end"),
        (lambda text: cut(text, 0, 9) + "\n" + text, "line 6: begins a table that does not end"),
        (lambda text: text.replace("|       2|", "|"), r"line 8: has 6 columns \(expected 7, as the heading\)"),
        (lambda text: text.replace("8064", "80.4%"), "line 11: ends a table of counts and of per cent"),
        (lambda text: text.replace("8064", "8o64"), "line 8: has '8o64' in a column of numbers"),
        (lambda text: text.replace("|       3|", "|     3.5|"), "line 9: has 3.5 cores"),
        (lambda text: text.replace("| Total", "| Tota"), "line 11: has 2 columns"),
        (lambda text: text.replace("|       5|", "|        |"), "line 11: has '' as total"),
        (lambda text: text.replace("|       5|", "|       \u00b2|"), "line 11: has '\u00b2' as total"),
        (lambda text: text.replace("8064", "8" * 400), "line 8: has '8888.*' in a column of numbers"),
        (lambda text: text.replace("|       3|", f"|{'3' * 5000}|"), "line 9: has '3333.*' in a column of numbers"),
        (lambda text: text.replace("=12000", "=0"), "line 1: has a violation of a limit of 0"),
        (lambda text: text.replace("=16200", "=" + "9" * 5000), "line 2: has a violation that breaks off"),
        (lambda text: text.replace("=12000", "=" + "9" * 5000), "line 1: has a violation that breaks off"),
        (lambda text: "\n".join(text.splitlines()[:8] + text.splitlines()[9:]), "says 5 cores, and the rows come to 2"),
        (lambda text: "\n".join(text.splitlines()[:7] + text.splitlines()[9:]), "ends a table without rows"),
        (lambda text: text.replace(" AxonIn |NeuronGr", " AxonIn |Neuron"), "line 6: has a heading of AxonIn, Neuron,"),
        (lambda text: text.replace("allocation=16200", "alloc"), "line 2: has a violation that breaks off"),
    ],
)
def test_a_table_that_is_not_whole_is_refused(logs, pasted, change, message):
    with pytest.raises(MaestroError, match=message):
        read_log(pasted(change(logs["oxford"])))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"hello\nworld\n", r"has nothing in it that is known \(expected the compiler's table"),
        (b'{"cells": 3}', "has nothing in it that is known"),
        (b'{"cells": [{"outputs": []}, {}]}', "has nothing in it that is known"),
        (b"{not json", "has nothing in it that is known"),
        (b"\xff\xfe\x00", "is no text"),
    ],
)
def test_what_is_no_log_is_refused(tmp_path, content, message):
    path = tmp_path / "log.txt"
    path.write_bytes(content)
    with pytest.raises(MaestroError, match=message):
        read_log(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(MaestroError, match="no such file"):
        read_log(tmp_path / "log.txt")
