"""Sound as it comes: features frame by frame and spikes step by step, to the bit those of whole recordings."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train import codes
from train.codes import Spikes, Values
from train.config import EncodingConfig, FeatureConfig
from train.errors import MaestroError
from train.features import hop_samples, window_features

Step = Callable[[Values], Spikes]


class FrameStream:
    """Frames of sound that is pushed in pieces of any length: the windows of :func:`train.features.sound_features`.

    A frame's window reaches half its length beyond the frame's centre, and so much later the frame comes.

    Parameters
    ----------
    sample_rate_hz, config
        Of the sound and of its features.
    """

    def __init__(self, sample_rate_hz: int, config: FeatureConfig) -> None:
        self._rate_hz, self._config = sample_rate_hz, config
        self._hop, self._window = hop_samples(sample_rate_hz, config), config.window
        # Before a recording there is silence.
        self._waiting = np.zeros(self._window // 2, np.float32)
        self._heard = self._frames = self._dropped = 0

    @property
    def look_ahead_s(self) -> float:
        """Seconds of sound after its centre that a frame waits for."""
        return (self._window - self._window // 2) / self._rate_hz

    def push(self, samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """Windows that are complete with these samples, each of shape (sample,)."""
        self._heard += len(samples)
        yield from self._cut(samples)

    def finish(self) -> Iterator[NDArray[np.float32]]:
        """The last windows, with silence after the recording."""
        # A frame for every hop that began within the recording, and one at its start.
        left = 1 + self._heard // self._hop - self._frames
        silence = np.zeros(left * self._hop + self._window, np.float32)
        for _, window in zip(range(left), self._cut(silence), strict=False):
            yield window

    def features(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features of a window, shape (feature,)."""
        return window_features(window, self._rate_hz, self._config)

    def _cut(self, samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        self._waiting = np.concatenate([self._waiting, samples])
        while True:
            # Where hops are longer than windows, some samples are in none.
            drop = min(self._frames * self._hop - self._dropped, len(self._waiting))
            self._waiting = self._waiting[drop:]
            self._dropped += drop
            if self._dropped < self._frames * self._hop or len(self._waiting) < self._window:
                return
            self._frames += 1
            yield self._waiting[: self._window]


def _delta(config: EncodingConfig, features: int) -> Step:
    reached = np.zeros((1, features), np.int64)
    return lambda x: codes.delta_step(x, reached, config.threshold)


def _current(config: EncodingConfig, features: int) -> Step:
    voltage = np.zeros((1, 2, features), np.int32)
    return lambda x: codes.current_step(x, voltage, config.span, config.period)


def _level(config: EncodingConfig, _features: int) -> Step:
    return lambda x: codes.level(x[..., None], config.levels, config.span)[..., 0]


def _rate(config: EncodingConfig, features: int) -> Step:
    # A whole clip's numbers are drawn step after step too.
    generator = np.random.default_rng(config.seed)
    return lambda x: (generator.random(features) < codes.fraction(x, config.span))[:, None].astype(np.uint8)


def _change(config: EncodingConfig, _features: int) -> Step:
    previous: list[Values] = []

    def step(x: Values) -> Spikes:
        # Nothing came before the first step, from which it therefore does not differ.
        previous[:] = previous or [x.copy()]
        return codes.change_step(x, previous[0], config.threshold)

    return step


CAUSAL: dict[str, Callable[[EncodingConfig, int], Step]] = {
    "delta": _delta,
    "level": _level,
    "rate": _rate,
    "current": _current,
    "change": _change,
}


class StepEncoder:
    """A code step by step: spikes are those of :func:`train.encoding.make_encoder` on the whole.

    Parameters
    ----------
    config
        A code that does not look ahead.
    features
        Features of a frame.

    Raises
    ------
    MaestroError
        The code needs steps that are yet to come.
    """

    def __init__(self, config: EncodingConfig, features: int) -> None:
        if config.name not in CAUSAL:
            raise MaestroError(
                f"the code {config.name!r}",
                f"sends the mean of {config.period} steps from the first of them on, and so cannot be heard live",
                allowed=f"one of {', '.join(CAUSAL)}",
                cure="identify whole recordings with it, or train with another code",
            )
        self._config, self._features = config, features
        self.reset()

    def reset(self) -> None:
        """To where a clip begins."""
        self._step = CAUSAL[self._config.name](self._config, self._features)

    def push(self, values: NDArray[Any]) -> Spikes:
        """Spikes (channel, feature, 1) of one step's values (feature,)."""
        if values.shape != (self._features,) or not np.isfinite(values).all():
            raise MaestroError(
                "frame", f"of shape {values.shape}, or not finite", allowed=f"{(self._features,)} numbers"
            )
        spikes: Spikes = self._step(np.asarray(values, np.float32)[None])[0][..., None]
        return spikes
