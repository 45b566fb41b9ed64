"""The summary of MAESTRO, with and without its recordings."""

import json

from train.data.maestro.reader import read_maestro
from train.data.summary import SHOWN, show, summarise


def test_counts(write, two_titles, config):
    found = summarise(read_maestro(config(write(two_titles)), files=False))
    assert (found["recordings"], found["pieces"], found["groups"]) == (11, 3, 11)
    assert found["hours"] == round(11 * 2.5 / 3600, 4)
    assert [*found["sides"]] == ["train", "validation", "test"]
    assert sum(counts["recordings"] for counts in found["sides"].values()) == 11
    haydn = "Joseph Haydn - Sonata in C Major, Hob. XVI:48"
    assert found["heads"]["title"][haydn] == {"train": 3, "validation": 1, "test": 1}
    assert json.loads(json.dumps(found)) == found


def test_the_table_alone_is_enough_and_said_to_be(cli, write, two_titles):
    root = write(two_titles)
    shown = cli("train", "data", "maestro", "--root", root, "--summary")
    assert shown.exit_code == 0
    assert "none of MAESTRO's recordings; this is what the table says" in shown.stderr
    assert "title: 2 classes" in shown.stdout
    assert "- the table: 11 recordings, 0.01 h, 3 composers" in shown.stdout
    root = write(two_titles, files=("midi",))
    shown = cli("train", "data", "maestro", "--root", root, "--summary")
    assert "this is what the table says" not in shown.stderr
    assert "11 recordings are rendered from MIDI" in shown.stdout


def test_details_show_every_class_and_the_lists(write, row, config, capsys):
    rows = [
        row(3 * n + player, composer="Ada Composer", title=f"Study Op. {n}", player=player)
        for n in range(SHOWN + 4)
        for player in range(3)
    ]
    found = summarise(read_maestro(config(write(rows)), files=False))
    show(found)
    short = capsys.readouterr().out
    assert "4 more" in short
    assert short.count("Study Op.") == SHOWN
    show(found, details=True)
    every = capsys.readouterr().out
    assert "more" not in every
    assert every.count("Study Op.") == SHOWN + 4
    assert "composers without an era (1):\n  Ada Composer" in every
