"""What the engine counts while it runs: exact numbers, layer by layer, in the chip profiler's words."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

EVENTS, PRODUCTS, BOTH, DRIVEN = "events", "dense", "events and dense", "input"


@dataclass(frozen=True)
class LayerTally:
    """Counts of a layer over all samples and steps.

    Parameters
    ----------
    neurons
        Of the layer.
    dendrite_updates
        Neurons stepped, active or not: what a chip's neurocore does every step.
    state_updates
        States stepped: a current and a voltage a neuron, or with analog dendrites a current a branch and the voltage
        (``neuron_updates`` in ``compare.json``).
    syn_ops
        Effective accumulations: one for every non-zero weight that a spike meets; fewer at the borders of a
        convolution. Every spike counts, also those whose sums would be used only after the last step.
    spikes_in
        Spikes that arrived, a layer's own among them where it is recurrent.
    axon_out
        Spikes sent.
    u_max, v_max
        Largest absolute current (of a branch, or of the branches' sum) before wrapping and voltage before saturating,
        in the state's units; both leave their 24 bits at 2^23.
    wraps, saturations
        How often one did.
    path
        ``events``: work went with the spikes; ``dense``: whole frames were multiplied; or both, in different blocks or
        stretches of time; ``input``: driven through the bias.
    """

    neurons: int
    dendrite_updates: int
    state_updates: int
    syn_ops: int
    spikes_in: int
    axon_out: int
    u_max: int
    v_max: int
    wraps: int
    saturations: int
    path: str

    @property
    def rate(self) -> float:
        """Spikes a neuron and step."""
        return self.axon_out / self.dendrite_updates if self.dendrite_updates else 0.0

    def __add__(self, other: "LayerTally") -> "LayerTally":
        joined: dict[str, Any] = {}
        for field in fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            if field.name in ("neurons", "u_max", "v_max"):
                joined[field.name] = max(mine, theirs)
            elif field.name == "path":
                joined[field.name] = mine if mine == theirs else BOTH
            else:
                joined[field.name] = mine + theirs
        return LayerTally(**joined)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, the rate with it."""
        return {**{field.name: getattr(self, field.name) for field in fields(self)}, "rate": self.rate}


@dataclass(frozen=True)
class Tally:
    """Counts of a network over ``samples`` of ``steps`` each; two of them add up, if their steps are the same."""

    samples: int
    steps: int
    layers: Mapping[str, LayerTally]

    def __add__(self, other: "Tally") -> "Tally":
        if self.steps != other.steps:
            raise ValueError(f"tallies of {self.steps} and of {other.steps} steps do not add up")
        layers = {name: layer + other.layers[name] for name, layer in self.layers.items()}
        return Tally(self.samples + other.samples, self.steps, layers)

    @property
    def syn_ops(self) -> int:
        """Of all layers."""
        return sum(layer.syn_ops for layer in self.layers.values())

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "samples": self.samples,
            "steps": self.steps,
            "layers": {name: layer.as_dict() for name, layer in self.layers.items()},
        }
