"""Jobs spread over processes that stay: each job with a log of its own, and none lost by another's failure."""

import contextlib
import importlib
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol

from train.errors import CallError, MaestroError

# One thread a process: several side by side do more than one with several.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
# Seconds that a process gets to end before it is killed.
_END_S = 5.0


class Job(Protocol):
    """What is done. It must be possible to pickle it."""

    @property
    def name(self) -> str: ...

    @property
    def log(self) -> Path: ...


@dataclass
class _Worker:
    process: BaseProcess
    channel: Connection
    job: Any = None


def run_jobs(
    work: str, jobs: Sequence[Any], workers: int, done: Callable[[Any], None], failed: Callable[[Any, str], None]
) -> None:
    """Do every job by ``work``, in about their order, and tell of each as it ends.

    A process that dies takes the job that it was doing with it and is replaced; the others go on. All processes end
    with this call, with Ctrl-C, and soon after the caller is killed.

    Parameters
    ----------
    work
        Function of one job, as 'module:function', so that a process can set its threads before it is imported.
    jobs
        Each a :class:`Job`; what one says goes to its ``log``.
    workers
        Processes.
    done
        Called with each job that ended well.
    failed
        Called with each job that did not, and why.
    """
    waiting = list(jobs)
    pool = [_start(work) for _ in range(min(workers, len(waiting)))]
    try:
        while waiting or any(worker.job is not None for worker in pool):
            for worker in pool:
                if worker.job is None and waiting:
                    _give(worker, waiting.pop(0))
            ready = wait([worker.channel for worker in pool if worker.job is not None])
            for index, worker in enumerate(pool):
                if worker.channel not in ready:
                    continue
                job, worker.job = worker.job, None
                try:
                    reason = worker.channel.recv()
                except (EOFError, OSError):
                    reason = _how_it_died(worker)
                    pool[index] = _start(work)
                if reason is None:
                    done(job)
                else:
                    failed(job, reason)
    finally:
        _end(pool)


def _give(worker: _Worker, job: Any) -> None:
    worker.job = job
    # A process that died while it was idle is found when its answer is awaited.
    with contextlib.suppress(OSError):
        worker.channel.send(job)


def _start(work: str) -> _Worker:
    # Not forked: torch and numba are not safe to fork once they have run.
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, work, os.getpid()))
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _how_it_died(worker: _Worker) -> str:
    worker.process.join(_END_S)
    code = worker.process.exitcode
    if code is not None and code < 0:
        return f"its process was killed ({signal.Signals(-code).name})"
    return f"its process ended ({'still closing' if code is None else f'exit code {code}'})"


def _end(pool: Sequence[_Worker]) -> None:
    for worker in pool:
        worker.channel.close()
        worker.process.terminate()
    for worker in pool:
        worker.process.join(_END_S)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


def _serve(channel: Connection, work: str, parent: int) -> None:
    """A process's life: do jobs until the channel closes."""
    # Ctrl-C reaches the whole group; the parent decides what to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    os.environ |= dict.fromkeys(_THREADS, "1")
    module, _, name = work.partition(":")
    function: Callable[[Any], None] | None = None
    while True:
        try:
            job = channel.recv()
        except (EOFError, OSError):
            return
        _talk_to(job.log)
        reason = None
        try:
            function = function or getattr(importlib.import_module(module), name)
            function(job)
        except MaestroError as error:
            reason = ("the call was wrong: " if isinstance(error, CallError) else "") + str(error)
        except Exception as error:
            traceback.print_exc()
            reason = f"{type(error).__name__}: {error}"
        sys.stderr.flush()
        channel.send(reason)


def _talk_to(log: Path) -> None:
    """Let all that this process says go to the end of a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


def _watch(parent: int) -> None:
    """End this process when its parent is gone."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
