"""What the engine counted, in rows and as plain data."""

from collections.abc import Mapping
from typing import Any

from export.limits import STATE_MAX
from lava_runtime.engine.tally import LayerTally, Tally
from train.console import emit_table

COLUMNS = ["layer", "neurons", "spikes in", "spikes", "rate", "syn. ops", "updates", "|u|", "|v|", "wraps", "way"]


def plain(tally: Tally) -> dict[str, Any]:
    """Counts of every layer, with ``u_range`` and ``v_range``: the largest states as shares of their 24 bits' 2^23."""
    return {name: {**layer.as_dict(), **_ranges(layer)} for name, layer in tally.layers.items()}


def per_inference(tally: Tally) -> dict[str, Any]:
    """The same with means a sample instead of sums, for what grows with the samples."""
    grows = ("dendrite_updates", "state_updates", "syn_ops", "spikes_in", "axon_out")
    return {
        name: {key: value / tally.samples if key in grows else value for key, value in layer.items()}
        for name, layer in plain(tally).items()
    }


def _ranges(layer: LayerTally) -> dict[str, float]:
    return {"u_range": layer.u_max / STATE_MAX, "v_range": layer.v_max / STATE_MAX}


def emit_counters(title: str, counted: Mapping[str, Mapping[str, Any]]) -> None:
    """A table of what :func:`per_inference` gives."""
    rows = [
        [
            name,
            f"{layer['neurons']:,}",
            _mean(layer["spikes_in"]),
            _mean(layer["axon_out"]),
            f"{100 * layer['rate']:.2f} %",
            _mean(layer["syn_ops"]),
            _mean(layer["dendrite_updates"]),
            f"{100 * layer['u_range']:.1f} %",
            f"{100 * layer['v_range']:.1f} %",
            _events(layer),
            layer["path"],
        ]
        for name, layer in counted.items()
    ]
    summed = {key: sum(layer[key] for layer in counted.values()) for key in ("neurons", "axon_out", "syn_ops")}
    updates = sum(layer["dendrite_updates"] for layer in counted.values())
    rate = f"{100 * summed['axon_out'] / updates:.2f} %" if updates else ""
    total = ["all", f"{summed['neurons']:,}", "", _mean(summed["axon_out"]), rate, _mean(summed["syn_ops"])]
    emit_table(title, COLUMNS, [*rows, [*total, _mean(updates), "", "", "", ""]])


def _mean(value: float) -> str:
    return f"{value:,.1f}" if value < 1000 else f"{value:,.0f}"


def _events(layer: Mapping[str, Any]) -> str:
    """Wrapped currents, and voltages that were cut, over all samples."""
    wraps, cuts = layer["wraps"], layer["saturations"]
    return f"{wraps:,}" + (f" (v cut {cuts:,})" if cuts else "")
