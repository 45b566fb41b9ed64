"""Logs as lava-dl's public notebooks show them; figures are theirs."""

import json

import pytest

OXFORD = """\
Violation core_id=0 reg_name='SynMem' allocation=16128 self.cost_db.registers[reg_name]=12000
Violation core_id=1 reg_name='SynMem' allocation=16200 self.cost_db.registers[reg_name]=12000
Final max_ratio=2, Violation core_id=1 reg_name='SynMem' allocation=16000 self.cost_db.registers[reg_name]=12000
Final max_ratio=2, Per core distribution:
----------------------------------------------------------------
| AxonIn |NeuronGr| Neurons|Synapses| AxonMap| AxonMem|  Cores |
|--------------------------------------------------------------|
|     256|       1|     100|    8064|     100|       0|       2|
|     200|       1|      85|    5400|      85|       0|       3|
|--------------------------------------------------------------|
| Total                                               |       5|
----------------------------------------------------------------
"""
YOLO = """\
Partitioning converged after iteration=3
Per core utilization:
-------------------------------------------------------------------------
| AxonIn |NeuronGr| Neurons|Synapses| AxonMap| AxonMem|  Total |  Cores |
|-----------------------------------------------------------------------|
|   0.01%|  25.00%|  65.64%|  19.20%|  16.80%|   0.00%|  42.26%|       4|Conv(4, 14, 48)
|   0.01%|  12.50%|  87.52%|  86.40%|   0.35%|   0.17%|  87.47%|      32|Conv(8, 7, 64)
|-----------------------------------------------------------------------|
| Total                                                        |      36|
-------------------------------------------------------------------------
"""
MNIST = """\
Partitioning converged after iteration=2
| AxonIn |NeuronGr| Neurons|Synapses| AxonMap| AxonMem|  Total |  Cores |
|   0.40%|  12.50%|   0.24%|   1.60%|   0.06%|   0.00%|   1.71%|       1|
|   0.80%|  12.50%|   1.56%|  16.80%|   0.40%|   0.00%|  14.72%|       1|
|   4.90%|  12.50%|   1.22%|  78.40%|   0.31%|   0.00%|  67.14%|       3|
| Total                                                        |       5|
"""
BENCHMARK = """\
Running on oheogulch
\x1b[1;30mINFO\x1b[0m:\x1b[34mDRV\x1b[0m:  Executor: 10000 timesteps.......Done 18.48s
Throughput : 408.91 fps.
Total Power   : 0.679012 W
Dynamic Power : 0.447004 W
Static Power  : 0.232008 W
VDD Power     : 0.503231 W
VDD-M Power   : 0.155781 W
VDD-IO Power  : 0.020000 W
Total Energy per inference   : 1.660541 mJ
Dynamic Energy per inference : 1.093159 mJ
"""


@pytest.fixture
def logs():
    """Texts by name."""
    return {"oxford": OXFORD, "yolo": YOLO, "mnist": MNIST, "benchmark": BENCHMARK}


@pytest.fixture
def pasted(tmp_path):
    """Write a text into a file."""

    def write(text, name="log.txt"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


@pytest.fixture
def as_notebook():
    """A whole notebook that printed a text."""

    def build(text):
        lines = text.splitlines(keepends=True)
        outputs = [{"output_type": "stream", "name": "stdout", "text": lines}]
        source = ["print(f'Total Power   : {total_power_mean:.6f} W')\n"]
        cells = [
            {"cell_type": "markdown", "source": ["# x"]},
            {"cell_type": "code", "source": source, "outputs": outputs},
        ]
        return json.dumps({"cells": cells, "nbformat": 4}, indent=1)

    return build
