"""A clip as sound, as features and as spikes, layer by layer, on one time axis."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardware.report.blocks import Figure
from hardware.report.clip import Heard, Sound, Spikes
from hardware.report.figures.style import INK, PIXEL_RGB, SOFT, drawing, to_svg
from hardware.report.format import THIN

# Rows of pixels that a layer's panel has at most: neurons beyond are drawn several to a row.
_ROWS = 110
_WIDTH = 9.0
# Of the spectrogram, finer than the network's steps.
_HOP, _BANDS, _LOWEST_HZ, _RANGE_DB = 160, 96, 27.5, 70.0
# Features beyond so many standard deviations have the colour of the ends.
_SPAN = 3.0


def raster(name: str, run: str, heard: Heard, spikes: Spikes | None) -> Figure:
    """Spectrogram, features, input spikes and every layer's spikes of a clip; without spikes the first two.

    Parameters
    ----------
    run
        The run's label.
    """
    layers = {} if spikes is None else spikes.layers
    heights = [1.25, 1.15, *(_height(len(rows)) for rows in layers.values())]
    if layers:
        # Room for the heads' names.
        heights[-1] = 1.1
    label = f"{run}: clip {heard.index} as spectrogram and features" + (" and spikes of every layer" if layers else "")
    with drawing(name, _WIDTH, sum(heights) + 0.14 * len(heights) + 0.5) as figure:
        axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
        layout: Any = figure.get_layout_engine()
        layout.set(h_pad=0.03, hspace=0.01)
        steps, hop_s = heard.features.shape[-1], heard.hop_s
        _spectrogram(axes[0], heard)
        _features(axes[1], heard)
        for axis, (layer, rows) in zip(axes[2:], layers.items(), strict=True):
            _spikes(axis, rows, hop_s)
            _title(axis, f"{layer}: {len(rows)} {'channels' if layer == 'input' else 'neurons'}, {rows.sum()} spikes")
        if spikes is not None:
            _heads(axes[-1], spikes)
        for axis in axes:
            axis.tick_params(length=2)
            axis.spines[["top", "right"]].set_visible(True)
            for edge in axis.spines.values():
                edge.set_color(SOFT)
                edge.set_linewidth(0.6)
        axes[-1].set_xlim(-0.5 * hop_s, (steps - 0.5) * hop_s)
        axes[-1].set_xlabel("time in the clip, s")
        svg = to_svg(figure, name, label)
    return Figure(name, svg, label, _caption(run, heard, spikes), 720)


def _height(neurons: int) -> float:
    return float(np.clip(neurons / 150, 0.55, 1.1))


def _title(axis: Any, text: str) -> None:
    axis.set_title(text, loc="left", fontsize=8, pad=2, fontweight="normal")


def _spectrogram(axis: Any, heard: Heard) -> None:
    if not isinstance(heard.sound, Sound):
        axis.text(0.5, 0.5, f"unavailable: {heard.sound}", transform=axis.transAxes, ha="center", va="center")
        axis.set_yticks([])
        _title(axis, "spectrogram")
        return
    import librosa

    sound = heard.sound
    window = 2 * sound.first
    power = librosa.feature.melspectrogram(
        y=sound.samples, sr=sound.rate_hz, n_fft=window, hop_length=_HOP, n_mels=_BANDS, fmin=_LOWEST_HZ, center=False
    )
    decibels = librosa.power_to_db(power, ref=np.max, top_db=_RANGE_DB)
    half_s = _HOP / sound.rate_hz / 2
    end_s = (decibels.shape[1] - 1) * 2 * half_s
    # Without interpolation a picture keeps its own pixels, and the page's file stays small.
    axis.imshow(
        decibels,
        origin="lower",
        aspect="auto",
        cmap="magma",
        interpolation="none",
        extent=(-half_s, end_s + half_s, -0.5, _BANDS - 0.5),
    )
    frequencies = librosa.mel_frequencies(_BANDS, fmin=_LOWEST_HZ, fmax=sound.rate_hz / 2)
    ticks = [hz for hz in (100, 500, 1000, 2000, 4000) if hz < sound.rate_hz / 2]
    axis.set_yticks(np.interp(ticks, frequencies, np.arange(_BANDS)), [f"{hz}{THIN}Hz" for hz in ticks])
    _title(axis, f"sound: mel spectrogram, {_RANGE_DB:.0f}{THIN}dB from black to bright")


def _features(axis: Any, heard: Heard) -> None:
    steps, hop_s = heard.features.shape[-1], heard.hop_s
    axis.imshow(
        heard.features,
        origin="lower",
        aspect="auto",
        cmap="PuOr_r",
        vmin=-_SPAN,
        vmax=_SPAN,
        interpolation="none",
        extent=(-0.5 * hop_s, (steps - 0.5) * hop_s, -0.5, len(heard.features) - 0.5),
    )
    kinds = [name.rstrip("0123456789") for name in heard.names]
    starts = [place for place, kind in enumerate(kinds) if place == 0 or kinds[place - 1] != kind]
    stops = [*starts[1:], len(kinds)]
    middle = [(start + stop - 1) / 2 for start, stop in zip(starts, stops, strict=True)]
    axis.set_yticks(middle, [kinds[start] for start in starts])
    for start in starts[1:]:
        axis.axhline(start - 0.5, color="#333333", linewidth=0.6)
    _title(axis, f"features, in standard deviations: violet −{_SPAN:.0f} and below, orange +{_SPAN:.0f} and above")


def _spikes(axis: Any, rows: NDArray[np.uint8], hop_s: float) -> None:
    """Spikes as cells of a step's width; several neurons to a row where there are more than rows."""
    fold = -(-len(rows) // _ROWS)
    missing = -len(rows) % fold
    padded = np.pad(rows, ((0, missing), (0, 0))).reshape(-1, fold, rows.shape[-1])
    share = padded.mean(axis=1)
    # One spike of many neurons must still be seen.
    alpha = np.where(share > 0, 0.5 + 0.5 * share, 0.0) if fold > 1 else share
    picture = np.empty((*share.shape, 4), np.float32)
    picture[..., :3], picture[..., 3] = PIXEL_RGB, alpha
    axis.imshow(
        picture,
        origin="upper",
        aspect="auto",
        interpolation="none",
        extent=(-0.5 * hop_s, (rows.shape[-1] - 0.5) * hop_s, fold * len(share) - 0.5, -0.5),
    )
    axis.set_yticks([0, len(rows) - 1], ["0", str(len(rows) - 1)])


def _heads(axis: Any, spikes: Spikes) -> None:
    """Lines between the heads, and their names, in the last layer's panel."""
    ticks = []
    for head, (start, stop) in spikes.heads.items():
        ticks.append(((start + stop - 1) / 2, head))
        if start:
            axis.axhline(start - 0.5, color=INK, linewidth=0.6)
    axis.set_yticks([place for place, _ in ticks], [head for _, head in ticks])


def _caption(run: str, heard: Heard, spikes: Spikes | None) -> str:
    text = (
        f"Clip {heard.index} of {heard.clips} of the test set, {heard.recording} from {heard.start_s:.1f}{THIN}s on; "
        f"{heard.why}. Sound, features and steps of {1000 * heard.hop_s:.0f}{THIN}ms share the time axis."
    )
    if spikes is None:
        return f"{text} {run} has no spikes to show."
    told = [
        f"{head} {decision} ({'right' if heard.truth.get(head) == decision else 'wrong: ' + heard.truth.get(head, '')})"
        for head, (decision, _) in spikes.decisions.items()
    ]
    folds = [layer for layer, rows in spikes.layers.items() if len(rows) > _ROWS]
    text += (
        f" {run} decides: {'; '.join(told)}. Spikes are the engine's on the exported integers, at their own steps; "
        f"every layer is a step later than the one before, {spikes.latency_steps} in all."
    )
    if folds:
        text += f" In {', '.join(folds)} several neurons share a row, the fuller the more of them spike."
    return text
