"""Asking sinfo: every way in which it may answer or not."""

import os
import stat
import time
from pathlib import Path

import pytest

from hardware.doctor import probe
from hardware.doctor.probe import Answer, Probe
from hardware.doctor.sinfo import FORMAT
from hardware.doctor.slurm import ask, rows

FORM = f"sinfo -N -h -o {FORMAT}"
TABLE = "PARTITION AVAIL TIMELIMIT NODES STATE NODELIST\noheogulch* up 2:00 2 idle ncl-og-[01-02]\n\n"
NODES = "NODELIST NODES PARTITION STATE\nncl-og-01 1 oheogulch* idle\nncl-og-02 1 oheogulch* down*\n\n"


def test_the_default_partition_down_boards_and_trailing_lines(inrc):
    inrc.sinfo(*inrc.answers["sinfo"].out.splitlines(), "", "")
    slurm = ask(inrc)
    assert (slurm.state, slurm.cure) == ("ok", "")
    assert slurm.found == "sinfo lists 5 boards in 4 partitions: 2 free, 1 busy, 2 unusable"
    assert inrc.asked == [tuple(FORM.split())]


def test_no_binary(machine):
    slurm = ask(machine)
    assert (slurm.state, slurm.found) == ("missing", "no sinfo on the PATH")
    assert "source /nfs/ncl/.bashrc" in slurm.cure
    assert "python -m hardware bundle RUN" in slurm.cure


def test_a_binary_that_cannot_be_started(machine):
    machine.answers["sinfo"] = Answer(failed="unstartable", reason="Permission denied")
    slurm = ask(machine)
    assert (slurm.state, slurm.found) == ("wrong", "sinfo cannot be started: Permission denied")


def test_a_controller_that_refuses(machine):
    err = "slurm_load_partitions: Unable to contact slurm controller\n\x1b[2J(connect failure)"
    machine.sinfo(code=1, err=err)
    slurm = ask(machine)
    assert slurm.state == "wrong"
    expected = "slurm_load_partitions: Unable to contact slurm controller [2J(connect failure)"
    assert slurm.found == f"sinfo failed with exit code 1 and said: {expected}"
    assert "controller may be down" in slurm.cure


def test_one_that_hangs_is_not_asked_again(machine):
    machine.answers["sinfo"] = Answer(failed="late")
    slurm = ask(machine)
    assert (slurm.state, slurm.found) == ("wrong", "sinfo did not answer in time and was ended")
    assert len(machine.asked) == 1


@pytest.mark.parametrize("text", [TABLE, NODES])
def test_one_that_knows_no_format_is_asked_for_its_tables(machine, text):
    machine.answers[FORM] = Answer(1, err="sinfo: unrecognized option -- 'o'")
    machine.answers["sinfo"] = Answer(out=text)
    slurm = ask(machine)
    assert slurm.state == "ok"
    assert len(slurm.reading.boards) == 2


def test_one_that_ignores_the_format_and_prints_its_table(machine):
    machine.answers["sinfo"] = Answer(out=TABLE)
    slurm = ask(machine)
    assert (slurm.state, len(slurm.reading.boards)) == ("ok", 2)


@pytest.mark.parametrize("text", ["", "\n", "PARTITION AVAIL TIMELIMIT NODES STATE NODELIST\n"])
def test_a_header_alone_or_nothing(machine, text):
    machine.answers["sinfo"] = Answer(out=text)
    slurm = ask(machine)
    assert (slurm.state, slurm.found) == ("missing", "sinfo lists no boards")


def test_garbage(machine):
    machine.answers["sinfo"] = Answer(out="\x00\x01 core dumped \x1b[31m\n")
    slurm = ask(machine)
    assert slurm.state == "wrong"
    assert slurm.found == "sinfo printed what cannot be read, as 'core dumped [31m'"


def test_a_line_of_garbage_among_good_ones(machine):
    machine.sinfo("slurm: warning: certificate expires", "a1|oheogulch|oheogulch*|idle|2:00|up")
    slurm = ask(machine)
    assert slurm.state == "wrong"
    assert "1 board in 1 partition" in slurm.found
    assert "1 line could not be read, as 'slurm: warning" in slurm.found


def test_drained_and_down_boards_alone(machine):
    machine.sinfo("a1|kp|kp*|drain|2:00|up", "a2|kp|kp*|drng|2:00|up", "a3|kp|kp*|maint|2:00|up")
    slurm = ask(machine)
    assert (slurm.state, slurm.cure) == ("missing", "wait, or ask who runs SLURM why")
    assert "0 free, 0 busy, 3 unusable" in slurm.found


def test_hundreds_of_boards_in_few_rows(machine):
    lines = [
        f"og-{number:03}|oheogulch|oheogulch*|{'down*' if number % 3 else 'idle'}|2:00|up" for number in range(600)
    ]
    machine.sinfo(*lines)
    slurm = ask(machine)
    assert "600 boards in 1 partition: 200 free, 0 busy, 400 unusable" in slurm.found
    made = rows(slurm.reading)
    assert [row[:6] for row in made] == [
        ("oheogulch (default)", "400", "down*", "no", "1", "2:00"),
        ("oheogulch (default)", "200", "idle", "now", "1", "2:00"),
    ]
    assert made[0][6].endswith("and 392 more")


def test_chips_of_known_boards_and_not_of_others(machine):
    machine.sinfo(
        "n1|kp_stack|kp_stack|idle|1:00|up",
        "n2|nahuku32_2h|nahuku32_2h|idle|1:00|up",
        "n3|gpu|gpu|idle|1:00|up",
        "ncl-og-03|test|test|idle|1:00|up",
    )
    assert {row[0]: row[4] for row in rows(ask(machine).reading)} == {
        "kp_stack": "8",
        "nahuku32_2h": "32",
        "gpu": "?",
        "test": "1",
    }


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Put a real sinfo on the PATH."""

    def write(text):
        path = tmp_path / "sinfo"
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    return write


def test_a_real_process_that_answers(script):
    script('#!/bin/sh\n[ "$5" = "" ] || exit 7\necho "a1|oheogulch|oheogulch*|idle|2:00|up"\n')
    assert ask(Probe()).reading.named("a1")


def test_a_real_process_whose_children_hang_is_ended_with_them(script, tmp_path):
    script(f"#!/bin/sh\nsleep 60 & echo $! > {tmp_path}/child\nwait\n")
    started = time.monotonic()
    assert Probe().run(("sinfo",), patience_s=0.5).failed == "late"
    assert time.monotonic() - started < 10
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        try:
            if "\nState:\tZ" in Path(f"/proc/{child}/status").read_text():
                return
        except FileNotFoundError:
            return
        time.sleep(0.05)
    raise AssertionError("the child lives on")


def test_a_real_process_that_prints_without_end_is_ended(script, monkeypatch):
    monkeypatch.setattr(probe, "MOST_BYTES", 1 << 20)
    script("#!/bin/sh\nyes\n")
    slurm = ask(Probe())
    assert (slurm.state, slurm.found) == ("wrong", "sinfo printed without end and was ended")


def test_a_real_process_that_closes_its_output_and_stays(script):
    script("#!/bin/sh\nexec >&- 2>&-\nexec sleep 60\n")
    assert Probe().run(("sinfo",), patience_s=0.5).failed == "late"


def test_a_real_process_that_fails_and_says_why_in_bytes(script):
    script("#!/bin/sh\nprintf 'b\\377d' >&2\nexit 3\n")
    answer = Probe().run(("sinfo",))
    assert (answer.code, answer.err, answer.good) == (3, "b\ufffdd", False)


def test_a_real_file_that_is_no_program(script):
    script("\x7fELF nonsense")
    assert ask(Probe()).state == "wrong"
