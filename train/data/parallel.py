"""Work spread over several processes, with progress; nothing is left running behind."""

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from types import FrameType
from typing import TypeVar

from train.console import progress
from train.errors import MaestroError

Job = TypeVar("Job")
Done = TypeVar("Done")


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_parallel(
    work: Callable[[Job], Done],
    jobs: Sequence[Job],
    label: str,
    unit: str,
    processes: int | None = None,
    *,
    sizes: Sequence[int] | None = None,
    note: Callable[[], str] = str,
    each: Callable[[Job, Done], None] = lambda _job, _done: None,
) -> list[Done]:
    """``[work(job) for job in jobs]``, in that order, by several processes.

    ``work`` is a module's function. The processes end with this call, with Ctrl-C, and when the caller is
    killed.

    Parameters
    ----------
    work, jobs
        What is done with what; jobs are begun in their order.
    label, unit
        What the progress is called, and what it counts.
    processes
        How many; one a core if None.
    sizes
        What each job counts in the progress; 1 if None.
    note
        Text beside the count.
    each
        Called in this process, with each result as it comes.

    Raises
    ------
    MaestroError
        What ``work`` raised, or a process was killed (by the system for memory, say).
    """
    if not jobs:
        return []
    # Forked, so that it works from a notebook or a script without a main guard too; the children run no
    # torch and draw nothing, so neither its threads nor the progress bar's matter to them.
    context = get_context("fork")
    stop = context.Event()
    pool = ProcessPoolExecutor(
        min(processes or cores(), len(jobs)), context, initializer=_child, initargs=(os.getpid(), stop)
    )
    counted = list(sizes) if sizes is not None else [1] * len(jobs)
    try:
        # All at once: the pool forks as work comes, and shall not do so beside the progress bar's thread.
        futures = {pool.submit(work, job): number for number, job in enumerate(jobs)}
        with progress(label, sum(counted), unit) as meter:
            for future in as_completed(futures):
                # Raises what the work raised, without waiting for the rest.
                each(jobs[futures[future]], future.result())
                meter.advance(counted[futures[future]], note())
        return [future.result() for future in futures]
    except BaseException as error:
        # What is under way may take minutes, and nobody waits for it any more.
        stop.set()
        if isinstance(error, BrokenProcessPool):
            cure = "free some memory and run it again; finished work is kept"
            raise MaestroError(label, "one of its processes was killed", cure=cure) from error
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _child(parent: int, stop: Event) -> None:
    # Ctrl-C reaches the whole group; the parent decides what to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Ended by an exception, work takes its half-written files away.
    signal.signal(signal.SIGTERM, _end)
    threading.Thread(target=_watch, args=(parent, stop), daemon=True).start()


def _end(_signum: int, _frame: FrameType | None) -> None:
    raise SystemExit(1)


def _watch(parent: int, stop: Event) -> None:
    """End this process when its parent is gone or says so: forked siblings keep each other's pipes open otherwise."""
    while os.getppid() == parent and not stop.is_set():
        time.sleep(0.2)
    # The pool takes an exception for its job's and begins the next one: told again until it is the pool's own.
    for _ in range(10):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.2)
    os._exit(1)
