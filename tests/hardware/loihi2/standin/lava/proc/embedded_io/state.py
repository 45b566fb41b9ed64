"""Reads a variable of the chip's after every step and hands it to the host, a step later."""

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyOutPort, PyRefPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import OutPort, RefPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from standin_parts import note


class Read(AbstractProcess):
    def __init__(self, shape, interval=1, offset=0):
        super().__init__(shape=shape)
        self.ref = RefPort(shape=shape)
        self.out = OutPort(shape=shape)
        note(type(self).__name__, shape=list(shape), interval=interval, offset=offset)

    def connect_var(self, var):
        self.ref.connect_var(var)


@implements(proc=Read, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class ReadModel(PyLoihiProcessModel):
    ref = LavaPyType(PyRefPort.VEC_DENSE, np.int32)
    out = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params):
        super().__init__(proc_params)
        self.last = np.zeros(proc_params["shape"], np.int32)

    def run_spk(self):
        self.out.send(self.last)

    def post_guard(self):
        return True

    def run_post_mgmt(self):
        self.last = self.ref.read()
