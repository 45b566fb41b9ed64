"""Work in several processes: in order, errors whole, nothing left behind."""

import math
import os
import time
from functools import partial

import pytest

from train.artifacts import atomic_write
from train.data.parallel import cores, in_parallel
from train.data.sound import load_sound
from train.errors import MaestroError


def test_results_keep_the_order_of_the_jobs(no_process_left):
    assert in_parallel(math.sqrt, [], "roots", "numbers") == []
    assert in_parallel(math.sqrt, [n * n for n in range(20)], "roots", "numbers") == list(range(20))


def test_what_the_work_raised_is_raised(tmp_path, no_process_left):
    work = partial(load_sound, sample_rate_hz=16000)
    with pytest.raises(MaestroError, match=r"gone\.wav: no such file\. Check the path"):
        in_parallel(work, [tmp_path / "gone.wav"], "sounds", "files")


def test_a_killed_process_is_an_error(no_process_left):
    with pytest.raises(MaestroError, match=r"jobs: one of its processes was killed\. Free some memory"):
        in_parallel(os._exit, [9, 9, 9], "jobs", "jobs")


def test_results_come_to_the_caller_as_they_are_ready_with_sizes_in_the_progress(capsys, no_process_left):
    seen = []
    done = in_parallel(
        math.sqrt, [1, 4, 9], "roots", "s", 2, sizes=[5, 6, 7], each=lambda job, root: seen.append((job, root))
    )
    assert done == [1, 2, 3]
    assert sorted(seen) == [(1, 1), (4, 2), (9, 3)]
    assert "roots: 18 s in" in capsys.readouterr().err


@pytest.mark.parametrize("error", [KeyboardInterrupt, MaestroError("disk", "full")])
def test_nobody_waits_for_what_is_under_way_once_all_is_to_end(no_process_left, error):
    def ending(_job, _done):
        raise error

    started = time.monotonic()
    with pytest.raises(BaseException, match=r"^$|disk: full"):
        in_parallel(time.sleep, [0.1, 60, 60], "sleeps", "jobs", 2, each=ending)
    assert time.monotonic() - started < 20


def hold(path):
    with atomic_write(path) as temporary:
        temporary.write_text("half")
        time.sleep(60 if path.name == "slow" else 1)


def test_work_that_is_ended_leaves_nothing_half_written(tmp_path, no_process_left):
    def ending(_job, _done):
        assert len(list(tmp_path.glob(".slow.*"))) == 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_parallel(hold, [tmp_path / "slow", tmp_path / "quick", tmp_path / "next"], "files", "files", 2, each=ending)
    assert {path.name for path in tmp_path.iterdir()} <= {"quick", "next"}


def test_as_many_processes_as_cores_that_may_be_used():
    assert cores() == len(os.sched_getaffinity(0))
