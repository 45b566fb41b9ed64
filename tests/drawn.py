"""Random networks for property tests, with input for them: the fixture ``drawn`` of conftest.py is this module.

hypothesis draws which layers a network is made of, so that a failure shrinks to the fewest; a generator with a drawn
seed does the rest.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st

from export import reference
from export.graph import (
    AverageLayer,
    ConvLayer,
    Cuba,
    DenseLayer,
    DhLif,
    FlattenLayer,
    InputLayer,
    Network,
    conv_shape,
    default_names,
)
from export.stock import stock_weights

KINDS = ("dense", "delay", "synapse delay", "recurrent", "dendrites", "conv", "conv dendrites")
# What a layer is like: as trained ones are; at the ends of its registers, to wrap and saturate; or anything.
MOODS = ("lively", "extreme", "any")
# Decays keep all at 0 and forget all at 4096.
DECAYS = {
    "lively": (205, 410, 1024, 2048, 4096),
    "extreme": (0, 0, 1, 2, 300),
    "any": (0, 1, 2, 40, 205, 410, 1024, 2048, 4095, 4096),
}
# Mantissas, up to the register's largest and the one beyond it, which no voltage passes and NetX has as its default.
THRESHOLDS = {
    "lively": (1, 10, 30, 96),
    "extreme": (0, 500, 500, 5000, 5000, 131071, 131072),
    "any": (0, 1, 30, 96, 500, 5000, 131071, 131072),
}
# How weights are filled, from small ones of both signs to all of them the largest.
FILLS = {
    "lively": ("small", "positive", "sparse", "wide"),
    "extreme": ("largest", "smallest", "positive", "negative", "wide"),
    "any": ("small", "wide", "positive", "negative", "largest", "smallest", "sparse", "zero"),
}
BIASES = {"lively": (0, 1, -1, 5, 20), "extreme": (0, 700, -4096, 4095), "any": (0, 1, -1, 5, -60, 700, -4096, 4095)}
DELAYS = (0, 0, 1, 2, 5, 17, 30, 61, 62)
STEPS = (40, 80, 70, 24, 2, 1)
RATES = {"lively": (0.1, 0.3, 0.5), "extreme": (0.8, 1.0), "any": (0.0, 0.05, 0.3, 1.0)}


@dataclass(frozen=True, eq=False)
class Case:
    """A network and input for it, shape (sample, *input, time)."""

    network: Network
    spikes: np.ndarray

    def __repr__(self):
        named = zip(self.network.names, self.network.layers, strict=True)
        layers = ", ".join(f"{name}: {describe(layer)}" for name, layer in named)
        return f"Case({layers}; spikes {self.spikes.shape}, {np.mean(self.spikes != 0):.2f} of them not 0)"

    def _repr_pretty_(self, printer, _):
        # hypothesis would print every array.
        printer.text(repr(self))

    @property
    def stock(self):
        """Whether lava-dl's own loader builds all of it: neither dendrites nor a readout."""
        return not self.network.dendritic_names and self.network.readout is None


def describe(layer):
    """What matters of a layer, in a few words."""
    words = [type(layer).__name__, *(str(x) for x in layer.shape)]
    neuron = getattr(layer, "neuron", None)
    if neuron is not None:
        words += [
            f"u {np.asarray(neuron.i_decay).tolist()} v {np.asarray(neuron.v_decay).tolist()} vth {neuron.vth_mant}"
        ]
        words += [f"gain {neuron.gain.tolist()}"] if isinstance(neuron, DhLif) else []
    for key in ("delay", "recurrent", "bias", "stride", "padding", "dilation", "groups", "offset"):
        value = getattr(layer, key, None)
        words += (
            [] if value is None else [f"{key} {np.asarray(value).tolist() if np.size(value) < 9 else np.shape(value)}"]
        )
    return " ".join(words)


def fill(generator, shape, how):
    """Even weights of -256 to 254; a column of zeros among them now and then."""
    low, high = {
        "small": (-20, 21),
        "wide": (-128, 128),
        "positive": (1, 128),
        "negative": (-128, 0),
        "largest": (127, 128),
        "smallest": (-128, -127),
        "sparse": (-60, 90),
        "zero": (0, 1),
    }[how]
    weight = 2 * generator.integers(low, high, shape)
    if how == "sparse":
        weight[generator.random(shape) < 0.8] = 0
    if how != "zero" and shape[1] > 1 and generator.random() < 0.3:
        weight[:, generator.integers(shape[1])] = 0
    return weight


def as_lava_sums(weight, recurrent=None):
    """Give matrices weights above zero where stock Lava would alter or refuse them (rules NX007 and NX010)."""
    matrices = [weight] if recurrent is None else [weight, recurrent]

    def altered():
        if not any(matrix.any() for matrix in matrices):
            return True
        summed = stock_weights(*matrices)
        return any((found != matrix).any() for found, matrix in zip(summed, matrices, strict=True))

    for matrix, place in ((m, p) for p in (0, -1) for m in matrices):
        if altered():
            matrix.reshape(-1)[place] = 2
    assert not altered()


FEATURES = {
    *("population", "bias", "all zero column", "flatten", "average", "groups", "stride", "padding", "dilation"),
    *("delay", "delay a synapse", "recurrent", "dendrites", "dendrites in conv", "decay a channel", "decay a neuron"),
    *("branch decay a neuron", "threshold 0", "threshold beyond its register", "only zero weights"),
}


def features(network):
    """Which of ``FEATURES`` a network has."""
    found = set()
    for layer in network.layers:
        neuron = getattr(layer, "neuron", None)
        conv, dense = isinstance(layer, ConvLayer), isinstance(layer, DenseLayer)
        decay_by = neuron is not None and layer.shape[0] > 1 and np.ndim(neuron.v_decay) == 1
        facts = {
            "population": isinstance(layer, InputLayer) and neuron is not None,
            "flatten": isinstance(layer, FlattenLayer),
            "average": isinstance(layer, AverageLayer),
            "bias": getattr(layer, "bias", None) is not None,
            "decay a channel": conv and decay_by,
            "decay a neuron": dense and decay_by,
            "threshold 0": neuron is not None and neuron.vth_mant == 0,
            "threshold beyond its register": neuron is not None and neuron.vth_mant > 131071,
            "dendrites": dense and isinstance(neuron, DhLif),
            "dendrites in conv": conv and isinstance(neuron, DhLif),
            "branch decay a neuron": isinstance(neuron, DhLif) and neuron.i_decay.ndim == 2,
        }
        if conv:
            facts |= {key: max(getattr(layer, key)) > 1 for key in ("stride", "dilation")}
            facts |= {"padding": max(layer.padding) > 0, "groups": layer.groups > 1}
        if dense:
            facts |= {"delay": np.ndim(layer.delay) == 1, "delay a synapse": np.ndim(layer.delay) == 2}
            facts |= {"recurrent": layer.recurrent is not None}
        if conv or dense:
            facts["only zero weights"] = not layer.weight.any()
            columns = np.abs(layer.weight).sum(axis=tuple(set(range(layer.weight.ndim)) - {1}))
            facts["all zero column"] = layer.weight.any() and not columns.all()
        found |= {word for word, fact in facts.items() if fact}
    return found


@dataclass(frozen=True)
class Maker:
    """Makes layers: which kinds, hypothesis drew; the rest is of a mood, by a generator."""

    generator: np.random.Generator
    mood: str

    def pick(self, values, size=None):
        return self.generator.choice(values, size)

    def decay(self, size):
        """One for all, or one for each of ``size``."""
        return int(self.pick(DECAYS[self.mood])) if self.pick((0, 1)) else self.pick(DECAYS[self.mood], size)

    def neurons(self, size, branches=0):
        """Plain ones, or with branches."""
        v_decay, threshold = self.decay(size), int(self.pick(THRESHOLDS[self.mood]))
        if not branches:
            return Cuba(self.decay(size), v_decay, threshold)
        shape = (branches, size) if self.pick((0, 1)) else (branches,)
        return DhLif(self.pick(DECAYS[self.mood], shape), self.generator.integers(0, 7, branches), v_decay, threshold)

    def bias(self, size):
        return self.pick(BIASES[self.mood], size) if self.pick((0, 1)) else None

    def weight(self, *shape):
        return fill(self.generator, shape, self.pick(FILLS[self.mood]))

    def input(self, conv, population):
        """A shape, or a population of neurons whose input goes into its bias."""
        shape = (40,) if self.mood == "extreme" else (int(self.pick((1, 7, 24, 40))),)
        if conv or not self.pick(3):
            sizes = ((4,), (6,), (4,)) if self.mood == "extreme" else ((1, 2, 3, 4), (1, 3, 5, 6), (1, 2, 4))
            shape = tuple(int(self.pick(ends)) for ends in sizes)
        if not population:
            return InputLayer(shape)
        weight, offset = self.generator.integers(-200, 900), self.pick(BIASES[self.mood])
        return InputLayer(shape, self.neurons(shape[0]), int(weight), int(offset))

    def conv(self, shape, dendrites):
        """A convolution that fits an input of ``shape``; stride, padding and dilation differ by axis."""
        channels, *places = shape
        groups = 1 if dendrites else int(self.pick([g for g in (1, 2, 3) if channels % g == 0]))
        count = int(self.pick((1, 2, 3))) if dendrites else 0
        out = groups * int(self.pick((1, 2, 3)))
        padding, dilation, stride = (self.generator.integers(*ends, 2).tolist() for ends in ((0, 3), (1, 4), (1, 4)))
        longest = [(size + 2 * edge - 1) // gap + 1 for size, edge, gap in zip(places, padding, dilation, strict=True)]
        kernel = [int(self.generator.integers(1, min(size, 4) + 1)) for size in longest]
        weight = self.weight(out * max(count, 1), channels // groups, *kernel)
        pairs = (tuple(stride), tuple(padding), tuple(dilation))
        layer = ConvLayer(weight, *pairs, groups, self.neurons(out, count), (0, 0, 0), self.bias(out))
        return replace(layer, shape=conv_shape(layer, shape))

    def dense(self, size, kind):
        """A dense layer on ``size`` inputs."""
        out = int(self.pick((1, 3, 6, 12, 20)))
        count = int(self.pick((1, 2, 3, 4))) if kind == "dendrites" else 0
        weight = self.weight(out * max(count, 1), size)
        recurrent = self.weight(out, out) if kind == "recurrent" else None
        as_lava_sums(weight, recurrent)
        delays = {"delay": (out,), "synapse delay": (out, size)}.get(kind)
        delay = None if delays is None else self.pick(DELAYS, delays)
        return DenseLayer(weight, self.neurons(out, count), self.bias(out), delay, recurrent)


def make_network(generator, mood, kinds, population=False, readout=False):
    """A network of layers of these kinds, convolutions first."""
    kinds = sorted(kinds, key=lambda kind: "conv" not in kind)
    layers = [Maker(generator, mood).input(any("conv" in kind for kind in kinds), population)]
    for kind in kinds:
        shape, maker = layers[-1].shape, Maker(generator, mood)
        if mood == "extreme" and generator.integers(2):
            # Behind such a layer the spikes are many or none.
            mood = generator.choice(MOODS)
        if "conv" in kind:
            layers.append(maker.conv(shape, "dendrites" in kind))
            continue
        if len(shape) == 3:
            layers.append(FlattenLayer((math.prod(shape),)))
        layers.append(maker.dense(math.prod(shape), kind))
    size = math.prod(layers[-1].shape)
    if readout:
        layers.append(AverageLayer((int(generator.choice([n for n in range(1, size + 1) if size % n == 0])),)))
    return Network(tuple(layers), default_names(layers))


def make_case(generator, mood, network, samples, steps):
    """Input of a mood for a network: whole numbers into neurons, 0 and 1 into synapses."""
    shape = (samples, *network.input_shape, steps)
    rates = generator.choice(RATES[mood], (samples, *[1] * (len(shape) - 1)))
    spikes = (generator.random(shape) < rates).astype(np.uint8)
    return Case(network, spikes if network.layers[0].neuron is None else spikes * generator.integers(-2, 4, shape))


def busy_case(kinds, samples, steps, population=False, readout=False, seed=0):
    """The first network of these kinds whose layers all fire, for each sample otherwise, and input for it.

    ``seed`` says where to begin looking: at the network itself, to save the time.
    """
    for tried in range(seed, seed + 1000):
        generator = np.random.default_rng(tried)
        network = make_network(generator, "lively", kinds, population, readout)
        case = make_case(generator, "lively", network, samples, steps)
        found = [reference.run(network, sample) for sample in case.spikes]
        busy = all(0.01 < layer.mean() < 0.9 for layers in found for layer in layers)
        if busy and len({layers[-1].tobytes() for layers in found}) == samples:
            return case
    raise AssertionError(f"no network of {kinds} fires")


@st.composite
def cases(draw, steps=STEPS, samples=(1, 2, 3), kinds=KINDS):
    """A network of up to four layers after its input, and samples for it."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    mood, made_of = draw(st.sampled_from(MOODS)), draw(st.lists(st.sampled_from(kinds), max_size=4))
    population = not made_of or draw(st.sampled_from((False, False, False, True)))
    network = make_network(generator, mood, made_of, population, draw(st.booleans()))
    return make_case(generator, mood, network, draw(st.sampled_from(samples)), draw(st.sampled_from(steps)))
