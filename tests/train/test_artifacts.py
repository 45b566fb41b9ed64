import errno
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from train.artifacts import RunFolder, atomic_write, key_of, provenance, read_json, sha256, versions, write_json
from train.errors import MaestroError


def test_failed_write_keeps_the_old_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})

    def fail():
        with atomic_write(path) as temporary:
            temporary.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert json.loads(path.read_text()) == {"old": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_full_disk_is_one_clear_error(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})

    def fill():
        with atomic_write(path):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(MaestroError, match=r"a.json: cannot be written: No space left on device. Free some disk"):
        fill()
    assert json.loads(path.read_text()) == {"old": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_a_writer_that_fails_at_another_file_names_that_one(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})

    def copy(source):
        with atomic_write(path) as temporary:
            temporary.write_bytes(source.read_bytes())

    missing = rf"^{tmp_path}/b\.json: cannot be used: No such file or directory\. Mend it; {path} was not changed$"
    with pytest.raises(MaestroError, match=missing):
        copy(tmp_path / "b.json")
    assert json.loads(path.read_text()) == {"old": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_a_temporary_file_that_is_gone_is_blamed_on_the_file_itself(tmp_path):
    path = tmp_path / "a.json"

    def remove():
        with atomic_write(path) as temporary:
            temporary.unlink()

    with pytest.raises(MaestroError, match=r"a\.json: cannot be written: No such file or directory"):
        remove()


def test_unwritable_folder_is_one_clear_error(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(MaestroError, match="cannot be written"):
        write_json(blocked / "a.json", {})


def test_not_a_number_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"value": float("nan")})
    assert [entry.name for entry in tmp_path.iterdir()] == []


def test_killed_writer_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})
    script = (
        "import sys, time; from pathlib import Path; from train.artifacts import atomic_write\n"
        "with atomic_write(Path(sys.argv[1])) as t:\n"
        "    t.write_text('half'); print('ready', flush=True); time.sleep(60)"
    )
    writer = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE)
    assert writer.stdout.readline() == b"ready\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert json.loads(path.read_text()) == {"old": 1}


def test_read_json_names_file_and_cure(tmp_path):
    path = tmp_path / "a.json"
    with pytest.raises(MaestroError, match=r"a.json: no such file. Train again"):
        read_json(path, cure="train again")
    path.write_text('{"cut": ')
    with pytest.raises(MaestroError, match=r"a.json: cannot be read as JSON.*Train again"):
        read_json(path, cure="train again")


def test_run_folder_says_what_makes_a_missing_file(tmp_path):
    run = RunFolder(tmp_path / "none")
    with pytest.raises(MaestroError, match=r"none: no such run folder. Make it with `python -m train fit`"):
        run.require(run.net, "python -m train fit")
    run = RunFolder(tmp_path)
    with pytest.raises(MaestroError, match=r"model.net: missing from the run. Make it with `x`"):
        run.require(run.net, "x")


def test_keys_depend_on_content_alone():
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})
    assert key_of({"a": 1}) != key_of({"a": 2})


def test_sha256_and_provenance(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    found = provenance()
    assert found["versions"] == versions()
    assert found["date"].startswith(time.strftime("%Y", time.gmtime()))
