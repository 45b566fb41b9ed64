"""One branch is Lava's own LIF, with and without reset, in integers and floats; several are what the docstring says."""

import subprocess
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.lava

# Lava compiles and forks: in a process of its own, as the project always has it.
RUN = """
import sys
import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.io import sink, source
from lava.proc.lif.process import LIF, LIFReset
from lava_runtime.processes.dh_lif import DhLif, DhLifReset

given = np.load(sys.argv[1])
SHAPE, STEPS = (3, 2, 4), given["fixed"].shape[-1]
RESET = {"reset_interval": 13, "reset_offset": 31}
found = {}
for kind, tag in (("fixed", "fixed_pt"), ("float", "floating_pt")):
    fixed = kind == "fixed"
    same = {"du": 40, "dv": 300, "vth": 20000, "bias_exp": 6} if fixed else {"du": 0.3, "dv": 0.05, "vth": 2.5}
    same |= {"bias_mant": given[f"{kind}_bias"], "u": 77 if fixed else 0.7, "v": -5 if fixed else -0.4}
    three = {**same, "branches": 3, "gain": given["gain"], "du": given[f"{kind}_du"], "dv": given[f"{kind}_dv"]}
    neurons = {
        "lif": LIF(shape=SHAPE, **same),
        "one": DhLif(shape=SHAPE, **same),
        "lif_reset": LIFReset(shape=SHAPE, **same, **RESET),
        "one_reset": DhLifReset(shape=SHAPE, **same, **RESET),
        "three": DhLif(shape=SHAPE, **three),
        "three_reset": DhLifReset(shape=SHAPE, **three, **RESET),
    }
    inputs = {"one": source.RingBuffer(data=given[kind]), "three": source.RingBuffer(data=given[f"{kind}_three"])}
    sinks = {}
    for name, neuron in neurons.items():
        inputs["three" if "three" in name else "one"].s_out.connect(neuron.a_in)
        sinks[name] = sink.RingBuffer(shape=SHAPE, buffer=STEPS)
        neuron.s_out.connect(sinks[name].a_in)
    # Only what is connected runs together.
    bridge = sink.RingBuffer(shape=SHAPE, buffer=1)
    for name in ("lif", "three"):
        neurons[name].s_out.connect(bridge.a_in)
    first = neurons["lif"]
    first.run(condition=RunSteps(num_steps=STEPS), run_cfg=Loihi2SimCfg(select_tag=tag))
    for name, neuron in neurons.items():
        found |= {f"{kind}_{name}": sinks[name].data.get(), f"{kind}_{name}_u": neuron.u.get()}
        found[f"{kind}_{name}_v"] = neuron.v.get()
    first.stop()
np.savez(sys.argv[2], **found)
"""
STEPS = 60


@pytest.fixture(scope="module")
def given():
    """Inputs and parameters; the integers are now and then so large that currents and their sums wrap.

    Those of one branch even so large that Lava's current stays outside its 24 bits, as it wraps only once.
    """
    generator = np.random.default_rng(5)
    size, far = {"one": (3, 2, 4), "three": (3, 2, 12)}, {"one": 600_000, "three": 130_000}
    integers = {
        name: generator.integers(-900, 1200, (*shape, STEPS))
        + (generator.random((*shape, STEPS)) < 0.05) * generator.integers(-far[name], far[name], (*shape, STEPS))
        for name, shape in size.items()
    }
    return {
        "fixed": integers["one"],
        "fixed_three": integers["three"],
        "float": generator.normal(0.2, 1, (*size["one"], STEPS)),
        "float_three": generator.normal(0.2, 1, (*size["three"], STEPS)),
        "fixed_bias": generator.integers(-99, 99, size["one"]),
        "float_bias": generator.normal(0, 0.1, size["one"]),
        "gain": np.array([0, 2, 6]),
        "fixed_du": generator.integers(-1, 900, (3, 4)),
        "float_du": generator.random((3, 4)),
        "fixed_dv": generator.integers(0, 900, 4),
        "float_dv": generator.random(4),
    }


@pytest.fixture(scope="module")
def found(given, root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("dh_lif")
    np.savez(folder / "given.npz", **given)
    command = [sys.executable, "-W", "ignore", "-c", RUN, str(folder / "given.npz"), str(folder / "found.npz")]
    subprocess.run(command, cwd=root, check=True, timeout=120)
    return dict(np.load(folder / "found.npz"))


@pytest.mark.parametrize("reset", ["", "_reset"])
@pytest.mark.parametrize("kind", ["fixed", "float"])
def test_one_branch_is_lavas_lif(found, kind, reset):
    for what in ("", "_u", "_v"):
        np.testing.assert_array_equal(found[f"{kind}_one{reset}{what}"], found[f"{kind}_lif{reset}{what}"])
    spikes = found[f"{kind}_lif{reset}"]
    assert 0.02 < spikes.mean() < 0.6
    assert (spikes != found[f"{kind}_lif"]).any() == bool(reset), "the reset changed nothing"


def by_the_book(given, kind, reset):
    """Spikes, branch currents and voltage of the neuron with three branches, as its docstring defines them."""
    fixed = kind == "fixed"
    du, dv = given[f"{kind}_du"], given[f"{kind}_dv"]
    u, v = np.full((3, 2, 3, 4), 77 if fixed else 0.7), np.full((3, 2, 4), -5 if fixed else -0.4)
    spikes = np.zeros((3, 2, 4, STEPS))
    wrapped = {"branch": 0, "sum": 0}

    def wrap(current, which):
        back = np.where(current > 1 << 23, current - (1 << 24), current)
        back = np.where(back <= -(1 << 23), back + (1 << 24), back)
        wrapped[which] += (back != current).sum()
        return back

    def decay(state, rate):
        # A float holds such a product whole; the division by a power of two loses nothing, and trunc cuts to zero.
        return np.trunc(state * (4096.0 - rate) / 4096).astype(np.int64)

    for step in range(1, STEPS + 1):
        if reset and step % 13 == 31 % 13:
            u, v = u * 0, v * 0
        arrived = given[f"{kind}_three"][..., step - 1].reshape(u.shape)
        gain = given["gain"][:, np.newaxis]
        if fixed:
            u = wrap(decay(u, du + 1) + np.floor_divide(arrived * 64, 2**gain), "branch")
            v = np.clip(decay(v, dv) + wrap(u.sum(2), "sum") + given["fixed_bias"] * 64, 1 - (1 << 23), (1 << 23) - 1)
        else:
            u = u * (1 - du) + arrived * 2.0**-gain
            v = v * (1 - dv) + u.sum(2) + given["float_bias"]
        fired = v > (20000 * 64 if fixed else 2.5)
        v = np.where(fired, 0, v)
        spikes[..., step - 1] = fired
    return spikes, u.reshape(3, 2, 12), v, wrapped


@pytest.mark.parametrize("reset", ["", "_reset"])
@pytest.mark.parametrize("kind", ["fixed", "float"])
def test_several_branches_are_by_the_book(given, found, kind, reset):
    spikes, u, v, wrapped = by_the_book(given, kind, bool(reset))
    for what, expected in {"": spikes, "_u": u, "_v": v}.items():
        np.testing.assert_array_equal(found[f"{kind}_three{reset}{what}"], expected)
    assert 0.02 < spikes.mean() < 0.6
    if kind == "fixed":
        assert min(wrapped.values()) > 0, wrapped


WRONG = """
from lava_runtime.processes.dh_lif import DhLif, DhLifReset

for values in (
    {"branches": 0},
    {"gain": 7},
    {"gain": [0.5, 1]},
    {"gain": [1, 2, 3]},
    {"du": [[1, 2], [3, 4]]},
    {"dv": [1, 2]},
    {"reset_interval": 0},
    {"reset_offset": -1},
):
    try:
        (DhLifReset if "reset" in str(values) else DhLif)(**{"shape": (5,), "branches": 2, **values})
        print("made")
    except ValueError as error:
        print(error)
"""


def test_parameters_that_do_not_fit_are_refused(root):
    command = [sys.executable, "-W", "ignore", "-c", WRONG]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "0 branches, there must be at least 1",
        "gain 7, allowed are whole numbers from 0 to 6",
        "gain [0.5, 1.0], allowed are whole numbers from 0 to 6",
        "gain of shape (3,), allowed are one number, shape (2,) or (2, 5)",
        "du of shape (2, 2), allowed are one number, shape (2,) or (2, 5)",
        "dv of shape (2,), allowed are one number or shape (5,)",
        "reset interval 0 and offset 0, allowed are at least 1 and at least 0",
        "reset interval 1 and offset -1, allowed are at least 1 and at least 0",
    ]
