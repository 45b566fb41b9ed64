"""Count what an inference of a run takes, over its whole test set."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hardware.counters.ann import AnnLayer, ann_counts, ann_layers, twin_counts
from hardware.counters.counts import Counts
from hardware.counters.footprint import Footprint
from hardware.counters.heard import spiking_work
from hardware.counters.neurobench import module_bytes, neurobench
from hardware.counters.section import (
    float_footprint,
    input_section,
    layer_part,
    part_section,
    total_part,
    twin_section,
)
from hardware.counters.seeds import LEAVE_OUT, ann_formulas, no_spiking_formulas, spiking_formulas
from hardware.counters.spiking import SpikingCounter
from hardware.counters.time_constants import branch_layers, time_constants
from hardware.counters.work import Work
from hardware.measurement import identity, unavailable
from train.artifacts import RunFolder
from train.config import Config, load_config
from train.console import progress
from train.plan import plan_layers

if TYPE_CHECKING:
    from export.graph import Network

SET = "test"
_INTEGERS = "the network is deployed as integers"


@dataclass(frozen=True, eq=False)
class CountedRun:
    """What an inference of a run takes.

    Parameters
    ----------
    identity
        Hashes of the files that it was counted on.
    counts
        Means over the test set.
    work
        The same clip by clip.
    network
        The exported network; None of an ANN.
    layers
        Of the ANN: the run's own, or its untrained twin's.
    twin
        Counts of the untrained twin, where what depends on its training is NaN; None if the run is an ANN.
    constants
        Time constants by layer; None of an ANN.
    held
        Bytes of the ANN's parameters and buffers as torch holds them; None of a spiking run.
    """

    identity: Mapping[str, str | None]
    counts: Counts
    work: Work
    network: "Network | None"
    layers: Sequence[AnnLayer]
    twin: Counts | None
    constants: Mapping[str, Any] | None
    held: int | None

    def section(self) -> dict[str, Any]:
        """The section "counters" of ``measurement.json``."""
        logits = {layer.name for layer in self.layers if not layer.has_activation} if self.network is None else set()
        footprints = self._footprints()
        parts = {
            name: layer_part(counts, self.work.layers[name], name not in logits, footprints[name])
            for name, counts in self.counts.layers.items()
        }
        whole = total_part(self.counts, list(parts.values()))
        total = {
            **part_section(whole),
            "input_spikes": input_section(self.work),
            "footprint_float32": float_footprint(self.layers) if self.network is None else unavailable(_INTEGERS),
        }
        return {
            "identity": dict(self.identity),
            "set": SET,
            "clips": self.counts.clips,
            "steps": self.counts.steps,
            "layers": {name: part_section(part) for name, part in parts.items()},
            "total": total,
            "neurobench": neurobench(total, self.held),
            "seed_formulas": {
                **ann_formulas(self.layers),
                **self._spiking_formulas(whole.footprint),
                "leave_out": LEAVE_OUT,
            },
            "ann_twin": None if self.twin is None else twin_section(self.twin, self.layers),
            "time_constants": None if self.constants is None else dict(self.constants),
        }

    def _footprints(self) -> dict[str, Footprint]:
        if self.network is None:
            return {layer.name: layer.footprint() for layer in self.layers}
        counter = SpikingCounter(self.network)
        return {name: counter.footprint(name) for name in self.network.spiking_names}

    def _spiking_formulas(self, footprint: Footprint) -> dict[str, Any]:
        if self.network is None:
            return no_spiking_formulas()
        inputs = math.prod(self.network.input_shape)
        operations = np.sum([work.syn_ops for work in self.work.layers.values()], axis=0)
        whole = self.counts.whole
        return spiking_formulas(footprint, whole.neurons, inputs, self.work.peak, operations, whole.state_updates)


def count_run(run: RunFolder, *, threads: int | None = None) -> CountedRun:
    """Count an inference of a run: a spiking network's deployed integers, or a trained ANN.

    Parameters
    ----------
    run
        Trained, and if it is a spiking network exported.
    threads
        Cores to use; all by default.

    Raises
    ------
    MaestroError
        The run is not trained or not exported, or its files do not belong together.
    """
    config = load_config(run.require(run.config, f"python -m train fit --run {run.path}"))
    return _count_ann(run, config, threads) if config.network.neuron == "ann" else _count_spiking(run, config, threads)


def _count_spiking(run: RunFolder, config: Config, threads: int | None) -> CountedRun:
    from hardware.deployed import input_spikes
    from lava_runtime.engine.engine import Engine
    from lava_runtime.inputs import run_clips

    found = run_clips(run)
    manifest, clips = found.manifest, found.sets[SET]
    engine = Engine.from_file(run.net, threads=threads)
    with progress(f"counting {config.name}", len(clips), "clips") as meter:
        work = spiking_work(engine, input_spikes(manifest, clips), meter.advance)
    counts = SpikingCounter(engine.network).counts(work, len(clips), clips.steps)
    channels, features, _ = manifest.input_shape
    plan = plan_layers(config.network, channels, features, engine.network.output_size)
    return CountedRun(
        identity(run),
        counts,
        work,
        engine.network,
        ann_layers(plan, None, clips.steps),
        twin_counts(plan, clips.steps, len(clips), counts.input_spikes),
        time_constants(engine.network, config.features.hop_s, branch_layers(config, engine.network.spiking_names)),
        None,
    )


def _count_ann(run: RunFolder, config: Config, threads: int | None) -> CountedRun:
    import torch

    from hardware.counters.activity import ann_work, layers_of
    from train.data.clips import data_clips
    from train.model import load_run

    if threads is not None:
        torch.set_num_threads(threads)
    trained = load_run(run)
    clips = data_clips(config)[0][SET]
    layers = layers_of(trained, clips.steps)
    with progress(f"counting {config.name}", len(clips), "clips") as meter:
        work = ann_work(trained, layers, clips, meter.advance)
    counts, held = ann_counts(layers, work, clips.steps), module_bytes(trained.network)
    return CountedRun(identity(run), counts, work, None, layers, None, None, held)
