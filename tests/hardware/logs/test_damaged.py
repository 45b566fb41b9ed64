"""Damaged and odd files: each is read or refused in one line with its reason, and never a traceback."""

import contextlib
import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardware.logs.log import read_log
from train.errors import MaestroError

TEXT = "Total Power   : 0.679012 W\n"
STREAM = {"output_type": "stream", "name": "stdout", "text": [TEXT]}
SHOWN = {"output_type": "execute_result", "data": {"text/plain": ["total_power = array([0.6, 0.7])"]}, "metadata": {}}


def notebook(outputs):
    cells = [
        {"cell_type": "markdown", "source": ["# power"], "metadata": {}},
        {"cell_type": "code", "execution_count": 3, "source": ["run()\n"], "metadata": {}, "outputs": outputs},
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def refused(cli, path, *more):
    """The one line of a refusal."""
    result = cli("hardware", "log", path, *more)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert result.output.startswith(f"error: {path}")
    assert result.output.count("\n") == 1
    return result.output


@pytest.mark.parametrize(
    ("outputs", "found"),
    [
        (5, "cell 2: is damaged: it has a value of type int (expected a list). Save the notebook again"),
        ({"text": TEXT}, "cell 2: is damaged: it has a value of type dict (expected a list)"),
        ([STREAM, 5], "cell 2: is damaged: it has a value of type int (expected an object)"),
        ([{"text": 1.5}], "cell 2: is damaged: it has a value of type float (expected a list)"),
        ([{"text": [TEXT, 1]}], "cell 2: is damaged: it has a value of type int (expected a string)"),
        ([{"data": [TEXT]}], "cell 2: is damaged: it has a value of type list (expected an object)"),
        ([{"data": {"text/plain": {"a": 1}}}], "cell 2: is damaged: it has a value of type dict (expected a list)"),
        (None, "has nothing in it that is known"),
        ([None, {"text": None, "data": None}], "has nothing in it that is known"),
    ],
)
def test_a_notebook_with_odd_outputs_names_the_cell(cli, pasted, outputs, found):
    assert found in refused(cli, pasted(json.dumps(notebook(outputs)), "run.ipynb"))


def test_cells_that_are_none_are_named_and_empty_parts_are_nothing(cli, pasted):
    assert "cell 2: is damaged" in refused(cli, pasted('{"cells": [{"outputs": []}, 4]}', "run.ipynb"))
    log = read_log(pasted(json.dumps(notebook([None, {"text": None, "data": None}, STREAM])), "run.ipynb"))
    assert log.quantities["power_total_w"].value == 0.679012


def test_json_that_is_nested_too_deeply_is_refused(cli, pasted):
    deep = '{"cells": ' + '[{"outputs": ' * 50_000
    assert "is JSON that is nested too deeply (expected text or a notebook)" in refused(cli, pasted(deep, "run.ipynb"))
    many = '{"cells": [' + "9" * 5000 + "]}"
    assert "has nothing in it that is known" in refused(cli, pasted(many, "run.ipynb"))


def test_half_characters_are_printed(cli, pasted):
    text = json.dumps(notebook([{"text": ["Running on a\ud800b\n", TEXT]}]))
    result = cli("hardware", "log", pasted(text, "run.ipynb"))
    assert result.exit_code == 0
    assert "ran on a?b" in result.output


@pytest.mark.parametrize(
    "number", ["1e400", "-1e400", "1e5000000000", "1e101", "9" * 400, "1" * 5000, "1e-99999", "1e" + "9" * 5000]
)
def test_numbers_that_no_instrument_gives_are_refused(cli, pasted, number):
    assert "line 1: has Total Power of '" in refused(cli, pasted(f"Total Power : {number} W"))


def test_small_and_long_numbers_are_numbers(pasted):
    log = read_log(pasted(f"Total Power : 1e-400 W\nStatic Power : 0.{'1' * 5000} W\nThroughput : 1e4 fps"))
    assert log.quantities["power_total_w"].value == 0
    assert log.quantities["power_static_w"].value == pytest.approx(1 / 9)


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def archive(name, content, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as into:
        into.writestr(name, content)
    return file.getvalue()


def flipped(content, at):
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


POWER = np.linspace(0.5, 0.7, 60)
WHOLE = npz(total_power=POWER, static_total_power=POWER / 2)
DAMAGED = [
    ("power.npz", WHOLE[: len(WHOLE) // 2], "cannot be read as .npz: File is not a zip file. Save it again"),
    ("power.npz", WHOLE[:-5], "cannot be read as .npz"),
    ("power.npz", b"PK\x03\x04", "cannot be read as .npz"),
    ("power.npz", b"", "cannot be read as .npz"),
    ("power.npz", flipped(WHOLE, 300), "cannot be read as .npz: Bad CRC-32"),
    ("power.npz", archive("total_power.npy", flipped(npy(POWER), 20)), "cannot be read as .npz"),
    ("power.npz", archive("total_power.npy", npy(POWER)[:90]), "cannot be read as .npz"),
    ("power.npz", flipped(archive("power.npy", npy(POWER), zipfile.ZIP_DEFLATED), 50), "cannot be read as .npz"),
    ("power.npz", archive("power.txt", b"0.5 0.7"), "power.txt: is of type"),
    ("power.npz", archive("power.npy", npy(np.array([0.5j]))), "power: is of type complex128 (expected real numbers)"),
    ("power.npy", npy(POWER)[:50], "cannot be read as .npy"),
    ("power.npy", npy(POWER)[:-9], "cannot be read as .npy"),
    ("power.npy", npy(POWER).replace(b"(60,)", b"(60,("), "cannot be read as .npy"),
    ("power.npy", npy(POWER).replace(b"(60,), }" + b" " * 12, b"(999999999999999,), }"), "cannot be read as .npy"),
    ("power.npy", npy(POWER).replace(b"<f8", b"<q9"), "cannot be read as .npy"),
    ("power.npy", npy(np.array([{"a": 1}])), "cannot be read as .npy: Object arrays cannot be loaded"),
    ("power.npy", npy(np.array([0.5, 1e308])), "power: has a sample of 1e+308 (expected watts, or microseconds)"),
    ("power.npy", npy(np.array([np.longdouble("1e400")])), "power: has samples that are no numbers"),
    ("power.csv", f"total_power\n{'1' * 200_000}\n".encode(), "cannot be read as .csv: field larger than field limit"),
    ("power.csv", b"total_power\n1e400\n", "total_power: has samples that are no numbers"),
    ("power.csv", b"total_power,total_power\n1,2\n", "cannot be read as .csv: a name twice"),
    ("power.csv", b"total_power\n0.5\n\x00\n", "cannot be read as .csv"),
    ("power.csv", b"\xff\xfe0", "cannot be read as .csv"),
]


@pytest.mark.parametrize(("name", "content", "found"), DAMAGED, ids=[f"{n}-{i}" for i, (n, _, _) in enumerate(DAMAGED)])
def test_series_that_are_damaged_are_refused(cli, tmp_path, name, content, found):
    (tmp_path / name).write_bytes(content)
    assert found in refused(cli, tmp_path / name)


def test_an_archive_under_the_other_name_is_read(tmp_path):
    (tmp_path / "power.npy").write_bytes(WHOLE)
    assert "power_dynamic_w" in read_log(tmp_path / "power.npy").quantities
    (tmp_path / "power.npz").write_bytes(npy(POWER))
    assert list(read_log(tmp_path / "power.npz").quantities) == ["power_total_w"]


def test_a_long_word_takes_no_longer_than_others(pasted):
    """Looked for at each of its letters, a name of a megabyte takes hours."""
    assert read_log(pasted("x" * 1_000_000 + "\n" + TEXT)).quantities


def read_or_refuse(path):
    with contextlib.suppress(MaestroError):
        json.dumps(read_log(path).as_dict(), allow_nan=False).encode()


FUZZ = settings(
    derandomize=True, max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FUZZ
@given(data=st.data())
def test_whatever_bytes_are_changed_is_read_or_refused(tmp_path, data):
    sources = {"power.npz": WHOLE, "power.npy": npy(POWER), "power.csv": b"total_power,vdd\n0.5,0.2\n0.6,0.3\n"}
    sources["run.ipynb"] = json.dumps(notebook([STREAM, SHOWN])).encode()
    name = data.draw(st.sampled_from(sorted(sources)))
    content = bytearray(sources[name])
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / name).write_bytes(content[: data.draw(st.integers(0, len(content)) | st.just(len(content)))])
    read_or_refuse(tmp_path / name)


ODD = st.sampled_from([None, True, -1, 1.5, 10**400, "", "\ud800", TEXT, [], [None], [[TEXT]], {}, {"text": 1}])


def altered(value, path, odd):
    """JSON with one of its parts replaced, at the end of a path of choices."""
    if not path or not isinstance(value, dict | list) or not value:
        return odd
    keys = sorted(value) if isinstance(value, dict) else range(len(value))
    chosen = keys[path[0] % len(keys)]
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[chosen] = altered(value[chosen], path[1:], odd)
    return copy


@FUZZ
@given(path=st.lists(st.integers(0, 5), max_size=7), odd=ODD)
def test_a_notebook_with_any_part_replaced_is_read_or_refused(tmp_path, path, odd):
    (tmp_path / "run.ipynb").write_text(json.dumps(altered(notebook([STREAM, SHOWN]), path, odd)))
    read_or_refuse(tmp_path / "run.ipynb")
