"""The data card that lies beside a corpus: what it is, where it comes from, what it cannot show."""

from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from train.artifacts import atomic_write
from train.config import CorpusConfig
from train.data import performance as model
from train.data import synth
from train.data.labels import DEFINITION, Proxy
from train.data.pieces import COLLECTION, Piece
from train.data.score import Score

_PACKAGES = ("maestro-loihi", "music21", "symusic", "pretty_midi", "numpy", "soundfile")


def write_card(
    path: Path,
    config: CorpusConfig,
    pieces: Sequence[Piece],
    scores: Mapping[str, Score],
    proxies: Mapping[str, Proxy],
    emotions: Mapping[str, str],
    keyboards: Sequence[int],
) -> None:
    """Write the card, Markdown, atomically. ``scores``, ``proxies`` and ``emotions`` are by title."""
    sections = (
        _what(config, pieces),
        _pieces(pieces, scores),
        _performances(config),
        _splits(config, len(pieces), keyboards),
        _labels(pieces, proxies, emotions),
        _programs(),
        _limits(),
    )
    with atomic_write(path) as temporary:
        temporary.write_text("\n".join(sections))


def _what(config: CorpusConfig, pieces: Sequence[Piece]) -> str:
    return f"""# The embedded corpus

Real music performed by a model: {len(pieces)} scores that come with music21, played by the performance model of
`train/data/performance.py` and rendered by a synthesiser. {config.performance_s:g} s a recording, mono, 16 bit,
{config.sample_rate_hz} Hz. Seed {config.seed}. No person plays in it, and no sound was downloaded.
"""


def _pieces(pieces: Sequence[Piece], scores: Mapping[str, Score]) -> str:
    rows = [
        _row(
            piece.title,
            piece.style,
            f"{piece.tempo_bpm:g}",
            f"{scores[piece.title].length_ql * 60 / piece.tempo_bpm:.0f}",
            str(scores[piece.title].pitch.size),
            f"`{piece.path}`",
            piece.encoder,
            piece.licence,
        )
        for piece in pieces
    ]
    head = _row("title", "style", "quarters a minute", "length (s)", "notes", "file in music21", "encoder", "licence")
    return "\n".join(
        [
            "## Pieces, sources, licences",
            "",
            "The compositions are in the public domain. The encodings are not copied into this project: they are",
            f"read where music21 is installed. On all of them, {COLLECTION}",
            "",
            "Encoder and licence below are what each file itself states. Recordings made here are derived from the",
            "encodings: who passes recordings on should keep to those terms (attribution, share-alike, the GPL).",
            "",
            head,
            "|" + " --- |" * 8,
            *rows,
            "",
            "The tempo is this project's choice after the piece's tempo words. Repeat signs are not played out, grace",
            "notes are left out, dynamic marks in the files are not used. Parts in unison strike one key once.",
            "",
        ]
    )


def _performances(config: CorpusConfig) -> str:
    arches = " and ".join(f"{bars} bars (depth {mean:g} +- {spread:g})" for bars, mean, spread in model.ARCHES)
    return f"""## Performance model

Drawn from one generator seeded by (corpus seed, title, performance):

- tempo: a factor exp(N(0, {model.TEMPO_SPREAD:g})), at most {model.TEMPO_LARGEST:g} either way; phrase arches over
  {arches} in log tempo (Todd 1992); a drift remembering {model.DRIFT_MEMORY:g} a quarter note with steps of
  {model.DRIFT_STEP:g} (Wing and Kristofferson 1973); a final ritardando over {model.RITARD_BARS} bars to
  {model.RITARD_END[0]:g} to {model.RITARD_END[1]:g} of the tempo (Friberg and Sundberg 1999)
- loudness (MIDI velocity): {model.BASE_VELOCITY:g} +- {model.VELOCITY_SPREAD:g} a performance, the arches, high notes
  and first beats louder (KTH rules, Friberg, Bresin and Sundberg 2006), the top voice raised by
  {model.MELODY_LIFT[0]:g} to {model.MELODY_LIFT[1]:g} (Goebl 2001), +- {model.VELOCITY_NOISE:g} a note
- timing: the top voice {1000 * model.MELODY_LEAD_S[0]:g} to {1000 * model.MELODY_LEAD_S[1]:g} ms ahead, chords
  +- {1000 * model.CHORD_NOISE_S:g} ms apart, onsets +- {1000 * model.ONSET_NOISE_S:g} ms (Repp 1992, 1996); never
  so far that onsets change order
- articulation: {model.ARTICULATION[0]:g} +- {model.ARTICULATION[1]:g} of the written length a performance,
  +- {model.ARTICULATION_NOISE:g} a note

All performances start at the beginning of the piece, after {model.LEAD_IN_S[0]:g} to {model.LEAD_IN_S[1]:g} s of
silence. A piece shorter than {config.performance_s:g} s is played again after {model.PAUSE_S[0]:g} to
{model.PAUSE_S[1]:g} s, with new details, until the time is filled; a longer one stops there with a fade of 20 ms.
Every recording has the same level (root mean square {synth.LEVEL_RMS:g}) give or take 2 dB, drawn alike for all
titles.
"""


def _splits(config: CorpusConfig, titles: int, keyboards: Sequence[int]) -> str:
    piano = f"program 0 ({synth.PROGRAMS[0]})"
    others = ", ".join(f"{program} ({synth.PROGRAMS[program]})" for program in keyboards)
    rows = [
        _row("train", str(config.train_performances), str(titles * config.train_performances), piano),
        _row("validation", str(config.validation_performances), str(titles * config.validation_performances), piano),
        _row("test", str(config.test_performances), str(titles * config.test_performances), piano),
        _row("test_keyboards", str(config.keyboard_performances), str(titles * config.keyboard_performances), others),
    ]
    return "\n".join(
        [
            "## Splits",
            "",
            "By performance: every split has every title, and no performance is in two. Seeds are disjoint.",
            "",
            _row("split", "performances a title", "recordings", "General MIDI program"),
            "|" + " --- |" * 4,
            *rows,
            "",
            "The programs of test_keyboards take turns over the titles and are heard nowhere else. Programs 1 and 3",
            "are not used: in this SoundFont they are program 0 again, the latter a little out of tune.",
            "",
        ]
    )


def _labels(pieces: Sequence[Piece], proxies: Mapping[str, Proxy], emotions: Mapping[str, str]) -> str:
    rows = [
        _row(
            piece.title,
            emotions[piece.title],
            f"{proxies[piece.title].valence:+.3f}",
            f"{proxies[piece.title].arousal:.2f}",
            f"{proxies[piece.title].onsets_per_s:.2f}",
        )
        for piece in pieces
    ]
    return "\n".join(
        [
            "## Labels",
            "",
            "- title: the piece.",
            "- style: the era of its composer, from `train/data/pieces.py`, where debatable ones are decided.",
            "- emotion: **a proxy**, no person's judgement. Four quadrants, computed from the score:",
            f"  {DEFINITION}.",
            "",
            _row("title", "emotion (proxy)", "valence", "arousal", "onsets per s"),
            "|" + " --- |" * 5,
            *rows,
            "",
        ]
    )


def _programs() -> str:
    listed = "\n".join(f"- {package} {metadata.version(package)}" for package in _PACKAGES)
    return f"""## Made with

{listed}
- SoundFont {synth.SOUNDFONT} from pretty_midi's wheel (by Tim Brechbill, GPL version 2, as Debian's package of it
  states), prepared for symusic's synthesiser by `train/data/soundfont.py` (see there why), played at
  interpolation quality {synth.QUALITY}
"""


def _limits() -> str:
    return """## Known limits

- Performances come from a model and a synthesiser, not from pianists and rooms: accuracy here says nothing about
  recordings of people. There is no pedal, no room, no noise.
- Every performance of a title has the same notes. The task is to recognise a title played anew, not a style or an
  emotion in music never heard: style and emotion are decided by the title here.
- Songs, quartets, madrigals and choruses are played on one keyboard, all parts together, without the words.
- Short pieces repeat within a recording, long ones are heard in part.
- Styles are represented by six titles each at most, Baroque mostly by Bach; the tempi are this project's.
- The emotion proxy knows mode, tempo and density only, and church modes are forced into major or minor.
"""


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"
