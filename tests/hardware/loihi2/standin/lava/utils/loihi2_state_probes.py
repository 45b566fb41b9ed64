"""Records a variable during a run; here by one of Lava's own readers."""

import numpy as np
import standin_parts as standin
from lava.magma.core.callback_fx import NxSdkCallbackFx
from lava.proc.io.sink import Read

if standin.lacks("StateProbe"):
    raise ImportError("this version has no state probes")


class StateProbe(NxSdkCallbackFx):
    def __init__(self, variable):
        self.shape = variable.shape
        self.reader = Read(buffer=256)
        self.reader.connect_var(variable)
        standin.note("StateProbe", variable=variable.name, shape=list(variable.shape))

    def pre_run_callback(self, board, var_id_to_var_model_map):
        assert board == standin.BOARD

    def post_run_callback(self, board, var_id_to_var_model_map):
        data = self.reader.data.get()[..., : standin.LAST["steps"]]
        self.time_series = np.asarray(data).reshape(int(np.prod(self.shape)), -1)
