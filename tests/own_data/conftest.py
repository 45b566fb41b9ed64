"""Data as users have them, made by the corpus's own performer: MAESTRO's layout and names, and plain folders."""

import csv
import subprocess

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
def workplace(tmp_path_factory):
    """An empty folder to work in."""
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="session")
def call(root, workplace):
    """call(command): a command as a user gives it, in the workplace, with this machine's environment."""
    if not (root / ".venv" / ".ready").exists():
        pytest.skip("`make setup` has not been run: there is no environment for the page's commands")

    def run(command):
        done = subprocess.run(command, shell=True, cwd=workplace, check=False, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr[-3000:]}"
        assert "Traceback" not in done.stderr
        return done

    return run


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
