"""A clip as it is heard after changes: from the file to its features."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from train.config import Config
from train.data.augment.effects import equalise, set_level, stretch
from train.data.augment.recipe import Recipe
from train.data.augment.rooms import reverberate
from train.data.augment.windows import clip_span, read_window, sound_samples
from train.data.dataset import DataSet, Recording
from train.data.noise import VOICES, make_noise, mix
from train.data.noisy import noise_pool
from train.features import clip_steps, sound_features

# Read on either side where pitch or tempo changes: what is at an end is heard half.
_EDGE_S = 0.25
# Places tried in a recording of the pool before another is taken for it.
_TRIES = 20
# What random numbers are for, beside those that `make_noise` draws.
_EXCERPTS = 7

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Hearing:
    """How clips of a data set are heard.

    Attributes
    ----------
    config
        Whose features; its ``noise.folder`` is the user's noise.
    data
        The data set.
    training
        Whether for training: evaluation hears babble and a folder's noise from other recordings.
    """

    config: Config
    data: DataSet
    training: bool

    def features(self, recording: Recording, start: int, recipe: Recipe, seed: Sequence[int]) -> NDArray[np.float32]:
        """Features (feature, time) of the clip that begins at frame ``start`` of a recording.

        Without a change they are the recording's, where its rate is that of the configuration.

        Parameters
        ----------
        recording
            Of the data set.
        start
            First frame.
        recipe
            What is done to the sound.
        seed
            Whole numbers, 0 or more, that decide the noise together with its kind.

        Raises
        ------
        MaestroError
            A file is missing or damaged, or there is nothing to make the noise of.
        """
        config = self.config
        span = clip_span(start, config.sample_rate_hz, config.features)
        heard = self._sound(recording, span.first, span.samples, recipe, seed)
        found = sound_features(heard, config.sample_rate_hz, config.features)
        return found[:, span.lead : span.lead + clip_steps(config.features)]

    def _sound(self, recording: Recording, first: int, samples: int, recipe: Recipe, seed: Sequence[int]) -> Samples:
        rate_hz = self.config.sample_rate_hz
        stretched = recipe.semitones != 0 or recipe.tempo != 1
        after = round(_EDGE_S * rate_hz) if stretched else 0
        before = after + round(recipe.rt60_s * rate_hz)
        length = before + samples + after
        asked = round(length * recipe.tempo)
        path = self.data.file_of(recording)
        heard = read_window(path, first - round(before * recipe.tempo), asked, rate_hz)
        if stretched:
            heard = stretch(heard, rate_hz, semitones=recipe.semitones, tempo=recipe.tempo)
            heard = np.pad(heard[:length], (0, max(0, length - heard.size)))
        if recipe.rt60_s:
            heard = reverberate(heard, recipe.rt60_s, recipe.room, rate_hz)
        if recipe.bands_db:
            heard = equalise(heard, recipe.bands_db, rate_hz)
        heard = heard[before : before + samples]
        # A pause of digital silence has no ratio to any noise, and stays one.
        if recipe.noise and np.any(heard):
            heard = mix(heard, self._noise(recording, recipe.noise, samples, seed), recipe.snr_db)
        return set_level(heard, recipe.level_db) if recipe.level_db else heard

    def _noise(self, recording: Recording, kind: str, samples: int, seed: Sequence[int]) -> Samples:
        rate_hz = self.config.sample_rate_hz
        pool = noise_pool(self.config, self.data, kind, training=self.training)
        folder = Path(self.config.noise.folder) if kind == "folder" else self.data.path
        rng = np.random.default_rng((*seed, _EXCERPTS))
        excerpts: list[Samples] = []
        for number in rng.permutation(len(pool)):
            other = pool[int(number)]
            if len(excerpts) == (VOICES if kind == "babble" else 1):
                break
            # A piece heard in the background as well would be helped, not disturbed.
            if other.piece != recording.piece:
                excerpt = _excerpt(folder / other.file, samples, rate_hz, rng)
                excerpts += [] if excerpt is None else [excerpt]
        return make_noise(kind, samples, rate_hz, seed, excerpts)


def _excerpt(path: Path, samples: int, sample_rate_hz: int, rng: np.random.Generator) -> Samples | None:
    """So many samples of a recording from anywhere, all of a shorter one; None where only silence is found."""
    total = sound_samples(path, sample_rate_hz)
    for _ in range(_TRIES):
        found = read_window(
            path, int(rng.integers(max(1, total - samples + 1))), min(samples, max(1, total)), sample_rate_hz
        )
        if np.any(found):
            return found
    return None
