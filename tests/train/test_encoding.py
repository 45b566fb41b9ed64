import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from train import codes
from train.config import EncodingConfig
from train.config_checks import ENCODINGS
from train.encoding import make_encoder
from train.errors import CallError, MaestroError

few = settings(max_examples=40, derandomize=True, deadline=None)
SPAN = 2.0


def inside(longest=20):
    """Values within the span, shape (sample, feature, time)."""
    shape = st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, longest))
    return shape.flatmap(lambda size: arrays(np.float32, size, elements=st.floats(-SPAN, SPAN, width=32)))


def values(*steps):
    return np.float32([[steps]])


def spikes_of(name, x, **fields):
    """Spikes of one sample and feature, shape (channel, time)."""
    return make_encoder(EncodingConfig(name=name, **fields)).encode(x)[0, :, 0, 0].tolist()


def test_delta_by_hand():
    #       r before:  0    .5   1    1    1    .5   0
    x = values(0.5, 1.25, 1.4, 0.6, 0.5, 0.1, -0.4)
    on, off = spikes_of("delta", x, threshold=0.5)
    assert on == [1, 1, 0, 0, 0, 0, 0]
    assert off == [0, 0, 0, 0, 1, 0, 1]


def test_level_by_hand():
    # Centres -2, -1, 0, 1, 2; a tie goes up; outside the span the last unit fires.
    units = spikes_of("level", values(-9, -1.4, -0.5, 0.2, 1.5, 9), levels=5, span=2.0)
    assert np.argmax(units, axis=0).tolist() == [0, 1, 2, 2, 4, 4]
    assert np.sum(units, axis=0).tolist() == [1] * 6


def test_one_level_always_fires():
    assert spikes_of("level", values(-1, 0, 5), levels=1) == [[1, 1, 1]]


def test_rate_by_hand():
    # numpy's default generator, seed 1, draws .512, .950, .144, .949; p is 0, 1, .5 and .95.
    assert spikes_of("rate", values(-2, 2, 0, 1.8), seed=1) == [[0, 1, 1, 1]]
    assert spikes_of("rate", values(0, 1.7, -1.5, 1.7), seed=1) == [[0, 0, 0, 0]]


def test_ttfs_by_hand():
    # Means 2 (first step), -2 (last), 0 (latency 1.5, up to 2), then two steps of mean -1: latency .75, up to 1.
    x = values(2, 2, 2, 2, -3, -1, -2, -2, 1, -1, 1, -1, -1, -1)
    assert spikes_of("ttfs", x, period=4) == [[1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1]]


def test_phase_by_hand():
    # p = 11/16 = 1011 in binary; p = 1 is all ones; p = 0 none; two steps of p = 3/4: 11.
    x = values(*[0.75] * 4, *[9] * 4, *[-9] * 4, 1, 1)
    assert spikes_of("phase", x, period=4) == [[1, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1]]


def test_burst_by_hand():
    # p = 1/2: two of four; p = 5/8: 2.5, up to three; p = 0: none; three steps of p = 1/2: 1.5, up to two.
    x = values(*[0] * 4, *[0.5] * 4, *[-2] * 4, *[0] * 3)
    assert spikes_of("burst", x, period=4) == [[1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0]]


def test_current_by_hand():
    # Half the leak a step (period 2), in units of the threshold: 1 fires at once and leaves 0; .75 then reaches
    # .75, 1.125 (fires, .125 left), .8125, 1.15625 (fires); a negative value drives the other neuron.
    on, off = spikes_of("current", values(2, 1.5, 1.5, 1.5, 1.5, -2, -9), period=2)
    assert on == [1, 0, 1, 0, 1, 0, 0]
    assert off == [0, 0, 0, 0, 0, 1, 1]


@few
@given(inside(), st.floats(0.05, 2))
def test_delta_follows_what_moves_slower_than_its_threshold(x, theta):
    steps = np.clip(np.diff(x, axis=-1, prepend=0), -0.99 * theta, 0.99 * theta)
    x = np.cumsum(steps, axis=-1).astype(np.float32)
    back = codes.delta_inverse(codes.delta(x, theta), theta)
    assert np.abs(x - back).max() < theta * (1 + 1e-5)


@few
@given(inside(), st.integers(2, 64))
def test_level_errs_by_half_a_spacing_at_most(x, levels):
    spikes = codes.level(x, levels, SPAN)
    assert (spikes.sum(axis=1) == 1).all()
    assert np.abs(codes.level_inverse(spikes, SPAN) - x).max() <= SPAN / (levels - 1) + 1e-6


@few
@given(inside(), st.integers(2, 64), st.sampled_from(["ttfs", "phase", "burst"]))
def test_windows_keep_their_mean_within_the_bound(x, period, name):
    encoder = make_encoder(EncodingConfig(name=name, period=period))
    back = encoder.decode(encoder.encode(x))
    for start in range(0, x.shape[2], period):
        window = x[:, :, start : start + period].astype(np.float64)
        n = window.shape[2]
        bound = {"ttfs": SPAN / max(n - 1, 1), "phase": SPAN / 2**n, "burst": SPAN / n}[name]
        error = np.abs(back[:, :, start : start + period] - window.mean(axis=-1, keepdims=True))
        assert error.max() <= bound + 1e-6


@few
@given(inside(longest=60), st.integers(2, 64))
def test_current_keeps_the_moving_average_within_the_bound(x, period):
    leak = round(4096 / period) / 4096
    average = np.zeros(x.shape[:2])
    back = codes.current_inverse(codes.current(x, SPAN, period), SPAN, period)
    for step in range(x.shape[2]):
        average = (1 - leak) * average + leak * x[:, :, step]
        assert np.abs(back[:, :, step] - average).max() <= SPAN * (leak + 2**-15) + 1e-6


@pytest.mark.parametrize("value", [-1.5, 0.0, 0.7, 2.0])
def test_rate_is_unbiased(value):
    x = np.full((1, 50, 400), value, np.float32)
    back = codes.rate_inverse(codes.rate(x, SPAN, seed=3), SPAN)
    assert np.abs(back.mean() - value) <= 4 * SPAN / np.sqrt(50 * 400)
    assert np.abs(back - value).max() <= 5 * SPAN / np.sqrt(400)


def test_rate_draws_anew_for_another_seed_and_alike_for_every_sample():
    x = np.zeros((2, 5, 50), np.float32)
    one, other = codes.rate(x, SPAN, 1), codes.rate(x, SPAN, 2)
    np.testing.assert_array_equal(one[0], one[1])
    assert (one != other).any()


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_code_keeps_the_interface(name):
    encoder = make_encoder(EncodingConfig(name=name))
    x = np.random.default_rng(0).normal(size=(5, 33, 94)).astype(np.float32)
    spikes = encoder.encode(x)
    assert encoder.name == name
    assert spikes.shape == (5, encoder.channels, 33, 1, 94)
    assert spikes.dtype == np.uint8
    assert set(np.unique(spikes)) == {0, 1}
    back = encoder.decode(spikes)
    assert back.shape == x.shape
    assert back.dtype == np.float32


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_sample_is_coded_alike_in_any_batch_and_layout(name):
    encoder = make_encoder(EncodingConfig(name=name))
    x = np.random.default_rng(1).normal(size=(7, 33, 94)).astype(np.float32)
    together = encoder.encode(x)
    for sample in range(7):
        np.testing.assert_array_equal(encoder.encode(x[sample : sample + 1])[0], together[sample])
    np.testing.assert_array_equal(encoder.encode(np.asfortranarray(x)), together)
    before = x.copy()
    np.testing.assert_array_equal(encoder.encode(x), together)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("name", sorted(set(ENCODINGS) - {"ttfs", "phase", "burst"}))
def test_codes_of_steps_do_not_look_ahead(name):
    encoder = make_encoder(EncodingConfig(name=name))
    x = np.random.default_rng(2).normal(size=(2, 33, 60)).astype(np.float32)
    np.testing.assert_array_equal(encoder.encode(x[:, :, :23]), encoder.encode(x)[..., :23])


@pytest.mark.parametrize("name", ENCODINGS)
def test_no_sample_no_spikes(name):
    encoder = make_encoder(EncodingConfig(name=name))
    assert encoder.encode(np.zeros((0, 3, 10), np.float32)).shape == (0, encoder.channels, 3, 1, 10)


def test_values_of_a_wrong_shape():
    with pytest.raises(MaestroError, match=r"level encoder: features of shape \(3, 4\) \(expected \(sample, feature"):
        make_encoder(EncodingConfig(name="level")).encode(np.zeros((3, 4), np.float32))


def test_values_that_are_no_numbers():
    with pytest.raises(MaestroError, match=r"delta encoder: features that are NaN or infinite \(expected finite"):
        make_encoder(EncodingConfig(name="delta")).encode(np.full((1, 1, 1), np.inf, np.float32))


def test_spikes_of_a_wrong_shape():
    with pytest.raises(
        MaestroError, match=r"delta encoder: spikes of shape .* \(expected \(sample, 2 channels, feature"
    ):
        make_encoder(EncodingConfig(name="delta")).decode(np.zeros((1, 8, 3, 1, 4), np.uint8))


def test_an_unknown_code():
    with pytest.raises(CallError, match=r"encoding\.name: is 'morse' \(expected one of delta, level"):
        make_encoder(EncodingConfig(name="morse"))
