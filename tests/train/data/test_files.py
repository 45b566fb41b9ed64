"""Files that users name: what is wrong with one is said, and nothing is a traceback."""

import os
from pathlib import Path

import pytest

from train.data.files import is_file, is_folder, read_bytes, read_json
from train.errors import MaestroError


def test_what_is_there(tmp_path):
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"a": [1]}')
    assert is_file(tmp_path / "a.json")
    assert not is_folder(tmp_path / "a.json")
    assert is_folder(tmp_path)
    assert not is_file(tmp_path)
    assert not is_file(tmp_path / "none")
    assert not is_folder(tmp_path / "a.json" / "none")
    assert read_json(tmp_path / "a.json", "mend it") == {"a": [1]}
    assert read_bytes(tmp_path / "a.json").startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, r"a.json: no such file\. Check the path"),
        (b"{", r"a.json: cannot be read as JSON: Expecting .*\. Mend it"),
        (b"\xe9", r"a.json: is not text in UTF-8\. Mend it"),
        (b"[" * 100_000, r"a.json: cannot be read as JSON: brackets within brackets without end\. Mend it"),
        (b"1" * 5000, r"a.json: cannot be read as JSON: Exceeds the limit"),
    ],
)
def test_wrong_json(tmp_path, content, text):
    if content is not None:
        (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(MaestroError, match=text):
        read_json(tmp_path / "a.json", "mend it")


def test_what_may_never_end_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", Path("/dev/zero")):
        with pytest.raises(MaestroError, match=r"(pipe\.csv|zero): is a pipe or a device \(expected a file\)"):
            read_bytes(path)


def test_a_name_that_is_too_long(tmp_path):
    for look in (is_file, is_folder):
        with pytest.raises(MaestroError, match=r"x: cannot be looked at: File name too long\. Check its name, and"):
            look(tmp_path / ("x" * 300))


def test_what_must_not_be_entered(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.stat", refuse)
    with pytest.raises(MaestroError, match=r"a: cannot be looked at: Permission denied\. .*and its permissions"):
        is_file(tmp_path / "a")
    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(MaestroError, match=r"a: cannot be read: Permission denied\. Check its permissions"):
        read_bytes(tmp_path / "a")
