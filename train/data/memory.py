"""Memory that this process may still take: of the machine, or of the container that it runs in."""

import re
from collections.abc import Iterator
from pathlib import Path

# Where /proc/meminfo does not tell, as on other systems than Linux.
_UNKNOWN = 4e9


def available_bytes(root: Path = Path("/")) -> float:
    """What is available, in bytes: MemAvailable of Linux, or what a control group leaves where that is less.

    Files that the kernel would drop from a group's cache count as available, as MemAvailable counts them.

    Parameters
    ----------
    root
        Folder that holds ``proc`` and ``sys``.
    """
    found = re.search(r"^MemAvailable:\s+(\d+) kB", _text(root / "proc/meminfo"), re.MULTILINE)
    machine = 1024.0 * int(found[1]) if found else _UNKNOWN
    return max(0.0, min([machine, *_groups(root)]))


def _groups(root: Path) -> Iterator[float]:
    """What each control group above this process leaves (Linux's cgroup-v2.rst, and v1's memory.rst)."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = ([*line.split(":", 2), "", ""])[:3]
        if controllers not in ("", "memory"):
            continue
        top = root / "sys/fs/cgroup" / controllers
        first, second = ("limit_in_bytes", "usage_in_bytes") if controllers else ("max", "current")
        # In a container the path may be the host's, which is not seen here: the container's own group is the top then.
        folder = top / path.lstrip("/")
        for group in (folder, *folder.parents):
            if not group.is_relative_to(top):
                break
            left = _left(group, f"memory.{first}", f"memory.{second}")
            if left is not None:
                yield left


def _left(group: Path, limit: str, used: str) -> float | None:
    most, now = _text(group / limit).strip(), _text(group / used).strip()
    if not (most.isdecimal() and now.isdecimal()):
        return None
    # Version 1 tells of a group alone, and in total of those within it too.
    dropped = re.findall(r"^(?:total_)?inactive_file (\d+)", _text(group / "memory.stat"), re.MULTILINE)
    return float(int(most) - int(now) + max(map(int, dropped), default=0))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""
