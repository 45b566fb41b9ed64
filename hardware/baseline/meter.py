"""Power and energy from counters that are renewed only now and then.

A stretch begins and ends when a counter is renewed: then its reading is that moment's, and not up to a tenth of a
second old. How well that moment is known, and the counter's steps, are each stretch's uncertainty.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hardware.baseline.counter import Counter, CounterError

# No device here takes more: a counter that could have gone round at this power has been read too late.
_MOST_W = 2000.0
# A counter that is not renewed in so many of its periods, and in no less than so many seconds, stands still.
_STILL_UPDATES, _STILL_S = 20, 2.0
# Looks at a counter within one of its periods, while nothing else is done.
_LOOKS = 20


@dataclass(frozen=True)
class Edge:
    """A counter seen renewed.

    Parameters
    ----------
    joules
        Since the meter was made.
    read_s
        When it was read.
    moment_s, slack_s
        When it was renewed, and by how much that may be off, either way.
    """

    joules: float
    read_s: float
    moment_s: float
    slack_s: float


@dataclass(frozen=True)
class Stretch:
    """What happened between two edges.

    Parameters
    ----------
    power_w, half_w
        Mean power, and by how much it may be off.
    seconds
        Between the readings, in which ``calls`` calls of the work were made.
    """

    power_w: float
    half_w: float
    seconds: float
    calls: int

    @property
    def call_s(self) -> float:
        """Seconds a call."""
        return self.seconds / self.calls

    @property
    def call_j(self) -> float:
        """Joules a call."""
        return self.power_w * self.call_s

    @property
    def half_j(self) -> float:
        """By how much those may be off."""
        return self.half_w * self.call_s


class Meter:
    """Reads counters, all of which are renewed about as often, as one.

    Parameters
    ----------
    counters
        At least one.
    clock, sleep
        Of seconds.
    """

    def __init__(
        self,
        counters: Sequence[Counter],
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._counters, self._clock, self._sleep = counters, clock, sleep
        self._joules, self._last_s = 0.0, clock()
        self._last = [counter.read() for counter in counters]
        self.update_s = max(counter.update_s for counter in counters)
        # Two readings make a difference, each up to one step below.
        self.resolution_j = sum(max(counter.resolution_j, counter.step_j) for counter in counters)

    def joules(self) -> float:
        """Energy since the meter was made.

        Raises
        ------
        CounterError
            A counter vanished, ran backwards, or was read too late to tell how often it went round.
        """
        for index, counter in enumerate(self._counters):
            value = counter.read()
            steps = value - self._last[index]
            if steps < 0:
                if counter.wrap is None or value < 0:
                    raise CounterError(
                        f"{counter.name}: the counter went backwards, from {self._last[index]} to {value}"
                    )
                steps += counter.wrap
            if counter.wrap is not None:
                round_s = counter.wrap * counter.step_j / _MOST_W
                if steps < 0 or self._clock() - self._last_s > round_s:
                    raise CounterError(f"{counter.name}: read too late to tell how often it began again")
            self._joules += steps * counter.step_j
            self._last[index] = value
        self._last_s = self._clock()
        return self._joules

    def edge(self, work: Callable[[], None] | None = None) -> tuple[Edge, int]:
        """Wait until a counter is renewed, working meanwhile or sleeping.

        Returns
        -------
        Edge
        int
            How often ``work`` was called.

        Raises
        ------
        CounterError
            As :meth:`joules`; or it stands still.
        """
        calls, started = 0, self._clock()
        before = self.joules()
        last_s = self._last_s
        while True:
            if work is None:
                self._sleep(self.update_s / _LOOKS)
            else:
                work()
                calls += 1
            now = self.joules()
            read_s = self._last_s
            if now > before:
                # What is read is at most one period old, however long ago it was last looked at.
                slack = min(read_s - last_s, self.update_s) / 2
                return Edge(now, read_s, read_s - slack, slack), calls
            last_s = read_s
            if calls != 1 and read_s - started > max(_STILL_S, _STILL_UPDATES * self.update_s):
                names = ", ".join(counter.name for counter in self._counters)
                raise CounterError(f"{names}: the counter stands still")

    def work(self, work: Callable[[], None], at_least_s: float, warm_s: float = 0.0) -> Stretch:
        """Call ``work`` over and over for at least so long, after warming up with it.

        ``work`` returns when what it began is done.
        """
        begun = self._clock()
        while self._clock() - begun < warm_s:
            work()
        start, _ = self.edge(work)
        calls = 0
        while self._clock() - start.read_s < at_least_s:
            work()
            calls += 1
            if self._clock() - self._last_s > at_least_s / 2:
                self.joules()
        end, more = self.edge(work)
        return self._stretch(start, end, calls + more)

    def idle(self, seconds: float, parts: int) -> list[Stretch]:
        """Sleep for so long; power of equal parts of it."""
        found = []
        start, _ = self.edge()
        for _ in range(parts):
            left = start.read_s + seconds / parts - self._clock()
            while left > 0:
                self._sleep(min(left, 1.0))
                self.joules()
                left = start.read_s + seconds / parts - self._clock()
            end, _ = self.edge()
            found.append(self._stretch(start, end, 1))
            start = end
        return found

    def _stretch(self, start: Edge, end: Edge, calls: int) -> Stretch:
        seconds = end.moment_s - start.moment_s
        joules = end.joules - start.joules
        power = joules / seconds
        off_s = start.slack_s + end.slack_s
        # First order in both, and both at their worst.
        half = power * off_s / max(seconds - off_s, off_s) + self.resolution_j / seconds
        return Stretch(power, half, end.read_s - start.read_s, calls)
