"""What is done to a clip, drawn or given."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from train.config import AugmentConfig
from train.config_checks import CHANGES
from train.data.augment.effects import BANDS_HZ


@dataclass(frozen=True)
class Recipe:
    """Changes of a clip, in the order in which they are made; as it stands, none.

    Attributes
    ----------
    semitones, tempo
        Higher by so many, faster by that factor.
    rt60_s, room
        A room's time of decay in seconds, 0 for none, and the numbers that decide which room.
    bands_db
        Gains of the equaliser's bands; none if empty.
    noise, snr_db
        A kind of noise, or nothing, and how far below the music it lies.
    level_db
        Louder by so much.
    """

    semitones: float = 0.0
    tempo: float = 1.0
    rt60_s: float = 0.0
    room: tuple[int, ...] = ()
    bands_db: tuple[float, ...] = ()
    noise: str = ""
    snr_db: float = 0.0
    level_db: float = 0.0


def draw_recipe(config: AugmentConfig, rng: np.random.Generator) -> Recipe:
    """Changes of one clip: each with its own probability, at least one."""
    likely = np.array([getattr(config, name) for name in CHANGES])
    chosen = {name for name, draw, limit in zip(CHANGES, rng.random(len(CHANGES)), likely, strict=True) if draw < limit}
    if not chosen:
        chosen = {str(rng.choice(CHANGES, p=likely / likely.sum()))}
    found: dict[str, Any] = {}
    if "pitch" in chosen:
        found["semitones"] = _either_way(config.pitch_semitones, rng)
    if "tempo" in chosen:
        found["tempo"] = 1 + _either_way(config.tempo_share, rng)
    if "reverb" in chosen:
        found["rt60_s"], found["room"] = room_of(config, int(rng.integers(config.rooms)))
    if "equaliser" in chosen:
        found["bands_db"] = tuple(_either_way(config.equaliser_db, rng) for _ in BANDS_HZ)
    if "noise" in chosen:
        found["noise"] = str(rng.choice(config.kinds))
        found["snr_db"] = float(rng.uniform(config.snr_low_db, config.snr_high_db))
    if "level" in chosen:
        found["level_db"] = _either_way(config.level_db, rng)
    return Recipe(**found)


def room_of(config: AugmentConfig, number: int) -> tuple[float, tuple[int, ...]]:
    """Time of decay and seed of one of the configuration's rooms."""
    seed = (config.seed, number)
    share = np.random.default_rng((*seed, 1)).random()
    return float(config.rt60_low_s + share * (config.rt60_high_s - config.rt60_low_s)), seed


def _either_way(most: float, rng: np.random.Generator) -> float:
    return float(rng.uniform(-most, most))
