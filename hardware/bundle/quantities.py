"""Power, time and energy of an inference, from what the profilers measured.

The protocol: one long run of one sample over and over; the static power of chips that do nothing is taken off; what
is above the static power is dynamic (lava-dl tutorials, netx/pilotnet_snn/benchmark.ipynb and netx/yolo_kp). A
difference of two powers can lie below what the method tells apart, so every mean has an interval.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from hardware.boards import board_kind, board_kinds
from hardware.bundle.activity import activity_of, memory_of
from hardware.bundle.profile import Profile, Series
from hardware.measurement import Quantity, unavailable

LEVEL = 0.95
# Readings of power follow each other closely and are not independent, so that the usual standard error of their mean
# is too small. Means of whole stretches of the run are nearly independent if a stretch is long against what readings
# remember; 20 of them leave 19 degrees of freedom. (Law and Kelton, Simulation Modeling and Analysis, batch means.) A
# block bootstrap would say much the same, and not the same twice.
BATCHES = 20


@dataclass(frozen=True)
class Chips:
    """Chips whose power was read, and those of them that worked; None where it cannot be told.

    Parameters
    ----------
    board, active
        Numbers of chips.
    name
        What told the board, a partition's or board's name; empty if nothing did.
    """

    board: int | None
    active: int | None
    name: str

    @property
    def share(self) -> tuple[float, float]:
        """Between what lies the part of the static power that is the active chips'; the upper end if unknown."""
        if self.board is not None and self.active is not None:
            return self.active / self.board, self.active / self.board
        most = self.board or max(kind.chips for kind in board_kinds())
        return (self.active or 1) / max(most, self.active or 1), 1.0

    def __str__(self) -> str:
        board = f"{self.board} on {self.name}" if self.board else f"on {self.name or 'a board without a name'} unknown"
        return f"chips: {board}, active {'unknown' if self.active is None else self.active}"


def chips_of(environment: Mapping[str, Any] | None, activity: Mapping[str, Series]) -> Chips:
    """Chips of the board by its partition's or its own name, and those that have a core with activity."""
    partition, node = (str((environment or {}).get(key) or "") for key in ("PARTITION", "BOARD"))
    kind = board_kind(partition, node)
    board = kind.chips if kind else None
    active = int(np.unique(activity["chip_idx"]).size) if "chip_idx" in activity else None
    if board == 1:
        active = 1
    if board is not None and active is not None and active > board:
        board = None
    return Chips(board, active, " and ".join(name for name in (partition, node) if name))


def mean_of(series: Series, unit: str, what: str) -> Quantity:
    """Mean of a series with its 95 % interval, by batch means; of a single value the value, and that is said."""
    value, half = float(series.mean()), _half_width(_batches(series))
    if series.size == 1:
        how = "a single value, whose own uncertainty nobody told"
    elif series.size >= 2 * BATCHES:
        how = f"mean of {series.size} readings, 95 % interval from {BATCHES} batch means"
    else:
        how = f"mean of {series.size} readings, 95 % t-interval"
    return Quantity(value, unit, "measured", f"{what}: {how}", value - half, value + half)


def _batches(series: Series) -> Series:
    """Means of stretches of equal length, the last ones a reading shorter; single readings where there are few."""
    if series.size < 2 * BATCHES:
        return series
    return np.array([part.mean() for part in np.array_split(series, BATCHES)])


def _t(batches: Series) -> float:
    return float(stats.t.ppf((1 + LEVEL) / 2, batches.size - 1))


def _half_width(batches: Series) -> float:
    return _t(batches) * float(stats.sem(batches)) if batches.size > 1 else 0.0


def profile_section(profile: Profile, environment: Mapping[str, Any] | None) -> dict[str, Any]:
    """All that a profile says of an inference, as plain data for ``measurement.json``."""
    chips = chips_of(environment, profile.activity)
    power = power_of(profile, chips)
    time = time_of(profile)
    return {
        "profile": {
            "steps": profile.steps,
            "period": profile.period,
            "inferences": profile.inferences,
            "sample": profile.sample,
            "input": profile.source,
            "missing": profile.missing,
        },
        "chips": {"board": chips.board, "active": chips.active, "named_by": chips.name},
        "power": _plain(power),
        "time": _plain(time),
        "energy": _plain(energy_of(power, time, profile.period)),
        "activity": activity_of(profile),
        "memory": memory_of(profile),
    }


Found = dict[str, Quantity | str]


def _plain(found: Found) -> dict[str, Any]:
    return {name: unavailable(value) if isinstance(value, str) else value.as_dict() for name, value in found.items()}


def power_of(profile: Profile, chips: Chips) -> Found:
    """Mean power in W: of the active chips in all, their static part, and the dynamic part above it.

    A value that cannot be had is the reason why.
    """
    why = _unusable(profile, "power", "total_w", "W") or _lacking(profile, "power", "total_w", "total_power")
    if why:
        return dict.fromkeys(("board", "total", "static", "dynamic"), why)
    readings = profile.power["total_w"]
    board = mean_of(readings, "W", "Loihi2Power, whole board")
    found: Found = {"board": board}
    name = "static_total_w"
    why = _unusable(profile, "power", name, "W") or _lacking(profile, "power", name, "static_total_power")
    if why:
        idle = f"idle chips' static power cannot be taken off: {why}"
        found |= {"total": board if chips.board == 1 else idle, "static": why, "dynamic": why}
    else:
        found |= _parts(board, *_static(profile.power[name], readings), chips)
    for rail in ("vdd", "vddm", "vddio"):
        if f"{rail}_w" in profile.power:
            mean = mean_of(profile.power[f"{rail}_w"], "W", f"Loihi2Power, whole board, {rail}")
            found[f"board_{rail}"] = _unusable(profile, "power", f"{rail}_w", "W") or mean
    return found


def _parts(board: Quantity, static: float, half: float, chips: Chips) -> Found:
    """Power of the active chips in all, their static part, and the dynamic part."""
    low, high = chips.share
    taken = f"static power of idle chips taken off ({chips})"
    if low != high:
        taken += "; the value has none taken off, the lower end as much as can be"
    half_board = board.high - board.value
    value = board.value - (1 - high) * static
    ends = [
        board.value - (1 - share) * static + sign * float(np.hypot(half_board, (1 - share) * half))
        for share, sign in ((low, -1), (high, 1))
    ]
    total: Quantity | str = f"is {value:.4g} W once idle chips' static power of {static:.4g} W is taken off ({chips})"
    if value > 0:
        how = f"{board.method}; {taken}"
        total = Quantity(value, "W", "measured", how, min(ends[0], value), max(ends[1], value))
    value = high * static
    how = f"Loihi2Power after the run, active chips' part; {taken}"
    ends = [min(low * (static - half), value), max(high * (static + half), value)]
    part = Quantity(value, "W", "measured", how, ends[0], ends[1])
    return {"total": total, "static": part, "dynamic": _dynamic(board, static, half)}


def _static(series: Series, readings: Series) -> tuple[float, float]:
    """Static power of the board and half its interval.

    Where it is a single value it is taken to be as uncertain as one batch of readings, or half the least step between
    two readings if that is more.
    """
    value = float(series.mean())
    if series.size > 1:
        return value, _half_width(_batches(series))
    batches = _batches(readings)
    spread = _t(batches) * float(batches.std(ddof=1)) if batches.size > 1 else 0.0
    levels = np.unique(readings)
    step = float(np.diff(levels).min()) if levels.size > 1 else 0.0
    return value, max(spread, step / 2)


def _dynamic(board: Quantity, static: float, half: float) -> Quantity:
    value = board.value - static
    half_width = float(np.hypot(board.high - board.value, half))
    how = "mean power of the run less the static power after it; errors added as independent ones"
    if value + half_width < 0:
        # No power is below zero: readings alone do not explain it, and the method is off by that much at least.
        half_width = -value
        how += ", and widened to zero, as the method is off by more than its readings scatter"
    if value - half_width <= 0 <= value + half_width:
        how += "; not told from zero: it is below what this method resolves"
    return Quantity(value, "W", "measured", how, value - half_width, value + half_width)


def time_of(profile: Profile) -> Found:
    """Time of a step in us and of an inference in s."""
    name = "time_per_step" if "time_per_step" in profile.time else "avg_time_per_step_us"
    why = _unusable(profile, "time", name, "us") or _lacking(profile, "time", name, "time_per_step")
    if why:
        return dict.fromkeys(("step", "inference"), why)
    series = profile.time[name]
    mean = mean_of(series, "us", "Loihi2ExecutionTime")
    found: Found = {"step": mean}
    for name, share in (("step_p50", 50), ("step_p99", 99)):
        value = float(np.percentile(series, share))
        how = f"Loihi2ExecutionTime: {share} % of {_steps_in(series, profile.steps)}"
        only = "only the mean of the steps was recorded"
        found[name] = only if series.size == 1 else Quantity(value, "us", "measured", how, value, value)
    factor = profile.period * 1e-6
    how = f"{mean.method}; {profile.period} steps"
    found["inference"] = Quantity(mean.value * factor, "s", "measured", how, mean.low * factor, mean.high * factor)
    return found


def _steps_in(series: Series, steps: int) -> str:
    """What the values of a series of times are, in words: steps, or means of several steps, which scatter less."""
    if series.size == steps:
        return f"{steps} steps take no longer"
    text = f"{series.size} values of a run of {steps} steps are no greater"
    if series.size < steps:
        text += f"; if they are means of about {steps / series.size:.3g} steps each, single steps scatter more"
    return text


def energy_of(power: Found, time: Found, period: int) -> Found:
    """Energy of an inference in J, power times time: in all and dynamic."""
    return {name: _energy(power[name], time["inference"], period) for name in ("total", "dynamic")}


def _energy(power: Quantity | str, time: Quantity | str, period: int) -> Quantity | str:
    if isinstance(power, str):
        return power
    if isinstance(time, str):
        return time
    value = power.value * time.value
    ends = []
    for sign, end in ((-1, power.low), (1, power.high)):
        of_power, of_time = (end - power.value) * time.value, power.value * (time.high - time.value)
        ends.append(value + sign * float(np.hypot(of_power, of_time)))
    how = f"mean power times the time of {period} steps; errors added as independent ones. Power: {power.method}"
    return Quantity(value, "J", "measured", how, ends[0], ends[1])


def _lacking(profile: Profile, part: str, name: str, attribute: str) -> str:
    """Why a series is not there; empty if it is."""
    return "" if name in getattr(profile, part) else profile.why(f"{part}.{attribute}")


def _unusable(profile: Profile, part: str, name: str, unit: str) -> str:
    """Why a series that is there measures nothing; empty if it does. No board takes no time or no power."""
    series = getattr(profile, part).get(name)
    if series is None or (series > 0).all():
        return ""
    many = int((series <= 0).sum())
    return f"{part}.{name}: {many} of {series.size} values are zero or below (least {series.min():.4g} {unit})"
