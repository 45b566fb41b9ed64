import pytest

from hardware.boards import board_kind, board_kinds, generation, loihi2_board
from train.errors import CallError


@pytest.mark.parametrize(
    ("name", "board", "chips"),
    [
        ("oheogulch", "Oheo Gulch", 1),
        ("Oheo Gulch", "Oheo Gulch", 1),
        ("oheogulch_2h", "Oheo Gulch", 1),
        ("oheogulch*", "Oheo Gulch", 1),
        ("og", "Oheo Gulch", 1),
        ("ncl-ext-og-05", "Oheo Gulch", 1),
        ("kapohopoint", "Kapoho Point", 8),
        ("Kapoho-Point", "Kapoho Point", 8),
        ("kp", "Kapoho Point", 8),
        ("kp_build", "Kapoho Point", 8),
    ],
)
def test_a_board_by_any_of_its_names(name, board, chips):
    found = loihi2_board(name)
    assert (found.board, found.chips) == (board, chips)


@pytest.mark.parametrize("name", ["nahuku08", "nahuku32_2h", "dogs", "", "kpx"])
def test_others_are_refused(name):
    with pytest.raises(
        CallError, match=rf"--board {name}: is no board of Loihi 2 known here .expected one of Oheo Gulch"
    ):
        loihi2_board(name)


def test_every_kind_says_where_it_is_from():
    assert all(kind.source and kind.chips > 0 and kind.loihi in (0, 1, 2) for kind in board_kinds())
    assert board_kind("nahuku32").chips == 32
    assert board_kind("", "somewhere") is None
    assert generation("ncl-ext-og-06").generation == "N3C1"
    assert generation("elsewhere") is None


@pytest.mark.parametrize(
    ("partition", "node", "chips"),
    [
        ("oheogulch", "", 1),
        ("oheogulch_20m", "", 1),
        ("kp", "", 8),
        ("kp_stack", "", 8),
        ("kp_build", "", 8),
        ("nahuku08", "", 8),
        ("nahuku32_inf", "", 32),
        ("", "ncl-ext-og-05", 1),
        ("", "ncl-ext-ghrd-01", 32),
    ],
)
def test_chips_of_boards(partition, node, chips):
    assert board_kind(partition, node).chips == chips


def test_boards_that_are_not_known():
    assert board_kind("kpx") is None
    assert board_kind("", "dogs-01") is None


@pytest.mark.parametrize(
    ("partition", "node", "chips"),
    [("oheogulch", "ncl-ext-kp-01", None), ("kp_stack", "ncl-kp-01", 8), ("oheogulch_2h", "ncl-ext-og-05", 1)],
)
def test_names_that_contradict_each_other_say_nothing(partition, node, chips):
    found = board_kind(partition, node)
    assert (found.chips if found else None) == chips
