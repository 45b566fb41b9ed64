"""When samples go in, when layers are reset and where the answers lie, in one long run of many samples.

On the chip a reset interval is a power of two, and the way from the host to the first layer takes steps that depend
on the adapters. So samples are a power of two apart, with a gap after each in which nothing comes in, and all
layers are reset in the middle of it, one a step: by then the whole sample before is through, and nothing of the next
has come, even if the way in is some steps slower or quicker than thought. What a layer still sends between the end of
a sample and its reset reaches the next layer before that one's reset, a step later. The state is then zero until the
next sample comes, as after a start.
"""

from dataclasses import asdict, dataclass

from export.graph import ConvLayer, DenseLayer, InputLayer, Network
from train.errors import CallError, MaestroError

# Steps until a spike of the host's is at the first layer: one in the host's process, one in the embedded processor's.
# Source: lava-dl tutorials, pilotnet_snn/run.ipynb (input at t = 0, at the input layer at t = 2, reset_offset 3).
CHIP_INPUT_DELAY = 2
# Lava's simulator hands spikes on within the step.
SIMULATOR_INPUT_DELAY = 0
# Least slack, in steps: the adapters of two versions of the closed package need not agree.
SLACK_MIN = 4


@dataclass(frozen=True)
class Schedule:
    """A run of samples, each from rest.

    Parameters
    ----------
    steps
        Steps of a sample, T.
    latency
        Layers with synapses: each is reset a step after the one before it.
    period
        Steps from a sample's start to the next one's, P, a power of two.
    input_delay
        Steps that the way in is thought to take.
    reset_offset
        What NetX's ``hdf5.Network`` is given with ``reset_interval=period``.
    """

    steps: int
    latency: int
    period: int
    input_delay: int
    reset_offset: int

    @property
    def gap(self) -> int:
        """Steps between two samples in which nothing comes in."""
        return self.period - self.steps

    @property
    def slack(self) -> int:
        """Steps that the way in may be quicker or slower than ``input_delay``."""
        return (self.gap - self.latency) // 2

    def total(self, samples: int) -> int:
        """Steps to run for all of ``samples`` samples to be heard, however late within the slack they come."""
        return samples * self.period + self.input_delay + self.slack

    def as_dict(self) -> dict[str, int]:
        """Plain data, ``gap`` and ``slack`` with it."""
        return {**asdict(self), "gap": self.gap, "slack": self.slack}


def schedule(
    steps: int, latency: int, *, input_delay: int = SIMULATOR_INPUT_DELAY, period: int | None = None
) -> Schedule:
    """The schedule of samples of ``steps`` steps through ``latency`` layers with synapses (``Network.latency``).

    NetX resets layer i, from 0, where (time step - reset_offset - i - 1) is a multiple of the interval, time steps
    being counted from 1 (lava-dl netx/hdf5.py; lava-nc proc/lif/models.py, LIFReset): at step offset + i of a sample
    that goes in at step 0. Of a sample that is ``delay`` steps late the synapses hand on the last spikes at step delay
    + T, and in none of the layers anything may fire from the sample before once it has begun, at step delay. So the
    offset has to lie from delay - gap + 1 to delay - latency + 1; it is put in the middle.

    Parameters
    ----------
    period
        Steps between two samples; the shortest that will do if None.

    Raises
    ------
    CallError
        ``period`` is no power of two, or leaves too small a gap.
    """
    least = steps + latency + 2 * SLACK_MIN
    if period is None:
        period = 1 << (least - 1).bit_length()
    if period & (period - 1) or period <= 0:
        raise CallError(f"period {period}", "is no power of two, and the chip resets at no other interval")
    if period < least:
        raise CallError(
            f"period {period}",
            f"leaves {period - steps} steps after a sample of {steps}, for a latency of {latency}",
            allowed=f"at least {least}",
            cure=f"use {1 << (least - 1).bit_length()}",
        )
    slack = (period - steps - latency) // 2
    return Schedule(steps, latency, period, input_delay, (input_delay - latency + 1 - slack) % period)


def outlives_reset(network: Network) -> str:
    """What in a network outlives the reset of its neurons, in words; empty if samples can follow each other.

    A bias drives neurons before their sample comes; spikes on their way through a delay or back into their own layer
    arrive after it.
    """
    for name, layer in zip(network.names, network.layers, strict=True):
        if isinstance(layer, InputLayer):
            if layer.neuron is not None:
                return f"{name} has neurons that are driven by their bias"
            continue
        if isinstance(layer, ConvLayer | DenseLayer) and layer.bias is not None and layer.bias.any():
            return f"{name} has a bias"
        if isinstance(layer, DenseLayer):
            if layer.delay is not None and layer.delay.any():
                return f"{name} has delays"
            if layer.recurrent is not None:
                return f"{name} is recurrent"
    return ""


def require_streamable(network: Network, where: str) -> None:
    """Refuse a network whose samples cannot follow each other.

    Raises
    ------
    MaestroError
        Names what outlives a reset.
    """
    found = outlives_reset(network)
    if found:
        raise MaestroError(
            where,
            f"{found}: it outlives the reset between two samples",
            cure="train it without biases, delays and recurrence, or run sample by sample in the simulator",
        )
