"""What sinfo prints, in the kinds that were seen or are documented."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.doctor.sinfo import Board, expand, read_lines, read_table

TABLE = """\
PARTITION     AVAIL  TIMELIMIT  NODES  STATE NODELIST
oheogulch*       up       2:00      1  down* ncl-ext-og-02
oheogulch*       up       2:00      2   idle ncl-ext-og-[01,04]
oheogulch_2h     up    2:00:00      3  alloc ncl-ext-og-[01-02],ncl-ext-og-04
kp               up   infinite      1    mix ncl-ext-kp-01
old            down   infinite      1   idle ncl-ghrd-01

"""
NODES = """\
Sun Nov 22 11:00:00 2026
NODELIST       NODES     PARTITION       STATE CPUS    S:C:T MEMORY TMP_DISK WEIGHT AVAIL_FE REASON
ncl-ext-og-01      1    oheogulch*        idle 4       1:4:1   1024        0      1   (null) none
ncl-ext-og-02      1    oheogulch*       down* 4       1:4:1   1024        0      1   (null) Not responding
ncl-ext-og-02      1  oheogulch_2h       down* 4       1:4:1   1024        0      1   (null) Not responding

"""


def uses(reading):
    return {(board.name, board.partition): board.use for board in reading.boards}


def test_a_table_of_partitions_with_a_default_one_and_down_boards():
    reading = read_table(TABLE)
    assert not reading.unread
    assert reading.partitions == ("oheogulch", "oheogulch_2h", "kp", "old")
    assert uses(reading) == {
        ("ncl-ext-og-02", "oheogulch"): "no",
        ("ncl-ext-og-01", "oheogulch"): "free",
        ("ncl-ext-og-04", "oheogulch"): "free",
        ("ncl-ext-og-01", "oheogulch_2h"): "busy",
        ("ncl-ext-og-02", "oheogulch_2h"): "busy",
        ("ncl-ext-og-04", "oheogulch_2h"): "busy",
        ("ncl-ext-kp-01", "kp"): "busy",
        ("ncl-ghrd-01", "old"): "no",
    }
    assert {board.partition for board in reading.boards if board.default} == {"oheogulch"}
    assert reading.of("old")[0].why == "is in a partition that is down"
    assert reading.of("kp")[0].limit == "infinite"


def test_a_table_of_nodes_with_the_time_above_it_and_reasons_behind():
    reading = read_table(NODES)
    assert not reading.unread
    assert uses(reading) == {
        ("ncl-ext-og-01", "oheogulch"): "free",
        ("ncl-ext-og-02", "oheogulch"): "no",
        ("ncl-ext-og-02", "oheogulch_2h"): "no",
    }


def test_lines_for_machines_and_a_board_in_several_partitions():
    reading = read_lines("a1|p|p*|idle|2:00|up\na1|q|q|idle|1-00:00:00|up\n\n")
    assert reading.named("a1") == (
        Board("a1", "p", "idle", "2:00", True, "up"),
        Board("a1", "q", "idle", "1-00:00:00", False, "up"),
    )


def test_a_partition_whose_own_name_ends_in_a_star_is_not_taken_for_the_default_one():
    (board,) = read_lines("a1|odd*|odd*|idle|2:00|up").boards
    assert (board.partition, board.default) == ("odd*", False)


@pytest.mark.parametrize("text", ["", "\n\n  \n", TABLE.splitlines()[0], TABLE.splitlines()[0] + "\n\n"])
def test_nothing_or_a_header_alone_is_no_board_and_no_error(text):
    reading = read_table(text)
    assert (reading.boards, reading.empty, reading.unread) == ((), (), ())


def test_a_partition_without_boards():
    reading = read_table(TABLE.splitlines()[0] + "\nempty            up   infinite      0    n/a \n")
    assert (reading.boards, reading.empty, reading.unread) == ((), ("empty",), ())


def test_a_header_that_is_repeated_is_no_board():
    assert len(read_table(TABLE + "CLUSTER: other\n" + TABLE).unread) == 1


@pytest.mark.parametrize(
    "line",
    [
        "Segmentation fault",
        "a|b|c",
        "a1||p*|idle|2:00|up",
        "a1|p|p*||2:00|up",
        "$(reboot)|p|p*|idle|2:00|up",
        "a[1-|p|p|idle|2:00|up",
        "-rf|p|p|idle|2:00|up",
        "a[9-1]|p|p|idle|2:00|up",
        "a[1-999999999]|p|p|idle|2:00|up",
    ],
)
def test_what_cannot_be_read_is_kept_and_takes_nothing_else_with_it(line):
    reading = read_lines(f"{line}\na2|p|p*|idle|2:00|up\n")
    assert reading.unread == (line,)
    assert [board.name for board in reading.boards] == ["a2"]


def test_a_table_without_a_header_is_unread():
    assert len(read_table("oheogulch* up 2:00 1 idle ncl-ext-og-01").unread) == 1


@pytest.mark.parametrize(
    ("state", "use", "why"),
    [
        ("idle", "free", ""),
        ("IDLE", "free", ""),
        ("alloc", "busy", ""),
        ("allocated+", "busy", ""),
        ("mix", "busy", ""),
        ("mixed-", "busy", ""),
        ("comp", "busy", ""),
        ("idle~", "busy", ""),
        ("idle#", "busy", ""),
        ("idle@", "busy", ""),
        ("idle*", "no", "does not answer"),
        ("mix*", "no", "does not answer"),
        ("idle$", "no", "is reserved for maintenance"),
        ("idle%", "no", "is being powered down"),
        ("down", "no", "is down"),
        ("down*", "no", "is down"),
        ("down$", "no", "is down"),
        ("drain", "no", "is drained"),
        ("drained*", "no", "is drained"),
        ("drng", "no", "is being drained"),
        ("maint", "no", "is in maintenance"),
        ("resv", "no", "is reserved"),
        ("unk*", "no", "is in a state that SLURM does not know"),
        ("inval", "no", "is not configured rightly"),
        ("sleepy", "no", "is in the unknown state sleepy"),
    ],
)
def test_states(state, use, why):
    board = Board("a1", "p", state)
    assert (board.use, board.why) == (use, why)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("a", ["a"]),
        ("ncl-og-[01-04,07]", ["ncl-og-01", "ncl-og-02", "ncl-og-03", "ncl-og-04", "ncl-og-07"]),
        ("a[1-2],b,c[09-10]", ["a1", "a2", "b", "c09", "c10"]),
        ("r[1-2]n[1-2]", ["r1n1", "r1n2", "r2n1", "r2n2"]),
        ("a[8-11].cloud", ["a8.cloud", "a9.cloud", "a10.cloud", "a11.cloud"]),
        ("a[3]", ["a3"]),
    ],
)
def test_lists_of_boards(names, expected):
    assert expand(names) == expected


@pytest.mark.parametrize("names", ["", "a[", "a]", "a[]", "a[1-]", "a[x]", "a,,b", "a b", "[1-2]-a]", "a[1-200000]"])
def test_what_is_no_list_of_boards(names):
    with pytest.raises(ValueError, match=r"no board's name|no range of numbers|more than"):
        expand(names)


@given(st.text(max_size=200))
def test_no_text_breaks_a_reader(text):
    read_lines(text)
    read_table(text)
    read_table("PARTITION AVAIL TIMELIMIT NODES STATE NODELIST\n" + text)


@given(st.lists(st.integers(0, 999), min_size=1, max_size=20, unique=True))
def test_a_list_is_what_it_is_made_of(numbers):
    assert expand(f"og-[{','.join(f'{number:03}' for number in numbers)}]") == [f"og-{number:03}" for number in numbers]
