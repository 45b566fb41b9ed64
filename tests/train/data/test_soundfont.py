import numpy as np
import pytest
import symusic

from train.data import synth
from train.data.soundfont import prepare, prepared
from train.errors import MaestroError

RATE_HZ = 16000
PITCHES = (36, 45, 57, 60, 69, 76, 88)


@pytest.fixture(scope="module")
def synthesizer():
    return symusic.Synthesizer(str(prepared(synth.source_soundfont())), RATE_HZ, 4)


def tone(synthesizer, program, pitch):
    score = symusic.Score(960, "second")
    track = symusic.Track("", program, False, ttype="second")
    track.notes.append(symusic.Note(0.0, 1.0, pitch, 96, ttype="second"))
    score.tracks.append(track)
    return np.asarray(synthesizer.render(score, True)).mean(axis=0)


def cents_off(sound, pitch):
    """Mistuning of a tone against equal temperament at 440 Hz, by the energy at its first five harmonics."""
    middle = sound[2400:14400]
    size = 1 << 18
    energy = np.abs(np.fft.rfft(middle * np.hanning(middle.size), size)) ** 2
    cents = np.arange(-700, 701)
    candidates = 440 * 2 ** ((pitch - 69) / 12 + cents / 1200)
    bins = [np.rint(k * candidates / (RATE_HZ / size)).astype(int) for k in range(1, 6)]
    heard = sum(np.where(b < energy.size, energy[np.minimum(b, energy.size - 1)], 0) for b in bins)
    return int(cents[np.argmax(heard)])


@pytest.mark.parametrize("program", range(8))
def test_every_keyboard_sounds_the_pitch_it_is_told(synthesizer, program):
    assert [abs(cents_off(tone(synthesizer, program, pitch), pitch)) < 12 for pitch in PITCHES] == [True] * len(PITCHES)


def test_without_preparation_the_piano_is_out_of_tune():
    # If this fails, symusic has mended its synthesiser and the preparation can go.
    plain = symusic.Synthesizer(str(synth.source_soundfont()), RATE_HZ, 4)
    assert abs(cents_off(tone(plain, 0, 69), 69)) > 50


def test_notes_on_short_loops_end(synthesizer):
    for program in range(8):
        for pitch in range(21, 109, 8):
            assert np.isfinite(tone(synthesizer, program, pitch)).all()


def test_preparing_twice_gives_the_same_bytes():
    data = synth.source_soundfont().read_bytes()
    assert prepare(data) == prepare(data)


@pytest.mark.parametrize("keep", [0, 11, 1000, 100_000, 5_000_000])
def test_a_cut_soundfont_is_named(tmp_path, keep):
    path = tmp_path / "cut.sf2"
    path.write_bytes(synth.source_soundfont().read_bytes()[:keep])
    with pytest.raises(MaestroError, match=r"cut.sf2: is not a whole SoundFont 2 file. Install pretty_midi again"):
        prepared(path, tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["cut.sf2"]
