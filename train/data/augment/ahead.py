"""Work done by other processes ahead of need, in order."""

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from typing import Any, TypeVar

from train.errors import MaestroError

Shared = TypeVar("Shared")
Job = TypeVar("Job")
Done = TypeVar("Done")

# Jobs given out beyond those asked for, a process.
_AHEAD = 32
# What every job is done with; a process's own copy.
_shared: Any = None


def ahead(
    work: Callable[[Shared, Job], Done], shared: Shared, jobs: Iterable[Job], workers: int, label: str
) -> Generator[Done, None, None]:
    """``work(shared, job)`` of every job, in their order, whatever the number of processes.

    Parameters
    ----------
    work
        A module's function.
    shared
        What all jobs need; it is handed over once.
    jobs
        Taken as they are needed.
    workers
        Processes, which begin with this call and end with the iterator, with Ctrl-C and with their parent; with 0 all
        is done here, when it is asked for.
    label
        What a message calls it.

    Raises
    ------
    MaestroError
        What ``work`` raised, or a process was killed (by the system for memory, say).
    """
    if workers == 0:
        return _here(work, shared, jobs)
    # Forked, as train.data.parallel's: the children run no torch and draw nothing. All of them at once, and before the
    # caller's progress bar has a thread that holds some lock.
    pool = ProcessPoolExecutor(workers, get_context("fork"), initializer=_child, initargs=(os.getpid(), shared))
    left = iter(jobs)
    try:
        under_way = deque(pool.submit(_do, work, job) for job in islice(left, workers * _AHEAD))
    except BaseException:
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    return _in_order(pool, work, left, under_way, label)


def _here(work: Callable[[Shared, Job], Done], shared: Shared, jobs: Iterable[Job]) -> Generator[Done, None, None]:
    for job in jobs:
        yield work(shared, job)


def _in_order(
    pool: ProcessPoolExecutor,
    work: Callable[[Any, Job], Done],
    left: Iterator[Job],
    under_way: deque[Future[Done]],
    label: str,
) -> Generator[Done, None, None]:
    try:
        while under_way:
            found = under_way.popleft().result()
            under_way.extend(pool.submit(_do, work, job) for job in islice(left, 1))
            yield found
    except BrokenProcessPool as error:
        raise MaestroError(
            label, "one of its processes was killed", cure="free some memory, or use fewer workers, and run it again"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _do(work: Callable[[Any, Job], Done], job: Job) -> Done:
    return work(_shared, job)


def _child(parent: int, shared: Any) -> None:
    global _shared  # noqa: PLW0603
    _shared = shared
    # Ctrl-C reaches the whole group; the parent decides what to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)
