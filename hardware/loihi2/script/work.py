"""One pass, inside its own process."""

import json
import os
import signal
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np

from hardware.loihi2.script.chip import Chip
from hardware.loihi2.script.simulator import Simulator, stream


def child(work: Path) -> int:
    """Do the pass that lies in ``work``; the exit code."""
    job: dict[str, Any] = json.loads((work / "job.json").read_text())
    threading.Thread(target=_die_with, args=(os.getppid(),), daemon=True).start()
    try:
        found = do_pass(job, work)
    except Exception as error:
        traceback.print_exc()
        # What Lava's leftovers print while they are cleared away would be taken for the last words.
        (work / "error").write_text(f"{type(error).__name__}: {error}")
        return 1
    (work / "done.json").write_text(json.dumps({"steps": job["steps"], **found}))
    return 0


def _die_with(parent: int) -> None:
    """End this whole session when the process that started it is gone."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def do_pass(job: dict[str, Any], work: Path) -> dict[str, Any]:
    """Build the network with what feeds and records it, run it once, and return what the loggers have."""
    from lava.lib.dl.netx import hdf5
    from lava.magma.core.run_conditions import RunSteps

    plan = job["plan"]
    path = str(Path(job["folder"]) / "model.net")
    net = hdf5.Network(net_config=path, reset_interval=plan["period"], reset_offset=plan["reset_offset"])
    way: Any = Simulator(job, work) if job["sim"] else Chip(job, work)
    way.feed(net, stream(job, net.inp.shape))
    layers = {layer["name"]: net.layers[layer["netx_index"]] for layer in job["bundle"]["layers"]}
    sinks = {}
    for number, name in enumerate(job["layers"]):
        sinks[name] = way.record(name, layers[name].out, np.uint8, number)
    for number, name in enumerate(job["probe"]):
        for offset, state in enumerate(("u", "v")):
            way.probe(f"{name}.{state}", getattr(layers[name].neuron, state), 2 * number + offset)
    config = way.config()
    print(f"{len(net.layers)} layers loaded and connected, compiling", flush=True)
    net.run(condition=RunSteps(num_steps=job["steps"]), run_cfg=config)
    for name, sink in sinks.items():
        if job["record"] == "buffer":
            np.moveaxis(sink.data.get(), -1, 0).astype(np.uint8).tofile(work / f"{name}.raw")
    net.stop()
    found: dict[str, Any] = way.measured()
    return found
