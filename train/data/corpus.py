"""The embedded corpus: real scores, performed and rendered here, with no download.

A corpus is a folder::

    configuration.json          what it is built from; written first
    scores/<slug>.json          each score as notes, read once
    <split>/<slug>-<seed>.wav   recordings, 16-bit mono
    card.md                     the data card
    corpus.json                 the index; written last: a folder without it is unfinished

Every file is written whole or not at all, so that an interrupted build goes on where it stopped.
"""

import dataclasses
import difflib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from train.artifacts import CACHE, atomic_write, key_of, read_json, write_json
from train.config import CorpusConfig, section_dict
from train.config_checks import HEADS
from train.data import soundfont, synth
from train.data.card import write_card
from train.data.dataset import DataSet, Recording
from train.data.labels import Proxy, emotions, proxy_of
from train.data.parallel import in_parallel
from train.data.performance import perform_score
from train.data.pieces import BY_TITLE, PIECES, Piece
from train.data.score import Score, read_score
from train.errors import CallError, MaestroError

# Raised whenever the same configuration would give other recordings.
FORMAT = 2
SPLITS = ("train", "validation", "test", "test_keyboards")
# Seeds of a split's performances begin here, so that no two splits share one and more training
# performances leave the test performances as they are. A split has at most 1000 (train.config).
FIRST_SEED = {"train": 0, "validation": 10_000, "test": 20_000, "test_keyboards": 30_000}
PIANO = 0
# Never heard in training.
KEYBOARDS = tuple(program for program in synth.PROGRAMS if program != PIANO)
# Level of a recording around synth.LEVEL_RMS, decibels either way.
_GAIN_DB = 2.0
_FADE_S = 0.02
# A WAV's header, and bytes a sample, as soundfile writes PCM_16.
_HEADER, _WIDTH = 44, 2
_CURE = "build it with `python -m train corpus`"


@dataclass(frozen=True)
class CorpusRecording:
    """One performance as a sound file.

    ``file`` is relative to the corpus folder; ``program`` a General MIDI program counted from 0; ``seed``
    what `perform` needs to play it again.
    """

    id: str
    title: str
    style: str
    emotion: str
    split: str
    file: str
    duration_s: float
    program: int
    seed: int


@dataclass(frozen=True)
class Corpus:
    """A finished corpus; ``labels`` maps each head to its class names, sorted."""

    path: Path
    recordings: tuple[CorpusRecording, ...]
    labels: dict[str, tuple[str, ...]]


def chosen(config: CorpusConfig) -> tuple[Piece, ...]:
    """The first ``config.titles`` pieces, taken from the eras in turn so that each is there."""
    rank: dict[str, int] = {}
    places = []
    for number, piece in enumerate(PIECES):
        rank[piece.style] = rank.get(piece.style, -1) + 1
        places.append((rank[piece.style], number))
    return tuple(PIECES[number] for number in sorted(number for _, number in sorted(places)[: config.titles]))


def corpus_key(config: CorpusConfig, pieces: Sequence[Piece] | None = None) -> str:
    """Name of everything that decides a corpus's content."""
    return key_of(_content(config, chosen(config) if pieces is None else pieces))


def default_folder(config: CorpusConfig, pieces: Sequence[Piece] | None = None) -> Path:
    """Where a corpus is cached: ``.cache/corpus-<key>`` under the working folder."""
    return CACHE / f"corpus-{corpus_key(config, pieces)}"


def build_corpus(config: CorpusConfig, out: Path | None = None, pieces: Sequence[Piece] | None = None) -> Corpus:
    """Build the corpus where it is not there yet, and return it.

    Parameters
    ----------
    config
        Performances in each split, their length, rate and seed.
    out
        Folder; default `default_folder`.
    pieces
        Titles; default `chosen` ones.

    Raises
    ------
    MaestroError
        The folder holds something else, cannot be written, or the disk is full. What is finished is kept.
    """
    pieces = chosen(config) if pieces is None else pieces
    folder = Path(out) if out is not None else default_folder(config, pieces)
    _claim(folder, config, pieces)
    index = folder / "corpus.json"
    recordings = planned(config, pieces)
    size = _HEADER + _WIDTH * _samples(config)
    missing = [recording for recording in recordings if not _whole(folder / recording.file, size)]
    if index.is_file() and not missing:
        return load_corpus(folder)
    _read_scores(folder, pieces)
    jobs = [(str(folder), config, recording) for recording in missing]
    in_parallel(_record, jobs, "corpus: recordings", "recordings")
    scores = {piece.title: _load_score(folder, piece) for piece in pieces}
    proxies = {piece.title: proxy_of(scores[piece.title], piece.tempo_bpm) for piece in pieces}
    feelings = emotions(proxies)
    labelled = [dataclasses.replace(recording, emotion=feelings[recording.title]) for recording in recordings]
    write_card(folder / "card.md", config, pieces, scores, proxies, feelings, KEYBOARDS)
    write_json(index, _index(labelled, proxies, config, pieces))
    return load_corpus(folder)


def load_corpus(path: Path) -> Corpus:
    """Open a finished corpus.

    Raises
    ------
    MaestroError
        No corpus there, an unfinished one, or an index that is damaged or of another version.
    """
    index = Path(path) / "corpus.json"
    values = read_json(index, _CURE)
    try:
        if values["format"] != FORMAT:
            raise MaestroError(str(index), f"is of format {values['format']}", allowed=str(FORMAT), cure=_CURE)
        recordings = tuple(CorpusRecording(**entry) for entry in values["recordings"])
        labels = {head: tuple(values["labels"][head]) for head in HEADS}
    except (KeyError, TypeError) as error:
        cure = f"delete the file and {_CURE}"
        raise MaestroError(str(index), f"is not a corpus's index ({error!r})", cure=cure) from error
    return Corpus(Path(path), recordings, labels)


def perform(title: str, seed: int, config: CorpusConfig, program: int = PIANO) -> NDArray[np.float32]:
    """Play a title of the corpus once.

    A `CorpusRecording`'s title, seed and program give its samples again (before rounding to 16 bits); any other
    seed gives a performance that is in no split.

    Returns
    -------
    NDArray[np.float32], shape (sample,)
        ``config.performance_s`` seconds at ``config.sample_rate_hz``.

    Raises
    ------
    CallError
        No such title, a negative seed, or a program outside 0 to 127.
    """
    piece = BY_TITLE.get(title)
    if piece is None:
        close = difflib.get_close_matches(title, BY_TITLE, n=1, cutoff=0.4)
        cure = f"did you mean {close[0]!r}?" if close else "the titles are in train/data/pieces.py"
        raise CallError(f"title {title!r}", "not in the corpus", cure=cure)
    if seed < 0:
        raise CallError(f"seed {seed}", "is negative", allowed="0 or more")
    if not 0 <= program <= 127:
        raise CallError(f"program {program}", "not a General MIDI program", allowed="0 to 127")
    return play(_score_of(title), piece, seed, config, program)


def play(score: Score, piece: Piece, seed: int, config: CorpusConfig, program: int) -> NDArray[np.float32]:
    """Perform a score and render it to exactly ``config.performance_s`` seconds, (sample,)."""
    rng = np.random.default_rng([config.seed, zlib.crc32(piece.title.encode()), seed])
    played = perform_score(score, piece.tempo_bpm, rng, config.performance_s)
    rate_hz = config.sample_rate_hz
    sound = synth.render(played.onset_s, played.duration_s, played.pitch, played.velocity, program, rate_hz)
    audio = np.zeros(_samples(config), np.float32)
    audio[: sound.size] = sound[: audio.size]
    fade = max(1, round(_FADE_S * rate_hz))
    audio[-fade:] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    # No title may be known by its level: all are set to one, give or take the same gain.
    gain_db = rng.uniform(-_GAIN_DB, _GAIN_DB)
    return synth.level(audio, synth.LEVEL_RMS * 10 ** (gain_db / 20))


def planned(config: CorpusConfig, pieces: Sequence[Piece] | None = None) -> list[CorpusRecording]:
    """Every recording of a corpus, in the index's order; emotion is filled in once the scores are read."""
    pieces = chosen(config) if pieces is None else pieces
    counts = {
        "train": config.train_performances,
        "validation": config.validation_performances,
        "test": config.test_performances,
        "test_keyboards": config.keyboard_performances,
    }
    recordings = []
    for split in SPLITS:
        for number, piece in enumerate(pieces):
            for take in range(counts[split]):
                seed = FIRST_SEED[split] + take
                program = KEYBOARDS[(number + take) % len(KEYBOARDS)] if split == "test_keyboards" else PIANO
                name = f"{piece.slug}-{seed:05d}"
                file = f"{split}/{name}.wav"
                duration_s = _samples(config) / config.sample_rate_hz
                recordings.append(
                    CorpusRecording(name, piece.title, piece.style, "", split, file, duration_s, program, seed)
                )
    return recordings


def _samples(config: CorpusConfig) -> int:
    return round(config.performance_s * config.sample_rate_hz)


def _content(config: CorpusConfig, pieces: Sequence[Piece]) -> dict[str, Any]:
    return {
        "format": [FORMAT, soundfont.FORMAT, metadata.version("symusic")],
        "config": section_dict(config),
        "pieces": [[piece.title, piece.path, piece.tempo_bpm, piece.start_ql] for piece in pieces],
    }


def _claim(folder: Path, config: CorpusConfig, pieces: Sequence[Piece]) -> None:
    """Make the folder this corpus's own, or refuse one that is another's."""
    claim, content = folder / "configuration.json", _content(config, pieces)
    cure = "choose another folder, or delete this one"
    if folder.exists() and not folder.is_dir():
        raise MaestroError(str(folder), "is a file", allowed="a folder", cure=cure)
    if claim.is_file():
        if read_json(claim, cure) != json.loads(json.dumps(content)):
            raise MaestroError(str(folder), "holds a corpus of another configuration", cure=cure)
    elif folder.is_dir() and any(not path.name.endswith(".tmp") for path in folder.iterdir()):
        raise MaestroError(str(folder), "is not empty and holds no corpus", cure=cure)
    else:
        write_json(claim, content)


def _whole(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def _score_file(folder: Path, piece: Piece) -> Path:
    return folder / "scores" / f"{piece.slug}.json"


def _load_score(folder: Path, piece: Piece) -> Score:
    path = _score_file(folder, piece)
    cure = "delete the file and build the corpus again"
    values = read_json(path, cure)
    try:
        return Score.from_dict(values)
    except (KeyError, ValueError, TypeError) as error:
        raise MaestroError(str(path), f"is not a score ({error!r})", cure=cure) from error


def _read_scores(folder: Path, pieces: Sequence[Piece]) -> None:
    missing = [(str(folder), piece) for piece in pieces if not _score_file(folder, piece).is_file()]
    in_parallel(_read, missing, "corpus: scores", "scores")


def _read(job: tuple[str, Piece]) -> None:
    folder, piece = job
    write_json(_score_file(Path(folder), piece), read_score(piece).to_dict())


def _record(job: tuple[str, CorpusConfig, CorpusRecording]) -> None:
    folder, config, recording = job
    piece = BY_TITLE[recording.title]
    audio = play(_cached_score(folder, recording.title), piece, recording.seed, config, recording.program)
    with atomic_write(Path(folder) / recording.file) as temporary:
        soundfile.write(temporary, audio, config.sample_rate_hz, format="WAV", subtype="PCM_16")


def corpus_dataset(config: CorpusConfig) -> DataSet:
    """The embedded corpus as a data set, built where it is not there yet.

    Raises
    ------
    MaestroError
        As :func:`build_corpus`.
    """
    return as_dataset(build_corpus(config))


def as_dataset(corpus: Corpus) -> DataSet:
    """A finished corpus as a data set."""
    recordings = tuple(
        Recording(
            entry.id,
            entry.file,
            entry.split,
            entry.duration_s,
            piece=entry.title,
            group=entry.id,
            labels={head: getattr(entry, head) for head in HEADS},
        )
        for entry in corpus.recordings
    )
    return DataSet("the embedded corpus", corpus.path, recordings, corpus.labels)


@lru_cache(maxsize=64)
def _cached_score(folder: str, title: str) -> Score:
    return _load_score(Path(folder), BY_TITLE[title])


@lru_cache(maxsize=64)
def _score_of(title: str) -> Score:
    return read_score(BY_TITLE[title])


def _index(
    recordings: Sequence[CorpusRecording], proxies: dict[str, Proxy], config: CorpusConfig, pieces: Sequence[Piece]
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "key": corpus_key(config, pieces),
        "config": section_dict(config),
        "labels": {head: sorted({getattr(recording, head) for recording in recordings}) for head in HEADS},
        "emotion_proxy": {title: dataclasses.asdict(proxy) for title, proxy in proxies.items()},
        "recordings": [dataclasses.asdict(recording) for recording in recordings],
    }
