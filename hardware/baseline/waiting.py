"""How long a measurement had no core to run on: other processes had it, or other guests of the same host."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardware.measurement import exact, unavailable

# Of the main thread: nanoseconds run, nanoseconds waited for a core, turns (Linux, Documentation/scheduler/
# sched-stats.rst).
SCHEDSTAT = Path("/proc/self/schedstat")
# Of all cores, in ticks: user, nice, system, idle, iowait, irq, softirq, steal (Linux, Documentation/filesystems/
# proc.rst).
STAT = Path("/proc/stat")
_IDLE, _STEAL = (3, 4), 7


@dataclass(frozen=True)
class Waited:
    """What was counted so far; None where the system does not tell.

    Attributes
    ----------
    queued_s
        Seconds that the main thread could have run, while other processes had the cores.
    stolen, wanted
        Ticks, of all cores added up: that the host gave cores of this virtual machine to others, and that they had
        work, whether they ran or were stolen.
    """

    queued_s: float | None
    stolen: int | None
    wanted: int | None

    @classmethod
    def now(cls) -> "Waited":
        """What Linux has counted until now."""
        return cls(_queued_s(), *_ticks())


def waited_share(before: Waited, seconds: float) -> dict[str, Any]:
    """Share of the time since ``before`` that others had the core: what is timed then is theirs too.

    The host takes working cores only: of the time that cores had work, each lost the same share.
    """
    now = Waited.now()
    if before.queued_s is None or now.queued_s is None:
        return unavailable("the system does not tell how long a thread waits for a core")
    queued = max(0.0, now.queued_s - before.queued_s) / seconds
    method = "time the main thread waited for a core"
    stolen = 0.0
    if before.stolen is not None and before.wanted is not None and now.stolen is not None and now.wanted is not None:
        method += ", and share of working cores' time that the host took away"
        stolen = max(0, now.stolen - before.stolen) / max(1, now.wanted - before.wanted)
    return exact(min(queued + stolen, 1.0), "share", method).as_dict()


def _queued_s() -> float | None:
    try:
        return int(SCHEDSTAT.read_text().split()[1]) * 1e-9
    except (OSError, ValueError, IndexError):
        return None


def _ticks() -> tuple[int, int] | tuple[None, None]:
    try:
        _, *counts = STAT.read_text().split("\n", 1)[0].split()
        ticks = [int(count) for count in counts[: _STEAL + 1]]
        return ticks[_STEAL], sum(ticks) - sum(ticks[place] for place in _IDLE)
    except (OSError, ValueError, IndexError):
        return None, None
