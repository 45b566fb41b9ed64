"""Run every benchmark, each file in a process of its own, then write the JSON and the page: ``make bench``.

Parts that are done are kept in .cache/bench until all are through, so that an interrupted call goes on where it was; a
part that fails costs only itself. The JSON is pytest-benchmark's, of all parts together.
"""

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DONE = ROOT / ".cache" / "bench"
RESULT = HERE / "results" / "bench.json"
# Parts and the seconds each may take; a quiet machine of two cores needs a third of them.
PARTS = {
    "operations": 600,
    "growth": 600,
    "engine": 600,
    "training_step": 600,
    "peers": 900,
    "features": 900,
}


def main() -> int:
    """0 if every part gave its figures, 1 if one did not."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, help="run these parts, and keep the JSON's other ones")
    parser.add_argument("--fresh", action="store_true", help="forget parts that are done")
    chosen = parser.parse_args()
    # Ended from outside, it still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    DONE.mkdir(parents=True, exist_ok=True)
    state = _state()
    parts = chosen.only or list(PARTS)
    found = {}
    for part in parts:
        kept = DONE / f"{part}.json"
        if kept.is_file() and not chosen.fresh and not chosen.only and json.loads(kept.read_text())["state"] == state:
            print(f"bench: {part} is done", file=sys.stderr)
        else:
            kept.unlink(missing_ok=True)
            entry = {"state": state, **_run(part)}
            kept.write_text(json.dumps(entry))
        found[part] = json.loads(kept.read_text())
    RESULT.parent.mkdir(exist_ok=True)
    old = json.loads(RESULT.read_text()) if chosen.only and RESULT.is_file() else None
    RESULT.write_text(json.dumps(_join(found, old), indent=1) + "\n")
    for part in parts:
        (DONE / f"{part}.json").unlink()
    subprocess.run([sys.executable, str(HERE / "page.py")], check=True)
    failed = [part for part, entry in found.items() if entry["failure"]]
    for part in failed:
        print(f"bench: {part} failed: {found[part]['failure']}", file=sys.stderr)
    return 1 if failed else 0


def _state() -> str:
    """What the figures are of: the commit and what was changed since."""
    calls = (["git", "rev-parse", "HEAD"], ["git", "diff", "HEAD", "--", "*.py", "*.toml"])
    said = [subprocess.run(call, cwd=ROOT, capture_output=True, check=True).stdout for call in calls]
    return hashlib.sha256(b"".join(said)).hexdigest()


def _run(part: str) -> dict:
    """A part's JSON, and why it failed where it did; what it gave before it failed is kept."""
    written, log = DONE / f"{part}.pytest.json", DONE / f"{part}.log"
    written.unlink(missing_ok=True)
    print(f"bench: {part}", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "pytest", f"tests/benchmarks/test_{part}.py", "-m", "", "-q", "-rf"]
    started, failure = time.monotonic(), ""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, f"--benchmark-json={written}", "--benchmark-columns=median,iqr,rounds"],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, "COLUMNS": "200"},
        )
        try:
            process.wait(PARTS[part])
        except subprocess.TimeoutExpired:
            failure = f"took longer than {PARTS[part]} s"
        finally:
            _end(process)
    said = log.read_text(errors="replace").replace(str(ROOT), ".")
    print(said, file=sys.stderr)
    if process.returncode and not failure:
        lines = [line.partition(" - ")[2] for line in said.splitlines() if line.startswith("FAILED")]
        failure = f"{lines[0] if lines else f'pytest ended with code {process.returncode}'}"[:300]
    try:
        given = json.loads(written.read_text())
    except (OSError, ValueError):
        given = None
        failure = failure or "gave no figures"
    return {"failure": failure, "seconds": time.monotonic() - started, "given": given}


def _end(process: subprocess.Popen) -> None:
    """End what still runs: by Ctrl-C, on which tests close what they started, then for good."""
    for number in (signal.SIGINT, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(number)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                continue


def _join(found: dict, old: dict | None) -> dict:
    """One JSON of all parts; of ``old`` those that were not run now."""
    parts, benchmarks, last = {}, [], None
    for part, entry in found.items():
        given = entry["given"]
        parts[part] = {"failure": entry["failure"], "seconds": round(entry["seconds"], 1)}
        if given is None:
            continue
        last = given
        parts[part] |= {"datetime": given["datetime"], "commit": given["commit_info"].get("id", "unknown")[:10]}
        parts[part] |= {"dirty": given["commit_info"].get("dirty"), "load": given["machine_info"]["load_at_start"]}
        benchmarks += [{"part": part, **benchmark} for benchmark in given["benchmarks"]]
    if old is not None:
        benchmarks = [entry for entry in old["benchmarks"] if entry["part"] not in found] + benchmarks
        parts = {**old["parts"], **parts}
    head = last or old or {"machine_info": {}, "datetime": "", "version": ""}
    machine = {key: value for key, value in head["machine_info"].items() if key != "load_at_start"}
    commit = head.get("commit_info", {})
    return {
        "machine_info": machine,
        "commit_info": {key: commit[key] for key in ("id", "time", "dirty") if key in commit},
        "datetime": head["datetime"],
        "version": head["version"],
        "parts": {part: parts[part] for part in PARTS if part in parts},
        "benchmarks": benchmarks,
    }


if __name__ == "__main__":
    sys.exit(main())
