"""One pass, from outside: a process in a session of its own, ended when nothing moves any more."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from hardware.loihi2.script.common import FailedError, say

# A step with spikes through host adapters: 2000 took 16.09 s (lava-dl tutorials, netx/oxford/run.ipynb), 256 took 3.9 s
# (a NetX network for speech commands, public script); starting and configuring a board took 3 to 20 s in notebooks.
STEP_S, SLOW_STEP_S, START_S = 8e-3, 15e-3, 20.0
# What the default partition of INRC's SLURM was found to allow (the same script).
DEFAULT_LIMIT_S = 120.0
# Seconds between two looks at a pass, between two words about it, and that it gets to end by itself.
_POLL_S, _SAY_S, _GRACE_S = 0.25, 10.0, 10.0


def supervise(job: dict[str, Any], work: Path, patience_s: float) -> None:
    """Run a pass as a process in a session of its own, and end all of that session when nothing moves any more."""
    (work / "job.json").write_text(json.dumps(job))
    np.zeros(clocks(job), np.int64).tofile(work / "clock.raw")
    say(f"pass {job['pass']}: {job['samples']} samples, {job['steps']} steps{'' if job['sim'] else _estimate(job)}")
    with (work / "log").open("wb") as log:
        command = [sys.executable, str(Path(__file__).resolve()), "--child", str(work)]
        child = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _watch(child, work, job, patience_s)
    finally:
        _end(child)
    if child.returncode or not (work / "done.json").is_file():
        raise FailedError(f"ended with code {child.returncode}: {_last_words(work)}")


def _estimate(job: dict[str, Any]) -> str:
    quick, slow = (START_S + job["steps"] * step_s for step_s in (STEP_S, SLOW_STEP_S))
    text = f", about {quick:.0f} to {slow:.0f} s once there is a board"
    if slow > DEFAULT_LIMIT_S and not {"PARTITION", "BOARD", "NXSDKHOST"} & set(os.environ):
        text += "; SLURM's default partition may allow 120 s: choose one by --partition, or fewer --samples or --steps"
    return text


def clocks(job: dict[str, Any]) -> int:
    """Sinks that tell how far they are; the profiled pass has none."""
    return max(1, len(job["layers"]) + 2 * len(job["probe"]))


def _watch(child: subprocess.Popen[bytes], work: Path, job: dict[str, Any], patience_s: float) -> None:
    clock = np.memmap(work / "clock.raw", np.int64, "r", shape=(clocks(job),))
    silent = job["record"] == "buffer" or not job["layers"] + job["probe"]
    if silent:
        # Nothing tells how far it is: it gets twice what it should take.
        patience_s += 2 * SLOW_STEP_S * job["steps"]
    start = moved = said = time.monotonic()
    size, last, begun = 0, 0, (0.0, 0)
    while child.poll() is None:
        time.sleep(_POLL_S)
        now, written, at = int(clock.min()), (work / "log").stat().st_size, time.monotonic()
        if now > last or written > size:
            moved = at
        if now > last and not last:
            begun = (at, now)
        last, size = now, written
        if at - said > _SAY_S:
            said = at
            ahead = ""
            if last > begun[1] > 0:
                left_s = (at - begun[0]) / (last - begun[1]) * (job["steps"] - last)
                ahead = f", about {left_s:.0f} s to go"
            stage = "running" if silent else "starting"
            say(f"  step {last} of {job['steps']}{ahead}" if last else f"  {stage}, {at - start:.0f} s")
        if at - moved > patience_s:
            raise FailedError(f"nothing moved for {patience_s:.0f} s, at step {last}: {_last_words(work)}")


def _last_words(work: Path) -> str:
    file = work / "error" if (work / "error").is_file() else work / "log"
    lines = file.read_text(errors="replace").strip().splitlines()
    return lines[-1].strip()[:300] if lines else "without a word"


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the whole session: Lava leaves processes behind when it is interrupted.

    SIGTERM spares Python's resource tracker, which then frees the shared memory of the dead; so it gets its time.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
        except (ProcessLookupError, PermissionError):
            break
        end = time.monotonic() + _GRACE_S
        while _alive(child) and time.monotonic() < end:
            time.sleep(_POLL_S)
    child.wait()


def _alive(child: subprocess.Popen[bytes]) -> bool:
    """Whether any process of the session is left."""
    child.poll()
    try:
        os.killpg(child.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
