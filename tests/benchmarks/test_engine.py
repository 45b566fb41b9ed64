"""The engine against Lava: the same file, the same clips, the same run, the same spikes. Run by ``make bench``."""

import time

import numpy as np
import pytest

from lava_runtime.engine.engine import Engine
from lava_runtime.network import LavaNetwork

THREADS = 2
# Clips that Lava gets, after one that starts it: its own Processes, and those that this project quickens.
LAVA_CLIPS = {"stock": 3, "quickened": 12}
GOALS = {"throughput": 2000.0, "latency": 100.0}


def _lava(path, clips, stock):
    """Spikes, seconds of start and first clip, of each further clip alone, and of the further ones in one go."""
    started = time.perf_counter()
    with LavaNetwork(path, stock=stock) as network:

        def run(some):
            begun = time.perf_counter()
            found = [item for item in network.stream(some) if not isinstance(item, int)]
            return found, time.perf_counter() - begun

        # Room for all is made at once, or Lava would start again for the longer run.
        network._build(clips.shape[-1], len(clips) * clips.shape[-1])
        spikes, _ = run(clips[:1])
        first_s = time.perf_counter() - started
        each = []
        for clip in range(1, len(clips)):
            found, seconds = run(clips[clip : clip + 1])
            spikes += found
            each.append(seconds)
        again, stream_s = run(clips[1:])
    layers = [np.stack(layer) for layer in zip(*spikes, strict=True)]
    for layer, repeated in zip(layers, zip(*again, strict=True), strict=True):
        np.testing.assert_array_equal(layer[1:], np.stack(repeated))
    return layers, first_s, each, stream_s


@pytest.mark.lava
@pytest.mark.parametrize("preset", ["dh_lif", "lif"])
def test_engine_against_lava(benchmark, case, measure, spread, capsys, preset):
    """Lava's clips per second are its best: clips streamed through one network, without its start."""
    given = case(preset)
    engine = Engine.from_file(given.path, threads=THREADS)
    lava = {}
    for kind, count in LAVA_CLIPS.items():
        clips = given.clips[: count + 1]
        layers, first_s, each, stream_s = _lava(given.path, clips, kind == "stock")
        found = engine.run(clips, layers=True)
        for name, ours, theirs in zip(engine.names, found.layers, layers, strict=True):
            np.testing.assert_array_equal(ours, theirs, err_msg=f"{name}, Lava {kind}")
        clip = spread(each)
        lava[kind] = {
            "clips": count + 1,
            "spikes": int(found.counts.sum()),
            "differing_spikes": 0,
            "start_and_first_clip_s": first_s,
            "clip_s": clip,
            "stream_clip_s": stream_s / count,
            "clips_per_s": count / min(stream_s, sum(each)),
        }
    one = measure(lambda: engine.run(given.clips[:1]), rounds=15)
    batch = measure(lambda: engine.run(given.clips), rounds=9)
    benchmark.pedantic(engine.run, args=(given.clips,), rounds=3)
    total = engine.run(given.clips).tally
    rate = len(given.clips) / batch["median"]
    ratios = {
        kind: {
            "throughput": rate / entry["clips_per_s"],
            "latency": entry["clip_s"]["median"] / one["median"],
            "latency_with_start": entry["start_and_first_clip_s"] / one["median"],
        }
        for kind, entry in lava.items()
    }
    benchmark.extra_info.update(
        section="engine",
        preset=preset,
        origin=given.origin,
        clips=len(given.clips),
        steps=given.clips.shape[-1],
        threads=THREADS,
        batch_s=batch,
        clips_per_s=rate,
        one_clip_s=one,
        lava=lava,
        ratios=ratios,
        goals=GOALS,
        rates={name: layer.rate for name, layer in total.layers.items()},
        input_rate=float(given.clips.mean()),
    )
    with capsys.disabled():
        print(f"\n{preset}: engine {rate:.0f} clips/s, one clip {1000 * one['median']:.2f} ms")
        for kind, entry in lava.items():
            words = ", ".join(f"{key} {value:.0f}" for key, value in ratios[kind].items())
            start_s = entry["start_and_first_clip_s"]
            print(f"Lava {kind}: {entry['clips_per_s']:.3f} clips/s, start and first {start_s:.1f} s; times: {words}")
