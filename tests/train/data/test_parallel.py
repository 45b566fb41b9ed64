"""Work in several processes: in order, errors whole, nothing left behind."""

import math
import os
from functools import partial

import pytest

from train.data.parallel import in_parallel
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
