"""Lava's LIF with a port for its bias: what input neurons of a NetX file need, and stock leaves to its caller.

Dynamics are those of ``lava/proc/lif``, untouched; only where ``bias_mant`` comes from is new.
"""

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.proc.lif.models import AbstractPyLifModelFixed, PyLifModelBitAcc
from lava.proc.lif.process import LIF, LIFReset


class BiasedLif(LIF):  # type: ignore[misc]
    """``LIF`` whose bias mantissas arrive at every step, at port ``bias_in`` of the neurons' shape."""

    def __init__(self, *, shape: tuple[int, ...], **kwargs: Any) -> None:
        super().__init__(shape=shape, **kwargs)
        self.bias_in = InPort(shape=shape)


class BiasedLifReset(LIFReset):  # type: ignore[misc]
    """:class:`BiasedLif` that resets in regular intervals."""

    def __init__(self, *, shape: tuple[int, ...], **kwargs: Any) -> None:
        super().__init__(shape=shape, **kwargs)
        self.bias_in = InPort(shape=shape)


class AbstractPyBiasedLifModelFixed(AbstractPyLifModelFixed):  # type: ignore[misc]
    """``PyLifModelBitAcc``, which no other model may inherit from, with a new bias at every step."""

    bias_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    vth: int = LavaPyType(int, np.int32, precision=17)

    scale_threshold = PyLifModelBitAcc.scale_threshold
    spiking_activation = PyLifModelBitAcc.spiking_activation

    def run_spk(self) -> None:
        self.bias_mant[:] = self.bias_in.recv()
        super().run_spk()


@implements(proc=BiasedLif, protocol=LoihiProtocol)
@requires(CPU)
@tag("bit_accurate_loihi", "fixed_pt")
class PyBiasedLifModelFixed(AbstractPyBiasedLifModelFixed):
    """:class:`BiasedLif` in the chip's integers."""


@implements(proc=BiasedLifReset, protocol=LoihiProtocol)
@requires(CPU)
@tag("bit_accurate_loihi", "fixed_pt")
class PyBiasedLifResetModelFixed(AbstractPyBiasedLifModelFixed):
    """:class:`BiasedLifReset` in the chip's integers."""

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.reset_interval: int = proc_params["reset_interval"]
        self.reset_offset: int = proc_params["reset_offset"] % self.reset_interval

    def run_spk(self) -> None:
        if self.time_step % self.reset_interval == self.reset_offset:
            self.u[:] = 0
            self.v[:] = 0
        super().run_spk()
