"""The process that holds Lava: started, watched and killed by :mod:`lava_runtime.network`.

Lava starts one operating-system process for each of its Processes, waits on them without a limit
of time, and leaves them behind when it is interrupted. So all of it lives in a session of its own,
led by this process: whoever started it speaks to it through two pipes, reads and writes spikes in
mapped files, and kills the whole group when it goes silent. When the starter dies, the pipe
closes, and this process kills the group itself.

Not for people: ``python -m lava_runtime.worker COMMAND_FD ANSWER_FD``.
"""

import contextlib
import json
import logging
import os
import queue
import signal
import sys
import threading
import types
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from lava_runtime import channels

# Seconds that Lava gets to explain itself when one of its processes has ended.
_EXPLAIN_S = 1.0


class RefusedError(Exception):
    """A network that Lava cannot run rightly; carries what was found and what to do."""

    def __init__(self, found: str, cure: str) -> None:
        super().__init__(found)
        self.found = found
        self.cure = cure


def main(command_fd: int, answer_fd: int) -> None:
    """Obey commands, one JSON line each, until told to quit."""
    commands: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_read_commands, args=(command_fd, commands), daemon=True).start()
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


def _read_commands(fd: int, commands: "queue.SimpleQueue[dict[str, Any]]") -> None:
    # Raw reads: a Python file object's lock would be copied, held, into every process Lava forks.
    pending = b""
    while True:
        block = os.read(fd, 65536)
        if not block:
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
        }
        if command.get("folder"):
            self._start(net, Path(command["folder"]), command["rows"], command["stock"])
        return answer

    def _start(self, net: Any, folder: Path, rows: int, stock: bool) -> None:
        from lava.magma.core.run_conditions import RunSteps
        from lava.magma.core.run_configs import Loihi2SimCfg
        from lava.proc.conv.process import Conv

        from lava_runtime.processes.fast_conv import SparseConvModel
        from lava_runtime.processes.sink import PORTS, SpikeSink
        from lava_runtime.processes.source import SpikeSource

        source = SpikeSource(file=str(folder / "in.raw"), rows=rows, shape=tuple(net.in_layer.inp.shape))
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


def load(path: str, period: int | None) -> Any:
    """Stock lava-dl's network of a .net file, resetting every ``period`` steps; its file closed."""
    _import_without_torch()
    from lava.lib.dl.netx import hdf5

    try:
        # The offset is 1: a layer's neurons reset on the step that brings them the sample's first
        # spikes. Others give wrong spikes without an error.
        net = hdf5.Network(net_config=path, reset_interval=period, reset_offset=1 if period else 0)
    except (OSError, KeyError, AttributeError, TypeError, ValueError, OverflowError, RuntimeError) as error:
        # What NetX says of each layer type that it names and never built (lava-dl 0.6.0, netx/hdf5.py).
        if str(error).endswith(" is not implemented."):
            raise RefusedError(
                f"has a layer that NetX cannot run: {str(error).rstrip('.')}",
                "export it again; pooling goes out as convolution",
            ) from error
        raise RefusedError(
            f"cannot be loaded by lava-dl: {type(error).__name__}: {error}",
            "`python -m export lint` says what is wrong with it",
        ) from error
    try:
        _check(net)
    finally:
        # lava-dl keeps the file open, and nobody could write it again.
        net.net_config.f.close()
    return net


def _import_without_torch() -> None:
    """Load NetX without torch and OpenCV, which cost it seconds and 300 MB and this process has no use for.

    NetX takes ``neuron_params`` of resonate-and-fire neurons from SLAYER; networks with these are
    refused here. ``sequential_modules`` is not used. Only this process sees the stand-ins.
    """
    if "lava.lib.dl.netx.hdf5" in sys.modules:
        return

    def neuron_params(*_: Any, **__: Any) -> None:
        raise RefusedError("has resonate-and-fire neurons", "this runner knows CUBA LIF alone")

    rf = types.ModuleType("lava.lib.dl.slayer.neuron.rf")
    rf.neuron_params = neuron_params  # type: ignore[attr-defined]
    sequential = types.ModuleType("lava.lib.dl.netx.sequential_modules")
    names = ("lava.lib.dl.slayer", "lava.lib.dl.slayer.neuron")
    sys.modules.update({name: types.ModuleType(name) for name in names})
    sys.modules.update({module.__name__: module for module in (rf, sequential)})
    # While it compiles, Lava runs every file beside a Process's file: these may not bring torch back.
    sys.modules["torch"] = None  # type: ignore[assignment]
    from lava.lib.dl.netx import hdf5

    # Lava asks every module of the package for its file.
    sequential.__file__ = hdf5.__file__


def _check(net: Any) -> None:
    """Refuse what Lava would run with wrong spikes and no error, or not at all (``export/rulebook.py`` says why)."""
    from lava.proc.lif.process import LIF, LIFReset

    for index, layer in enumerate(net.layers):
        kind = type(layer).__name__
        where = f"layer {index} ({kind})"
        if kind == "Input":
            raise RefusedError(f"{where} has neurons of its own, which NetX does not connect to its input", "drop them")
        if not isinstance(layer.neuron, (LIF, LIFReset)):
            raise RefusedError(f"{where} has {type(layer.neuron).__name__} neurons", "this runner knows CUBA LIF alone")
        if kind == "Conv" and int(np.max(layer.synapse.groups.init)) > 127:
            raise RefusedError(
                f"{where} has more than 127 groups, which Lava's model keeps in 8 bits", "use fewer channels"
            )
    for name, config in net.net_config.f["layer"].items():
        kind = np.ravel(config["type"][()])[0].decode()
        if kind in ("conv", "dense_rec") and "delay" in config:
            raise RefusedError(f"layer {name} ({kind}) has delays, which NetX gets wrong", "export it without")
        neuron = config.get("neuron", {})
        # messageBits does not even load: NetX's dictionary does not know the key.
        if "messageBits" in neuron or ("gradedSpike" in neuron and np.any(neuron["gradedSpike"][()])):
            raise RefusedError(f"layer {name} sends graded spikes, which NetX gets wrong", "export with unary spikes")


def memory_of(net: Any) -> str:
    """What in the network outlives LIFReset, in words; empty if nothing does.

    A neuron resets on the step that brings it the next sample's first spikes, and what its synapse
    summed before is gone by then. That is exact for plain layers. It is not where a spike can stay
    on the way for longer (delays, recurrence), nor where a layer is active before its first spikes
    (bias), because in a fresh run it starts at step 1 and not at its reset.
    """
    for index, layer in enumerate(net.layers):
        if hasattr(layer, "synapse_rec"):
            return f"layer {index} is recurrent"
        if type(layer.synapse).__name__.startswith("Delay"):
            return f"layer {index} has delays"
        if np.any(layer.neuron.bias_mant.init != 0):
            return f"layer {index} has a bias"
        if np.any(np.asarray(layer.neuron.vth.init) < 0):
            return f"layer {index} has a threshold below 0"
    return ""


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    main(int(sys.argv[1]), int(sys.argv[2]))
