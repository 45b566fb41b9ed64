"""The page on a user's own recordings, word for word: every stage takes them as it takes the embedded corpus."""

import csv
import json
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def said(root, maestro, folders, workplace, call):
    """What each command of the page prints, run in its order in a folder with MAESTRO and `recordings` in it."""
    for name, target in (("maestro-v3.0.0", maestro), ("recordings", folders), (".venv", root / ".venv")):
        (workplace / name).symlink_to(target)
    page = (root / "train" / "data" / "README.md").read_text()
    done = {}
    for block in re.findall(r"^```sh\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE):
        for command in block.splitlines():
            done[command] = call(command)
            if "--pieces" in command:
                fill(workplace / "moods.csv")
    return done


def fill(path):
    """Say what each piece of a label file is like."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row, mood in zip(rows, ("calm", "merry"), strict=True):
        row |= {"label": "mood", "value": mood, "annotator": "Ada", "source": "heard", "licence": "CC0"}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def test_every_command_of_the_page_works(said):
    assert len(said) == 9
    summary = next(done for command, done in said.items() if "maestro" in command and "--summary" in command)
    assert re.search(r"all +│ +16 │", summary.stdout)
    ran = next(done for command, done in said.items() if "lava_runtime run" in command)
    assert "deployed accuracy equals trained accuracy exactly: yes" in ran.stdout


def test_maestro_is_told_by_title_and_style(said, workplace, call):
    run = workplace / "runs" / "maestro"
    assert set(json.loads((run / "metrics.json").read_text())["final"]) == {"validation", "test"}
    heads = json.loads((run / "manifest.json").read_text())["heads"]
    assert set(heads) == {"title", "style"}
    assert heads["title"]["labels"][0] == "Claude Debussy - Suite Bergamasque, L. 75"
    (sound,) = Path(workplace / "maestro-v3.0.0").glob("2017/*PIANO003*--1.wav")
    named = json.loads(call(f".venv/bin/python -m lava_runtime identify runs/maestro {sound} --json").stdout)
    assert set(named["overall"]) == {"title", "style"}
    robust = json.loads((run / "measurement.json").read_text())["robustness"]
    assert robust


def test_folders_are_told_by_title_and_by_a_head_of_the_users_own(said, workplace):
    labels = json.loads((workplace / "runs" / "mine" / "metrics.json").read_text())["final"]["test"]
    assert set(labels) == {"title", "mood"}
    assert labels["mood"]["clips"] == labels["title"]["clips"] > 0


def test_features_are_made_of_midi_where_there_is_no_sound(maestro, workplace, call, tmp_path):
    for path in [*maestro.rglob("*.midi"), maestro / "maestro-v3.0.0.csv"]:
        copy = tmp_path / path.relative_to(maestro)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(path.read_bytes())
    found = call(f".venv/bin/python -m train data maestro --root {tmp_path}")
    assert "features of 16 of 16 recordings" in found.stderr
