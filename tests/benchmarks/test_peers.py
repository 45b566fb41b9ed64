"""One LIF population forward and backward: ours, SLAYER's and other libraries', interleaved. Run by ``make bench``."""

import hashlib
import importlib.util
import json
import os
import select
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "peers"
ROUNDS, WARM_UPS = 9, 2
# What building and one first round may take. Compiling whole sequences takes longer than most would wait.
PLAIN_S, COMPILE_S, ROUND_S = 300.0, 75.0, 120.0
GOAL = 4.0
# What runs in the product's environment; the others are the peers.
OWN = ("maestro-loihi", "lava-dl")


def _worker_module():
    spec = importlib.util.spec_from_file_location("peers_worker", HERE / "worker.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def peers_python(root):
    """(interpreter of the peers' own environment, "") or (None, why there is none)."""
    lock, folder = HERE / "requirements.lock", root / ".cache" / "peers-venv"
    stamp, python = folder / ".ready", folder / "bin" / "python"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return python, ""
    uv = [str(root / ".venv" / "bin" / "uv"), "--quiet"]
    sync = ["pip", "sync", "--python", str(python), "--require-hashes", str(lock)]
    try:
        for command in (["venv", "--clear", "--python", sys.executable, str(folder)], sync):
            subprocess.run([*uv, *command], check=True, capture_output=True, text=True, timeout=900, cwd=root)
    except subprocess.SubprocessError as error:
        said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        return None, f"its environment could not be made: {said[-1] if said else 'no reason given'}"[:200]
    except OSError as error:
        return None, f"its environment could not be made: {error.strerror}"
    stamp.write_text(wanted)
    return python, ""


class _Worker:
    def __init__(self, python, name, root, patience_s):
        environment = {
            **os.environ,
            "PYTHONPATH": str(root),
            "OMP_NUM_THREADS": "2",
            "NUMBA_NUM_THREADS": "2",
            "OMP_WAIT_POLICY": "passive",
            "TORCHINDUCTOR_CACHE_DIR": str(root / ".cache" / "inductor"),
            "TORCHINDUCTOR_FX_GRAPH_CACHE": "1",
        }
        self.process = subprocess.Popen(
            [str(python), str(HERE / "worker.py"), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
            cwd=root,
        )
        self.known = self._hear(patience_s)

    def _hear(self, patience_s):
        if not select.select([self.process.stdout], [], [], patience_s)[0]:
            self.process.kill()
            return {"error": f"not ready within {patience_s:g} s"}
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"error": "its process ended without an answer"}

    def round(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._hear(ROUND_S)

    def close(self):
        self.process.kill()
        self.process.communicate()


def _entry(form, known, rounds):
    entry = {"library": form.library, "states": form.states, "form": form.text, "compiled": form.compiled, **known}
    entry["rounds"] = [{key: found[key] for key in ("forward_s", "backward_s")} for found in rounds]
    if rounds:
        entry["median_s"] = statistics.median(found["forward_s"] + found["backward_s"] for found in rounds)
    return entry


def test_peers(benchmark, peers_python, root, capsys):
    """Every form in a process of its own, one round each in turn, so that what else happens falls on all alike."""
    module = _worker_module()
    # To try some of them.
    wanted = os.environ.get("BENCH_FORMS", "").split(",")
    chosen = {name: form for name, form in module.FORMS.items() if wanted == [""] or name in wanted}
    python, missing = peers_python
    workers, known, rounds = {}, {}, {}
    try:
        for name, form in chosen.items():
            rounds[name] = []
            own = form.library in OWN
            if not own and python is None:
                known[name] = {"error": missing}
                continue
            started = time.perf_counter()
            patience = COMPILE_S if form.compiled else PLAIN_S
            worker = _Worker(sys.executable if own else python, name, root, patience)
            known[name] = {**worker.known, "ready_s": time.perf_counter() - started}
            if "error" in worker.known:
                worker.close()
            else:
                workers[name] = worker
        for number in range(WARM_UPS + ROUNDS):
            for name, worker in list(workers.items()):
                found = worker.round()
                if "error" in found:
                    known[name] = {"error": found["error"]}
                    workers.pop(name).close()
                elif number >= WARM_UPS:
                    rounds[name].append(found)
        assert "ours" in workers, known["ours"]
        benchmark.pedantic(workers["ours"].round, rounds=ROUNDS, warmup_rounds=1)
    finally:
        for worker in workers.values():
            worker.close()
    entries = {name: _entry(form, known[name], rounds[name]) for name, form in chosen.items()}
    ours = entries["ours"]["median_s"]
    peers = {n: e["median_s"] for n, e in entries.items() if e["library"] not in OWN and "median_s" in e}
    fastest = min(peers, key=peers.get) if peers else None
    benchmark.extra_info.update(
        section="peers",
        batch=module.BATCH,
        neurons=module.NEURONS,
        steps=module.STEPS,
        threads=module.THREADS,
        goal=GOAL,
        fastest=fastest,
        ratio=peers[fastest] / ours if fastest else None,
        forms=entries,
    )
    with capsys.disabled():
        print()
        for name, entry in entries.items():
            shown = f"{1000 * entry['median_s']:.1f} ms" if "median_s" in entry else entry["error"]
            print(f"{name}: {shown}")
