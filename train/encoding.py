"""Normalised features become binary spikes: one interface for the eight codes of ``train.codes``.

A sample's spikes never depend on the batch it is in. Codes of windows cut the time into cycles of ``period``
steps from the clip's start and send the mean of a cycle's values within that cycle, so they look ahead by up to
``period - 1`` steps; a shorter last cycle sends its mean with the resolution that its own length allows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8
from numpy.typing import NDArray

from train import codes
from train.codes import Spikes, Values
from train.config import EncodingConfig
from train.config_checks import ENCODINGS
from train.errors import CallError, MaestroError

Send = Callable[[NDArray[np.float64], int], Spikes]
Receive = Callable[[Spikes], NDArray[np.float64]]

_WINDOW_CODES: dict[str, tuple[Send, Receive]] = {
    "ttfs": (codes.ttfs_window, codes.ttfs_window_inverse),
    "phase": (codes.phase_window, codes.phase_window_inverse),
    "burst": (codes.burst_window, codes.burst_window_inverse),
}


@runtime_checkable
class Encoder(Protocol):
    """What makes spikes of features."""

    @property
    def name(self) -> str:
        """The code's name in the configuration."""

    @property
    def channels(self) -> int:
        """Spike channels a feature has."""

    def encode(self, x: Float32[Values, "sample feature time"]) -> UInt8[Spikes, "sample channel feature 1 time"]:
        """Spikes of shape (sample, channel, feature, 1, time) for values of shape (sample, feature, time)."""

    def decode(self, spikes: UInt8[Spikes, "sample channel feature 1 time"]) -> Float32[Values, "sample feature time"]:
        """Values of shape (sample, feature, time) back from the spikes, as near as the code allows."""


def make_encoder(config: EncodingConfig) -> Encoder:
    """The encoder that a configuration asks for.

    Raises
    ------
    CallError
        There is no code of that name.
    """
    span, period, theta = config.span, config.period, config.threshold
    if config.name == "delta":
        return _Code("delta", 2, partial(codes.delta, threshold=theta), partial(codes.delta_inverse, threshold=theta))
    if config.name == "change":
        # Its inverse is delta's: what the spikes say of the way from the first step on.
        return _Code("change", 2, partial(codes.change, threshold=theta), partial(codes.delta_inverse, threshold=theta))
    if config.name == "level":
        forward = partial(codes.level, levels=config.levels, span=span)
        return _Code("level", config.levels, forward, partial(codes.level_inverse, span=span))
    if config.name == "rate":
        forward = partial(codes.rate, span=span, seed=config.seed)
        return _Code("rate", 1, forward, partial(codes.rate_inverse, span=span))
    if config.name == "current":
        forward = partial(codes.current, span=span, period=period)
        return _Code("current", 2, forward, partial(codes.current_inverse, span=span, period=period))
    if config.name in _WINDOW_CODES:
        send, receive = _WINDOW_CODES[config.name]
        forward = partial(_windowed, span=span, period=period, send=send)
        return _Code(config.name, 1, forward, partial(_unwindowed, span=span, period=period, receive=receive))
    raise CallError("configuration key encoding.name", f"is {config.name!r}", allowed=f"one of {', '.join(ENCODINGS)}")


@dataclass(frozen=True)
class _Code:
    name: str
    channels: int
    forward: Callable[[Values], Spikes]
    inverse: Callable[[Spikes], Values]

    def encode(self, x: NDArray[Any]) -> UInt8[Spikes, "sample {self.channels} feature 1 time"]:
        if x.ndim != 3:
            allowed = "(sample, feature, time)"
            raise MaestroError(f"{self.name} encoder", f"features of shape {x.shape}", allowed=allowed)
        if not np.isfinite(x).all():
            raise MaestroError(f"{self.name} encoder", "features that are NaN or infinite", allowed="finite numbers")
        return self.forward(np.asarray(x, np.float32))[:, :, :, None]

    def decode(self, spikes: NDArray[Any]) -> Float32[Values, "sample feature time"]:
        if spikes.ndim != 5 or spikes.shape[1] != self.channels or spikes.shape[3] != 1:
            allowed = f"(sample, {self.channels} channels, feature, 1, time)"
            raise MaestroError(f"{self.name} encoder", f"spikes of shape {spikes.shape}", allowed=allowed)
        return self.inverse(spikes[:, :, :, 0])


def _windowed(x: Values, span: float, period: int, send: Send) -> Spikes:
    spikes = np.empty((x.shape[0], 1, *x.shape[1:]), np.uint8)
    for start in range(0, x.shape[2], period):
        window = x[:, :, start : start + period]
        # Added step by step: numpy's sum may add in another order for another memory layout.
        total = np.zeros(x.shape[:2])
        for step in range(window.shape[2]):
            total += window[:, :, step]
        mean = total / window.shape[2]
        spikes[:, 0, :, start : start + period] = send(codes.fraction(mean, span), window.shape[2])
    return spikes


def _unwindowed(spikes: Spikes, span: float, period: int, receive: Receive) -> Values:
    values = np.empty(spikes[:, 0].shape, np.float32)
    for start in range(0, values.shape[2], period):
        p = receive(spikes[:, 0, :, start : start + period])
        values[:, :, start : start + period] = (2 * span * p - span)[..., None]
    return values
