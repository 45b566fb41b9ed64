"""What a core, a chip and a board of Loihi 2 hold, and how its compilers fill them. Every number names its source.

Intel's compiler is closed. What is known of it are the tables it printed in public notebooks of lava-dl; each limit
and rule says whether the compiler states it, whether it follows from such a table, or whether it is an estimate.
"""

from dataclasses import dataclass
from typing import Literal

from train.errors import CallError

Evidence = Literal["stated", "inferred", "estimate", "unknown"]
MEANING: dict[str, str] = {
    "stated": "the compiler's own words",
    "inferred": "fits the public tables of the compiler's that have it, within 2 %",
    "estimate": "lies between the bounds given, as far as public tables tell",
    "unknown": "no public table tells",
}
# Marks of numbers in tables for people, by evidence.
MARKS: dict[str, str] = {"stated": "", "inferred": "i", "estimate": "e", "unknown": "?"}

# The compiler's columns, as it prints them.
COLUMNS = ("AxonIn", "NeuronGr", "Neurons", "Synapses", "AxonMap", "AxonMem")

_OXFORD = "lava-dl tutorials netx/oxford/run.ipynb (2022)"
_MNIST = "the table of lava-dl tutorials' netx/mnist network, newer compiler"
_PILOTNET = "lava-dl tutorials netx/pilotnet_snn/benchmark.ipynb (2022)"
_YOLO = "lava-dl tutorials netx/yolo_kp/run.ipynb (2024)"


@dataclass(frozen=True)
class Limit:
    """What one core holds of something."""

    name: str
    value: int
    evidence: Evidence
    source: str


LIMITS: dict[str, Limit] = {
    "AxonIn": Limit("AxonIn", 16000, "inferred", f"784 axons are 4.90 % in {_MNIST}"),
    "NeuronGr": Limit("NeuronGr", 8, "inferred", f"one group is 12.5 % in {_MNIST}"),
    "Neurons": Limit("Neurons", 4095, "inferred", f"64 neurons are 1.56 % in {_MNIST}; 3584 are 87.52 % in {_YOLO}"),
    "Synapses": Limit("SynMem", 12000, "stated", f"`registers[reg_name]=12000` in {_OXFORD} and {_PILOTNET}"),
    "AxonMap": Limit("AxonMap", 16000, "inferred", f"64 neurons are 0.40 % in {_MNIST}"),
    "AxonMem": Limit("AxonMem", 16000, "inferred", f"as AxonMap's, in {_YOLO}"),
}
# A dense layer that does not fit one core has at most so many neurons on each: 256 become 127, 127 and 2.
DENSE_CUT = Limit(
    "Neurons of a cut dense layer",
    127,
    "inferred",
    f"{_OXFORD}: 256 neurons on 3 cores and 200 on 2, of 5400 and 8064 words in the mean; "
    "lava-dl, sCIFAR/num_cores_estimate.ipynb: 256 on 3, 3.10 % of 4095 on a core",
)
# Synaptic memory is counted in words of so many bits, and an axon's list begins with a head of so many.
WORD_BITS = 64
HEAD_BITS = 10
# A weight of 7 bits takes 8: oxford.net's second layer has 7 by NetX's count, and 20 - 12 = 8 in the compiler's.
_WIDER = {7: 8}


@dataclass(frozen=True)
class Compiler:
    """A generation of Intel's compiler.

    Parameters
    ----------
    extra_bits
        Bits of a dense layer's synapse beside its weight.
    fill
        Share of the synaptic memory up to which a dense layer that has to be cut fills a core; None if its pieces
        are divided until they fit instead.
    tiles
        Whether convolutions are cut along height and channels too, or along their width alone.
    prints
        What stands in a row of its table: the mean of the layer's cores, or its fullest core.
    """

    name: str
    extra_bits: int
    fill: float | None
    tiles: bool
    prints: Literal["mean", "fullest"]
    source: str


COMPILERS: dict[str, Compiler] = {
    "2022": Compiler("2022", 12, None, False, "mean", f"{_OXFORD}; {_PILOTNET}"),
    "newer": Compiler("newer", 7, 0.8, True, "fullest", f"{_MNIST}; {_YOLO}"),
}


# Lava's mapper uses 120 of a chip's 128 neurocores: lava-nc magma/compiler/subcompilers/constants.py
# (NUM_VIRTUAL_CORES_L3).
CHIP_CORES = 120


def compiler_of(name: str) -> Compiler:
    """The compiler of a name.

    Raises
    ------
    CallError
        There is none.
    """
    if name not in COMPILERS:
        raise CallError(f"--compiler {name}", "unknown", allowed=f"one of {', '.join(COMPILERS)}")
    return COMPILERS[name]


def stored_bits(bits: int) -> int:
    """Bits that a weight of ``bits`` bits takes in the synaptic memory."""
    return _WIDER.get(bits, bits)
