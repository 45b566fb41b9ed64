"""Results of the commands as tables for people."""

import json
from itertools import pairwise
from typing import Any

import click
import numpy as np

from lava_runtime.counters import emit_counters, per_inference, plain
from lava_runtime.identify import Identification, plain_decisions, time_line
from lava_runtime.live import Live
from lava_runtime.live import as_json as heard_as_json
from lava_runtime.run_net import Summary
from lava_runtime.segment import Segmentation
from train.console import emit_json, emit_table, say
from train.metrics import percent

# Samples whose spikes are shown.
SAMPLES = 20


def show_run(found: Summary, backend: str, as_json: bool) -> None:
    """What a .net file made of spikes."""
    if as_json:
        emit_json(
            {
                "backend": backend,
                "samples": found.samples,
                "steps": found.steps,
                "layers": list(found.layers),
                "output_counts": found.output_counts.tolist(),
                "layer_counts": found.layer_counts.tolist(),
                "counters": None if found.tally is None else plain(found.tally),
            }
        )
        return
    shown = min(found.samples, SAMPLES)
    rows = [
        [str(sample), str(int(np.argmax(counts))), str(int(counts.max())), *map(str, layers.tolist())]
        for sample, (counts, layers) in enumerate(
            zip(found.output_counts[:shown], found.layer_counts[:shown], strict=True)
        )
    ]
    more = f", the first {shown} of {found.samples}" if shown < found.samples else ""
    emit_table(
        f"{backend}: spikes by sample{more}", ["sample", "most active neuron", "its spikes", *found.layers], rows
    )
    if found.tally is not None:
        title = f"counted by layer; means a sample of {found.steps} steps, over {found.samples}"
        emit_counters(title, per_inference(found.tally))
        _explain_counters()


def _explain_counters() -> None:
    say(
        "|u| and |v|: largest current and voltage, in per cent of what 24 bits hold; "
        "way: events (work goes with spikes) or dense (matrix products), whichever was cheaper"
    )


def show_evaluation(found: dict[str, Any]) -> None:
    """How often a run's network is right, and at what cost."""
    backend = found["backend"]
    parts = [(backend, found["splits"]), ("engine", found["engine"])]
    if backend == "engine":
        parts = parts[:1]
    heads = list(next(iter(found["engine"].values()))["accuracy"])
    rows = [
        [split, who, str(entry["clips"]), *(percent(entry["accuracy"][head]) for head in heads)]
        for split in found["engine"]
        for who, splits in parts
        if (entry := splits.get(split))
    ]
    emit_table("accuracy (95 % interval)", ["test set", "run by", "clips", *heads], rows)
    if backend != "engine":
        _show_spikes(found, backend)
    for split, entry in found["engine"].items():
        emit_counters(f"counted by layer, per inference ({split}, engine)", entry["counters"])
    _explain_counters()
    for who, speed in found["speed"].items():
        pace = f"{speed['clips_per_s']:,.1f} clips a second"
        click.echo(f"{who}: {speed['clips']} clips in {speed['seconds']:.2f} s, {pace}")
    decisions = found["decisions"]
    if decisions:
        click.echo(
            f"{decisions['compared']} decisions of {backend} and engine on the same clips: "
            f"{decisions['differing']} differ"
        )
    if found["as_trained"] is None:
        click.echo("trained accuracy unknown: the run has no metrics.json")
    else:
        click.echo(f"deployed accuracy equals trained accuracy exactly: {'yes' if found['as_trained'] else 'NO'}")


def _show_spikes(found: dict[str, Any], backend: str) -> None:
    splits = list(found["splits"])
    layers = list(found["splits"][splits[0]]["spikes"])
    counts = [[layer, *(f"{found['splits'][split]['spikes'][layer]:.1f}" for split in splits)] for layer in layers]
    total = [f"{sum(found['splits'][split]['spikes'].values()):.1f}" for split in splits]
    emit_table(f"spikes per inference ({backend})", ["layer", *splits], [*counts, ["all", *total]])


def show_parity(record: dict[str, Any], fast: bool) -> None:
    """Differing spikes along the chain of backends, and of any other pair that differs."""
    backends = record["backends"]
    chain = [f"{one} and {other}" for one, other in pairwise(backends)]
    pairs = chain + [pair for pair, layers in record["differing"].items() if pair not in chain and any(layers.values())]
    rows = [
        [layer, str(record["spikes"][backends[0]][layer]), *(str(record["differing"][pair][layer]) for pair in pairs)]
        for layer in record["layers"]
    ]
    clips = sum(record["clips"].values())
    title = f"parity: {clips} clips of {record['steps']} steps, {'quickened' if fast else 'stock'} Lava"
    emit_table(f"{title}; spikes that differ between", ["layer", "spikes", *pairs], rows)


def show_identification(found: Identification) -> None:
    """What a recording is, in all and over time."""
    rows = [[head, found.overall[head].label, f"{found.overall[head].confidence:.2f}"] for head in found.overall]
    emit_table(f"{found.sound}, {clock(found.duration_s)}", ["", "decision", "confidence"], rows)
    line = [
        [
            f"{clock(window.start_s)} to {clock(window.stop_s)}",
            *(f"{decision.label} {decision.confidence:.2f}" for decision in window.decisions.values()),
        ]
        for window in time_line(found)
    ]
    emit_table("over time", ["time", *found.overall], line)
    say("confidence: softmax of spike counts, which orders decisions and is no chance of being right")


def show_segmentation(found: Segmentation) -> None:
    """Print a recording's stretches."""
    rows = [[f"{clock(each.start_s)} to {clock(each.stop_s)}", each.label] for each in found.stretches]
    emit_table(f"{found.sound}, {clock(found.duration_s)}", ["time", "decision"], rows)


def show_live(live: Live, as_json: bool) -> None:
    """Play a recording and say what is decided, line by line, and at the end how long the steps took."""
    for heard in live.play():
        if as_json:
            click.echo(json.dumps(heard_as_json(heard), allow_nan=False))
            continue
        said = ", ".join(f"{head} {d.label} {d.confidence:.2f}" for head, d in heard.window.decisions.items())
        mark = "*" if heard.changed else " "
        click.echo(
            f"{clock(heard.heard_s)} {mark} {clock(heard.window.start_s)} to {clock(heard.window.stop_s)}: {said}"
        )
    found, timing = live.conclusion(), live.timing.summary()
    if as_json:
        overall = plain_decisions(found.overall)
        end = {"event": "end", "sound": found.sound, "duration_s": found.duration_s, "overall": overall, **timing}
        click.echo(json.dumps(end, allow_nan=False))
        return
    _show_timing(found, timing)


def _show_timing(found: Identification, timing: dict[str, Any]) -> None:
    rows = [[head, decision.label, f"{decision.confidence:.2f}"] for head, decision in found.overall.items()]
    emit_table(f"{found.sound}, {clock(found.duration_s)}, in all", ["", "decision", "confidence"], rows)
    words = {"features": "features of a frame", "network": "spikes and network", "both": "both"}
    rows = [
        [words[part], *(f"{values[which]:.3f}" for which in ("median", "p99", "max"))]
        for part, values in timing["latency_ms"].items()
    ]
    title = f"latency of a step in ms, {timing['steps']} steps of {timing['step_ms']:.1f} ms"
    emit_table(title, ["", "median", "99th percentile", "largest"], rows)
    click.echo(
        f"real-time factor {timing['real_time_factor']:.4f} (all steps' work over the sound's length); "
        f"{timing['late_steps']} steps took longer than a step lasts"
    )
    say(
        f"a frame is centred {timing['look_ahead_ms']:.0f} ms before the last sound it needs; "
        "*: another decision than before; the file was decoded before it was played"
    )


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    return f"{int(seconds // 60)}:{seconds % 60:04.1f}"
