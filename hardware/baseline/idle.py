"""Idle power of a device, kept with the session it was metered in; cells know which session they are of."""

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from hardware.baseline.counter import CounterError
from hardware.baseline.kept import Kept
from hardware.baseline.meter import Meter
from hardware.baseline.protocol import Protocol
from hardware.baseline.trials import drift_of, median_of
from hardware.measurement import Quantity, quantity_of, unavailable
from train.console import say

TIMES = ("bare", "loaded", "after")
_NOT_YET = "the measurement was stopped before its end"


class Idle:
    """Idle power before and after a session's cells.

    Parameters
    ----------
    device
        Its key.
    make_meter
        Begins to read its counters. Each stretch has a meter of its own: minutes may pass between them unread.
    meter
        What the counters are, as ``Device.meter`` has it.
    unfinished
        A session that was stopped before its last stretch, to be gone on with.
    """

    def __init__(
        self,
        device: str,
        make_meter: Callable[[], Meter],
        protocol: Protocol,
        kept: Kept,
        meter: Mapping[str, Any] | None = None,
        unfinished: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S")
        self._device, self._make_meter, self._protocol, self._kept = device, make_meter, protocol, kept
        self._meter, self._words = meter, ""
        self.powers: dict[str, Any] = dict.fromkeys(TIMES, unavailable(_NOT_YET))
        self.drifts: dict[str, Any] = {}
        if unfinished is not None:
            self.name, self._words = str(unfinished["name"]), ", in a later call"
            self.powers = dict(unfinished["powers"])
            self.drifts = {when: unfinished["drift"][when] for when in TIMES if when in unfinished["drift"]}

    def taken(self, when: str) -> bool:
        """Whether it was metered, or tried."""
        return bool(self.powers[when] != unavailable(_NOT_YET))

    def take(self, when: str) -> None:
        """Meter it now and keep it."""
        say(f"{self._device}: idle, {when}, {self._protocol.idle_s:.0f} s")
        try:
            parts = self._make_meter().idle(self._protocol.idle_s, self._protocol.trials)
        except CounterError as error:
            self.powers[when] = unavailable(str(error))
        else:
            values = [part.power_w for part in parts]
            # A mean of so many seconds may lie anywhere between its parts.
            found = median_of(values, [part.half_w for part in parts]).quantity("W", f"idle, {when}{self._words}")
            self.powers[when], self.drifts[when] = found.as_dict(), drift_of(values)
        drift = {**self.drifts, "over": over(self.powers)}
        session = {"name": self.name, "meter": self._meter, "powers": self.powers, "drift": drift}
        self._kept.put(session, self._device, "session", self.name)
        # Bare alone is no session: nothing may be left to meter.
        if when != "bare":
            self._kept.put({"name": self.name}, self._device, "latest")


def unfinished(kept: Kept, device: str) -> dict[str, Any] | None:
    """The latest session, if it was stopped before its last stretch."""
    session = session_of(kept, device)
    return session if session is not None and session["powers"]["after"] == unavailable(_NOT_YET) else None


def over(powers: dict[str, Any]) -> dict[str, Any]:
    """Whether idle power after the cells is another than before them: the intervals do not meet."""
    before, after = (quantity_of(powers[when]) for when in ("loaded", "after"))
    if isinstance(before, str) or isinstance(after, str):
        return unavailable(before if isinstance(before, str) else str(after))
    apart = after.low > before.high or after.high < before.low
    return {"change": after.value / before.value - 1 if before.value else None, "drifts": apart}


def session_of(kept: Kept, device: str, name: str | None = None) -> dict[str, Any] | None:
    """A session's idle powers: the latest's, if no name is given."""
    if name is None:
        latest = kept.get(device, "latest")
        if latest is None:
            return None
        name = latest["name"]
    return kept.get(device, "session", str(name))


def idle_of(powers: dict[str, Any], when: str) -> Quantity | str:
    """Idle power to take off; loaded power's bounds hold what was found before and after."""
    found = quantity_of(powers[when])
    after = quantity_of(powers["after"])
    if when == "bare" or isinstance(found, str) or isinstance(after, str):
        return found
    low, high = min(found.low, after.low), max(found.high, after.high)
    return Quantity(found.value, "W", "measured", f"{found.method}; bounds before and after", low, high)
