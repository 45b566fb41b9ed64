"""The process that holds Lava: started, watched and killed by :mod:`lava_runtime.network`.

Lava starts one operating-system process for each of its Processes, waits on them without a limit
of time, and leaves them behind when it is interrupted. So all of it lives in a session of its own,
led by this process: whoever started it speaks to it through two pipes, reads and writes spikes in
mapped files, and kills the whole group when it goes silent. When the starter dies, the pipe
closes, and this process removes the starter's folder and kills the group itself.

Not for people: ``python -m lava_runtime.worker COMMAND_FD ANSWER_FD FOLDER``.
"""

import contextlib
import json
import logging
import os
import queue
import shutil
import signal
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

from lava_runtime import channels
from lava_runtime.netx_loader import RefusedError, load, memory_of, transform_of

# Seconds that Lava gets to explain itself when one of its processes has ended.
_EXPLAIN_S = 1.0


def main(command_fd: int, answer_fd: int, folder: str) -> None:
    """Obey commands, one JSON line each, until told to quit; ``folder`` holds the starter's files."""
    commands: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_read_commands, args=(command_fd, commands, folder), daemon=True).start()
    simulation = Simulation(answer_fd)
    while True:
        command = commands.get()
        try:
            if command["do"] == "quit":
                simulation.stop()
                return
            reply = simulation.build(command) if command["do"] == "build" else simulation.run(command["steps"])
        except RefusedError as refusal:
            reply = {"error": refusal.found, "cure": refusal.cure}
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        _answer(answer_fd, reply)


def _read_commands(fd: int, commands: "queue.SimpleQueue[dict[str, Any]]", folder: str) -> None:
    # Raw reads: a Python file object's lock would be copied, held, into every process Lava forks.
    pending = b""
    while True:
        block = os.read(fd, 65536)
        if not block:
            shutil.rmtree(folder, ignore_errors=True)
            os.killpg(os.getpgrp(), signal.SIGTERM)
            return
        *lines, pending = (pending + block).split(b"\n")
        for line in lines:
            commands.put(json.loads(line))


def _answer(fd: int, value: dict[str, Any]) -> None:
    os.write(fd, json.dumps(value).encode() + b"\n")


class Simulation:
    """At most one Lava network at a time, built and stopped by command."""

    def __init__(self, answer_fd: int) -> None:
        self._answer_fd = answer_fd
        self._net: Any = None
        self._watch = threading.Event()

    def build(self, command: dict[str, Any]) -> dict[str, Any]:
        """Build the network of a file with source and sinks, and describe it.

        Without ``folder`` nothing runs: the network is only described.
        """
        self.stop()
        period = command.get("period")
        net = load(command["net"], period)
        spontaneous = memory_of(net)
        answer = {
            "input": [int(size) for size in net.in_layer.inp.shape],
            "layers": [[int(size) for size in layer.out.shape] for layer in net.layers],
            "memory": spontaneous,
            "transform": transform_of(net),
        }
        if command.get("folder"):
            self._start(net, Path(command["folder"]), command["rows"], command["dtype"], command["stock"])
        return answer

    def _start(self, net: Any, folder: Path, rows: int, dtype: str, stock: bool) -> None:
        from lava.magma.core.run_conditions import RunSteps
        from lava.magma.core.run_configs import Loihi2SimCfg
        from lava.proc.conv.process import Conv

        from lava_runtime.processes.fast_conv import SparseConvModel
        from lava_runtime.processes.sink import PORTS, SpikeSink
        from lava_runtime.processes.source import SpikeSource

        source = SpikeSource(file=str(folder / "in.raw"), rows=rows, shape=tuple(net.in_layer.inp.shape), dtype=dtype)
        source.s_out.connect(net.inp)
        for first in range(0, len(net.layers), PORTS):
            layers = net.layers[first : first + PORTS]
            shapes = tuple(tuple(layer.out.shape) for layer in layers)
            name = f"{first // PORTS}"
            sink = SpikeSink(
                file=str(folder / f"out{name}.raw"), clock=str(folder / f"clock{name}.raw"), rows=rows, shapes=shapes
            )
            for port, layer in enumerate(layers):
                layer.out.connect(getattr(sink, f"in_{port}"))
        models = {}
        if not stock:
            models[Conv] = SparseConvModel
            channels.install()
        net._log_config.level = logging.ERROR
        config = Loihi2SimCfg(select_tag="fixed_pt", exception_proc_model_map=models, loglevel=logging.ERROR)
        net.create_runtime(run_cfg=config)
        self._net = net
        self._steps = RunSteps
        self._watch = threading.Event()
        pids = [actor.pid for actor in net.runtime._messaging_infrastructure.actors]
        threading.Thread(target=self._watch_children, args=(pids, self._watch), daemon=True).start()

    def run(self, steps: int) -> dict[str, Any]:
        """Run some steps; the spikes are in the files when this returns."""
        self._net.run(condition=self._steps(num_steps=steps))
        return {"done": steps}

    def stop(self) -> None:
        """Stop Lava's processes, if there are any."""
        if self._net is None:
            return
        self._watch.set()
        net, self._net = self._net, None
        # A runtime that never ran does not stop its processes; one step starts it.
        if not net.runtime._is_started:
            net.run(condition=self._steps(num_steps=1))
        net.stop()

    def _watch_children(self, pids: list[int], stopped: threading.Event) -> None:
        """Say so when one of Lava's processes ends too early: Lava itself would wait for ever."""
        while not stopped.wait(0.1):
            for pid in pids:
                # WNOWAIT leaves the process for Lava to collect.
                with contextlib.suppress(ChildProcessError):
                    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                    if ended is None or stopped.wait(_EXPLAIN_S):
                        continue
                    how = f"with code {ended.si_status}"
                    if ended.si_code != os.CLD_EXITED:
                        how = f"killed by {signal.Signals(ended.si_status).name}"
                    text = f"one of Lava's {len(pids)} processes ended early, {how}"
                    _answer(self._answer_fd, {"error": text, "fatal": True})
                    return


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
