"""Adapters between host and chip, as Processes that hold spikes back."""

from collections import deque

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from standin_parts import ADAPTERS, note, steps


class _Adapter(AbstractProcess):
    way = ""

    def __init__(self, shape, num_message_bits=0, **more):
        super().__init__(shape=shape, delay=steps(self.way))
        self.inp = InPort(shape=shape)
        self.out = OutPort(shape=shape)
        note(type(self).__name__, shape=list(shape), num_message_bits=num_message_bits, **more)
        ADAPTERS.append(self)

    def note_ends(self):
        """Write down who is at either end."""
        (source,) = self.inp.get_src_ports()
        targets = self.out.get_dst_ports()
        note(
            f"{type(self).__name__} between",
            source=type(source.process).__name__,
            targets=[type(port.process).__name__ for port in targets],
        )


class PyToNxAdapter(_Adapter):
    way = "STANDIN_IN"


class PyToN3ConvAdapter(_Adapter):
    way = "STANDIN_IN"


class NxToPyAdapter(_Adapter):
    way = "STANDIN_OUT"


class _Model(PyLoihiProcessModel):
    inp = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    out = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params):
        super().__init__(proc_params)
        self.held = deque(np.zeros(proc_params["shape"], np.int32) for _ in range(proc_params["delay"]))

    def run_spk(self):
        self.held.append(self.inp.recv())
        self.out.send(self.held.popleft())


@implements(proc=PyToNxAdapter, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyToNxModel(_Model):
    inp = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    out = LavaPyType(PyOutPort.VEC_DENSE, np.int32)


@implements(proc=PyToN3ConvAdapter, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PyToN3ConvModel(_Model):
    inp = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    out = LavaPyType(PyOutPort.VEC_DENSE, np.int32)


@implements(proc=NxToPyAdapter, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class NxToPyModel(_Model):
    inp = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    out = LavaPyType(PyOutPort.VEC_DENSE, np.int32)
