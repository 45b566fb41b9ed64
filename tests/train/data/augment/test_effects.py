"""Pitch, tempo, equaliser, level and rooms: each does what it says, and the same again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train.data.augment.effects import BANDS_HZ, equalise, set_level, stretch
from train.data.augment.rooms import _size, reverberate, room_response

RATE_HZ = 16000
TIME_S = np.arange(2 * RATE_HZ) / RATE_HZ
TONE = (0.3 * np.sin(2 * np.pi * 440 * TIME_S)).astype(np.float32)


def highest_hz(audio):
    return np.abs(np.fft.rfft(audio * np.hanning(audio.size))).argmax() * RATE_HZ / audio.size


@pytest.mark.parametrize(("semitones", "tempo"), [(0.5, 1.0), (-2.0, 1.0), (0.0, 1.1), (0.0, 0.9), (1.0, 1.05)])
def test_pitch_and_tempo_change_apart(semitones, tempo):
    found = stretch(TONE, RATE_HZ, semitones=semitones, tempo=tempo)
    assert found.dtype == np.float32
    assert found.size == pytest.approx(TONE.size / tempo, abs=1)
    assert highest_hz(found) == pytest.approx(440 * 2 ** (semitones / 12), rel=0.005)
    np.testing.assert_array_equal(stretch(TONE, RATE_HZ, semitones=semitones, tempo=tempo), found)


def test_what_is_stretched_stays_at_its_place():
    clicks = np.zeros(2 * RATE_HZ, np.float32)
    clicks[RATE_HZ : RATE_HZ + 20] = 0.5
    found = stretch(clicks, RATE_HZ, tempo=1.25)
    assert np.abs(found).argmax() == pytest.approx(RATE_HZ / 1.25, abs=0.03 * RATE_HZ)


@pytest.mark.parametrize("band", range(len(BANDS_HZ)))
@pytest.mark.parametrize("gain_db", [6.0, -9.0])
def test_a_band_moves_its_own_frequencies(band, gain_db):
    impulse = np.zeros(RATE_HZ, np.float32)
    impulse[0] = 1
    gains_db = np.zeros(len(BANDS_HZ))
    gains_db[band] = gain_db
    found_db = 20 * np.log10(np.abs(np.fft.rfft(equalise(impulse, gains_db, RATE_HZ))))
    # A hertz a bin.
    assert found_db[round(BANDS_HZ[band])] == pytest.approx(gain_db, abs=0.01)
    assert found_db[round(BANDS_HZ[band] / 16)] == pytest.approx(0, abs=0.2)
    assert np.abs(found_db).max() <= abs(gain_db) + 0.01


def test_bands_beyond_the_rate_do_nothing():
    np.testing.assert_array_equal(equalise(TONE, [0] * 5 + [9], 8000), equalise(TONE, [0] * 6, 8000))


@settings(derandomize=True, max_examples=100, deadline=None)
@given(level_db=st.floats(-60, 60), peak=st.floats(1e-4, 1))
def test_a_level_is_met_up_to_full_scale(level_db, peak):
    audio = np.float32(peak) * np.array([0.3, -1, 0.5], np.float32)
    found = set_level(audio, level_db)
    assert found.dtype == np.float32
    assert np.abs(found).max() == pytest.approx(min(1, peak * 10 ** (level_db / 20)), rel=1e-5)
    assert found[0] / found[1] == pytest.approx(-0.3, rel=1e-5)


def test_silence_has_any_level():
    assert not set_level(np.zeros(5, np.float32), 20).any()


@pytest.mark.parametrize("rt60_s", [0.2, 0.5, 1.0])
def test_a_room_decays_in_its_time_and_keeps_place_and_power(rt60_s):
    response = room_response(rt60_s, (1, 2), RATE_HZ)
    assert np.abs(response).argmax() == 0
    assert np.sum(response.astype(float) ** 2) == pytest.approx(1, abs=1e-4)
    left_db = 10 * np.log10(np.cumsum(response[::-1].astype(float) ** 2)[::-1])
    # From 5 to 25 dB, as ISO 3382 has it; Sabine's formula is a rule of thumb.
    slope = np.argmax(left_db < -25) - np.argmax(left_db < -5)
    assert 3 * slope / RATE_HZ == pytest.approx(rt60_s, rel=0.45)


def test_rooms_are_as_many_as_their_seeds_and_the_same_again():
    first = room_response(0.3, (1, 1), RATE_HZ)
    room_response.cache_clear()
    np.testing.assert_array_equal(room_response(0.3, (1, 1), RATE_HZ), first)
    assert not np.array_equal(room_response(0.3, (1, 2), RATE_HZ)[:100], first[:100])


def test_a_room_is_heard_from_its_beginning():
    heard = reverberate(TONE, 0.3, (1, 1), RATE_HZ)
    assert (heard.size, heard.dtype) == (TONE.size, np.float32)
    response = room_response(0.3, (1, 1), RATE_HZ)
    np.testing.assert_allclose(heard[:500], np.convolve(TONE[:500], response)[:500], atol=1e-6)


def test_only_small_rooms_are_dead():
    for seed in range(10):
        size_m, absorption, _ = _size(0.15, np.random.default_rng(seed))
        assert absorption < 1
        assert np.prod(size_m) < 300
