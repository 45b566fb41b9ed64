"""Noise: spectra, exact ratios, no clipping, and the same noise everywhere."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import welch

from train.config_checks import ALL_NOISES
from train.data.noise import VOICES, make_noise, mix, mix_clips, segments
from train.errors import CallError, MaestroError

RATE_HZ = 8000
rng = np.random.default_rng(1)
POOL = [rng.standard_normal(size) * level for size, level in ((900, 1), (5000, 0.01), (20000, 30))]
SIGNAL = rng.standard_normal(1000).astype(np.float32) * np.float32(0.1)


def power(samples):
    return np.mean(np.square(samples, dtype=np.float64))


def ratio_db(mixed, signal, noise, snr_db):
    """The ratio found in a mix, and the scale it was given against going beyond full scale."""
    gain = np.sqrt(power(signal) / power(noise) / 10 ** (snr_db / 10))
    scale = 1 / max(1, np.abs(signal.astype(np.float64) + gain * noise).max())
    return 10 * np.log10(power(signal) / power(mixed / scale - signal)), scale


@settings(derandomize=True, max_examples=150, deadline=None)
@given(
    samples=st.integers(1, 3000),
    signal_db=st.floats(-100, 0),
    noise_db=st.floats(-100, 40),
    snr_db=st.floats(-20, 60),
    kind=st.sampled_from(ALL_NOISES),
    seed=st.integers(0, 1000),
)
def test_a_mix_has_exactly_its_ratio_and_never_clips(samples, signal_db, noise_db, snr_db, kind, seed):
    signal = np.random.default_rng(seed).standard_normal(samples).astype(np.float32)
    signal *= np.float32(10 ** (signal_db / 20)) / np.abs(signal).max()
    noise = make_noise(kind, samples, RATE_HZ, [seed], POOL) * np.float32(10 ** (noise_db / 20))
    mixed = mix(signal, noise, snr_db)
    assert mixed.dtype == np.float32
    assert np.abs(mixed).max() <= 1
    found_db, _ = ratio_db(mixed, signal, noise, snr_db)
    # float32 rounds the sum, whose noise is up to 60 dB below.
    assert found_db == pytest.approx(snr_db, abs=2e-3)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    segment=st.integers(1, 200),
    samples=st.integers(1, 1500),
    levels=st.lists(st.floats(-20, 60), min_size=1, max_size=20),
    loud=st.floats(0.01, 50),
)
def test_each_clip_of_a_recording_has_exactly_its_ratio(segment, samples, levels, loud):
    generator = np.random.default_rng(samples)
    signal, noise = generator.standard_normal((2, samples))
    # A recording whose clips differ in level.
    signal *= loud * np.repeat(generator.uniform(0.1, 1, samples // 50 + 1), 50)[:samples]
    count = segments(samples, segment)
    snr_db = np.resize(levels, count)
    mixed = mix_clips(signal, noise, snr_db, segment)
    assert np.abs(mixed).max() <= 1
    parts = [slice(index * segment, min((index + 1) * segment, samples)) for index in range(count)]
    gains = [np.sqrt(power(signal[part]) / power(noise[part])) for part in parts] * 10 ** (-snr_db / 20)
    expected = signal + gains[np.minimum(np.arange(samples) // segment, count - 1)] * noise
    # One scale for the whole recording.
    scale = 1 / max(1, np.abs(expected).max())
    np.testing.assert_allclose(mixed, expected * scale, rtol=1e-6, atol=1e-12)
    for part, level in zip(parts, snr_db, strict=True):
        found_db = 10 * np.log10(power(signal[part]) / power(mixed[part] / scale - signal[part]))
        assert found_db == pytest.approx(level, abs=5e-3)


def test_full_scale_is_reached_only_where_the_sum_would_exceed_it():
    quiet = mix(SIGNAL, SIGNAL[::-1], 20)
    assert quiet == pytest.approx(SIGNAL + 0.1 * SIGNAL[::-1], abs=1e-7)
    assert np.abs(mix(SIGNAL * 100, SIGNAL[::-1], 0)).max() == 1
    assert np.abs(mix(SIGNAL, POOL[0].repeat(2)[:1000], -60)).max() == 1


@pytest.mark.parametrize(
    ("samples", "expected"), [(1, 1), (49, 1), (100, 1), (149, 1), (150, 2), (249, 2), (250, 3), (300, 3)]
)
def test_a_rest_is_a_segment_from_one_half_on(samples, expected):
    assert segments(samples, 100) == expected


def test_white_is_flat_pink_falls_ten_decibels_a_decade_and_brown_twenty():
    def slope(kind):
        frequency_hz, density = welch(make_noise(kind, 600_000, 16000, [3]), 16000, nperseg=8192)
        inside = (frequency_hz > 40) & (frequency_hz < 7000)
        # Points evenly spaced in log frequency, or the many at the top would decide alone.
        points = np.geomspace(40, 7000, 200)
        levels = np.interp(points, frequency_hz[inside], 10 * np.log10(density[inside]))
        return np.polyfit(np.log10(points), levels, 1)[0]

    assert slope("white") == pytest.approx(0, abs=0.3)
    assert slope("pink") == pytest.approx(-10, abs=0.3)
    assert slope("brown") == pytest.approx(-20, abs=0.3)


@pytest.mark.parametrize("kind", ["pink", "brown"])
def test_colours_have_nothing_that_cannot_be_heard(kind):
    spectrum = np.abs(np.fft.rfft(make_noise(kind, 16000, 16000, [1])))
    assert spectrum[:20].max() < 1e-4 * spectrum[20:40].mean()


def test_hum_is_the_mains_and_its_harmonics_and_nothing_else():
    mains = set()
    for seed in range(12):
        powers = np.abs(np.fft.rfft(make_noise("hum", 16000, 16000, [seed]))) ** 2
        lines = np.flatnonzero(powers > 1e-6 * powers.max())
        assert set(np.diff(lines)) == {lines[0]}
        assert 1900 < lines[-1] <= 2000
        assert powers[lines].sum() == pytest.approx(powers.sum(), rel=1e-6)
        assert powers[lines[0]] > powers[lines[5:]].max()
        mains.add(int(lines[0]))
    assert mains == {50, 60}


def test_a_folder_s_noise_is_one_recording_at_a_time():
    pool = [np.full(50, 3.0), np.tile([1.0, -1.0], 50)]
    found = [make_noise("folder", 80, RATE_HZ, [seed], pool) for seed in range(12)]
    assert {float(np.abs(np.diff(noise)).max()) for noise in found} == {0, 2}


@pytest.mark.parametrize("kind", ALL_NOISES)
def test_power_is_near_one(kind):
    # Most of brown's power lies in a few frequencies, whose sum varies.
    assert power(make_noise(kind, 16000, RATE_HZ, [1], POOL)) == pytest.approx(1, rel=0.3 if kind == "brown" else 0.1)


def test_babble_is_of_several_recordings_of_equal_power():
    length, count = 4000, VOICES + 3
    # One tone each, at very different levels, told apart by frequency.
    bins = [100 * (index + 1) for index in range(count)]
    pool = [10.0**-index * np.sin(2 * np.pi * tone / length * np.arange(3 * length)) for index, tone in enumerate(bins)]
    powers = np.abs(np.fft.rfft(make_noise("babble", length, RATE_HZ, [5], pool))) ** 2
    heard = powers[bins] / powers.sum()
    assert sorted(heard.round(4)) == [0] * 3 + [round(1 / VOICES, 4)] * VOICES
    others = np.abs(np.fft.rfft(make_noise("babble", length, RATE_HZ, [6], pool))) ** 2
    assert set(np.flatnonzero(others[bins] > 1)) != set(np.flatnonzero(powers[bins] > 1))


def test_babble_takes_places_at_random_and_goes_on_from_the_beginning():
    ramp = np.arange(1.0, 101)
    starts = set()
    for seed in range(20):
        found = make_noise("babble", 250, RATE_HZ, [seed], [ramp])
        steps = np.diff(found)
        assert np.count_nonzero(steps < 0) in (2, 3)
        starts.add(round(float(found[0] / steps.max())))
    assert len(starts) > 10


def test_babble_avoids_silent_places():
    half = np.concatenate([np.zeros(1000), np.ones(1000)])
    for seed in range(20):
        assert power(make_noise("babble", 10, RATE_HZ, [seed], [half])) == pytest.approx(1)


# Three samples of each, so that another machine or version that makes other noise is noticed.
GOLDEN = {
    "white": [-0.181649, -0.4713134, -0.4207562],
    "pink": [0.8729202, 1.670211, 0.6289443],
    "babble": [-2.643751, -0.8119189, -0.1734254],
    "brown": [0.7276973, 0.4634642, 0.1966525],
    "hum": [-0.009055249, 0.3872398, 0.6186858],
    "folder": [0.5749431, 1.99504, -0.3131576],
}


@pytest.mark.parametrize("kind", ALL_NOISES)
def test_the_same_seed_gives_the_same_noise_everywhere(kind):
    first = make_noise(kind, 1000, RATE_HZ, [7, 2], POOL)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(make_noise(kind, 1000, RATE_HZ, (7, 2), POOL), first)
    np.testing.assert_allclose(first[:3], GOLDEN[kind], rtol=1e-4)
    for seed in ([7, 3], [8, 2]):
        assert not np.array_equal(make_noise(kind, 1000, RATE_HZ, seed, POOL), first)


@pytest.mark.parametrize("kind", ALL_NOISES)
def test_one_sample(kind):
    assert make_noise(kind, 1, RATE_HZ, [1], POOL).shape == (1,)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: make_noise("red", 9, 8000, [1]), CallError, "noise: of the kind 'red' (expected one of white,"),
        (lambda: make_noise("babel", 9, 8000, [1]), CallError, "folder). Did you mean 'babble'?"),
        (lambda: make_noise("white", 0, 8000, [1]), CallError, "noise: of 0 samples (expected at least 1)"),
        (lambda: make_noise("white", 9, 8000, [1, -2]), CallError, "noise: has the seed (1, -2) (expected 0 or more)"),
        (lambda: make_noise("babble", 9, 8000, [1]), MaestroError, "babble of no recordings (expected a pool of at"),
        (lambda: make_noise("folder", 9, 8000, [1]), MaestroError, "folder of no recordings (expected a pool of at"),
        (
            lambda: make_noise("babble", 9, 8000, [1], [np.zeros(50)]),
            MaestroError,
            "recording 0 of the pool: silent. Leave it out of the pool",
        ),
        (
            lambda: make_noise("babble", 9, 8000, [1], [np.full(50, np.nan)]),
            MaestroError,
            "recording 0 of the pool: has samples that are NaN or infinite",
        ),
        (lambda: mix(np.zeros(9), np.ones(9), 3), MaestroError, "signal: silent from sample 0 to 9, so that no signal"),
        (lambda: mix(np.ones(9), np.zeros(9), 3), MaestroError, "noise: silent from sample 0 to 9"),
        (
            lambda: mix_clips(np.repeat([1.0, 0], 10), np.ones(20), [3, 3], 10),
            MaestroError,
            "signal: silent from sample 10 to 20, so that no signal-to-noise ratio is defined. Give a recording with",
        ),
        (lambda: mix(np.full(9, np.nan), np.ones(9), 3), MaestroError, "signal: has samples that are NaN or infinite"),
        (lambda: mix(np.ones(9), np.full(9, np.inf), 3), MaestroError, "noise: has samples that are NaN or infinite"),
        (lambda: mix(np.ones(9), np.ones(9), np.nan), MaestroError, "snr_db: has ratios that are NaN or infinite"),
        (lambda: mix(np.ones((2, 9)), np.ones(9), 3), MaestroError, "signal: has the shape (2, 9) (expected a row of"),
        (lambda: mix(np.ones(0), np.ones(0), 3), MaestroError, "signal: has the shape (0,) (expected a row of samples"),
        (
            lambda: mix(np.ones(9), np.ones(8), 3),
            MaestroError,
            "noise: has 8 samples (expected as many as the signal, 9)",
        ),
        (
            lambda: mix_clips(np.ones(9), np.ones(9), [3, 3], 9),
            MaestroError,
            "snr_db: has the shape (2,) (expected (1,), one ratio a segment)",
        ),
        (lambda: mix_clips(np.ones(9), np.ones(9), [3], 0), MaestroError, "segment: of 0 samples (expected at least 1"),
    ],
)
def test_errors(call, error, text):
    with pytest.raises(error, match=re.escape(text)):
        call()
