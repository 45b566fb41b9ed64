"""Processor, memory and disk, and the processor's energy counters (RAPL)."""

import re

from hardware.doctor.finding import Finding, quoted
from hardware.doctor.probe import Probe

GIB = 2**30
# torch, lava-dl and NetX loaded take 0.55 GiB (peak, measured with this project's lock); the rest is for a batch, and
# for the processes of Lava's simulator, which share what was loaded.
MEMORY = 2 * GIB
# The embedded corpus takes 0.44 GiB and its features 0.06 (measured); a run folder about 1 MiB.
DISK = GIB
_COUNTERS = "/sys/class/powercap/intel-rapl:*/energy_uj"


def check(probe: Probe) -> list[Finding]:
    """Energy counters, then what the machine has."""
    return [_rapl(probe), _processor(probe), _memory(probe), _disk(probe)]


def _rapl(probe: Probe) -> Finding:
    paths = probe.paths(_COUNTERS)
    if not paths:
        found = "no counters of the processor's energy, as in virtual machines and containers"
        cure = "measure on a machine of your own that has them; here the CPU's energy is given as unavailable"
        return Finding("RAPL", "missing", found, cure)
    readable, refused = [], []
    for path in paths:
        zone = _zone(probe, path)
        try:
            int(probe.read(path))
        except PermissionError:
            refused.append(zone)
        except (OSError, ValueError) as error:
            found = f"the counter {zone} cannot be read: {quoted(str(error))}"
            return Finding("RAPL", "wrong", found, "the CPU's energy is given as unavailable; see the kernel's log")
        else:
            readable.append(zone)
    if refused:
        found = f"{', '.join(refused)} only for root, as kernels have it since 2020 (CVE-2020-8694)"
        cure = f"where your rules allow it: `sudo chmod a+r {_COUNTERS}` until the next start; else it is unavailable"
        return Finding("RAPL", "missing", found, cure)
    return Finding("RAPL", "ok", f"counters can be read: {', '.join(readable)}")


def _zone(probe: Probe, path: str) -> str:
    """What a counter counts: package-0, core, dram."""
    folder = path.rpartition("/")[0]
    try:
        return quoted(probe.read(f"{folder}/name"))
    except OSError:
        return quoted(folder.rpartition("/")[2])


def _processor(probe: Probe) -> Finding:
    match = re.search(r"^model name\s*:\s*(.+)$", _text(probe, "/proc/cpuinfo"), re.MULTILINE)
    cores = "1 core" if probe.cores == 1 else f"{probe.cores} cores"
    return Finding("CPU", "ok", f"{quoted(match[1]) if match else 'of unknown name'}, {cores} for this process")


def _memory(probe: Probe) -> Finding:
    match = re.search(r"^MemAvailable:\s*(\d+) kB$", _text(probe, "/proc/meminfo"), re.MULTILINE)
    if match is None:
        return Finding("memory", "missing", "how much is free is not told here", "see that 2 GiB are")
    free = int(match[1]) * 1024
    # A container's own limit, which meminfo does not know.
    limit, used = (_text(probe, f"/sys/fs/cgroup/memory.{name}").strip() for name in ("max", "current"))
    if limit.isdigit() and used.isdigit():
        free = min(free, max(0, int(limit) - int(used)))
    if free < MEMORY:
        found = f"{free / GIB:.1f} GiB free, while training and the simulator want {MEMORY / GIB:.0f}"
        return Finding("memory", "wrong", found, "close other programs, or lower training.batch and --memory")
    return Finding("memory", "ok", f"{free / GIB:.1f} GiB free")


def _disk(probe: Probe) -> Finding:
    try:
        free = probe.free_bytes(".")
    except OSError as error:
        return Finding("disk", "wrong", f"cannot be asked: {quoted(str(error))}", "change to a folder that exists")
    if free < DISK:
        found = f"{free / GIB:.1f} GiB free here, while corpus, features and runs want {DISK / GIB:.0f}"
        return Finding("disk", "wrong", found, "free some, or work from another disk")
    return Finding("disk", "ok", f"{free / GIB:.0f} GiB free for corpus and runs")


def _text(probe: Probe, path: str) -> str:
    try:
        return probe.read(path)
    except OSError:
        return ""
