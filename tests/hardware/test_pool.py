import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hardware.pool import run_jobs

# What the processes do; a module of its own, since they import it anew.
WORK = """
import os, signal, sys, time
from pathlib import Path
from train.errors import MaestroError

def work(job):
    print("this is", job["name"], flush=True)
    print(os.environ["OMP_NUM_THREADS"], os.environ["NUMBA_NUM_THREADS"], file=sys.stderr)
    what = job["what"]
    if what == "refuse":
        raise MaestroError("layer x", "is wrong")
    if what == "break":
        raise RuntimeError("broken")
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "leave":
        os._exit(3)
    if what == "stay":
        Path(job["mark"]).write_text(str(os.getpid()))
        time.sleep(60)
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "pool_jobs.py").write_text("class Job(dict):\n    log = property(lambda self: self['log'])\n" + WORK)
    monkeypatch.syspath_prepend(str(tmp_path))
    import pool_jobs

    yield pool_jobs
    del sys.modules["pool_jobs"]


def test_one_that_fails_or_dies_takes_no_other_with_it(module, tmp_path):
    kinds = ["", "refuse", "break", "die", "leave", ""]
    jobs = [
        module.Job(name=f"job{number}", what=what, log=tmp_path / "logs" / f"{number}.log")
        for number, what in enumerate(kinds)
    ]
    done, failed = [], {}
    run_jobs(
        "pool_jobs:work",
        jobs,
        2,
        lambda job: done.append(job["name"]),
        lambda job, reason: failed.update({job["name"]: reason}),
    )
    assert sorted(done) == ["job0", "job5"]
    assert failed == {
        "job1": "layer x: is wrong",
        "job2": "RuntimeError: broken",
        "job3": "its process was killed (SIGKILL)",
        "job4": "its process ended (exit code 3)",
    }
    for job in jobs:
        assert job.log.read_text().splitlines()[0] == f"this is {job['name']}"
        # One thread each, said before anything that could start more is imported.
        assert job.log.read_text().splitlines()[1] == "1 1"
    assert "Traceback" in jobs[2].log.read_text()


def test_nothing_to_do_starts_nothing():
    run_jobs("nowhere:work", [], 2, lambda _: pytest.fail("done"), lambda *_: pytest.fail("failed"))


SCRIPT = """
import sys
from pathlib import Path
from pool_jobs import Job
from hardware.pool import run_jobs
from train.console import _terminate
import signal

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _terminate)
    folder = Path(sys.argv[1])
    jobs = [Job(name=n, what="stay", log=folder / f"{n}.log", mark=str(folder / f"{n}.pid")) for n in "ab"]
    run_jobs("pool_jobs:work", jobs, 2, print, print)
"""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_processes_end_with_the_caller(module, tmp_path, root, how):
    script = tmp_path / "caller.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{tmp_path}"}
    caller = subprocess.Popen([sys.executable, str(script), str(tmp_path)], env=environment, stderr=subprocess.DEVNULL)
    marks = [tmp_path / f"{name}.pid" for name in "ab"]
    wait_for(lambda: all(mark.is_file() and mark.read_text() for mark in marks))
    caller.send_signal(how)
    caller.wait(30)
    wait_for(lambda: not any(alive(int(mark.read_text())) for mark in marks))


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.05)


def alive(pid):
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
