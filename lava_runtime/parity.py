"""The ladder's rungs: SLAYER's quantised forward == reference == engine == Lava, every layer, every spike."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from export.gate import first_difference, trained_layers
from lava_runtime.inputs import Clip, RunClips, run_clips
from lava_runtime.network import PATIENCE_S, Spikes
from lava_runtime.runner import ENGINE, LAVA, REFERENCE, make_runner
from train.artifacts import RunFolder, provenance, write_json
from train.console import progress

# Clips in one forward of SLAYER; more only costs memory.
_BATCH = 8

Layers = Sequence[Spikes]


def parity(run: RunFolder, limit: int, *, patience_s: float = PATIENCE_S, stock: bool = False) -> dict[str, Any]:
    """Compare the four on test clips and write ``parity.json``.

    Parameters
    ----------
    run
        An exported run.
    limit
        Clips to compare, half from each test set, spread evenly.
    patience_s, stock
        Of :class:`lava_runtime.network.LavaNetwork`.

    Returns
    -------
    dict
        What ``parity.json`` holds: backends, clips, steps, layers, spikes by layer, differing
        spikes by pair and layer, the first divergence or None, provenance.

    Raises
    ------
    MaestroError
        The run is not whole, or a backend failed. A difference is no exception but in the result.
    """
    clips = run_clips(run)
    chosen = clips.some(limit)
    spikes = clips.spikes(chosen)
    found: dict[str, Layers] = {"slayer": slayer_layers(run, spikes)}
    for backend in (REFERENCE, ENGINE, LAVA):
        with make_runner(backend, run.net, layers=True, patience_s=patience_s, stock=stock) as runner:
            found[backend] = runner.run(spikes).layers
    record = {
        "backends": list(found),
        "stock_lava": stock,
        "net_sha256": clips.manifest.net_sha256,
        "clips": _count(clips, chosen),
        "steps": int(spikes.shape[-1]),
        "layers": list(clips.manifest.layers),
        **compare(found, clips.manifest.layers, chosen),
        "provenance": provenance(),
    }
    write_json(run.parity, record)
    return record


def slayer_layers(run: RunFolder, spikes: Spikes) -> Layers:
    """Every layer's spikes of SLAYER's quantised forward, each (sample, neuron..., time). Loads torch."""
    from train.model import load_run

    trained = load_run(run)
    parts = []
    with progress("SLAYER", len(spikes), "clips") as meter:
        for start in range(0, len(spikes), _BATCH):
            batch = spikes[start : start + _BATCH]
            parts.append(trained_layers(trained, batch))
            meter.advance(len(batch))
    return [np.concatenate(layer) for layer in zip(*parts, strict=True)]


def compare(found: Mapping[str, Layers], names: Sequence[str], clips: Sequence[Clip]) -> dict[str, Any]:
    """Differing spikes of every pair by layer, and where the first pair that differs first does.

    Parameters
    ----------
    found
        Of each backend every layer's spikes, each (sample, neuron..., time).
    names
        The layers' names.
    clips
        Split and number of each sample.

    Returns
    -------
    dict
        ``spikes`` (backend -> layer -> count), ``differing`` (pair -> layer -> count) and
        ``first_divergence``: of the first sample that differs the first layer, in it the first
        step and neuron; None if nothing differs.
    """
    spikes = {
        backend: {name: int(layer.sum(dtype=np.int64)) for name, layer in zip(names, layers, strict=True)}
        for backend, layers in found.items()
    }
    differing: dict[str, dict[str, int]] = {}
    first = None
    for one, other in combinations(found, 2):
        pair = f"{one} and {other}"
        differing[pair] = {
            name: int((a != b).sum()) if a.shape == b.shape else max(a.size, b.size)
            for name, a, b in zip(names, found[one], found[other], strict=True)
        }
        if first is None and any(differing[pair].values()):
            first = {"pair": pair, **_first(found[one], found[other], names, clips)}
    return {"spikes": spikes, "differing": differing, "first_divergence": first}


def _first(ours: Layers, theirs: Layers, names: Sequence[str], clips: Sequence[Clip]) -> dict[str, Any]:
    for sample, (split, index) in enumerate(clips):
        for name, a, b in zip(names, ours, theirs, strict=True):
            if a.shape != b.shape:
                return {"layer": name, "shapes": [list(a.shape), list(b.shape)]}
            first = first_difference(a[sample], b[sample])
            if first is None:
                continue
            neuron, step = first
            at = (sample, *neuron, step)
            return {
                "sample": sample,
                "split": split,
                "clip": index,
                "layer": name,
                "neuron": list(neuron),
                "step": step,
                "values": [int(a[at]), int(b[at])],
            }
    raise ValueError("nothing differs")


def describe(first: Mapping[str, Any]) -> str:
    """A divergence in a line."""
    if "shapes" in first:
        return f"{first['pair']} differ first in layer {first['layer']}: shapes {first['shapes']}"
    return (
        f"{first['pair']} differ first in sample {first['sample']} (clip {first['clip']} of {first['split']}), "
        f"layer {first['layer']}, neuron {tuple(first['neuron'])}, step {first['step']}: "
        f"{first['values'][0]} against {first['values'][1]}"
    )


def _count(clips: RunClips, chosen: Sequence[Clip]) -> dict[str, int]:
    return {split: sum(of == split for of, _ in chosen) for split in clips.sets}
