"""Spikes that the chip replays by itself."""

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from standin_parts import note


class CyclicBuffer(AbstractProcess):
    def __init__(self, first_frame, replay_frames):
        frames = np.concatenate([first_frame[..., np.newaxis], replay_frames], axis=-1)
        super().__init__(frames=frames)
        self.s_out = OutPort(shape=first_frame.shape)
        note("CyclicBuffer", shape=list(frames.shape), spikes=int(frames.sum()))


@implements(proc=CyclicBuffer, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class CyclicBufferModel(PyLoihiProcessModel):
    s_out = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params):
        super().__init__(proc_params)
        self.frames = proc_params["frames"]

    def run_spk(self):
        self.s_out.send(self.frames[..., (self.time_step - 1) % self.frames.shape[-1]])
