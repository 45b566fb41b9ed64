"""A session fed step by step gives what a batch run gives, spike for spike."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from export.graph import Cuba, DenseLayer, InputLayer, Network
from lava_runtime.engine.engine import Engine
from lava_runtime.engine.session import Session
from train.errors import MaestroError

MANY = settings(
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


@settings(MANY, max_examples=80)
@given(data=st.data())
def test_streaming_equals_batch(data, drawn):
    case = data.draw(drawn.cases())
    batch = Engine(case.network, threads=1).run(case.spikes).output
    session = Session(case.network)
    for number, sample in enumerate(case.spikes):
        # What a sample of which only a part was heard leaves behind, the reset clears.
        for step in range(data.draw(st.integers(0, sample.shape[-1]))):
            session.push(case.spikes[0][..., step])
        session.reset()
        assert session.step == 0
        for step in range(sample.shape[-1]):
            assert session.step == step
            found = session.push(sample[..., step])
            assert found.dtype == np.uint8
            np.testing.assert_array_equal(found, batch[number, :, step], err_msg=f"{case}, {number}, step {step}")


def test_a_session_has_no_end(drawn):
    """Longer than any delay line, and one after another: two samples in a row are one sample of twice the length."""
    case = drawn.busy_case(["delay", "recurrent", "dendrites"], 3, 150, seed=2)
    session, whole = Session(case.network), np.concatenate(list(case.spikes), axis=-1)
    found = np.stack([session.push(frame) for frame in np.moveaxis(whole, -1, 0)], axis=-1)
    wanted = Engine(case.network).run(whole[np.newaxis]).output[0]
    assert wanted[:, 300:].any()
    np.testing.assert_array_equal(found, wanted)


def test_sessions_do_not_hear_each_other(drawn):
    case = drawn.busy_case(["conv", "delay"], 2, 60, seed=3)
    wanted = Engine(case.network).run(case.spikes).output
    assert (wanted[0] != wanted[1]).any()
    sessions = [Session(case.network), Session(case.network)]
    for step in range(60):
        for number, session in enumerate(sessions):
            np.testing.assert_array_equal(session.push(case.spikes[number][..., step]), wanted[number, :, step])


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (np.zeros(3, np.uint8), r"frame: has shape \(3,\) \(expected \(2,\)\)"),
        (np.zeros((2, 1), np.uint8), r"frame: has shape \(2, 1\) \(expected \(2,\)\)"),
        (np.zeros(2), r"frame: is of type float64 \(expected whole numbers\)"),
        (np.array([0, 2]), r"frame: lies in 0 to 2 \(expected 0 and 1\)"),
        (np.array([-1, 1]), r"frame: lies in -1 to 1 \(expected 0 and 1\)"),
    ],
)
def test_a_frame_that_does_not_fit_leaves_the_session_as_it_was(frame, text):
    weight = np.array([[40, 0], [0, 24], [-30, 90]])
    network = Network((InputLayer((2,)), DenseLayer(weight, Cuba(300, 200, 90))), ("input", "dense"))
    spikes = (np.random.default_rng(0).random((1, 2, 40)) < 0.6).astype(np.uint8)
    wanted = Engine(network).run(spikes).output[0]
    session = Session(network)
    for step in range(40):
        with pytest.raises(MaestroError, match=text):
            session.push(frame)
        np.testing.assert_array_equal(session.push(spikes[0, :, step]), wanted[:, step])
    assert wanted.any()
