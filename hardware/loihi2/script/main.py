"""The script's call: options, passes, result."""

import argparse
import os
import signal
import tempfile
from pathlib import Path
from typing import Any

from hardware.loihi2.script.checks import checked, choose_board, require_closed
from hardware.loihi2.script.chip import LOGGERS
from hardware.loihi2.script.common import ENVIRONMENT, FORMAT, FailedError, now, say, versions
from hardware.loihi2.script.result import Output, collect, report
from hardware.loihi2.script.supervise import supervise
from hardware.loihi2.script.work import child

_STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(arguments: list[str] | None = None) -> int:
    """Check the bundle, do every pass, write result.json after each, and compare with what was expected."""
    options = _parser().parse_args(arguments)
    if options.child:
        return child(Path(options.child))
    # SLURM's time limit ends with SIGTERM, a lost connection with SIGHUP: what there is is to be written, and children
    # are to go.
    for number in _STOPS:
        signal.signal(number, _stop)
    try:
        return _run(options)
    except FailedError as error:
        say(f"error: {error}")
    except OSError as error:
        say(f"error: {error.filename or 'this machine'}: {error.strerror or error}. Free some space, or set TMPDIR")
    return 1


def _stop(number: int, _frame: Any) -> None:
    for each in _STOPS:
        signal.signal(each, signal.SIG_IGN)
    raise FailedError(f"stopped by {signal.Signals(number).name}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Run this bundle on a Loihi 2, or with --sim in Lava's simulator.")
    parser.add_argument("--sim", action="store_true", help="run in Lava's simulator: needs no chip, measures nothing")
    parser.add_argument("--samples", type=_positive, help="only the first so many samples")
    parser.add_argument("--layers", choices=("all", "output"), default="all", help="which layers to record")
    parser.add_argument("--no-profile", action="store_true", help="do not measure power, time, activity and memory")
    parser.add_argument("--steps", type=_positive, default=10_000, help="least steps of the profiled run (%(default)s)")
    parser.add_argument("--board", help="board to run on (SLURM)")
    parser.add_argument("--partition", help="partition to run on (SLURM)")
    parser.add_argument("--out", type=Path, help="where to write; else result.json beside this script")
    parser.add_argument("--probe", action="append", default=[], metavar="LAYER", help="record u and v of a layer too")
    parser.add_argument("--probe-samples", type=_positive, default=1, help="samples to probe (%(default)s)")
    parser.add_argument("--patience", type=float, default=600.0, help="seconds without a step after which to give up")
    adapters = ("auto", "spike", "conv")
    parser.add_argument("--input-adapter", choices=adapters, default="auto", help="auto: conv before a convolution")
    parser.add_argument("--loggers", type=_loggers, default=",".join(LOGGERS), help="profilers (%(default)s)")
    inputs = ("host", "cyclic")
    parser.add_argument(
        "--profile-input", choices=inputs, default="host", help="cyclic: replayed by the chip, unproven"
    )
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


def _total(plan: dict[str, int], samples: int) -> int:
    """Steps to run, as export/schedule.py of the project has it."""
    return samples * plan["period"] + plan["input_delay"] + plan["slack"]


def _run(options: argparse.Namespace) -> int:
    folder = options.folder.resolve()
    bundle = checked(folder)
    choose_board(options)
    if not options.sim:
        require_closed()
    samples = min(options.samples or bundle["samples"], bundle["samples"])
    plan = bundle["schedule"]["simulator" if options.sim else "chip"]
    names = [layer["name"] for layer in bundle["layers"]]
    for name in options.probe:
        if name not in names:
            raise FailedError(f"--probe {name}: no such layer, expected one of {', '.join(names)}")
    recorded = names if options.layers == "all" else names[-1:]
    out = Output((options.out or folder / "result.json").absolute())
    result: dict[str, Any] = {
        "format": FORMAT,
        "bundle_id": bundle["id"],
        "backend": "simulator" if options.sim else "loihi2",
        "schedule": plan,
        "samples": samples,
        "steps_run": 0,
        "versions": versions(),
        "environment": {key: os.environ[key] for key in ENVIRONMENT if key in os.environ},
        "started": now(),
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
        # Counters are of the whole run, and to be an inference's they have to be of whole periods.
        steps = -(-options.steps // plan["period"]) * plan["period"]
        jobs.append({**common, "pass": "profile", "samples": 1, "steps": steps, "layers": [], "probe": []})
    # Each in a process of its own: a second profiled run() in one is not shown anywhere to work.
    for job in jobs:
        with tempfile.TemporaryDirectory(prefix="on-chip-") as work:
            try:
                supervise(job, Path(work), options.patience)
            except FailedError as error:
                result["failed"] = {"pass": job["pass"], "error": str(error)}
            collect(job, Path(work), result)
        result["ended"] = now()
        out.write(result)
        if result["failed"]:
            fewer = job["pass"] == "spikes" and options.layers == "all" and not options.sim
            hint = "; try --layers output" if fewer else ""
            raise FailedError(
                f"pass {job['pass']}: {result['failed']['error']}. What there is lies in {out.path}{hint}"
            )
    differing = report(folder, result, names)
    say(f"wrote {out.path}")
    return 1 if differing else 0
