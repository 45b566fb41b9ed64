"""What others measured on a Loihi 2 and published (``published.toml``), and the networks they measured it on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import tomli

from hardware.counters.counts import Counts, LayerCounts
from hardware.energy.bands import Band
from hardware.energy.copies import Spread, spread_of
from hardware.measurement import Quantity
from train.errors import MaestroError

_FOLDER = "tests/lava/lib/dl/netx/gts/pilotnet_lif"
_PILOTNET_STEPS = 16
# The source of NECOTIS's pair fires at 25 Hz of steps of 1 ms (readme.md beside res.json).
_PAIR_RATE = 0.025


@dataclass(frozen=True)
class Measured:
    """A published measurement: energies of an inference in J, powers in W.

    Parameters
    ----------
    network
        Which one, for :func:`counts_of`.
    inference
        What an inference is here.
    fitted
        Profiles with a constant from this measurement: it tests none of them.
    explained
        By profile: what is known of why the measurement lies outside what is predicted.
    time_derived
        Whether the step time is energy by power, and no clock's.
    """

    name: str
    network: str
    inference: str
    steps: int
    step_time_s: float
    power_total_w: float
    power_static_w: float
    energy_total_j: float
    energy_dynamic_j: float
    source: str
    fitted: list[str]
    explained: Mapping[str, str]
    energy_dynamic_spread_j: float = 0.0
    time_derived: bool = False

    @property
    def dynamic(self) -> Quantity:
        """Energy of an inference without the static part; bounds one standard deviation away where it is given."""
        value, spread = self.energy_dynamic_j, self.energy_dynamic_spread_j
        return Quantity(value, "J", "measured", self.source, value - spread, value + spread)

    @property
    def total(self) -> Quantity:
        """Energy of an inference."""
        return Quantity(self.energy_total_j, "J", "measured", self.source, self.energy_total_j, self.energy_total_j)

    @property
    def static(self) -> Quantity:
        """What is left of the total energy without the dynamic."""
        value = self.energy_total_j - self.energy_dynamic_j
        return Quantity(value, "J", "measured", f"total less dynamic energy; {self.source}", value, value)


@dataclass(frozen=True)
class StepTime:
    """How long a step took a network on a Loihi 2."""

    name: str
    seconds: float
    source: str


@cache
def _facts() -> dict[str, Any]:
    return tomli.loads((Path(__file__).parent / "published.toml").read_text(encoding="utf-8"))


@cache
def measurements() -> tuple[Measured, ...]:
    """All of them."""
    return tuple(Measured(**values) for values in _facts()["measurements"])


@cache
def step_times() -> tuple[StepTime, ...]:
    """All that are known."""
    return tuple(StepTime(**values) for values in _facts()["step_times"])


def own_pace() -> Band:
    """Between what step times the published ones lie, in s."""
    seconds = [entry.seconds for entry in step_times()]
    return Band(min(seconds), max(seconds))


@cache
def counts_of(network: str) -> tuple[Counts, Spread]:
    """Counts of an inference of a published network, and how it is spread over cores.

    Raises
    ------
    MaestroError
        Its file is not installed here.
    """
    return _pair() if network == "pair" else _pilotnet()


def pilotnet_folder() -> Path:
    """Where lava-dl's wheel has PilotNet LIF with its traces.

    Raises
    ------
    MaestroError
        lava-dl is not installed, or without them.
    """
    cure = "install lava-dl 0.6.0 from its wheel"
    try:
        folder = Path(str(metadata.distribution("lava-dl").locate_file(_FOLDER)))
    except metadata.PackageNotFoundError as error:
        raise MaestroError("PilotNet LIF", "lava-dl, which ships it, is not installed", cure=cure) from error
    for name in ("network.net", "image.npy"):
        if not (folder / name).is_file():
            raise MaestroError("PilotNet LIF", f"lava-dl was installed without {name} of its tests", cure=cure)
    return folder


def pilotnet_counts(brightness: float = 1.0) -> Counts:
    """Counts of 16 steps from rest on the frame that lava-dl's wheel ships, held; ``brightness`` scales the frame."""
    import numpy as np

    from export import netx
    from export.graph import Network
    from hardware.counters.heard import spiking_work
    from hardware.counters.spiking import SpikingCounter
    from lava_runtime.engine.engine import Engine

    folder = pilotnet_folder()
    found = netx.read(folder / "network.net")
    # The published frame holds bias mantissas as they are.
    network = Network((replace(found.input_layer, weight=1, offset=0), *found.layers[1:]), found.names)
    mantissas = np.round(np.load(folder / "image.npy").transpose(2, 1, 0) * brightness).astype(np.int64)
    inputs = np.repeat(mantissas[np.newaxis, ..., np.newaxis], _PILOTNET_STEPS, axis=-1)
    work = spiking_work(Engine(network, threads=1), [inputs])
    return SpikingCounter(network).counts(work, 1, _PILOTNET_STEPS)


def _pilotnet() -> tuple[Counts, Spread]:
    from hardware.placement.check import placed
    from hardware.placement.published import PILOTNET

    return pilotnet_counts(), spread_of(placed(PILOTNET), PILOTNET.demands)


def _pair() -> tuple[Counts, Spread]:
    """One neuron that a bias drives, one synapse, and the neuron it ends on, in a step."""

    def neuron(came: float, sent: float, weights: int) -> LayerCounts:
        return LayerCounts(
            kind="spiking",
            neurons=1,
            states=2,
            weights=weights,
            weights_nonzero=weights,
            spikes_in=came,
            axon_out=sent,
            syn_ops=came,
            dendrite_updates=1,
            state_updates=2,
            acs_effective=came,
            macs_effective=0.0,
            dense=weights,
            footprint_bytes=0.0,
            syn_ops_stored=came,
        )

    # The weight is above the threshold, so that each spike makes one. Its core or two are taken as one: what was
    # measured is the step's constant, whole.
    layers = {"source": neuron(0.0, _PAIR_RATE, 0), "target": neuron(_PAIR_RATE, _PAIR_RATE, 1)}
    return Counts(layers, 1, 1, 0.0), Spread({"target": 1.0}, 1, 1)
