"""Decisions at every step, from the output's spikes: what the host computes beside the chip. No torch."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from train.errors import MaestroError

Counts = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Readout:
    """Weighted leaky counts of the output's spikes: the linear readout of the seeds' experiment.

    Parameters
    ----------
    weight
        Shape (class, neuron).
    readout_steps
        Time constant of the counts, in steps.
    latency_steps
        Steps that the output is late, one a layer.
    """

    weight: Counts
    readout_steps: int
    latency_steps: int

    def scores(self, spikes: NDArray[Any]) -> Counts:
        """Scores of every step of a clip, from the output's spikes in a run of the clip.

        What is decided of step t is read at step ``t + latency_steps`` of the run. Scores of the clip's last steps come
        after its end and are not there.

        Parameters
        ----------
        spikes
            Shape (sample, neuron, time).

        Returns
        -------
        NDArray[np.float64], shape (sample, class, time - latency_steps)

        Raises
        ------
        MaestroError
            Another number of neurons than there are weights for.
        """
        if spikes.ndim != 3 or spikes.shape[1] != self.weight.shape[1]:
            raise MaestroError(
                "readout", f"spikes of shape {spikes.shape}", allowed=f"(sample, {self.weight.shape[1]} neurons, time)"
            )
        counts = leaky_counts(spikes, self.readout_steps)[..., self.latency_steps :]
        # Not BLAS: a step's scores must not depend on how many are computed with it.
        scores: Counts = np.einsum("cn,snt->sct", self.weight, counts)
        return scores

    def to_dict(self) -> dict[str, Any]:
        """Plain data, exact."""
        weight = [[float(value) for value in row] for row in self.weight]
        return {"weight": weight, "readout_steps": self.readout_steps, "latency_steps": self.latency_steps}


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
