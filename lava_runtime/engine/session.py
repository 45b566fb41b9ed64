"""A network that hears as it goes: one step of input in, the same step's output spikes out, states carried on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.graph import InputLayer, Network
from lava_runtime.engine.block import NOTHING, UNPROBED, check_currents, drive_of, rest
from lava_runtime.engine.kernels import Events, interruptible, run_layer
from lava_runtime.engine.program import compile_network
from lava_runtime.engine.result import Spikes
from train.errors import MaestroError


class Session:
    """One sample of unknown length, step by step; spikes are those of :meth:`Engine.run` on the whole.

    Parameters
    ----------
    network
        As :func:`export.netx.read` gives it.

    Raises
    ------
    MaestroError
        A layer's parameters lie outside Lava's registers, or its sums could leave 32 bits.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self._stages = compile_network(network)
        self._driven = isinstance(self._stages[0].layer, InputLayer)
        self.reset()

    def reset(self) -> None:
        """To rest, as before the first step."""
        self.step = 0
        self._states = [rest(stage, 1) for stage in self._stages]

    def push(self, frame: NDArray[Any]) -> Spikes:
        """Spikes of the last layer at this step, 0 or 1, shape (neuron,).

        Parameters
        ----------
        frame
            One step of input, whole numbers in the network's input shape: 0 and 1, or any if the input has neurons.

        Raises
        ------
        MaestroError
            The frame does not fit the network, and the session stays as it was; or a current grew out of the kernel's
            32 bits, and the session has to be reset.
        """
        values = self._checked(frame)
        drive, events = NOTHING, Events(np.zeros(2, np.int64), np.empty(0, np.int32))
        if self._driven:
            drive = drive_of(self._stages[0], values.reshape(1, -1, 1))
        else:
            index = np.flatnonzero(values).astype(np.int32)
            events = Events(np.array([0, index.size]), index)
        for stage, state in zip(self._stages, self._states, strict=True):
            start, index, tally = interruptible(
                run_layer, events, stage.synapses, stage.recurrent, stage.neurons, state, self.step, 1, drive, NOTHING,
                UNPROBED, 0,
            )  # fmt: skip
            check_currents(stage, tally)
            events, drive = Events(start, index), NOTHING
        self.step += 1
        output = np.zeros(self._stages[-1].size, np.uint8)
        output[self._stages[-1].order[events.index]] = 1
        return output

    def _checked(self, frame: NDArray[Any]) -> NDArray[Any]:
        expected = self.network.input_shape
        if frame.shape != expected:
            raise MaestroError("frame", f"has shape {frame.shape}", allowed=f"{expected}")
        if frame.dtype.kind not in "iub":
            raise MaestroError("frame", f"is of type {frame.dtype}", allowed="whole numbers")
        if not self._driven and frame.size and (frame.min() < 0 or frame.max() > 1):
            raise MaestroError("frame", f"lies in {frame.min()} to {frame.max()}", allowed="0 and 1")
        return frame
