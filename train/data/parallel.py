"""Work spread over two processes, with progress; nothing is left running behind."""

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from train.console import progress
from train.errors import MaestroError

Job = TypeVar("Job")
Done = TypeVar("Done")

PROCESSES = 2


def in_parallel(
    work: Callable[[Job], Done], jobs: Sequence[Job], label: str, unit: str, processes: int = PROCESSES
) -> list[Done]:
    """``[work(job) for job in jobs]``, in that order, by several processes.

    ``work`` is a module's function. The processes end with this call, with Ctrl-C, and when the caller is
    killed.

    Raises
    ------
    MaestroError
        What ``work`` raised, or a process was killed (by the system for memory, say).
    """
    if not jobs:
        return []
    # Forked, so that it works from a notebook or a script without a main guard too; the children run no
    # torch and draw nothing, so neither its threads nor the progress bar's matter to them.
    pool = ProcessPoolExecutor(
        min(processes, len(jobs)), get_context("fork"), initializer=_child, initargs=(os.getpid(),)
    )
    try:
        # All at once: the pool forks as work comes, and shall not do so beside the progress bar's thread.
        futures = [pool.submit(work, job) for job in jobs]
        with progress(label, len(jobs), unit) as meter:
            for future in futures:
                future.add_done_callback(lambda _: meter.advance())
            finished, _ = wait(futures, return_when=FIRST_EXCEPTION)
            for future in finished:
                # Raises what the work raised, without waiting for the rest.
                future.result()
            return [future.result() for future in futures]
    except BrokenProcessPool as error:
        raise MaestroError(
            label, "one of its processes was killed", cure="free some memory and run it again; finished work is kept"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _child(parent: int) -> None:
    # Ctrl-C reaches the whole group; the parent decides what to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    """End this process when its parent is gone: forked siblings keep each other's pipes open otherwise."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
