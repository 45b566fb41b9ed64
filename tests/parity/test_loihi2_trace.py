"""A neuron on a real Loihi 2, recorded and published: Lava, as we run it, gives its spikes."""

import json
import subprocess
import sys

import numpy as np
import pytest

# Steps of the chip's four spikes, counted from 0.
SPIKES = [461, 511, 711, 761]

RUN = """
import json, logging, sys
import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.dense.process import Dense
from lava.proc.io.sink import Read, RingBuffer as Sink
from lava.proc.io.source import RingBuffer as Source
from lava.proc.lif.process import LIF

spikes = np.loadtxt(sys.argv[1], delimiter=",")[:, 0].astype(int)
source = Source(data=spikes[None])
dense = Dense(weights=np.array([[10]]))
lif = LIF(shape=(1,), du=4095, dv=163, vth=25)
voltage, sink = Read(buffer=len(spikes)), Sink(shape=(1,), buffer=len(spikes))
source.s_out.connect(dense.s_in)
dense.a_out.connect(lif.a_in)
lif.s_out.connect(sink.a_in)
voltage.connect_var(lif.v)
lif.run(RunSteps(num_steps=len(spikes)), Loihi2SimCfg(select_tag="fixed_pt", loglevel=logging.ERROR))
found = {"v": voltage.data.get().ravel().tolist(), "s": sink.data.get().ravel().tolist()}
lif.stop()
print(json.dumps(found))
"""


@pytest.mark.lava
def test_lavas_lif_gives_the_recorded_voltages_and_spikes(shared):
    """The Processes themselves; in a process of its own, because Lava sets how this one would start others."""
    path = shared / "loihi2_lif_trace" / "lava_cpu.csv"
    recorded = np.loadtxt(path, delimiter=",")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUN, str(path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    np.testing.assert_array_equal(found["v"], recorded[:, 1])
    np.testing.assert_array_equal(np.flatnonzero(found["s"]), SPIKES)


@pytest.mark.lava
def test_the_runner_gives_the_chips_spikes(shared, tmp_path):
    """The same neuron as a .net file through the runner, against the chip's own recording."""
    from export import netx
    from export.graph import Cuba, DenseLayer, InputLayer, Network
    from lava_runtime.runner import make_runner

    chip = np.loadtxt(shared / "loihi2_lif_trace" / "loihi2.csv", delimiter=",")
    layers = (InputLayer((1,)), DenseLayer(np.array([[10]]), Cuba(4096, 163, 25)))
    netx.write(Network(layers, ("input", "neuron")), tmp_path / "trace.net")
    spikes = chip[:, 0].astype(np.uint8)[None, None]
    with make_runner("lava", tmp_path / "trace.net") as runner:
        found = runner.run(spikes).output[0, 0]
    np.testing.assert_array_equal(np.flatnonzero(found), np.flatnonzero(chip[:, 2]))
    np.testing.assert_array_equal(np.flatnonzero(found), SPIKES)
