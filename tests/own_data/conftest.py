"""Data as users have them, made by the corpus's own performer: MAESTRO's layout and names, and plain folders."""

import csv
import os
import subprocess
import sys

import numpy as np
import pretty_midi
import pytest
import soundfile

from train.config import CorpusConfig
from train.data import synth
from train.data.corpus import chosen
from train.data.performance import perform_score
from train.data.score import read_score

RATE_HZ = 44100
COLUMNS = (
    "canonical_composer",
    "canonical_title",
    "split",
    "year",
    "midi_filename",
    "audio_filename",
    "duration",
)
# As MAESTRO names its files: of the early years by session, and of the later ones by piano.
NAMES = {
    2004: "MIDI-Unprocessed_SMF_{0:02d}_R1_2004_01-05_ORIG_MID--AUDIO_{0:02d}_R1_2004_{1:02d}_Track{1:02d}_wav",
    2017: "MIDI-Unprocessed_{0:03d}_PIANO{0:03d}_MID--AUDIO-split_07-06-17_Piano-e_1-{1:02d}_wav--{1}",
}


@pytest.fixture(scope="session")
def performed():
    """performed(number, seed, seconds): a corpus piece as played anew: stereo samples and what a piano recorded."""
    pieces = chosen(CorpusConfig(titles=4))
    scores = {}

    def play(number, seed, seconds):
        piece = pieces[number]
        if number not in scores:
            scores[number] = read_score(piece)
        played = perform_score(scores[number], piece.tempo_bpm, np.random.default_rng([number, seed]), seconds - 0.5)
        notes = (played.onset_s, played.duration_s, played.pitch, played.velocity)
        mono = synth.render(*notes, 0, RATE_HZ)[: int(seconds * RATE_HZ)]
        # Two microphones hear different levels and noise.
        noise = np.random.default_rng(seed).normal(0, 1e-4, (len(mono), 2))
        midi = pretty_midi.PrettyMIDI(initial_tempo=120)
        midi.instruments.append(pretty_midi.Instrument(0))
        midi.instruments[0].notes = [
            pretty_midi.Note(int(loud), int(pitch), float(onset), float(onset + held))
            for onset, held, pitch, loud in zip(*notes, strict=True)
        ]
        return mono[:, None] * [1.0, 0.8] + noise, midi

    return play


@pytest.fixture(scope="session")
def maestro(tmp_path_factory, performed):
    """MAESTRO's tree: its table, and YEAR/*.wav and YEAR/*.midi of 4 titles, each played 4 times for 5 s."""
    titles = (
        ("Johann Sebastian Bach", "Prelude and Fugue in C Major, BWV 846"),
        ("Wolfgang Amadeus Mozart", "Sonata No. 11 in A Major, K331"),
        ("Frédéric Chopin", "Mazurka in A Minor, Op. 6 No. 2"),
        ("Claude Debussy", "Suite Bergamasque, L. 75"),
    )
    root = tmp_path_factory.mktemp("maestro-v3.0.0")
    rows = []
    for number, (composer, title) in enumerate(titles):
        for take in range(4):
            year = 2004 if take < 2 else 2017
            name = f"{year}/{NAMES[year].format(1 + 4 * number + take, 1 + number)}"
            samples, midi = performed(number, take, 5.0)
            (root / str(year)).mkdir(exist_ok=True)
            soundfile.write(root / f"{name}.wav", samples, RATE_HZ, subtype="PCM_16")
            midi.write(str(root / f"{name}.midi"))
            # One piece is spelt in two ways, as in the real table.
            spelt = title.replace(", K331", " K. 331") if take == 3 else title
            split = ("train", "train", "validation", "test")[number]
            rows.append((composer, spelt, split, year, f"{name}.midi", f"{name}.wav", len(samples) / RATE_HZ))
    with (root / "maestro-v3.0.0.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return root


@pytest.fixture(scope="session")
def stage(tmp_path_factory):
    """stage(*words): a command as a user gives it, in a folder of its own; output, talk and exit code."""
    folder = tmp_path_factory.mktemp("work")

    def call(*words, code=0):
        done = subprocess.run(
            [sys.executable, "-m", *map(str, words)],
            cwd=folder,
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert done.returncode == code, done.stderr[-3000:]
        assert "Traceback" not in done.stderr
        return done

    return call


@pytest.fixture(scope="session")
def small():
    """Settings of a network small enough for a test."""
    settings = (
        "features.clip_s=1.0",
        "network.conv_channels=[4]",
        "network.conv_kernels=[3]",
        "network.pools=[2]",
        "network.dense=[16]",
        "training.epochs=2",
        "training.threads=1",
    )
    return [word for setting in settings for word in ("--set", setting)]


@pytest.fixture(scope="session")
def folders(tmp_path_factory, performed):
    """Folders that are classes, with sound files of three kinds, and beside them what is no recording."""
    root = tmp_path_factory.mktemp("recordings")
    for number, name in enumerate(("prélude", "rag")):
        (root / name).mkdir()
        for take in range(4):
            samples, midi = performed(3 * number, 10 + take, 4.0)
            path = root / name / f"take {take}"
            if take == 3:
                midi.write(f"{path}.mid")
            else:
                soundfile.write(f"{path}.{('wav', 'flac', 'ogg')[take]}", samples, RATE_HZ)
    (root / "rag" / "notes.txt").write_text("no recording")
    return root


@pytest.fixture(scope="session")
def moods(tmp_path_factory):
    """moods(keys): a CSV file with a mood for each key."""

    def write(keys):
        path = tmp_path_factory.mktemp("labels") / "moods.csv"
        rows = [(key, "mood", ("calm", "merry")[index % 2], "Ada", "heard", "CC0") for index, key in enumerate(keys)]
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("piece", "label", "value", "annotator", "source", "licence"), *rows])
        return path

    return write
