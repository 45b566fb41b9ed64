"""NeuroBench's names and definitions of what is counted.

Yik et al., Nat Commun 16:1545, 2025, and NeuroBench 2's documentation and code (docs/metrics/static_metrics and
workload_metrics; neurobench/metrics). Where text and code differ, the code is followed: connection sparsity is the
share of zeros among the weights, and an ANN's footprint that of the parameters and buffers which its module holds.
Its hooks miscount SLAYER's own blocks (weight norm, recurrent layers), so that they
are not used; given the exported integers and the engine's spikes layer by layer, or this project's ANN in torch's
modules, version 2.3.0 counts the same ACs, MACs, dense operations and activation sparsity as is counted here.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hardware.measurement import exact

if TYPE_CHECKING:
    from torch import nn

TORCH_METHOD = "NeuroBench: bytes of a module's parameters and buffers. Here as torch holds the ANN, in float32"
# By our name of the total: theirs, and the definition.
DEFINITIONS = {
    "footprint": ("footprint", "bytes of parameters, weights that are zero too, and of what has to be buffered"),
    "connection_sparsity": ("connection_sparsity", "weights that are zero over all weights"),
    "activation_sparsity": (
        "activation_sparsity",
        "outputs that are zero over all outputs of neurons or activation functions, over layers, steps and samples",
    ),
    "acs_effective": (
        "effective_acs",
        "non-zero weights met by non-zero inputs an execution, in layers whose input is 0, 1 or -1",
    ),
    "macs_effective": (
        "effective_macs",
        "non-zero weights met by non-zero inputs an execution, in layers whose input is anything else",
    ),
    "dense": ("dense", "weights met by inputs an execution, whatever is zero; biases and pooling averages left out"),
}


def module_bytes(module: "nn.Module") -> int:
    """Bytes of a module's parameters and buffers."""
    return sum(tensor.numel() * tensor.element_size() for tensor in (*module.parameters(), *module.buffers()))


def neurobench(total: Mapping[str, Any], held: int | None) -> dict[str, Any]:
    """A network's totals under NeuroBench's names, each with the definition that it follows.

    Parameters
    ----------
    total
        Of the section "counters".
    held
        Bytes of the ANN's parameters and buffers; None of a spiking network, which is deployed as integers and not as
        the module that was trained: its footprint is that of the integers.
    """
    found = {}
    for ours, (theirs, definition) in DEFINITIONS.items():
        entry = dict(total[ours])
        if "method" in entry:
            entry["method"] = f"NeuroBench: {definition}. Here {entry['method']}"
        found[theirs] = entry
    if held is not None:
        found["footprint"] = exact(held, "B", TORCH_METHOD).as_dict()
    return found
