"""Variables that are set, and those for a board."""

import subprocess

import pytest

from hardware.doctor.environment import check, choose, limit_s
from hardware.doctor.probe import Answer
from hardware.doctor.slurm import ask
from train.errors import CallError, MaestroError


def verdict(machine, **variables):
    machine.variables = variables
    (finding,) = check(machine, ask(machine))
    return finding


def test_nothing_set(machine):
    finding = verdict(machine)
    assert (finding.state, finding.found) == ("missing", "no variable names a board")
    assert "python -m hardware doctor --board NAME" in finding.cure


def test_a_whole_set(inrc):
    finding = verdict(inrc, SLURM="1", LOIHI_GEN="N3B3", PARTITION="oheogulch", BOARD="ncl-ext-og-05")
    assert (finding.state, finding.cure) == ("ok", "")
    assert finding.found == "SLURM=1, LOIHI_GEN=N3B3, PARTITION=oheogulch, BOARD=ncl-ext-og-05"


def test_an_ethernet_host(machine):
    assert verdict(machine, NOSLURM="1", NXSDKHOST="10.0.0.2", HOST_BINARY="nx").state == "ok"


def test_a_partition_without_slurm(inrc):
    finding = verdict(inrc, PARTITION="oheogulch")
    assert (finding.state, finding.found) == ("missing", "PARTITION=oheogulch, but neither SLURM nor a host is set")


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({"SLURM": "1", "NOSLURM": "1", "NXSDKHOST": ""}, "SLURM and NOSLURM are both set"),
        ({"SLURM": "0"}, "SLURM=0: Lava asks only whether it is set, not to what"),
        ({"SLURM": "1", "LOIHI_GEN": "N9Z9"}, "LOIHI_GEN=N9Z9 is no generation of the chip"),
        ({"SLURM": "1", "NXSDKHOST": "10.0.0.2"}, "SLURM and NXSDKHOST are both set: two ways to a board"),
        ({"NOSLURM": "1"}, "NOSLURM is set and NXSDKHOST names no host"),
        ({"HOST_BINARY": "nx"}, "HOST_BINARY is set and NXSDKHOST names no host"),
        ({"SLURM": "1", "PARTITION": "ohe"}, "PARTITION=ohe, which sinfo does not list"),
        ({"SLURM": "1", "PARTITION": "kp"}, "PARTITION=kp has no usable board"),
        ({"SLURM": "1", "BOARD": "og"}, "BOARD=og, which sinfo does not list"),
        ({"SLURM": "1", "BOARD": "ncl-ext-og-02"}, "BOARD=ncl-ext-og-02 is down (down*)"),
        (
            {"SLURM": "1", "BOARD": "ncl-ext-og-05", "PARTITION": "oheogulch_2h"},
            "BOARD=ncl-ext-og-05 is not in PARTITION=oheogulch_2h",
        ),
    ],
)
def test_what_contradicts(inrc, variables, found):
    inrc.variables = variables
    findings = check(inrc, ask(inrc))
    assert all(finding.state == "wrong" and finding.cure for finding in findings)
    assert found in [finding.found for finding in findings]


def test_slurm_that_is_set_and_absent(machine):
    finding = verdict(machine, SLURM="1")
    assert (finding.state, finding.found) == ("wrong", "SLURM is set, but no sinfo on the PATH")


def exports(machine, name):
    return choose(name, machine, ask(machine))


def test_a_board_whose_generation_is_known(inrc):
    choice = exports(inrc, "ncl-ext-og-06")
    assert choice.shell().splitlines() == [
        "unset NOSLURM NXSDKHOST HOST_BINARY",
        "export SLURM=1",
        "export LOIHI_GEN=N3C1",
        "export PARTITION=oheogulch",
        "export BOARD=ncl-ext-og-06",
    ]


def test_a_board_in_several_partitions_gets_the_shortest_limit_that_a_run_fits_into(inrc):
    choice = exports(inrc, "ncl-ext-og-01")
    assert choice.set["PARTITION"] == "oheogulch_20m"
    assert choice.set["LOIHI_GEN"] == "N3B3"
    assert choice.remarks[0] == "it is in oheogulch_20m (20:00) and oheogulch (2:00), oheogulch_2h (2:00:00)"
    inrc.variables = {"PARTITION": "oheogulch_2h", "LOIHI_GEN": "N3C1"}
    choice = exports(inrc, "ncl-ext-og-01")
    assert (choice.set["PARTITION"], choice.set["LOIHI_GEN"]) == ("oheogulch_2h", "N3C1")


def test_a_set_generation_gives_way_to_a_known_one_and_that_is_said(inrc):
    inrc.variables = {"LOIHI_GEN": "N3C1"}
    choice = exports(inrc, "ncl-ext-og-05")
    assert choice.set["LOIHI_GEN"] == "N3B3"
    assert any("it was N3C1" in remark for remark in choice.remarks)
    assert "the board is alloc: a run waits until it is free" in choice.remarks


def test_a_partition(inrc):
    choice = exports(inrc, "oheogulch")
    assert dict(choice.set) == {"SLURM": "1", "LOIHI_GEN": "N3B3", "PARTITION": "oheogulch"}
    assert "BOARD" in choice.unset
    assert "not of this generation: ncl-ext-og-06 (N3C1). Name a board to be sure" in choice.remarks


def test_a_partition_whose_boards_are_all_of_one_known_generation(machine):
    machine.sinfo("ncl-ext-og-06|oheogulch|oheogulch|mix|2:00|up")
    choice = exports(machine, "oheogulch")
    assert choice.set["LOIHI_GEN"] == "N3C1"
    assert "no board of it is free: a run waits" in choice.remarks


def test_a_board_of_the_first_loihi_is_said_to_be_one(machine):
    machine.sinfo("ncl-ghrd-01|nahuku32|nahuku32|idle|2:00|up")
    assert any("32 chips of the first Loihi" in remark for remark in exports(machine, "ncl-ghrd-01").remarks)


def test_a_kind_that_is_not_known_is_said_not_to_be(machine):
    machine.sinfo("n1|gpu|gpu|idle|2:00|up")
    assert "its kind of board is not known here" in exports(machine, "n1").remarks


def test_an_unknown_board_with_what_there_is(inrc):
    with pytest.raises(MaestroError, match="--board ncl-ext-og-1: no board or partition of that name") as caught:
        exports(inrc, "ncl-ext-og-1")
    text = str(caught.value)
    assert "perhaps ncl-ext-og-01 or" in text
    assert "partitions oheogulch, oheogulch_20m, oheogulch_2h; boards ncl-ext-og-01, ncl-ext-og-05" in text
    assert caught.value.exit_code == 1


def test_a_board_that_is_down(inrc):
    with pytest.raises(
        MaestroError, match=r"--board ncl-ext-og-02: the board is down \(down\*\) \(expected partitions"
    ):
        exports(inrc, "ncl-ext-og-02")


def test_a_partition_without_usable_boards(inrc):
    with pytest.raises(MaestroError, match="--board kp: it has no usable board"):
        exports(inrc, "kp")


def test_none_at_all_is_usable(machine):
    machine.sinfo("a1|kp|kp*|drain|2:00|up")
    with pytest.raises(MaestroError, match="expected a usable board, and there is none"):
        exports(machine, "a1")


def test_without_slurm_the_cure_of_that_is_given(machine):
    with pytest.raises(MaestroError, match=r"cannot be looked up: no sinfo on the PATH\. On an INRC machine"):
        exports(machine, "x")


def test_a_host(machine):
    machine.answers["ping"] = Answer()
    choice = exports(machine, "host:192.168.0.5")
    assert choice.shell().splitlines() == [
        "unset SLURM PARTITION BOARD",
        "export NOSLURM=1",
        "export LOIHI_GEN=N3B3",
        "export NXSDKHOST=192.168.0.5",
        "export HOST_BINARY=nxcore/bin/nx_driver_server",
    ]


def test_a_host_that_does_not_answer(machine):
    machine.answers["ping"] = Answer(1)
    with pytest.raises(MaestroError, match="--board host:nobody: does not answer a ping"):
        exports(machine, "host:nobody")


@pytest.mark.parametrize("address", ["", "-f", "a b", "a;reboot", "$(reboot)", "a-"])
def test_what_is_no_address_is_not_even_asked(machine, address):
    with pytest.raises(CallError, match="names no host"):
        exports(machine, f"host:{address}")
    assert not [command for command in machine.asked if command[0] == "ping"]


def test_a_shell_takes_hostile_names_for_names(machine, tmp_path):
    hostile = f"a'$(touch {tmp_path}/run)`touch {tmp_path}/run`"
    machine.sinfo(f"n1|{hostile}|{hostile}|idle|2:00|up")
    machine.variables = {"HOST_BINARY": f"; touch {tmp_path}/run"}
    machine.answers["ping"] = Answer()
    for name, variable in ((hostile, "PARTITION"), ("n1", "PARTITION"), ("host:n1", "HOST_BINARY")):
        choice = exports(machine, name)
        script = f'{choice.shell()}\nprintf %s "${variable}"'
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout == choice.set[variable]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2:00", 120),
        ("20:00", 1200),
        ("2:00:00", 7200),
        ("1-00:00:00", 86400),
        ("infinite", float("inf")),
        ("", float("inf")),
    ],
)
def test_limits(text, seconds):
    assert limit_s(text) == seconds
