"""A Process that writes the spikes of up to eight layers into a file, and says how far it is."""

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

PORTS = 8


class SpikeSink(AbstractProcess):  # type: ignore[misc]
    """Writes what arrives at step t, all ports side by side, into row ``(t - 1) % rows`` of a file.

    One sink for eight layers, because each Lava Process is an operating-system process and each
    of those makes every step slower.

    Parameters
    ----------
    file
        Path of a raw uint8 file of shape (rows, sum of the ports' sizes).
    clock
        Path of a raw int64 file of one number: the last step written, a sign of life.
    rows
        Steps that the file holds.
    shapes
        Shapes of the ports in use, at most eight.
    """

    def __init__(self, *, file: str, clock: str, rows: int, shapes: tuple[tuple[int, ...], ...]) -> None:
        super().__init__(file=file, clock=clock, rows=rows, shapes=shapes)
        padded = (*shapes, *((1,) for _ in range(PORTS - len(shapes))))
        self.in_0 = InPort(shape=padded[0])
        self.in_1 = InPort(shape=padded[1])
        self.in_2 = InPort(shape=padded[2])
        self.in_3 = InPort(shape=padded[3])
        self.in_4 = InPort(shape=padded[4])
        self.in_5 = InPort(shape=padded[5])
        self.in_6 = InPort(shape=padded[6])
        self.in_7 = InPort(shape=padded[7])


@implements(proc=SpikeSink, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class SpikeSinkModel(PyLoihiProcessModel):  # type: ignore[misc]
    """The CPU model of :class:`SpikeSink`."""

    in_0: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    in_1: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    in_2: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    in_3: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    in_4: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    in_5: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    in_6: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    in_7: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        rows, shapes = proc_params["rows"], proc_params["shapes"]
        sizes = [int(np.prod(shape)) for shape in shapes]
        self._stops = np.cumsum(sizes).tolist()
        self._data = np.memmap(proc_params["file"], dtype=np.uint8, mode="r+", shape=(rows, sum(sizes)))
        self._clock = np.memmap(proc_params["clock"], dtype=np.int64, mode="r+", shape=(1,))

    def run_spk(self) -> None:
        row = self._data[(self.time_step - 1) % len(self._data)]
        start = 0
        for index, stop in enumerate(self._stops):
            # A spike is any non-zero message; what graded layers send is refused before this runs.
            row[start:stop] = getattr(self, f"in_{index}").recv().reshape(-1) != 0
            start = stop
        self._clock[0] = self.time_step
