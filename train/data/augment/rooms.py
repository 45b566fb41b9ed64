"""Rooms: what a microphone in one hears of an instrument in it."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import scipy.signal
from numpy.typing import NDArray

# Metres: from a practice room to a small hall.
_SMALLEST_M, _LARGEST_M = (3.0, 3.0, 2.5), (12.0, 9.0, 5.0)
_FROM_WALLS_M = 0.5
# Reflections followed. With fewer the decay would break off before 30 dB; each more costs as its square.
_ORDER = 30
_TRIES = 50

Samples = NDArray[np.float32]


def reverberate(audio: Samples, rt60_s: float, seed: Sequence[int], sample_rate_hz: int) -> Samples:
    """Sound in a room; what is heard straight stays at its place, and the power about what it was.

    Parameters
    ----------
    audio : shape (sample,)
        Mono. What rings on from before it is not heard: begin by ``rt60_s`` earlier.
    rt60_s
        Time in which the room's sound decays by 60 dB, seconds, by Sabine's formula.
    seed
        Whole numbers, 0 or more, that decide size and places.
    sample_rate_hz
        Rate of the samples.

    Returns
    -------
    NDArray[np.float32], shape (sample,)
    """
    response = room_response(rt60_s, tuple(seed), sample_rate_hz)
    heard: NDArray[np.float32] = scipy.signal.oaconvolve(audio, response)[: audio.size].astype(np.float32)
    return heard


@lru_cache(maxsize=1024)
def room_response(rt60_s: float, seed: tuple[int, ...], sample_rate_hz: int) -> Samples:
    """Impulse response of a room, from its direct sound on, of energy 1.

    A box whose walls absorb alike, by the image source method (Allen and Berkley, J. Acoust. Soc. Am. 65(4), 1979),
    as pyroomacoustics does it (Scheibler et al., ICASSP 2018), up to 30 reflections.

    Returns
    -------
    NDArray[np.float32], shape (sample,)
    """
    # Only here: it takes a second to load.
    import pyroomacoustics

    # Sums in one order whatever the machine.
    pyroomacoustics.constants.set("num_threads", 1)
    rng = np.random.default_rng(seed)
    size_m, absorption, order = _size(rt60_s, rng)
    room = pyroomacoustics.ShoeBox(
        size_m, fs=sample_rate_hz, materials=pyroomacoustics.Material(absorption), max_order=min(order, _ORDER)
    )
    source, microphone = _places(size_m, rng)
    room.add_source(source)
    room.add_microphone(microphone)
    room.compute_rir()
    response = np.asarray(room.rir[0][0], np.float64)
    response = response[int(np.abs(response).argmax()) :]
    found: Samples = (response / np.sqrt(np.sum(response**2))).astype(np.float32)
    return found


def _size(rt60_s: float, rng: np.random.Generator) -> tuple[list[float], float, int]:
    """Size in metres of a room that can decay as fast, with its walls' absorption and the reflections in that time."""
    import pyroomacoustics

    for attempt in range(_TRIES):
        # A large hall cannot be deader than its open windows: smaller and smaller ones are tried.
        share = 1 - attempt / (_TRIES - 1)
        size_m = [
            float(low + rng.uniform() * share * (high - low)) for low, high in zip(_SMALLEST_M, _LARGEST_M, strict=True)
        ]
        try:
            absorption, order = pyroomacoustics.inverse_sabine(rt60_s, size_m)
        except ValueError:
            continue
        return size_m, float(absorption), int(order)
    return list(_SMALLEST_M), 0.99, 1


def _places(size_m: Sequence[float], rng: np.random.Generator) -> tuple[list[float], list[float]]:
    """Where the instrument and the microphone stand."""
    source, microphone = (
        [float(rng.uniform(_FROM_WALLS_M, side - _FROM_WALLS_M)) for side in size_m] for _ in range(2)
    )
    return source, microphone
