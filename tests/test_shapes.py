"""Shapes in signatures are checked under tests, in every module that has some, and nowhere else."""

import importlib
import inspect
import subprocess
import sys

import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError

from export import fixed_point
from lava_runtime.runner import Result
from train import codes
from train.config import EncodingConfig
from train.data.clips import ClipSet
from train.encoding import make_encoder
from train.features import Normaliser
from train.metrics import decide
from train.topology import counts

X = np.zeros((2, 3, 4), np.float32)
ROW = np.zeros(3, np.int64)


def test_every_module_with_shapes_is_checked(shaped):
    assert {"train.codes", "train.topology", "export.reference", "lava_runtime.runner"} <= set(shaped)
    for name in shaped:
        module = importlib.import_module(name)
        functions = [value for _, value in inspect.getmembers(module, inspect.isfunction) if value.__module__ == name]
        assert functions
        assert all(hasattr(function, "__wrapped__") for function in functions), name


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: codes.delta(X[0], 0.5), r"parameter 'x'.*f32\[3,4\].*sample feature time"),
        (lambda: codes.delta(X.astype(np.float64), 0.5), r"parameter 'x'.*f64\[2,3,4\]"),
        (lambda: codes.delta_inverse(np.zeros((2, 1, 3, 4), np.uint8), 0.5), "sample 2 feature time"),
        (lambda: Normaliser.fit([X[0, 0]]), r"parameter 'sequences'.*feature _frame"),
        (lambda: decide(ROW, {"title": (0, 3)}), r"parameter 'scores'.*sample neuron"),
        (lambda: ClipSet((X[0],), ROW, ROW[:2], {}, 1, ("a",)), r"parameter 'start'.*clip=3"),
        (lambda: counts(torch.zeros(2, 3)), r"parameter 'spikes'.*sample neuron time"),
        (lambda: fixed_point.decay(ROW, ROW[:2]), r"parameter 'rate'.*i64\[2\]"),
        (lambda: Result(np.zeros((2, 3), np.uint8), ROW[None]), r"parameter 'output'.*sample neuron time"),
    ],
)
def test_a_wrong_shape_is_refused(call, text):
    with pytest.raises(TypeCheckError, match=rf"(?s){text}"):
        call()


def test_a_wrong_shape_given_back_is_refused(monkeypatch):
    monkeypatch.setattr(codes, "delta", lambda x, threshold: np.zeros((2, 1, 3, 4), np.uint8))
    with pytest.raises(TypeCheckError, match=r"(?s)return value.*u8\[2,1,3,1,4\].*sample \{self.channels\} feature"):
        make_encoder(EncodingConfig(name="delta")).encode(X)


def test_nothing_is_checked_outside_tests(root):
    program = (
        "import sys; from train import codes; import numpy as np;"
        "assert not hasattr(codes.fraction, '__wrapped__');"
        "assert codes.fraction(np.zeros(3, np.float16), 1.0).shape == (3,);"
        "assert 'beartype' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], cwd=root, check=True)
