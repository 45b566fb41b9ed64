"""What a pass has left, as result.json holds it, and how it compares."""

import base64
import contextlib
import json
import os
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from hardware.loihi2.script.common import FailedError, say

# Steps that the way out is given: none is known of, a process of the embedded processor and one of the host could be.
OUTPUT_DELAY_MAX = 2
LOG_MAX = 60_000


def collect(job: dict[str, Any], work: Path, result: dict[str, Any]) -> None:
    """Take what a pass has left, whole or not, into the result."""
    text = (work / "log").read_text(errors="replace") if (work / "log").is_file() else ""
    result["compiler_log"] = (result["compiler_log"] + text)[-LOG_MAX:]
    done = work / "done.json"
    found = json.loads(done.read_text()) if done.is_file() else {}
    if job["pass"] == "profile":
        result["profile"] = found.get("profile")
        return
    steps = found.get("steps", int(np.fromfile(work / "clock.raw", np.int64).min()))
    if job["pass"] == "states":
        result["states"] = {name: states_of(job, work, name, steps) for name in job["probe"] if steps}
        return
    plan = job["plan"]
    # Of a pass that was cut short, the samples that are whole.
    whole = (steps - plan["steps"] - delays(plan)[-1]) // plan["period"] + 1
    samples = max(0, min(job["samples"], whole))
    result["samples"], result["steps_run"] = samples, steps
    if samples:
        for name in job["layers"]:
            spikes = recorded(work / f"{name}.raw", shape_of(job, name), np.uint8, steps)
            result["layers"][name] = {"shape": list(spikes.shape), "bits": packed(np.packbits(spikes.reshape(-1)))}


def packed(values: Any) -> str:
    """Numbers as text."""
    return base64.b64encode(zlib.compress(values.tobytes(), 6)).decode()


def recorded(file: Path, shape: tuple[int, ...], dtype: Any, steps: int) -> Any:
    """What a sink wrote, shape (channel, height, width, time) or (neuron, time); Lava has its axes turned round."""
    rows = np.fromfile(file, dtype, steps * int(np.prod(shape))).reshape(steps, *shape[::-1])
    return rows.transpose(*range(rows.ndim - 1, -1, -1))


def states_of(job: dict[str, Any], work: Path, name: str, steps: int) -> dict[str, Any]:
    """Current u and voltage v of a layer after every step, 32 bit integers."""
    shape = shape_of(job, name)
    found: dict[str, Any] = {"shape": [*shape, steps], "samples": job["samples"]}
    for state in ("u", "v"):
        found[state] = packed(recorded(work / f"{name}.{state}.raw", shape, np.int32, steps))
    return found


def shape_of(job: dict[str, Any], name: str) -> tuple[int, ...]:
    """A layer's shape (channel, height, width) or (neuron,)."""
    return next(tuple(layer["shape"]) for layer in job["bundle"]["layers"] if layer["name"] == name)


def unpacked(layer: dict[str, Any]) -> Any:
    """A layer's spikes out of a result, shape (neuron..., time)."""
    bits = np.frombuffer(zlib.decompress(base64.b64decode(layer["bits"])), np.uint8)
    return np.unpackbits(bits, count=int(np.prod(layer["shape"]))).reshape(layer["shape"])


def delays(plan: dict[str, int]) -> range:
    """Steps that the way in and out may have taken together."""
    return range(plan["input_delay"] + plan["slack"] + OUTPUT_DELAY_MAX + 1)


def silent_steps(plan: dict[str, int], number: int, samples: int, delay: int, length: int) -> Any:
    """Steps of a recording of ``length`` steps, between a reset of layer ``number`` (from 0) and the sample after it.

    The layer is reset at step reset_offset + number of the period as the network counts; the recording has that later
    by what the way out takes, which is a part of the delay. Before the first sample the state is zero as well.
    """
    silent = np.zeros(length, np.bool_)
    silent[:delay] = True
    since = (plan["reset_offset"] + number + min(delay, OUTPUT_DELAY_MAX) - delay) % plan["period"] + 1
    for start in range(delay, delay + samples * plan["period"], plan["period"]):
        silent[start + since : start + plan["period"]] = True
    return silent


def report(folder: Path, result: dict[str, Any], names: list[str]) -> int:
    """Say how many spikes are not as expected, and where first; hardware/divergence.py of the project says the same."""
    if not (folder / "golden.npz").is_file():
        return 0
    plan, samples = result["schedule"], result["samples"]
    with np.load(folder / "golden.npz") as golden:
        expected = {name: golden[name][:samples] for name in golden.files if name in result["layers"]}
    streams = {name: unpacked(layer) for name, layer in result["layers"].items()}

    def cut(name: str, delay: int) -> Any:
        starts = range(delay, delay + samples * plan["period"], plan["period"])
        return np.stack([streams[name][..., start : start + plan["steps"]] for start in starts])

    def differing(delay: int) -> int:
        return sum(int(np.count_nonzero(cut(name, delay) != expected[name])) for name in expected)

    def stray(delay: int) -> int:
        count = 0
        for name in expected:
            silent = silent_steps(plan, names.index(name), samples, delay, streams[name].shape[-1])
            count += int(streams[name][..., silent].sum(dtype=np.int64))
        return count

    best = min(delays(plan), key=lambda delay: (differing(delay), stray(delay), abs(delay - plan["input_delay"])))
    count, spikes = differing(best), sum(int(each.sum(dtype=np.int64)) for each in expected.values())
    say(f"{count} spikes differ of {spikes} expected, {samples} samples, {len(expected)} layers, delay {best} steps")
    if not spikes:
        say("no spike was expected at all, so this shows nothing: take other samples")
    if after := stray(best):
        say(f"{after} spikes after resets, where there are to be none: the resets were not where they were put")
    for sample in range(samples if count else 0):
        for name in expected:
            places = np.argwhere(cut(name, best)[sample] != expected[name][sample])
            if len(places):
                *neuron, step = places[np.argmin(places[:, -1])].tolist()
                say(f"the first: sample {sample}, layer {name}, neuron ({', '.join(map(str, neuron))}), step {step}")
                return count + after
    return count + after


class Output:
    """Where result.json goes: tried before a board is asked for, and never over an older result.

    Raises
    ------
    FailedError
        Nothing can be written there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._first = True
        if path.is_dir():
            raise FailedError(f"--out {path}: is a folder, expected the name of a file")
        try:
            self._temporary.touch()
        except OSError as error:
            raise FailedError(f"--out {path}: cannot be written: {error.strerror}") from error
        self._temporary.unlink(missing_ok=True)

    @property
    def _temporary(self) -> Path:
        return self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")

    def write(self, value: dict[str, Any]) -> None:
        """Write, whole or not at all; where the disk is full by now, among the machine's temporary files."""
        text = json.dumps(value, indent=1)
        try:
            self._write(text)
        except OSError as error:
            why = f"{self.path}: cannot be written: {error.strerror}"
            self.path, self._first = Path(tempfile.gettempdir()) / f"result-{os.getpid()}.json", False
            try:
                self._write(text)
            except OSError:
                raise FailedError(why) from error
            say(f"{why}; it lies in {self.path} instead")

    def _write(self, text: str) -> None:
        try:
            self._temporary.write_text(text)
            if self._first and self.path.exists():
                aside = _free_name(self.path)
                self.path.rename(aside)
                say(f"an older {self.path.name} is {aside.name} now")
            self._temporary.replace(self.path)
            self._first = False
        except OSError:
            with contextlib.suppress(OSError):
                self._temporary.unlink()
            raise


def _free_name(path: Path) -> Path:
    numbers = (path.with_name(f"{path.stem}.{number}{path.suffix}") for number in range(1, 10_000))
    return next(name for name in numbers if not name.exists())
