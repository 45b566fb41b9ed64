"""Ten hours of recordings into the feature store: how fast, and in how much memory. Run by ``make bench``.

BENCH_HOURS sets other hours: ten need 6.4 GB of disk for the recordings.
"""

import json
import os
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np

HOURS = float(os.environ.get("BENCH_HOURS", "10"))
RATE_HZ, CHANNELS = 44100, 2
# One long one among shorter ones.
LONG_S, SHORT_S = 45 * 60, 12 * 60
# Times real time, and bytes.
SPEED, MEMORY_BYTES = 100.0, 2e9


def durations():
    """Seconds of each recording; together HOURS."""
    left = HOURS * 3600
    while left > 0:
        chosen = min(left, LONG_S if left == HOURS * 3600 else SHORT_S)
        yield chosen
        left -= chosen


def record(folder):
    """Recordings of noise, each of its own; files as MAESTRO has them: 44.1 kHz, 16 bit, stereo."""
    generator = np.random.default_rng(0)
    minute = (3000 * generator.standard_normal((60 * RATE_HZ, CHANNELS))).astype(np.int16)
    total_s = 0.0
    for number, duration_s in enumerate(durations()):
        with wave.open(str(folder / f"{number:03}.wav"), "wb") as file:
            file.setparams((CHANNELS, 2, RATE_HZ, 0, "NONE", ""))
            left = round(duration_s * RATE_HZ)
            while left > 0:
                # Turned for each file and each minute, so that no two are the same.
                minute = np.roll(minute, 7919 + number, axis=0)
                file.writeframes(minute[:left].tobytes())
                left -= min(left, len(minute))
        total_s += duration_s
    return number + 1, total_s


def resident(session):
    """Resident bytes of a session's processes: with shared pages counted in each, and each counted once."""
    each = once = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(status.read_text().rpartition(")")[2].split()[3]) != session:
                continue
            rolled = (status.parent / "smaps_rollup").read_text()
        except (OSError, IndexError):
            continue
        each += 1024 * int(rolled.partition("\nRss:")[2].split()[0])
        once += 1024 * int(rolled.partition("\nPss:")[2].split()[0])
    return each, once


def test_features(benchmark, root, tmp_path, spread, capsys):
    folder = tmp_path / "sounds"
    folder.mkdir()
    recordings, total_s = record(folder)
    child = Path(__file__).with_name("features_child.py")
    command = [sys.executable, str(child), str(folder), str(tmp_path / "cache")]
    log = tmp_path / "log"
    try:
        with log.open("w") as err:
            process = subprocess.Popen(
                command, cwd=root, stdout=subprocess.PIPE, stderr=err, text=True, start_new_session=True
            )
            peaks = [(0, 0)]
            while process.poll() is None:
                peaks.append(resident(process.pid))
                time.sleep(0.05)
            out = process.stdout.read()
            process.stdout.close()
    finally:
        for path in folder.glob("*.wav"):
            path.unlink()
    assert process.returncode == 0, log.read_text()[-2000:]
    told = json.loads(out)
    speed, (each, once) = total_s / told["made_s"], map(max, zip(*peaks, strict=True))
    benchmark.pedantic(lambda: None, rounds=1)
    benchmark.extra_info.update(
        section="features",
        recordings=recordings,
        hours=total_s / 3600,
        longest_s=LONG_S,
        rate_hz=RATE_HZ,
        channels=CHANNELS,
        processes=told["processes"],
        made_s=told["made_s"],
        speed=speed,
        goal=SPEED,
        peak_bytes=each,
        peak_shared_once_bytes=once,
        memory_goal=MEMORY_BYTES,
        stored_bytes=told["stored_bytes"],
        opened_s=told["opened_s"],
        batch=32,
        batch_s=spread(told["read_s"]),
    )
    with capsys.disabled():
        print(
            f"\n{total_s / 3600:.1f} h in {recordings} recordings: {told['made_s']:.0f} s, {speed:.0f} times real time,"
            f" {speed / 60:.2f} h a minute; peak {each / 1e9:.2f} GB resident in all processes, {once / 1e9:.2f} GB"
            f" with shared pages counted once; 32 clips in {1000 * np.median(told['read_s']):.2f} ms"
        )
    assert each < MEMORY_BYTES
