"""Run spikes of a user's own through a .net file, however many samples there are."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.graph import DhLif, Network
from lava_runtime.engine.tally import Tally
from lava_runtime.outputs import NpyWriter, check_writable, npy_file, npz_file
from lava_runtime.runner import Result, Runner, add_up
from lava_runtime.spikes import SpikeFile, check_shape
from train.errors import CallError, MaestroError

_PARTS = {"spikes": np.uint8, "u": np.int32, "v": np.int32}


@dataclass(frozen=True)
class Outputs:
    """Files to write, None where not asked for.

    Parameters
    ----------
    output
        .npy: output spikes (sample, neuron, time), uint8.
    readout
        .npy: means of the output by group (sample, group, time), float32: each the number nearest to a group's spikes
        over its neurons.
    probes
        .npz: of every layer probed ``LAYER.spikes``, ``LAYER.u`` and ``LAYER.v``, each (sample, layer shape, time);
        with dendrites ``u`` has the branches after the samples.
    probed
        Layers to probe.
    """

    output: Path | None = None
    readout: Path | None = None
    probes: Path | None = None
    probed: tuple[str, ...] = ()

    def check(self) -> None:
        """Refuse, before any work, what could not be written after it.

        Raises
        ------
        CallError
            A wrong suffix, a folder, one file for two things; probes without a file, or the other way round.
        MaestroError
            A folder that cannot be written to.
        """
        paths = {"--output": self.output, "--readout": self.readout, "--probes": self.probes}
        taken: dict[Path, str] = {}
        for option, path in paths.items():
            if path is None:
                continue
            check_writable(option, path, ".npz" if option == "--probes" else ".npy")
            other = taken.setdefault(path.absolute(), option)
            if other != option:
                raise CallError(f"{option} {path}", f"is the file of {other} too", cure="give each a file of its own")
        if self.probed and self.probes is None:
            raise CallError("--probe", "has no file to go to", cure="add --probes P.npz")
        if self.probes is not None and not self.probed:
            raise CallError("--probes", "is given without a layer", cure="add --probe LAYER, once for each layer")


@dataclass(frozen=True, eq=False)
class Summary:
    """What is told of a run beside its files: output spikes (sample, neuron) and spikes of layers (sample, layer)."""

    layers: tuple[str, ...]
    samples: int
    steps: int
    output_counts: NDArray[np.int64]
    layer_counts: NDArray[np.int64]
    tally: Tally | None


def run_net(runner: Runner, source: Path, outputs: Outputs, *, told: int | None = None) -> Summary:
    """Run a file of spikes; memory does not grow with the number of samples.

    Parameters
    ----------
    runner
        Of the network.
    source
        .npy file, as :class:`lava_runtime.spikes.CheckedSpikes` takes it.
    outputs
        What to write.
    told
        Samples whose spike counts to keep for the summary; all if None.

    Raises
    ------
    CallError
        A readout of a network without one, a probe of a layer that is not there or with another backend.
    MaestroError
        The spikes do not fit the network; a file cannot be written.
    """
    network = runner.network
    _check_network(network, outputs)
    spikes = SpikeFile(source)
    check_shape(str(source), spikes, network.input_shape)
    samples, steps = spikes.shape[0], spikes.shape[-1]
    with ExitStack() as stack:
        sink = _Sink(stack, network, outputs, samples, steps)
        output_counts, layer_counts = [], []
        tallies: list[Tally] = []
        left = samples if told is None else told
        for block in runner.blocks(spikes, where=str(source), probes=outputs.probed):
            sink.append(block)
            if left > 0:
                output_counts.append(block.output[:left].sum(axis=-1, dtype=np.int64))
                layer_counts.append(block.counts[:left])
                left -= len(output_counts[-1])
            if block.tally is not None:
                tallies = [add_up([*tallies, block.tally])]
    told_counts = np.concatenate(output_counts), np.concatenate(layer_counts)
    return Summary(network.spiking_names, samples, steps, *told_counts, tallies[0] if tallies else None)


def _check_network(network: Network, outputs: Outputs) -> None:
    if outputs.readout is not None and network.readout is None:
        raise CallError("--readout", "the network does not end in an average layer", cure="use --output")
    for name in outputs.probed:
        if name not in network.spiking_names:
            raise CallError(f"--probe {name}", "no such layer", allowed=", ".join(network.spiking_names))


class _Sink:
    """The files of a run, open while it goes on."""

    def __init__(self, stack: ExitStack, network: Network, outputs: Outputs, samples: int, steps: int) -> None:
        self._output = self._readout = None
        self._probes: Mapping[str, NpyWriter] = {}
        self._group = 1
        if outputs.output is not None:
            shape = (samples, network.output_size, steps)
            self._output = stack.enter_context(npy_file(outputs.output, shape, np.uint8))
        if outputs.readout is not None and network.readout is not None:
            groups = network.readout.shape[0]
            self._group = network.output_size // groups
            shape = (samples, groups, steps)
            self._readout = stack.enter_context(npy_file(outputs.readout, shape, np.float32))
        if outputs.probes is not None:
            arrays = _probe_arrays(network, outputs.probed, samples, steps)
            self._probes = stack.enter_context(npz_file(outputs.probes, arrays))
        self._layers = outputs.probed

    def append(self, block: Result) -> None:
        if self._output is not None:
            self._output.append(block.output)
        if self._readout is not None:
            if block.readout is None:
                raise MaestroError("readout", "the backend gave none")
            self._readout.append(block.readout / self._group)
        for name in self._layers:
            for part in _PARTS:
                self._probes[f"{name}.{part}"].append(getattr(block.probes[name], part))


def _probe_arrays(
    network: Network, probed: Sequence[str], samples: int, steps: int
) -> dict[str, tuple[tuple[int, ...], Any]]:
    found: dict[str, tuple[tuple[int, ...], Any]] = {}
    layers = dict(network.spiking)
    for name in probed:
        layer = layers[name]
        for part, dtype in _PARTS.items():
            branches = (layer.neuron.branches,) if part == "u" and isinstance(layer.neuron, DhLif) else ()
            found[f"{name}.{part}"] = ((samples, *branches, *layer.shape, steps), dtype)
    return found
