"""Profilers with the attributes that public code reads, and made-up numbers in them."""

import os
import time

import numpy as np
import standin_parts as standin
from lava.magma.core.callback_fx import NxSdkCallbackFx

CORES = 6
# One profiled run a process: of the closed package a second one has been seen to fail.
RUNS = []


class _Logger(NxSdkCallbackFx):
    def __init__(self, **arguments):
        if standin.lacks(type(self).__name__):
            raise TypeError(f"{type(self).__name__} takes other arguments here")
        self.arguments = arguments
        standin.note(f"made {type(self).__name__}", **arguments)

    def pre_run_callback(self, board, var_id_to_var_model_map):
        assert board == standin.BOARD
        if type(self) in RUNS:
            raise RuntimeError("a second profiled run in one process")
        RUNS.append(type(self))
        standin.note(f"pre {type(self).__name__}")
        if os.environ.get("STANDIN_HANGS"):
            print("waiting for the board", flush=True)
            time.sleep(1000)

    def post_run_callback(self, board, var_id_to_var_model_map):
        standin.note(f"post {type(self).__name__}")
        for name, value in self.measure(standin.LAST["steps"]).items():
            if not standin.lacks(name):
                setattr(self, name, value)


class Loihi2Power(_Logger):
    def __init__(self, num_steps):
        super().__init__(num_steps=num_steps)

    def measure(self, steps):
        ramp = np.linspace(0.0, 0.01, 50)
        rails = {"total": 0.7, "vdd": 0.5, "vddm": 0.15, "vddio": 0.05}
        series = {f"{rail}_power": value + ramp for rail, value in rails.items()}
        return {**series, **{f"static_{rail}_power": value / 3 for rail, value in rails.items()}}


class Loihi2ExecutionTime(_Logger):
    def measure(self, steps):
        total = 100.0 + np.arange(steps) % 7
        return {
            "time_per_step": total,
            "avg_time_per_step": float(total.mean()),
            "execution_time_per_step": total,
            "spiking_time_per_step": total - 60,
            "management_time_per_step": total * 0 + 20,
            "host_time_per_step": total * 0 + 40,
        }


class Loihi2Memory(_Logger):
    def measure(self, steps):
        used = np.linspace(0.1, 0.6, CORES)
        return {"core_idx": np.arange(CORES), "small_mpds": used, "large_mpds": used / 2, "total_mpds": used / 3}


class Loihi2Activity(_Logger):
    def measure(self, steps):
        base = steps * np.arange(1, CORES + 1)
        return {
            "chip_idx": np.zeros(CORES, int),
            "core_idx": np.arange(CORES),
            "syn_ops": 30 * base,
            "dendrite_updates": 100 * base,
            "axon_out": 2 * base,
            "spikes_in": 3 * base,
            "spike_axon_in": 4 * base,
        }
