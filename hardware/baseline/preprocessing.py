"""What comes before the network: features of a clip's sound, and their encoding as spikes; in seconds a clip."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardware.baseline.trials import median_of
from hardware.measurement import unavailable
from train.config import Config
from train.data.clips import data_clips
from train.data.dataset import open_dataset
from train.data.sound import load_sound
from train.errors import MaestroError
from train.features import sound_features, warm_up
from train.model import TrainedRun

# Recordings that sound is taken from, and clips that are timed of all together.
_RECORDINGS, _CLIPS = 4, 48


def preprocessing(trained: TrainedRun, clock: Callable[[], float] = time.perf_counter) -> dict[str, Any]:
    """Seconds a clip of features and of encoding, one clip at a time on the processor, as plain numbers."""
    config = trained.config
    try:
        sounds = test_sounds(config)
    except MaestroError as error:
        features: dict[str, Any] = unavailable(f"no sound of the test set can be read: {error}")
    else:
        warm_up()
        rate_hz = config.sample_rate_hz
        timed = [_seconds(sound_features, (sound, rate_hz, config.features), clock) for sound in sounds]
        # The first makes the banks of filters, once.
        features = median_of(timed[1:] or timed).quantity("s", "features of a clip's sound").as_dict()
    clips = data_clips(config)[0]["test"]
    chosen = [clips.features([int(index)]) for index in np.linspace(0, len(clips) - 1, _CLIPS).round()]

    def encode(values: NDArray[np.float32]) -> object:
        return trained.encoder.encode(trained.normaliser.apply(values))

    encode(chosen[0])
    spent = [_seconds(encode, (values,), clock) for values in chosen]
    return {"features": features, "encoding": median_of(spent).quantity("s", "normalising and encoding").as_dict()}


def test_sounds(config: Config) -> list[NDArray[np.float32]]:
    """Stretches of test recordings, each as long as a clip and the window around its last frame.

    Raises
    ------
    MaestroError
        A recording cannot be read.
    """
    data = open_dataset(config)
    files = [data.file_of(recording) for recording in data.of_split("test")][:_RECORDINGS]
    rate_hz = config.sample_rate_hz
    # A frame more would begin with a whole clip's last sample.
    size = round(config.features.clip_s * rate_hz) - 1
    found = []
    for file in files:
        sound = load_sound(file, rate_hz)
        each = max(1, _CLIPS // _RECORDINGS)
        found += [sound[first : first + size] for first in range(0, len(sound) - size + 1, size)][:each]
    return found


def _seconds(work: Callable[..., object], given: tuple[Any, ...], clock: Callable[[], float]) -> float:
    begun = clock()
    work(*given)
    return clock() - begun
