"""The command as a whole."""

import json
import subprocess
import sys

import pytest

from hardware.availability import MODULES, ClosedPackage
from hardware.doctor import command
from hardware.doctor.finding import Finding, quoted
from hardware.doctor.known import facts, version_sets
from train.errors import MaestroError


@pytest.fixture
def run(capsys):
    def call(machine, board=None, as_json=False):
        code = command.doctor(board, as_json, machine)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_no_chip_no_slurm_and_no_gpu_are_no_fault(machine, run):
    code, out, err = run(machine)
    lines = out.splitlines()
    assert (code, len(err.splitlines())) == (0, 1)
    assert {line.split()[0] for line in lines[:-3]} == {"ok", "missing"}
    assert lines[-3] == "works here: training, export, the engine and Lava's simulator"
    assert (
        lines[-2] == "the chip: not from here, for want of lava-loihi and of a board, by SLURM or by a host of its own"
    )
    assert "python -m hardware bundle RUN" in lines[-1]


def test_every_line_that_is_not_ok_has_a_cure(machine):
    machine.answers, machine.files, machine.version_of, machine.module_of = {}, {}, {}, {}
    machine.variables = {"SLURM": "0", "NOSLURM": "1"}
    findings = command.examine(machine).findings
    assert all(finding.cure for finding in findings if finding.state != "ok")
    assert all("\n" not in str(finding) for finding in findings)


def test_at_a_board_with_the_closed_package(inrc, run):
    inrc.variables = {"SLURM": "1", "LOIHI_GEN": "N3B3", "PARTITION": "oheogulch"}
    code, out, _ = run(inrc)
    assert code == 0
    assert "oheogulch (default)" in out
    assert out.splitlines()[-1].startswith("the chip: `python -m hardware deploy RUN`")


def test_something_wrong_is_an_exit_code(inrc, run):
    inrc.variables = {"SLURM": "1", "NOSLURM": "1"}
    assert run(inrc)[0] == 1


def test_a_package_that_the_simulator_needs_is_an_exit_code_and_named_in_the_end(machine, run):
    machine.version_of.pop("numba")
    machine.module_of.pop("numba")
    code, out, _ = run(machine)
    assert code == 1
    assert "works here: not before this is mended: numba" in out


def test_json_has_the_same(inrc, run):
    code, out, _ = run(inrc, as_json=True)
    content = json.loads(out)
    assert (code, content["sound"]) == (0, True)
    assert {finding["state"] for finding in content["findings"]} == {"ok", "missing"}
    assert {entry["name"]: entry["use"] for entry in content["boards"]}["ncl-ext-og-02"] == "no"
    assert {entry["chips"] for entry in content["boards"]} == {1, 8}
    assert content["environment"] is None


def test_json_of_a_board(inrc, run):
    content = json.loads(run(inrc, "ncl-ext-og-06", as_json=True)[1])
    assert content["environment"]["set"]["LOIHI_GEN"] == "N3C1"
    assert content["environment"]["unset"] == ["NOSLURM", "NXSDKHOST", "HOST_BINARY"]


def test_a_board_prints_nothing_but_what_a_shell_may_evaluate(inrc, run):
    code, out, err = run(inrc, "ncl-ext-og-05")
    assert code == 0
    assert all(line.startswith(("export ", "unset ")) for line in out.splitlines())
    assert "LOIHI_GEN=N3B3: S. Bahadi" in err
    done = subprocess.run(["sh", "-c", f"{out}\necho $BOARD $SLURM"], capture_output=True, text=True, check=True)
    assert done.stdout == "ncl-ext-og-05 1\n"


def test_a_board_without_the_closed_package_says_so(inrc, run):
    inrc.sdk = ClosedPackage((), MODULES, {})
    assert "lava-loihi cannot be imported in this Python" in run(inrc, "oheogulch")[2]


def test_a_board_that_is_not_there_prints_nothing(inrc, capsys):
    with pytest.raises(MaestroError, match="no board or partition of that name"):
        command.doctor("nowhere", False, inrc)
    assert capsys.readouterr().out == ""


def test_the_command_line(cli, machine, monkeypatch):
    monkeypatch.setattr(command, "Probe", lambda: machine)
    assert cli("hardware", "doctor").exit_code == 0
    result = cli("hardware", "doctor", "--board", "x")
    assert result.exit_code == 1
    assert cli("hardware", "doctor", "--board", "host:-f").exit_code == 2
    assert json.loads(cli("hardware", "doctor", "--json").stdout)["sound"] is True


def test_this_machine_is_examined_without_importing_torch_or_lava():
    code = (
        "import sys, hardware.doctor.command as c; from hardware.doctor.probe import Answer, Probe\n"
        "Probe.run = lambda self, command, patience_s=0: Answer(failed='absent')\n"
        "c.examine(Probe())\n"
        "print([name for name in ('torch', 'numba', 'librosa', 'lava.magma.core', 'lava.lib.dl.slayer')"
        " if name in sys.modules and getattr(sys.modules[name], '__file__', None)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n", done.stderr


def test_quoted_text_is_one_line_of_bounded_length():
    assert quoted("a\n\x1b[2Jb\tc") == "a [2Jb c"
    assert len(quoted("x" * 1000)) == 160


def test_a_line():
    assert str(Finding("GPU", "missing", "none", "buy one")) == "missing  GPU: none. Buy one"
    assert str(Finding("GPU", "ok", "one")) == "ok       GPU: one"


def test_what_is_known_beforehand_names_its_sources():
    assert all(entry["source"] for entry in facts()["sets"])
    assert version_sets()[0].evidence == "tested"
