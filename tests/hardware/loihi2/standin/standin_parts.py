"""What the parts of the stand-in share: a log, a board, and how a run on it goes."""

import json
import os
from pathlib import Path

from lava.magma.core import run_configs
from lava.magma.runtime.runtime import Runtime

BOARD = "a board"
ADAPTERS = []
LAST = {}


def note(what, **values):
    """Write down what happened."""
    if "STANDIN_LOG" in os.environ:
        with Path(os.environ["STANDIN_LOG"]).open("a") as file:
            file.write(json.dumps({"what": what, "process": os.getpid(), **values}, default=int) + "\n")


def steps(name):
    return int(os.environ.get(name, "0"))


def lacks(name):
    """Whether this version of the package shall have no such attribute."""
    return name in os.environ.get("STANDIN_LACKS", "").split(",")


class Loihi2HwCfg(run_configs.Loihi2SimCfg):
    """Takes what Lava's own takes, and chooses the simulator's models."""

    def __init__(self, *, select_tag=None, exception_proc_model_map=None, callback_fxs=None):
        super().__init__(select_tag="fixed_pt", exception_proc_model_map=exception_proc_model_map)
        self.callback_fxs = callback_fxs or []
        models = {process.__module__: model.__name__ for process, model in (exception_proc_model_map or {}).items()}
        environment = {key: os.environ.get(key) for key in ("SLURM", "NOSLURM", "BOARD", "PARTITION", "LOIHI_GEN")}
        note(
            "Loihi2HwCfg", callbacks=[type(each).__name__ for each in self.callback_fxs], models=models, tag=select_tag
        )
        note("environment", **environment)
        LAST["config"] = self
        for adapter in ADAPTERS:
            adapter.note_ends()


def start(self, run_condition, stock=Runtime.start):
    """Run with callbacks around it, as the runtime service of the closed package calls them."""
    callbacks = LAST["config"].callback_fxs if "config" in LAST else []
    LAST["steps"] = run_condition.num_steps
    for each in callbacks:
        each.pre_run_callback(BOARD, {})
    note("run", steps=run_condition.num_steps)
    stock(self, run_condition)
    for each in callbacks:
        each.post_run_callback(BOARD, {})


# Lava imports files once more when it compiles.
if run_configs.Loihi2HwCfg.__module__ != __name__:
    run_configs.Loihi2HwCfg = Loihi2HwCfg
    Runtime.start = start
