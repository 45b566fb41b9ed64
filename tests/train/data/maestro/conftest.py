"""Tables in MAESTRO's layout, made here: no row is MAESTRO's own."""

import csv
import json

import numpy as np
import pytest
import soundfile

from train.config import DataConfig
from train.data.maestro.table import COLUMNS


def twin(number, *, composer="Ada Composer", title="Sonata No. 1", split="train", year=2013, player=1, part=None):
    """A row; ``part`` says which recording of its take it is."""
    stem = f"ORIG-MIDI_{number:03d}_MID--AUDIO_{player:02d}_R1_{year}_wav{'' if part is None else f'--{part}'}"
    values = (composer, title, split, str(year), f"{year}/{stem}.midi", f"{year}/{stem}.wav", "2.5")
    return dict(zip(COLUMNS, values, strict=True))


@pytest.fixture(scope="session")
def row():
    """Make a row: row(number, title=..., player=..., part=...)."""
    return twin


@pytest.fixture(scope="session")
def two_titles():
    """Rows of two titles, five players each, and of one that too few played; all three eras are on every side."""
    rows = []
    splits = ("train", "train", "train", "validation", "test")
    works = (
        ("Joseph Haydn", "Sonata in C Major, Hob. XVI:48"),
        ("Frédéric Chopin", "Ballade No. 1 in G Minor, Op. 23"),
    )
    for work, (composer, title) in enumerate(works):
        rows += [
            twin(10 * work + player, composer=composer, title=title, split=splits[player], player=player + 1)
            for player in range(5)
        ]
    rows.append(twin(30, composer="Alban Berg", title="Sonata Op. 1", player=9))
    return rows


@pytest.fixture
def write(tmp_path):
    """Write rows as a table in a new folder and return the folder: write(rows, 'csv' or 'json', files=('audio',))."""

    def make(rows, kind="csv", files=(), folder="maestro"):
        root = tmp_path / folder
        root.mkdir(exist_ok=True)
        path = root / f"maestro-v3.0.0.{kind}"
        if kind == "csv":
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, COLUMNS)
                writer.writeheader()
                writer.writerows(rows)
        else:
            columns = {name: {str(index): entry[name] for index, entry in enumerate(rows)} for name in COLUMNS}
            path.write_text(json.dumps(columns))
        for number, entry in enumerate(rows):
            for media in files:
                sound = root / entry[f"{media}_filename"]
                sound.parent.mkdir(exist_ok=True)
                if media == "audio":
                    tone = np.sin(np.arange(40_000) * 0.02 * (number % 7 + 1)).astype(np.float32)
                    soundfile.write(sound, 0.3 * tone, 16_000, subtype="PCM_16")
                else:
                    sound.write_bytes(b"MThd")
        return root

    return make


@pytest.fixture
def config():
    """The section data for a folder: config(root, split='official')."""

    def make(root, **keys):
        return DataConfig(source="maestro", root=str(root), **keys)

    return make


@pytest.fixture(scope="session")
def whole(shared):
    """MAESTRO's own folder, its table alone."""
    folder = shared / "maestro"
    if not (folder / "maestro-v3.0.0.csv").is_file():
        pytest.skip("MAESTRO's table is absent")
    return folder
