"""Decisions at every step, from the output's spikes: what the host computes beside the chip. No torch."""

from typing import Any

import numpy as np
import scipy.signal
from numpy.typing import NDArray

Counts = NDArray[np.float64]


def leaky_counts(spikes: NDArray[Any], readout_steps: int) -> Counts:
    """Spikes counted and forgotten: ``r[t] = (1 - 1 / readout_steps) r[t-1] + s[t]``.

    Parameters
    ----------
    spikes
        0 and 1, shape (sample, neuron, time).
    readout_steps
        Time constant in steps.

    Returns
    -------
    NDArray[np.float64], shape (sample, neuron, time)
    """
    counted: Counts = scipy.signal.lfilter([1.0], [1.0, 1 / readout_steps - 1], np.asarray(spikes, np.float64), axis=-1)
    return counted


def step_scores(spikes: NDArray[Any], latency_steps: int, readout_steps: int) -> Counts:
    """Scores of every step of a clip, from the output's spikes in a run of the clip.

    A step's features reach the output ``latency_steps`` later: what is decided of step t is read at step
    ``t + latency_steps`` of the run. Scores of the clip's last steps come after its end and are not there.

    Parameters
    ----------
    spikes
        Of the last layer, shape (sample, neuron, time).
    latency_steps
        Steps that the output is late, one a layer.
    readout_steps
        Time constant of the counts.

    Returns
    -------
    NDArray[np.float64], shape (sample, neuron, time - latency_steps)
    """
    return leaky_counts(spikes, readout_steps)[..., latency_steps:]
