"""A Process that plays spikes, or biases, from a file that the watching process fills."""

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class SpikeSource(AbstractProcess):  # type: ignore[misc]
    """Sends row ``(step - 1) % rows`` of a memory-mapped array at each step.

    Lava's own RingBuffer copies its data into the Process when it is built, and one number at a
    time when it is set; a mapped file is refilled between blocks at no cost.

    Parameters
    ----------
    file
        Path of a raw file of shape (rows, size), both processes' view of it.
    rows
        Steps that the file holds.
    shape
        Shape of what is sent; ``size`` is its product.
    dtype
        Of the file's numbers: ``uint8`` for spikes, ``int32`` for bias mantissas.
    """

    def __init__(self, *, file: str, rows: int, shape: tuple[int, ...], dtype: str = "uint8") -> None:
        super().__init__(file=file, rows=rows, port_shape=shape, dtype=dtype)
        self.s_out = OutPort(shape=shape)


@implements(proc=SpikeSource, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class SpikeSourceModel(PyLoihiProcessModel):  # type: ignore[misc]
    """The CPU model of :class:`SpikeSource`."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._shape = proc_params["port_shape"]
        rows = proc_params["rows"]
        size = int(np.prod(self._shape))
        self._data = np.memmap(proc_params["file"], dtype=proc_params["dtype"], mode="r", shape=(rows, size))

    def run_spk(self) -> None:
        row = self._data[(self.time_step - 1) % len(self._data)]
        self.s_out.send(row.reshape(self._shape).astype(np.int32))
