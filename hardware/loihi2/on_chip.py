#!/usr/bin/env python3
"""Run the bundle this file lies in on a Loihi 2, or with ``--sim`` in Lava's simulator, and write result.json.

One file, so that it can travel alone (``python -m hardware bundle`` copies it as it is): numpy, h5py, lava-nc, lava-dl
and, for the chip, lava-loihi are all it needs. No chip has run it yet. The closed package is used as public code uses
it:

- Spikes go RingBuffer -> PyToNxAdapter -> net.inp and layer.out -> NxToPyAdapter -> RingBuffer (lava-dl tutorials,
  netx/mnist/utils.py and netx/oxford/utils.py), into a convolution through PyToN3ConvAdapter (lava-dl
  tests/lava/lib/dl/netx/test_hdf5_nx.py, the LIF PilotNet fed with spikes).
- The way out takes no step of its own: lava-dl reads the same window of tiny.net's output in the simulator and on the
  chip (test_hdf5.py and test_hdf5_nx.py there). The way in takes none (the LIF PilotNet there) or two (tutorials,
  netx/pilotnet_snn/run.ipynb): the schedule has room for both, and what it was is found afterwards.
- Profilers are callbacks of Loihi2HwCfg, made before the run and read after it, once in a process (lava-dl tutorials,
  netx/pilotnet_snn/benchmark.ipynb).
- States are recorded by StateProbe, a callback too (lava-optimization, solvers/generic/solver.py), or where a version
  has none by embedded_io.state.Read, connected to a variable (lava-dl tutorials, netx/yolo_kp/run.ipynb).
- The board is chosen by the environment SLURM, LOIHI_GEN, PARTITION and BOARD, or NXSDKHOST (lava-nc utils/loihi.py,
  whose own functions stop at sinfo's default partition and are not used).

Every pass is a process of its own, in a session of its own that is ended when nothing moves any more.
"""

import argparse
import base64
import contextlib
import hashlib
import importlib
import importlib.util
import json
import logging
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import zlib
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = 1
SUMS, BUNDLE = "SHA256SUMS", "bundle.json"
NEEDED = ("model.net", "inputs.npy", BUNDLE)
# What the chip's passes import of the closed package.
CLOSED = ("lava.utils.loihi2_profiler", "lava.proc.embedded_io.spike")
PACKAGES = ("lava-nc", "lava-dl", "lava-loihi", "numpy", "h5py")
ENVIRONMENT = ("SLURM", "NOSLURM", "PARTITION", "BOARD", "LOIHI_GEN", "NXSDKHOST", "HOST_BINARY")
# Loihi 2 as most boards of the INRC have it: lava-nc utils/loihi.py, ChipGeneration.
GENERATION = "N3B3"
# A step with spikes through host adapters: 2000 took 16.09 s (lava-dl tutorials, netx/oxford/run.ipynb), 256 took 3.9 s
# (a NetX network for speech commands, public script); starting and configuring a board took 3 to 20 s in notebooks.
STEP_S, SLOW_STEP_S, START_S = 8e-3, 15e-3, 20.0
# What the default partition of INRC's SLURM was found to allow (the same script).
DEFAULT_LIMIT_S = 120.0
# Steps that the way out is given: none is known of, a process of the embedded processor and one of the host could be.
OUTPUT_DELAY_MAX = 2
SERIES_MAX = 100_000
# What is read of the profilers, by the names they are written under. Source of the attributes: netx/pilotnet_snn and
# netx/pilotnet_sdnn/benchmark.ipynb of lava-dl's tutorials, and public profiling scripts.
_RAILS = ("total", "vdd", "vddm", "vddio")
_TIMES = ("time", "execution_time", "spiking_time", "management_time", "host_time", "learning_time", "pre_lrn_time")
MEASURED: dict[str, dict[str, str]] = {
    "time": {
        **{f"{name}_per_step": f"{name}_per_step" for name in _TIMES},
        "avg_time_per_step_us": "avg_time_per_step",
    },
    "power": {f"{kind}{rail}_w": f"{kind}{rail}_power" for kind in ("", "static_") for rail in _RAILS},
    "activity": {
        name: name
        for name in ("chip_idx", "core_idx", "syn_ops", "dendrite_updates", "axon_out", "spikes_in", "spike_axon_in")
    },
    "memory": {name: name for name in ("chip_idx", "core_idx", "small_mpds", "large_mpds", "total_mpds")},
}
LOG_MAX = 60_000
# Order of netx/pilotnet_snn/benchmark.ipynb of lava-dl's tutorials.
LOGGERS = {
    "power": "Loihi2Power",
    "time": "Loihi2ExecutionTime",
    "memory": "Loihi2Memory",
    "activity": "Loihi2Activity",
}
# Seconds between two looks at a pass, between two words about it, and that it gets to end by itself.
_POLL_S, _SAY_S, _GRACE_S = 0.25, 10.0, 10.0


class FailedError(Exception):
    """What ends the script with one line and exit code 1."""


def main(arguments: list[str] | None = None) -> int:
    """Check the bundle, do every pass, write result.json after each, and compare with what was expected."""
    options = _parser().parse_args(arguments)
    if options.child:
        return _child(Path(options.child))
    # SLURM's time limit ends with SIGTERM: what there is is to be written, and children are to go.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        return _run(options)
    except FailedError as error:
        _say(f"error: {error}")
        return 1


def _stop(number: int, _frame: Any) -> None:
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    raise FailedError(f"stopped by {signal.Signals(number).name}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Run this bundle on a Loihi 2, or with --sim in Lava's simulator.")
    parser.add_argument("--sim", action="store_true", help="run in Lava's simulator: needs no chip, measures nothing")
    parser.add_argument("--samples", type=_positive, help="only the first so many samples")
    parser.add_argument("--layers", choices=("all", "output"), default="all", help="which layers to record")
    parser.add_argument("--no-profile", action="store_true", help="do not measure power, time, activity and memory")
    parser.add_argument("--steps", type=_positive, default=10_000, help="steps of the profiled run (%(default)s)")
    parser.add_argument("--board", help="board to run on (SLURM)")
    parser.add_argument("--partition", help="partition to run on (SLURM)")
    parser.add_argument("--out", type=Path, help="where to write; else result.json beside this file")
    parser.add_argument("--probe", action="append", default=[], metavar="LAYER", help="record u and v of a layer too")
    parser.add_argument("--probe-samples", type=_positive, default=1, help="samples to probe (%(default)s)")
    parser.add_argument("--patience", type=float, default=600.0, help="seconds without a step after which to give up")
    adapters = ("auto", "spike", "conv")
    parser.add_argument("--input-adapter", choices=adapters, default="auto", help="auto: conv before a convolution")
    parser.add_argument("--loggers", type=_loggers, default=",".join(LOGGERS), help="profilers (%(default)s)")
    inputs = ("host", "cyclic")
    parser.add_argument("--profile-input", choices=inputs, default="host", help="cyclic: replayed by the chip itself")
    parser.add_argument("--record", choices=("file", "buffer"), default="file", help="buffer: Lava's own, far slower")
    parser.add_argument("--folder", type=Path, default=Path(__file__).resolve().parent, help=argparse.SUPPRESS)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    return parser


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 on")
    return int(text)


def _loggers(text: str) -> list[str]:
    names = text.split(",")
    if not set(names) <= set(LOGGERS):
        raise argparse.ArgumentTypeError(f"{text} is no list of {', '.join(LOGGERS)}")
    return names


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _run(options: argparse.Namespace) -> int:
    folder = options.folder.resolve()
    bundle = checked(folder)
    _choose_board(options)
    if not options.sim:
        _require_closed()
    samples = min(options.samples or bundle["samples"], bundle["samples"])
    plan = bundle["schedule"]["simulator" if options.sim else "chip"]
    names = [layer["name"] for layer in bundle["layers"]]
    for name in options.probe:
        if name not in names:
            raise FailedError(f"--probe {name}: no such layer, expected one of {', '.join(names)}")
    recorded = names if options.layers == "all" else names[-1:]
    out = options.out or folder / "result.json"
    result: dict[str, Any] = {
        "format": FORMAT,
        "bundle_id": bundle["id"],
        "backend": "simulator" if options.sim else "loihi2",
        "schedule": plan,
        "samples": samples,
        "steps_run": 0,
        "versions": versions(),
        "environment": {key: os.environ[key] for key in ENVIRONMENT if key in os.environ},
        "started": _now(),
        "ended": None,
        "layers": {},
        "states": {},
        "profile": None,
        "failed": None,
        "compiler_log": "",
    }
    common = {"folder": str(folder), "sim": options.sim, "plan": plan, "bundle": bundle, "record": options.record}
    common |= {"adapter": options.input_adapter, "profile_input": options.profile_input, "loggers": options.loggers}
    total = _total(plan, samples)
    jobs = [{**common, "pass": "spikes", "samples": samples, "steps": total, "layers": recorded, "probe": []}]
    if options.probe:
        few = min(options.probe_samples, samples)
        steps = _total(plan, few)
        jobs.append({**common, "pass": "states", "samples": few, "steps": steps, "layers": [], "probe": options.probe})
    if not options.sim and not options.no_profile:
        jobs.append({**common, "pass": "profile", "samples": 1, "steps": options.steps, "layers": [], "probe": []})
    # Each in a process of its own: a second profiled run() in one is not shown anywhere to work.
    for job in jobs:
        with tempfile.TemporaryDirectory(prefix="on-chip-") as work:
            try:
                _supervise(job, Path(work), options.patience)
            except FailedError as error:
                result["failed"] = {"pass": job["pass"], "error": str(error)}
            _collect(job, Path(work), result)
        result["ended"] = _now()
        _write(out, result)
        if result["failed"]:
            fewer = job["pass"] == "spikes" and options.layers == "all" and not options.sim
            hint = "; try --layers output" if fewer else ""
            raise FailedError(f"pass {job['pass']}: {result['failed']['error']}. What there is lies in {out}{hint}")
    differing = _report(folder, result)
    _say(f"wrote {out}")
    return 1 if differing else 0


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _total(plan: dict[str, int], samples: int) -> int:
    """Steps to run, as export/schedule.py of the project has it."""
    return samples * plan["period"] + plan["input_delay"] + plan["slack"]


def versions() -> dict[str, str]:
    """Installed versions of what decides the result."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


# --- the bundle ---------------------------------------------------------------------------------------------------


def checked(folder: Path) -> dict[str, Any]:
    """bundle.json of a folder whose files are all as they were packed.

    Raises
    ------
    FailedError
        A file is missing, or another one than was packed: the first is named.
    """
    sums = _listed(folder)
    for name in NEEDED:
        if name not in sums:
            raise FailedError(f"{SUMS}: does not list {name}, so it is damaged. Copy the bundle again")
    for name in sorted(sums):
        if not (folder / name).is_file():
            raise FailedError(f"{name}: listed in {SUMS} and not there. Copy the bundle again")
    found = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in sorted(sums)}
    try:
        bundle: dict[str, Any] = json.loads((folder / BUNDLE).read_text())
        stated = bundle["id"]
    except (ValueError, KeyError, TypeError):
        bundle, stated = {}, ""
    content = "".join(f"{name} {digest}\n" for name, digest in found.items() if name != BUNDLE)
    whole = stated == hashlib.sha256(content.encode()).hexdigest()
    for name, digest in found.items():
        if digest != sums[name]:
            # Where the id is of these files, it is the list that is wrong.
            where = SUMS if whole and name != BUNDLE else name
            raise FailedError(f"{where}: not as it was packed: {name} has another hash. Copy the bundle again")
    if not whole:
        raise FailedError(f"{BUNDLE}: has an id that is not of these files. Copy the bundle again")
    if bundle.get("format") != FORMAT:
        raise FailedError(f"{BUNDLE}: of format {bundle.get('format')}, expected {FORMAT}")
    return bundle


def _listed(folder: Path) -> dict[str, str]:
    try:
        # Not splitlines, to which other bytes are ends of lines too.
        lines = (folder / SUMS).read_bytes().decode("ascii").removesuffix("\n").split("\n")
    except (OSError, ValueError) as error:
        raise FailedError(f"{folder / SUMS}: cannot be read: {error}") from error
    sums = {}
    for number, line in enumerate(lines, 1):
        digest, space, name = line.partition("  ")
        if len(digest) != 64 or not space or not name:
            raise FailedError(f"{SUMS}: line {number} is none of sha256sum's. Copy the bundle again")
        sums[name] = digest
    return sums


def _choose_board(options: argparse.Namespace) -> None:
    """Set what nxcore reads; processes that are started inherit it."""
    if options.sim:
        return
    if options.board or options.partition:
        os.environ["SLURM"] = "1"
        os.environ.pop("NOSLURM", None)
    if options.board:
        os.environ["BOARD"] = options.board
    if options.partition:
        os.environ["PARTITION"] = options.partition
    if "NXSDKHOST" in os.environ and "SLURM" not in os.environ:
        os.environ["NOSLURM"] = "1"
    os.environ.setdefault("LOIHI_GEN", GENERATION)


def _require_closed() -> None:
    for name in CLOSED:
        try:
            found = importlib.util.find_spec(name)
        except ImportError:
            found = None
        if found is None:
            raise FailedError(f"{name}: not installed, it comes with lava-loihi (INRC members). --sim runs without it")


# --- one pass, from outside ---------------------------------------------------------------------------------------


def _supervise(job: dict[str, Any], work: Path, patience_s: float) -> None:
    """Run a pass as a process in a session of its own, and end all of that session when nothing moves any more."""
    (work / "job.json").write_text(json.dumps(job))
    np.zeros(_clocks(job), np.int64).tofile(work / "clock.raw")
    _say(f"pass {job['pass']}: {job['samples']} samples, {job['steps']} steps{'' if job['sim'] else _estimate(job)}")
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


def _clocks(job: dict[str, Any]) -> int:
    """Sinks that tell how far they are; the profiled pass has none."""
    return max(1, len(job["layers"]) + 2 * len(job["probe"]))


def _watch(child: subprocess.Popen[bytes], work: Path, job: dict[str, Any], patience_s: float) -> None:
    clock = np.memmap(work / "clock.raw", np.int64, "r", shape=(_clocks(job),))
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
            _say(f"  step {last} of {job['steps']}{ahead}" if last else f"  {stage}, {at - start:.0f} s")
        if at - moved > patience_s:
            raise FailedError(f"nothing moved for {patience_s:.0f} s, at step {last}: {_last_words(work)}")


def _last_words(work: Path) -> str:
    file = work / "error" if (work / "error").is_file() else work / "log"
    lines = file.read_text(errors="replace").strip().splitlines()
    return lines[-1].strip()[:300] if lines else "without a word"


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the whole session: Lava leaves processes behind when it is interrupted."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_GRACE_S)
    child.wait()


def _collect(job: dict[str, Any], work: Path, result: dict[str, Any]) -> None:
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
        result["states"] = {name: _states(job, work, name, steps) for name in job["probe"] if steps}
        return
    plan = job["plan"]
    # Of a pass that was cut short, the samples that are whole.
    whole = (steps - plan["steps"] - delays(plan)[-1]) // plan["period"] + 1
    samples = max(0, min(job["samples"], whole))
    result["samples"], result["steps_run"] = samples, steps
    if samples:
        for name in job["layers"]:
            spikes = _recorded(work / f"{name}.raw", _shape(job, name), np.uint8, steps)
            result["layers"][name] = {"shape": list(spikes.shape), "bits": _packed(np.packbits(spikes.reshape(-1)))}


def _packed(values: Any) -> str:
    return base64.b64encode(zlib.compress(values.tobytes(), 6)).decode()


def _recorded(file: Path, shape: tuple[int, ...], dtype: Any, steps: int) -> Any:
    """What a sink wrote, shape (channel, height, width, time) or (neuron, time); Lava has its axes turned round."""
    rows = np.fromfile(file, dtype, steps * int(np.prod(shape))).reshape(steps, *shape[::-1])
    return rows.transpose(*range(rows.ndim - 1, -1, -1))


def _states(job: dict[str, Any], work: Path, name: str, steps: int) -> dict[str, Any]:
    """Current u and voltage v of a layer after every step, 32 bit integers."""
    shape = _shape(job, name)
    found: dict[str, Any] = {"shape": [*shape, steps], "samples": job["samples"]}
    for state in ("u", "v"):
        found[state] = _packed(_recorded(work / f"{name}.{state}.raw", shape, np.int32, steps))
    return found


def _shape(job: dict[str, Any], name: str) -> tuple[int, ...]:
    return next(tuple(layer["shape"]) for layer in job["bundle"]["layers"] if layer["name"] == name)


def _write(path: Path, value: dict[str, Any]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(json.dumps(value, indent=1))
        temporary.replace(path)
    except OSError as error:
        raise FailedError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)


# --- the comparison -----------------------------------------------------------------------------------------------


def unpacked(layer: dict[str, Any]) -> Any:
    """A layer's spikes out of a result, shape (neuron..., time)."""
    bits = np.frombuffer(zlib.decompress(base64.b64decode(layer["bits"])), np.uint8)
    return np.unpackbits(bits, count=int(np.prod(layer["shape"]))).reshape(layer["shape"])


def delays(plan: dict[str, int]) -> range:
    """Steps that the way in and out may have taken together."""
    return range(plan["input_delay"] + plan["slack"] + OUTPUT_DELAY_MAX + 1)


def _report(folder: Path, result: dict[str, Any]) -> int:
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

    best = min(delays(plan), key=lambda delay: (differing(delay), delay))
    count, spikes = differing(best), sum(int(each.sum(dtype=np.int64)) for each in expected.values())
    _say(f"{count} spikes differ of {spikes} expected, {samples} samples, {len(expected)} layers, delay {best} steps")
    for sample in range(samples if count else 0):
        for name in expected:
            places = np.argwhere(cut(name, best)[sample] != expected[name][sample])
            if len(places):
                *neuron, step = places[np.argmin(places[:, -1])].tolist()
                _say(f"the first: sample {sample}, layer {name}, neuron ({', '.join(map(str, neuron))}), step {step}")
                return count
    return count


# --- one pass, inside its own process -----------------------------------------------------------------------------


def _child(work: Path) -> int:
    job: dict[str, Any] = json.loads((work / "job.json").read_text())
    threading.Thread(target=_die_with, args=(os.getppid(),), daemon=True).start()
    try:
        found = _pass(job, work)
    except Exception as error:
        traceback.print_exc()
        # What Lava's leftovers print while they are cleared away would be taken for the last words.
        (work / "error").write_text(f"{type(error).__name__}: {error}")
        return 1
    (work / "done.json").write_text(json.dumps({"steps": job["steps"], **found}))
    return 0


def _die_with(parent: int) -> None:
    """End this whole session when the process that started it is gone."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _pass(job: dict[str, Any], work: Path) -> dict[str, Any]:
    """Build the network with what feeds and records it, run it once, and return what the loggers have."""
    from lava.lib.dl.netx import hdf5
    from lava.magma.core.run_conditions import RunSteps

    plan = job["plan"]
    path = str(Path(job["folder"]) / "model.net")
    net = hdf5.Network(net_config=path, reset_interval=plan["period"], reset_offset=plan["reset_offset"])
    way: Any = _Simulator(job, work) if job["sim"] else _Chip(job, work)
    way.feed(net, _stream(job, net.inp.shape))
    layers = {layer["name"]: net.layers[layer["netx_index"]] for layer in job["bundle"]["layers"]}
    sinks = {}
    for number, name in enumerate(job["layers"]):
        sinks[name] = way.record(name, layers[name].out, np.uint8, number)
    for number, name in enumerate(job["probe"]):
        for offset, state in enumerate(("u", "v")):
            way.probe(f"{name}.{state}", getattr(layers[name].neuron, state), 2 * number + offset)
    config = way.config()
    print(f"{len(net.layers)} layers loaded and connected, compiling", flush=True)
    net.run(condition=RunSteps(num_steps=job["steps"]), run_cfg=config)
    for name, sink in sinks.items():
        if job["record"] == "buffer":
            sink.data.get().T.astype(np.uint8).tofile(work / f"{name}.raw")
    net.stop()
    found: dict[str, Any] = way.measured()
    return found


def _stream(job: dict[str, Any], shape: tuple[int, ...]) -> Any:
    """The samples one after the other by the schedule, (width, height, channel, time) as Lava counts.

    In the profiled pass one period of the first sample, which RingBuffer repeats.
    """
    plan = job["plan"]
    inputs = np.load(Path(job["folder"]) / "inputs.npy", mmap_mode="r")
    rows = plan["period"] if job["pass"] == "profile" else job["steps"]
    spikes = np.zeros((*inputs.shape[1:-1][::-1], rows), np.int32)
    for sample in range(job["samples"]):
        start = sample * plan["period"]
        axes = (*range(inputs.ndim - 3, -1, -1), inputs.ndim - 2)
        spikes[..., start : start + plan["steps"]] = inputs[sample].transpose(axes)
    return spikes.reshape(*shape, rows)


class _Simulator:
    """Lava's fixed-point simulator: nothing between host and network, and nothing to measure."""

    def __init__(self, job: dict[str, Any], work: Path) -> None:
        self.job, self.work = job, work
        self.models: dict[Any, Any] = {}

    def feed(self, net: Any, spikes: Any) -> None:
        from lava.proc.io import source

        source.RingBuffer(data=spikes).s_out.connect(net.inp)

    def record(self, name: str, out: Any, dtype: Any, number: int) -> Any:
        """Connect a port to a RingBuffer that writes into a file, as Var.get() would take a message a number."""
        from lava.proc.io import sink

        if self.job["record"] == "buffer":
            made = sink.RingBuffer(shape=out.shape, buffer=self.job["steps"])
        else:
            made = sink.RingBuffer(shape=out.shape, buffer=1)
            self.tell(made, name, dtype, number)
            self.models[sink.RingBuffer] = _file_sink()
        out.connect(made.a_in)
        return made

    def tell(self, process: Any, name: str, dtype: Any, number: int) -> None:
        """Tell a process that records which file to write, and where its clock is."""
        process.proc_params["file"] = str(self.work / f"{name}.raw")
        process.proc_params["dtype"] = np.dtype(dtype).name
        process.proc_params["clock"] = str(self.work / "clock.raw"), _clocks(self.job), number

    def probe(self, name: str, var: Any, number: int) -> None:
        from lava.proc.io import sink

        reader = sink.Read(buffer=1)
        reader.connect_var(var)
        self.tell(reader, name, np.int32, number)
        self.models[sink.Read] = _file_reader()

    def config(self) -> Any:
        from lava.magma.core.run_configs import Loihi2SimCfg

        return Loihi2SimCfg(select_tag="fixed_pt", exception_proc_model_map=self.models)

    def measured(self) -> dict[str, Any]:
        return {}


class _Chip(_Simulator):
    """A Loihi 2, through adapters on either side of the network; all that is known of the closed package is here."""

    def __init__(self, job: dict[str, Any], work: Path) -> None:
        super().__init__(job, work)
        self._spike = importlib.import_module("lava.proc.embedded_io.spike")
        self._callbacks: list[Any] = []
        self._loggers: dict[str, Any] = {}
        self._probes: dict[str, Any] = {}
        self._missing: dict[str, str] = {}
        self._show_resources()
        if job["pass"] == "profile":
            self._make_loggers()

    def _show_resources(self) -> None:
        """Have the compiler print its tables (a public profiling script of YOLO-KP sets these three)."""
        try:
            options = importlib.import_module("lava.magma.compiler.subcompilers.nc.ncproc_compiler").CompilerOptions
        except (ImportError, AttributeError) as error:
            self._missing["CompilerOptions"] = str(error)
            return
        for name in ("verbose", "show_resource_count", "log_resource_count"):
            if hasattr(options, name):
                setattr(options, name, True)

    def _make_loggers(self) -> None:
        profiler = importlib.import_module("lava.utils.loihi2_profiler")
        for part, name in LOGGERS.items():
            if part not in self.job["loggers"]:
                continue
            arguments = {"num_steps": self.job["steps"]} if part == "power" else {}
            try:
                self._loggers[part] = getattr(profiler, name)(**arguments)
            except (AttributeError, TypeError) as error:
                self._missing[name] = str(error)
        self._callbacks += self._loggers.values()

    def feed(self, net: Any, spikes: Any) -> None:
        from lava.proc.io import source

        net._log_config.level = logging.INFO
        if self.job["pass"] == "profile" and self.job["profile_input"] == "cyclic":
            # As mlGeNN's NetX example feeds a network without the host (ml_genn examples, spiking Heidelberg digits).
            cyclic = importlib.import_module("lava.proc.cyclic_buffer.process").CyclicBuffer
            cyclic(first_frame=spikes[..., 0], replay_frames=spikes[..., 1:]).s_out.connect(net.inp)
            return
        feed = source.RingBuffer(data=spikes)
        self.models[source.RingBuffer] = source.PySendModelFixed
        adapter = self._input_adapter(net)(shape=net.inp.shape)
        feed.s_out.connect(adapter.inp)
        adapter.out.connect(net.inp)

    def _input_adapter(self, net: Any) -> Any:
        chosen = self.job["adapter"]
        if chosen == "auto":
            conv = net.in_layer.block == "Conv" and hasattr(self._spike, "PyToN3ConvAdapter")
            chosen = "conv" if conv else "spike"
        name = {"conv": "PyToN3ConvAdapter", "spike": "PyToNxAdapter"}[chosen]
        print(f"input adapter: {name}", flush=True)
        return getattr(self._spike, name)

    def record(self, name: str, out: Any, dtype: Any, number: int) -> Any:
        adapter = self._spike.NxToPyAdapter(shape=out.shape)
        out.connect(adapter.inp)
        return super().record(name, adapter.out, dtype, number)

    def probe(self, name: str, var: Any, number: int) -> None:
        try:
            probe = importlib.import_module("lava.utils.loihi2_state_probes").StateProbe
        except (ImportError, AttributeError):
            states = importlib.import_module("lava.proc.embedded_io.state")
            # A convolution's states have an adapter of their own (lava-dl tutorials, netx/yolo_kp/run.ipynb).
            read = states.ReadConv if len(var.shape) > 1 and hasattr(states, "ReadConv") else states.Read
            reader = read(shape=var.shape)
            reader.connect_var(var)
            super().record(name, reader.out, np.int32, number)
            return
        self._probes[name] = probe(var), var.shape
        self._callbacks.append(self._probes[name][0])

    def config(self) -> Any:
        from lava.magma.core import run_configs
        from lava.proc.io import sink

        if self.job["record"] == "buffer":
            self.models[sink.RingBuffer] = sink.PyReceiveModelFixed
        return run_configs.Loihi2HwCfg(exception_proc_model_map=self.models, callback_fxs=self._callbacks)

    def measured(self) -> dict[str, Any]:
        for name, (probe, shape) in self._probes.items():
            series = np.asarray(probe.time_series).reshape(*shape, self.job["steps"])
            np.moveaxis(series, -1, 0).astype(np.int32).tofile(self.work / f"{name}.raw")
        if self.job["pass"] != "profile":
            return {}
        plan = self.job["plan"]
        found: dict[str, Any] = {"steps": self.job["steps"], "sample": 0, "period": plan["period"]}
        found["input"] = self.job["profile_input"]
        for part, names in MEASURED.items():
            values = {name: self._series(part, attribute) for name, attribute in names.items()}
            found[part] = {name: value for name, value in values.items() if value is not None}
        return {"profile": {**found, "missing": self._missing}}

    def _series(self, part: str, attribute: str) -> Any:
        """What a logger has under a name, as a number or a list; None, and why, where it has none."""
        where = f"{part}.{attribute}"
        if part not in self._loggers:
            self._missing[where] = "not asked for" if part not in self.job["loggers"] else "no such profiler"
            return None
        try:
            values = np.asarray(getattr(self._loggers[part], attribute), float)
        except Exception as error:
            # Whatever a closed class raises, the other figures are to be kept.
            self._missing[where] = f"{type(error).__name__}: {error}"
            return None
        if not values.size or not np.isfinite(values).all():
            self._missing[where] = "holds no number" if not values.size else "holds values that are no numbers"
            return None
        if not values.ndim:
            return float(values)
        values = values.reshape(-1)
        # Of very long runs means of as many steps each, which leaves every mean as it is.
        bin_size = -(-values.size // SERIES_MAX)
        whole = values[: values.size // bin_size * bin_size]
        return whole.reshape(-1, bin_size).mean(axis=1).tolist()


def _file_sink() -> Any:
    """RingBuffer's model, with a file for its memory."""
    from lava.magma.core.model.py.ports import PyInPort
    from lava.magma.core.model.py.type import LavaPyType
    from lava.proc.io.sink import PyReceiveModelFixed

    class FileSink(PyReceiveModelFixed):  # type: ignore[misc]
        a_in = LavaPyType(PyInPort.VEC_DENSE, np.int32)
        data = LavaPyType(np.ndarray, np.int32)

        def __init__(self, proc_params: Any) -> None:
            super().__init__(proc_params)
            self._file = _Rows(proc_params)

        def run_spk(self) -> None:
            self._file.add(self.time_step, self.a_in.recv())

    return FileSink


def _file_reader() -> Any:
    """Read's model, with a file for its memory."""
    from lava.magma.core.model.py.ports import PyRefPort
    from lava.magma.core.model.py.type import LavaPyType
    from lava.proc.io.sink import PyReadFixed

    class FileReader(PyReadFixed):  # type: ignore[misc]
        state = LavaPyType(PyRefPort.VEC_DENSE, np.int32)
        data = LavaPyType(np.ndarray, np.int32)

        def __init__(self, proc_params: Any) -> None:
            super().__init__(proc_params)
            self._file = _Rows(proc_params)

        def post_guard(self) -> bool:
            return True

        def run_post_mgmt(self) -> None:
            self._file.add(self.time_step, self.state.read())

    return FileReader


class _Rows:
    """A file of one row a step, and the clock that says how many there are."""

    def __init__(self, proc_params: Any) -> None:
        self._file = Path(proc_params["file"]).open("wb")  # noqa: SIM115 - open as long as the process lives
        self._dtype = np.dtype(proc_params["dtype"])
        path, clocks, self._number = proc_params["clock"]
        self._clock = np.memmap(path, np.int64, "r+", shape=(clocks,))

    def add(self, step: int, values: Any) -> None:
        values = values if self._dtype.itemsize > 1 else values != 0
        self._file.write(np.ascontiguousarray(values, self._dtype).data)
        self._file.flush()
        self._clock[self._number] = step


if __name__ == "__main__":
    sys.exit(main())
