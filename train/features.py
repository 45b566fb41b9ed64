"""Short-time features of sound: MFCC, chroma and level, one column a time step; and their normalisation."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import librosa
import numpy as np
import scipy.sparse
from jaxtyping import Float32
from numpy.typing import NDArray

from train.config import FeatureConfig
from train.errors import CallError, MaestroError

# The piano's lowest string, A0 (27.5 Hz), opens the mel bands; the Nyquist frequency closes them.
FMIN_HZ = 27.5
# Bands of about 46 Hz below 1 kHz at 16 kHz: a whole tone at A4, and no band of the default window is empty.
MEL_BANDS = 64
# Powers are floored here, relative to a full-scale sine; without a floor digital silence would be an outlier.
FLOOR_DB = -80.0
# Frames computed at a time, to bound the memory that a long recording takes.
_BLOCK_FRAMES = 2048
# A feature whose standard deviation is below this says nothing and is left at zero.
_FLAT = 1e-6


def hop_samples(sample_rate_hz: int, config: FeatureConfig) -> int:
    """Samples between two frames."""
    return max(1, round(config.hop_s * sample_rate_hz))


def clip_steps(config: FeatureConfig) -> int:
    """Frames of a clip, which are the network's time steps: ``clip_s / hop_s``, rounded."""
    return round(config.clip_s / config.hop_s)


def feature_names(config: FeatureConfig) -> tuple[str, ...]:
    """Names of the features, in their order."""
    mfcc = tuple(f"mfcc{index}" for index in range(config.mfcc))
    chroma = tuple(f"chroma{index}" for index in range(config.chroma))
    mel = tuple(f"mel{index}" for index in range(config.mel))
    return mfcc + chroma + (("rms",) if config.rms else ()) + mel


def warm_up() -> None:
    """Load what the features need, before processes are forked or a user waits.

    At its first use after installation librosa compiles parts of itself and keeps the result beside its
    files; that takes about half a minute.
    """
    sound_features(np.zeros(1, np.float32), 16000, FeatureConfig())


def sound_features(
    audio: NDArray[np.float32], sample_rate_hz: int, config: FeatureConfig
) -> Float32[NDArray[np.float32], "feature frame"]:
    """Features of a whole recording.

    Frame t is centred at sample ``t * hop`` and depends on the ``window`` samples around it alone, so
    that a clip cut from a recording's features has the recording's context and nothing else.

    MFCC: type-II cosine transform of mel band powers in dB (Davis & Mermelstein, IEEE Trans. ASSP 28(4),
    1980). Chroma: power by pitch class, tuned to A4 = 440 Hz, largest class 1 (librosa.feature.chroma_stft;
    after Bartsch & Wakefield, WASPAA 2001). RMS: level of the frame in dB. Powers are relative to a
    full-scale sine's and floored at -80 dB. Mel: the band powers themselves in dB, from low to high.

    Parameters
    ----------
    audio : shape (sample,)
        Mono, full scale 1.
    sample_rate_hz
        Its rate.
    config
        Which features, of which frames.

    Returns
    -------
    NDArray[np.float32], shape (feature, frame)
        ``1 + samples // hop`` frames, in the order of ``feature_names``.

    Raises
    ------
    MaestroError
        The audio is not a row of finite samples.
    CallError
        The window is too short for the mel bands.
    """
    if audio.ndim != 1 or audio.size == 0:
        raise MaestroError("audio", f"has the shape {audio.shape}", allowed="a row of samples, shape (sample,)")
    if not np.isfinite(audio).all():
        raise MaestroError("audio", "has samples that are NaN or infinite", cure="export the recording again")
    return block_features([np.asarray(audio, np.float32)], sample_rate_hz, config)


def block_features(
    blocks: Iterable[NDArray[np.float32]], sample_rate_hz: int, config: FeatureConfig
) -> Float32[NDArray[np.float32], "feature frame"]:
    """Features of a recording that comes block by block: to the bit `sound_features` of the whole.

    Parameters
    ----------
    blocks : each of shape (sample,)
        The recording's samples, in blocks of any size.
    sample_rate_hz, config
        As for `sound_features`.

    Returns
    -------
    NDArray[np.float32], shape (feature, frame)

    Raises
    ------
    MaestroError, CallError
        As `sound_features`; and whatever comes up in ``blocks``.
    """
    hop, half = hop_samples(sample_rate_hz, config), config.window // 2
    cutter = _Cutter(hop, config.window)
    parts: list[NDArray[np.float32]] = []
    for samples in itertools.chain([np.zeros(half, np.float32)], blocks):
        # Windows move to the end of their block of frames, as those of a whole recording do.
        parts.extend(_block(part, sample_rate_hz, hop, config) for part in cutter.push(samples))
    parts.extend(_block(part, sample_rate_hz, hop, config) for part in cutter.finish(half))
    return np.concatenate(parts, axis=1)


class _Cutter:
    """Cuts samples that come in pieces into the stretches of ``_BLOCK_FRAMES`` frames that features are computed of."""

    def __init__(self, hop: int, window: int) -> None:
        self._hop, self._window = hop, window
        self._waiting: list[NDArray[np.float32]] = []
        self._held = self._skip = self._pushed = self._frames = 0

    def push(self, samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """Stretches that are complete with these samples."""
        self._take(samples)
        while self._held >= (_BLOCK_FRAMES - 1) * self._hop + self._window:
            yield self._cut(_BLOCK_FRAMES)

    def finish(self, half: int) -> Iterator[NDArray[np.float32]]:
        """What is left, with silence after the recording; ``half`` samples of silence were before it."""
        frames = 1 + (self._pushed - half) // self._hop
        self._take(np.zeros(half + self._window, np.float32))
        while self._frames < frames:
            yield self._cut(min(frames - self._frames, _BLOCK_FRAMES))

    def _take(self, samples: NDArray[np.float32]) -> None:
        self._pushed += samples.size
        # Where hops are longer than windows, some samples are in none.
        skipped = min(self._skip, samples.size)
        self._skip -= skipped
        self._waiting.append(samples[skipped:])
        self._held += samples.size - skipped

    def _cut(self, frames: int) -> NDArray[np.float32]:
        held = np.concatenate(self._waiting)
        step = frames * self._hop
        self._waiting, self._skip = [held[step:]], max(0, step - held.size)
        self._held = self._waiting[0].size
        self._frames += frames
        return held[: step - self._hop + self._window]


def window_features(samples: NDArray[np.float32], sample_rate_hz: int, config: FeatureConfig) -> NDArray[np.float32]:
    """Features (feature,) of a frame from the ``window`` samples around its centre, as ``sound_features`` has them."""
    return _block(samples, sample_rate_hz, hop_samples(sample_rate_hz, config), config)[:, 0]


def _block(part: NDArray[np.float32], sample_rate_hz: int, hop: int, config: FeatureConfig) -> NDArray[np.float32]:
    """Features of the frames that fit into ``part``, uncentred."""
    window = config.window
    rows: list[NDArray[np.float32]] = []
    if config.mfcc or config.chroma or config.mel:
        spectrum = librosa.stft(part, n_fft=window, hop_length=hop, window="hann", center=False)
        # A full-scale sine peaks at sum(window) / 2 = window / 4 for a Hann window.
        power = np.ascontiguousarray(spectrum.real**2 + spectrum.imag**2) * np.float32((4 / window) ** 2)
        if config.mfcc:
            mel: NDArray[np.float32] = _mel_bank(sample_rate_hz, window, max(MEL_BANDS, config.mfcc)) @ power
            rows.append(librosa.feature.mfcc(S=_decibels(mel), n_mfcc=config.mfcc))
        if config.chroma:
            # Power below the floor is rounding noise, and the largest class of noise would be 1 too.
            chroma: NDArray[np.float32] = _chroma_bank(sample_rate_hz, window, config.chroma) @ power
            largest = np.maximum(chroma.max(axis=0), np.float32(10 ** (FLOOR_DB / 10)))
            rows.append(chroma / largest)
    if config.rms:
        level = librosa.feature.rms(y=part, frame_length=window, hop_length=hop, center=False)
        # A full-scale sine's mean square is one half.
        rows.append(_decibels(2 * level**2))
    if config.mel:
        rows.append(_decibels(_mel_bank(sample_rate_hz, window, config.mel) @ power))
    return np.concatenate(rows).astype(np.float32, copy=False)


def _decibels(power: NDArray[np.float32]) -> NDArray[np.float32]:
    floored: NDArray[np.float32] = np.maximum(power, np.float32(10 ** (FLOOR_DB / 10)))
    return np.float32(10) * np.log10(floored)


# The banks are sparse matrices not for speed but because their products, unlike BLAS's, add in one order
# whatever the number of frames and threads: a frame's features are the same to the bit wherever it stands.
@lru_cache(maxsize=8)
def _mel_bank(sample_rate_hz: int, window: int, bands: int) -> Any:
    # norm=None: a band holds the sum of its powers, so that the floor means the same in each.
    frequencies = librosa.mel_frequencies(bands + 2, fmin=FMIN_HZ, fmax=sample_rate_hz / 2)
    spacing_hz = sample_rate_hz / window
    narrowest_hz = float(np.diff(frequencies).min())
    if spacing_hz > 2 * narrowest_hz:
        needed = int(np.ceil(sample_rate_hz / (2 * narrowest_hz)))
        raise CallError(
            "configuration key features.window",
            f"is {window}, too short for {bands} mel bands at {sample_rate_hz} Hz",
            allowed=f"at least {needed} samples",
        )
    from librosa.filters import mel  # Here: it takes seconds to load, and not every command needs it.

    return scipy.sparse.csr_array(
        mel(sr=sample_rate_hz, n_fft=window, n_mels=bands, fmin=FMIN_HZ, norm=None, dtype=np.float32)
    )


@lru_cache(maxsize=8)
def _chroma_bank(sample_rate_hz: int, window: int, classes: int) -> Any:
    # Tuning is fixed: estimating it would make a frame depend on the whole recording.
    from librosa.filters import chroma

    return scipy.sparse.csr_array(
        chroma(sr=sample_rate_hz, n_fft=window, n_chroma=classes, tuning=0.0, dtype=np.float32)
    )


class Normaliser:
    """Shifts and scales each feature to mean 0 and standard deviation 1 of the training recordings.

    Parameters
    ----------
    mean, std : shape (feature,)
        A standard deviation of 0 marks a feature that never changed in training; it is given as 0.
    """

    def __init__(self, mean: NDArray[np.float32], std: NDArray[np.float32]) -> None:
        self.mean = np.asarray(mean, np.float32)
        self.std = np.asarray(std, np.float32)
        if self.mean.ndim != 1 or self.mean.shape != self.std.shape:
            shapes = f"mean and std have the shapes {self.mean.shape} and {self.std.shape}"
            raise MaestroError("normaliser", shapes, allowed="one row each")
        if not (np.isfinite(self.mean).all() and np.isfinite(self.std).all() and (self.std >= 0).all()):
            raise MaestroError("normaliser", "has values that are no mean or no deviation", allowed="finite, std >= 0")

    @classmethod
    def fit(cls, sequences: Sequence[Float32[Any, "feature _frame"]]) -> "Normaliser":
        """Statistics over all frames of ``sequences``, each of shape (feature, frame), one in memory at a time.

        Raises
        ------
        MaestroError
            There is no frame.
        """
        count = sum(sequence.shape[1] for sequence in sequences)
        if count == 0:
            raise MaestroError("normaliser", "no frame to take statistics of", allowed="at least one recording")
        mean = np.sum([sequence[:, :].sum(axis=1, dtype=np.float64) for sequence in sequences], axis=0) / count
        squares = [np.square(sequence[:, :] - mean[:, None]).sum(axis=1) for sequence in sequences]
        std = np.sqrt(np.sum(squares, axis=0) / count)
        return cls(mean.astype(np.float32), np.where(std > _FLAT, std, 0).astype(np.float32))

    def apply(self, features: NDArray[np.float32]) -> Float32[NDArray[np.float32], "*batch {self.mean.size} time"]:
        """Normalise features of shape (..., feature, time).

        Raises
        ------
        MaestroError
            Another number of features than in training.
        """
        if features.ndim < 2 or features.shape[-2] != self.mean.size:
            raise MaestroError(
                "features", f"have the shape {features.shape}", allowed=f"(..., {self.mean.size} features, time)"
            )
        scale = np.divide(np.float32(1), self.std, out=np.zeros_like(self.std), where=self.std > 0)
        scaled: NDArray[np.float32] = (np.asarray(features, np.float32) - self.mean[:, None]) * scale[:, None]
        return scaled

    def to_dict(self) -> dict[str, list[float]]:
        """Plain lists, exact: a float32 survives JSON's decimal numbers."""
        return {"mean": [float(value) for value in self.mean], "std": [float(value) for value in self.std]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Normaliser":
        """Back from ``to_dict``.

        Raises
        ------
        MaestroError
            Not two rows of numbers of one length.
        """
        try:
            return cls(np.array(values["mean"], np.float32), np.array(values["std"], np.float32))
        except (KeyError, TypeError, ValueError) as error:
            raise MaestroError("normaliser", f"cannot be read: {error!r}", allowed="the lists mean and std") from error
