"""The ANN's counts by loops over single weights, inputs and steps, on values that loops computed too.

Weights are small whole numbers and all divisions are by powers of two, so that every value is exact, and zero where it
ought to be.
"""

import numpy as np
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardware.counters.activity import ann_work, layers_of
from hardware.counters.ann import ann_counts, ann_layers, twin_counts
from train.config import NetworkConfig, load_config, replace
from train.data.clips import ClipSet
from train.model import TrainedRun
from train.plan import plan_layers
from train.topology import AnnNetwork

_COUNTED = ("dense", "stored", "effective", "came", "sent", "computed")


class Given:
    """Features that are spikes already: normaliser and encoder at once."""

    name, channels = "given", 1

    def __init__(self, spikes):
        self.spikes, self.at = spikes, 0

    def apply(self, features):
        return features

    def encode(self, features):
        found = self.spikes[self.at : self.at + len(features)]
        self.at += len(features)
        return found


def brute_clip(plan, weights, spikes):
    """What a clip takes, by layer: zeros skipped or not; spikes (channel, feature, step)."""
    steps = spikes.shape[-1]
    found = {}

    def meet(name, weight, value):
        entry = found[name]
        entry["dense"] += 1
        if value:
            entry["stored"] += 1
            entry["effective"] += 1 if weight else 0

    def use(layer, weight, x):
        """A layer on one frame (channel, height)."""
        entry = found.setdefault(layer.name, dict.fromkeys(_COUNTED, 0))
        entry["came"] += sum(1 for row in x for value in row if value)
        out = []
        for row in range(layer.channels_out):
            out.append([])
            for height in range(layer.height_out):
                total = 0.0
                for part in range(layer.channels_in):
                    if layer.kind == "dense":
                        meet(layer.name, weight[row][part], x[part][0])
                        total += weight[row][part] * x[part][0]
                        continue
                    for tap in range(layer.kernel):
                        place = height + tap - layer.kernel // 2
                        if 0 <= place < layer.height_in:
                            meet(layer.name, weight[row][part][tap][0], x[part][place])
                            total += weight[row][part][tap][0] * x[part][place]
                value = total if layer.name == "heads" else max(0.0, total)
                entry["computed"] += 1
                entry["sent"] += 1 if value else 0
                out[-1].append(value)
        return out

    hidden = []
    for step in range(steps):
        x, at = spikes[..., step].tolist(), iter(weights)
        for layer in plan:
            if layer.kind == "pool":
                padded = [row + [0.0] * (-len(row) % layer.kernel) for row in x]
                k = layer.kernel
                x = [[sum(row[i : i + k]) / k for i in range(0, len(row), k)] for row in padded]
            elif layer.kind == "flatten":
                x = [[value] for row in x for value in row]
            elif layer.name != "heads":
                x = use(layer, next(at), x)
        hidden.append(x)
    mean = [[sum(frame[n][0] for frame in hidden) / steps] for n in range(len(hidden[0]))]
    use(plan[-1], weights[-1], mean)
    return found


@settings(
    derandomize=True,
    max_examples=40,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.data())
def test_the_anns_counts_by_hand(data):
    draw = data.draw
    convs = draw(st.integers(1, 2))
    sizes = {
        "conv_channels": tuple(draw(st.integers(1, 3)) for _ in range(convs)),
        "conv_kernels": tuple(draw(st.sampled_from((1, 3, 5))) for _ in range(convs)),
        "pools": tuple(draw(st.sampled_from((1, 2))) for _ in range(convs)),
        "dense": tuple(draw(st.lists(st.integers(1, 4), max_size=2))),
    }
    channels, features, outputs = draw(st.integers(1, 2)), draw(st.integers(4, 6)), draw(st.integers(1, 4))
    steps, clips = draw(st.sampled_from((1, 2, 4))), draw(st.integers(1, 3))
    generator = np.random.default_rng(draw(st.integers(0, 999)))
    config = replace(load_config("ann"), network=NetworkConfig(neuron="ann", **sizes))
    plan = plan_layers(config.network, channels, features, outputs)
    network = AnnNetwork(config, plan).eval()
    for weight in network.weights:
        drawn = generator.integers(-2, 4, weight.shape) * generator.integers(0, 2, weight.shape)
        weight.data = torch.from_numpy(drawn).float()
    spikes = (generator.random((clips, channels, features, 1, steps)) < draw(st.sampled_from((0.0, 0.3, 1.0)))).astype(
        np.uint8
    )
    given_ = Given(spikes)
    trained = TrainedRun(config, network, given_, {"title": ("a",)}, given_)
    none = np.zeros(clips, np.int64)
    labels = {"title": none, "style": none, "emotion": none}
    silent = ClipSet((np.zeros((features, steps), np.float32),), none, none, labels, steps, ("one",))

    layers = layers_of(trained, steps)
    told = []
    work = ann_work(trained, layers, silent, told.append)
    assert sum(told) == work.clips == clips
    counts = ann_counts(layers, work, steps)
    twin = twin_counts(plan, steps, clips, counts.input_spikes)
    weights = [weight.detach().double().tolist() for weight in network.weights]
    wanted = [brute_clip(plan, weights, clip[:, :, 0].astype(float)) for clip in spikes]
    assert list(counts.layers) == list(twin.layers) == list(wanted[0])
    assert work.input_spikes.tolist() == [int(np.count_nonzero(clip)) for clip in spikes]
    for index, (name, layer) in enumerate(counts.layers.items()):
        of_clip = [clip[name] for clip in wanted]
        done = work.layers[name]
        assert done.effective.tolist() == done.syn_ops.tolist() == [entry["effective"] for entry in of_clip]
        assert done.syn_ops_stored.tolist() == [entry["stored"] for entry in of_clip]
        assert layer.syn_ops_stored == sum(entry["stored"] for entry in of_clip) / clips
        assert done.spikes_in.tolist() == [entry["came"] for entry in of_clip]
        assert done.axon_out.tolist() == [entry["sent"] for entry in of_clip]
        effective = sum(entry["effective"] for entry in of_clip) / clips
        assert (layer.acs_effective, layer.macs_effective) == ((effective, 0) if index == 0 else (0, effective))
        assert layer.dense == twin.layers[name].dense == of_clip[0]["dense"]
        assert layer.dendrite_updates == twin.layers[name].dendrite_updates == of_clip[0]["computed"]
        assert layer.weights == twin.layers[name].weights == network.weights[index].numel()
        assert layer.weights_nonzero == np.count_nonzero(weights[index])
        assert layer.neurons == of_clip[0]["computed"] // (1 if name == "heads" else steps)
        assert (layer.kind, layer.states, layer.state_updates) == ("ann", 0, 0)
        assert layer.footprint_bytes == twin.layers[name].footprint_bytes


def test_what_an_untrained_ann_would_do_is_no_number():
    plan = plan_layers(load_config("ann").network, 2, 33, 10)
    twin = twin_counts(plan, 94, 576, 839.0)
    first, *others = twin.layers.values()
    assert first.spikes_in == twin.input_spikes == 839.0
    assert np.isnan(first.acs_effective)
    assert first.macs_effective == 0
    assert all(np.isnan(layer.macs_effective) and layer.acs_effective == 0 for layer in others)
    assert all(np.isnan([layer.syn_ops, layer.syn_ops_stored, layer.axon_out]).all() for layer in twin.layers.values())
    assert all(layer.weights_nonzero == layer.weights for layer in twin.layers.values())
    assert [layer.uses for layer in ann_layers(plan, None, 94)] == [94, 94, 94, 1]
