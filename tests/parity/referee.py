"""Lava as the referee, in a process of its own: its own models, stepped with or without its runtime.

Not a test: the fixtures of conftest.py start it as ``python referee.py models`` or ``python referee.py runtime``. It
takes pickled jobs on its standard input, one after the other, and answers each on what was its standard output.

A job is {"nets": paths of .net files, "stock": whether lava-dl's loader is to load each alone, "inputs": one array
a net}. ``models`` takes inputs of shape (sample, ..., time)
and answers with a list a net of a list a sample; ``runtime`` takes (..., time) and answers with a list a net. In
them stands a dictionary a layer: "spikes", "u" and "v" after each step, shape (width, height, channel, time) or
(neuron, time), as Lava counts.

Without the runtime (``models``) the networks are lava-dl's, loaded by its loader, and the models are built by Lava's
own builder with Lava's own ports; only the channels between them, the clock and the operating system's processes are
replaced, by queues and a loop. That is a thousand times faster. The runtime itself stays the judge of that loop: see
test_engine_lava.py.
"""

import collections
import os
import pickle
import sys
import tempfile
import traceback
from pathlib import Path

import numpy as np

from lava_runtime import netx_loader


def load(path, stock):
    """The network of a .net file; by lava-dl's loader as it is, which leaves a population's bias to its caller."""
    if not stock:
        return netx_loader.load(str(path), None)
    netx_loader._import_without_torch()
    from lava.lib.dl.netx import hdf5

    net = hdf5.Network(net_config=str(path))
    net.net_config.f.close()
    return net


class Queue:
    """What stands in for a channel: it keeps a message as the channel's memory would, as 32-bit integers."""

    name = "queue"

    def __init__(self):
        self.messages = collections.deque()
        self.change = lambda message: message

    def send(self, message):
        self.messages.append(self.change(np.array(message, dtype=np.int32)))

    def recv(self):
        return self.messages.popleft()


class Echo:
    """The channel of recurrent synapses, which send what they summed a step ago before they listen."""

    name = "echo"

    def __init__(self):
        self.model = None

    def recv(self):
        return np.array(self.model.a_buff, dtype=np.int32)

    def send(self, message):
        pass


def build(process, ports):
    """The model that the runtime would choose for a process, built as it would; ``ports`` are lists of queues."""
    from lava.magma.compiler.builders.py_builder import PyProcessBuilder
    from lava.magma.compiler.utils import PortInitializer, VarInitializer
    from lava.proc.conv.models import PyConvModelFixed
    from lava.proc.conv.process import Conv
    from lava.proc.dense.models import PyDelayDenseModelBitAcc, PyDenseModelBitAcc
    from lava.proc.dense.process import DelayDense, Dense
    from lava.proc.lif.models import PyLifModelBitAcc
    from lava.proc.lif.process import LIF

    from lava_runtime.processes.biased_lif import BiasedLif, PyBiasedLifModelFixed
    from lava_runtime.processes.dh_lif import DhLif, PyDhLifModelFixed

    models = {
        LIF: PyLifModelBitAcc,
        BiasedLif: PyBiasedLifModelFixed,
        DhLif: PyDhLifModelFixed,
        Dense: PyDenseModelBitAcc,
        DelayDense: PyDelayDenseModelBitAcc,
        Conv: PyConvModelFixed,
    }
    builder = PyProcessBuilder(models[type(process)], 0, process.proc_params)
    builder.set_variables([VarInitializer(var.name, var.shape, var.init, var.id) for var in process.vars])
    kinds = (("InPort", process.in_ports), ("OutPort", process.out_ports))
    found = [PortInitializer(port.name, port.shape, np.int32, kind, 64) for kind, group in kinds for port in group]
    builder.set_py_ports(found)
    builder.csp_ports = ports
    return builder.build()


def flat(message):
    """What NetX puts between a convolution and a dense layer: (width, height, channel) in the order of SLAYER."""
    return message.transpose().reshape(-1)


class Models:
    """One run of a network's models from rest."""

    def __init__(self, net):
        self.input = Queue()
        self.steps, self.neurons = [], []
        before, shape = self.input, tuple(net.in_layer.inp.shape)
        for layer in net.layers:
            feeds, out, seen = [], Queue(), Queue()
            ports = {"a_in": feeds, "s_out": [out, seen]}
            if hasattr(layer, "synapse"):
                # What NetX puts between a convolution and a dense layer, if it is not at the beginning.
                if len(shape) > len(layer.inp.shape):
                    before.change = flat
                feeds.append(Queue())
                self.steps.append(build(layer.synapse, {"s_in": [before], "a_out": [feeds[0]]}).run_spk)
            elif hasattr(layer.neuron, "bias_in"):
                ports["bias_in"] = [before]
            if hasattr(layer, "synapse_rec"):
                echo, back = Echo(), Queue()
                feeds.append(echo)
                ports["s_out"].append(back)
            neuron = build(layer.neuron, ports)
            self.steps.append(neuron.run_spk)
            self.neurons.append((neuron, seen))
            if hasattr(layer, "synapse_rec"):
                echo.model = build(layer.synapse_rec, {"s_in": [back], "a_out": [echo]})
                self.steps.append(echo.model.run_spk)
            before, shape = out, tuple(layer.out.shape)
        first = net.in_layer
        self.transform = getattr(first, "transform", None)
        self.population = self.neurons[0][0] if self.transform and not hasattr(first.neuron, "bias_in") else None

    def run(self, x):
        """Step through the input, shape (..., time)."""
        found = [{"spikes": [], "u": [], "v": []} for _ in self.neurons]
        if self.transform:
            x = self.transform["weight"] * x.astype(np.int64) + self.transform["bias"]
        for step in range(x.shape[-1]):
            if self.population is None:
                self.input.send(x[..., step])
            else:
                self.population.bias_mant[...] = x[..., step]
            for run in self.steps:
                run()
            for trace, (neuron, seen) in zip(found, self.neurons, strict=True):
                trace["spikes"].append(seen.recv())
                trace["u"].append(neuron.u.copy())
                trace["v"].append(neuron.v.copy())
        return [{key: np.stack(values, axis=-1) for key, values in trace.items()} for trace in found]


def run_models(job):
    answers = []
    for path, stock, x in zip(job["nets"], job["stock"], job["inputs"], strict=True):
        net = load(path, stock)
        answers.append([Models(net).run(sample) for sample in x])
    return answers


def run_runtime(job):
    """All networks side by side in one run of Lava's runtime, stopped after each step to read what the neurons hold."""
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg

    from lava_runtime.processes.sink import PORTS, SpikeSink
    from lava_runtime.processes.source import SpikeSource

    nets = [load(path, stock) for path, stock in zip(job["nets"], job["stock"], strict=True)]
    steps = {x.shape[-1] for x in job["inputs"]}
    assert len(steps) == 1, steps
    steps = steps.pop()
    populations = []
    with tempfile.TemporaryDirectory() as folder:
        for index, (net, x) in enumerate(zip(nets, job["inputs"], strict=True)):
            transform = getattr(net.in_layer, "transform", {"weight": 1, "bias": 0})
            values = (transform["weight"] * x.astype(np.int64) + transform["bias"]).astype(np.int32)
            if not hasattr(net.in_layer, "synapse") and not hasattr(net.in_layer.neuron, "bias_in"):
                populations.append((net.in_layer.neuron.bias_mant, values))
                continue
            rows = np.memmap(f"{folder}/in{index}", dtype=np.int32, mode="w+", shape=(steps, x[..., 0].size))
            rows[:] = np.moveaxis(values, -1, 0).reshape(steps, -1)
            shape = tuple(net.in_layer.inp.shape)
            source = SpikeSource(file=f"{folder}/in{index}", rows=steps, shape=shape, dtype="int32")
            source.s_out.connect(net.inp)
        layers = [layer for net in nets for layer in net.layers]
        # Only what is connected runs together: every sink hears the first layer too.
        outs = []
        for number, first in enumerate(range(0, len(layers), PORTS - 1)):
            heard = [layers[0], *layers[first : first + PORTS - 1]]
            shapes = tuple(tuple(layer.out.shape) for layer in heard)
            sizes = [int(np.prod(shape)) for shape in shapes]
            np.memmap(f"{folder}/clock{number}", dtype=np.int64, mode="w+", shape=(1,))
            rows = np.memmap(f"{folder}/out{number}", dtype=np.uint8, mode="w+", shape=(steps, sum(sizes)))
            sink = SpikeSink(file=f"{folder}/out{number}", clock=f"{folder}/clock{number}", rows=steps, shapes=shapes)
            for port, layer in enumerate(heard):
                layer.out.connect(getattr(sink, f"in_{port}"))
            parts = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])
            outs += [(rows, part, shape) for part, shape in zip(parts[1:], shapes[1:], strict=True)]
        states = [{"u": [], "v": []} for _ in layers]
        for step in range(steps):
            for bias, values in populations:
                # Before the first step nothing runs that could be told.
                if step:
                    bias.set(values[..., step])
                else:
                    bias.init = values[..., 0]
            nets[0].run(condition=RunSteps(num_steps=1), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
            for layer, state in zip(layers, states, strict=True):
                for key, values in state.items():
                    values.append(np.array(getattr(layer.neuron, key).get()))
        nets[0].stop()
        found = []
        for (rows, part, shape), state in zip(outs, states, strict=True):
            spikes = np.moveaxis(np.array(rows[:, part]).reshape(steps, *shape), 0, -1)
            found.append({"spikes": spikes, **{key: np.stack(values, axis=-1) for key, values in state.items()}})
    answers = []
    for net in nets:
        answers.append(found[: len(net.layers)])
        found = found[len(net.layers) :]
    return answers


def main(mode):
    # Lava prints; the answers leave by another door.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve = {"models": run_models, "runtime": run_runtime}[mode]
    while True:
        try:
            job = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer = serve(job)
        except Exception:
            answer = traceback.format_exc()
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    main(sys.argv[1])
