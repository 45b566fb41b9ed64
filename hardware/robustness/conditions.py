"""What a network is tried against: every condition by its name, with what it does to a clip."""

from dataclasses import dataclass

import numpy as np

from train.config_checks import ALL_NOISES
from train.data.augment.effects import BANDS_HZ
from train.data.augment.recipe import Recipe

SNR_DB = (30, 20, 10, 5, 0)
LEVEL_DB = (-40, -30, -20, -10, -5, 5)
RT60_S = (0.3, 0.6, 1.0)
TILT_DB = (-12, -6, 6, 12)
SEMITONES = (-1, -0.5, 0.5, 1)
TEMPO = (0.8, 0.9, 1.1, 1.25)
# The same rooms at every call: their size and places.
_ROOM = 3

# By axis: its title, its unit, and where on it the clean clips are; the quietest noise has no end.
AXES: dict[str, tuple[str, str, float | None]] = {
    "noise": ("signal-to-noise ratio", "dB", None),
    "level": ("level", "dB", 0),
    "reverb": ("reverberation time", "s", 0),
    "tilt": ("tilt of the spectrum", "dB", 0),
    "pitch": ("pitch", "semitones", 0),
    "tempo": ("tempo", "times", 1),
}


@dataclass(frozen=True)
class Condition:
    """A point on an axis.

    Attributes
    ----------
    axis
        Of ``AXES``.
    kind
        Of noise; empty on other axes.
    value
        Where on the axis.
    recipe
        What is done to every clip.
    """

    axis: str
    kind: str
    value: float
    recipe: Recipe

    @property
    def name(self) -> str:
        """One word: noise-white-20, level--40."""
        return "-".join(filter(None, (self.axis, self.kind, f"{self.value:g}")))


def all_conditions(*, folder: bool) -> list[Condition]:
    """Every condition, axis by axis; ``folder`` says whether there is noise of the user's own."""
    kinds = [kind for kind in ALL_NOISES if folder or kind != "folder"]
    found = [Condition("noise", kind, snr_db, Recipe(noise=kind, snr_db=snr_db)) for kind in kinds for snr_db in SNR_DB]
    found += [Condition("level", "", level_db, Recipe(level_db=level_db)) for level_db in LEVEL_DB]
    found += [Condition("reverb", "", rt60_s, Recipe(rt60_s=rt60_s, room=(_ROOM,))) for rt60_s in RT60_S]
    found += [Condition("tilt", "", tilt_db, Recipe(bands_db=tilted(tilt_db))) for tilt_db in TILT_DB]
    found += [Condition("pitch", "", semitones, Recipe(semitones=semitones)) for semitones in SEMITONES]
    return found + [Condition("tempo", "", tempo, Recipe(tempo=tempo)) for tempo in TEMPO]


def tilted(tilt_db: float) -> tuple[float, ...]:
    """Gains of the equaliser that rise by ``tilt_db`` from its lowest band to its highest, and are 0 in the middle."""
    return tuple(float(gain_db) for gain_db in np.linspace(-tilt_db / 2, tilt_db / 2, len(BANDS_HZ)))
