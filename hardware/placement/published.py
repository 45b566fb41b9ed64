"""Tables that Intel's compiler printed in public notebooks, to hold the rules against.

Facts copied as numbers; each names its notebook. All of them served to find the rules, so that agreement shows that
the rules describe them, and not how well they foretell another network.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hardware.placement.demand import ConvDemand, Demand, DenseDemand, InputDemand

# AxonIn, NeuronGr, Neurons, Synapses, AxonMap, AxonMem, Cores.
Printed = tuple[int, int, int, int, int, int, int]


@dataclass(frozen=True)
class Published:
    """A network as its notebook describes it, and the compiler's table of it, in order from the input.

    Parameters
    ----------
    synapses
        Whether synaptic memory is foretold from weight bits; where the weights are not public it is taken from the
        table, and only the cut is held against it.
    """

    name: str
    compiler: str
    source: str
    demands: Sequence[Demand]
    rows: Sequence[Printed]
    synapses: bool = True


def _dense(name: str, neurons: int, axons: int, bits: int) -> DenseDemand:
    return DenseDemand(name, neurons, axons, bits, neurons)


def _conv(name: str, shape: tuple[int, int, int], inputs: int, bits: int, width: tuple[int, int, int]) -> ConvDemand:
    """A 3 x 3 convolution; ``width``: size of its input map, stride and padding along the width."""
    return ConvDemand(name, shape, inputs, (3, 3), bits, 1, width[0] * inputs, width[1], 3, width[2])


OXFORD = Published(
    "oxford",
    "2022",
    "lava-dl tutorials/lava/lib/dl/netx/oxford/run.ipynb",
    (_dense("dense1", 256, 200, 8), _dense("dense2", 200, 256, 7)),
    ((200, 1, 85, 5400, 85, 0, 3), (256, 1, 100, 8064, 100, 0, 2)),
)
# Shares of the registers, as printed: 4.90, 12.50, 1.22, 78.40, 0.31, 0.00 % and so on.
MNIST = Published(
    "mnist",
    "newer",
    "lava-dl tutorials/lava/lib/dl/netx/mnist, a table of its network by the newer compiler",
    (_dense("dense1", 128, 784, 8), _dense("dense2", 64, 128, 8), _dense("dense3", 10, 64, 8)),
    ((784, 1, 50, 9408, 50, 0, 3), (128, 1, 64, 2016, 64, 0, 1), (64, 1, 10, 192, 10, 0, 1)),
)
PILOTNET = Published(
    "PilotNet LIF",
    "2022",
    "lava-dl tutorials/lava/lib/dl/netx/pilotnet_snn/benchmark.ipynb",
    (
        InputDemand("input", (3, 66, 200)),
        _conv("conv1", (24, 32, 99), 3, 5, (66 * 200, 2, 0)),
        _conv("conv2", (36, 15, 49), 24, 4, (32 * 99, 2, 0)),
        _conv("conv3", (48, 7, 24), 36, 4, (15 * 49, 2, 0)),
        _conv("conv4", (64, 4, 22), 48, 4, (7 * 24, 1, 0)),
        _conv("conv5", (64, 2, 20), 64, 4, (4 * 22, 1, 0)),
        _dense("dense1", 100, 2560, 3),
        _dense("dense2", 50, 100, 4),
        _dense("dense3", 10, 50, 5),
        _dense("dense4", 1, 10, 6),
    ),
    (
        (1, 1, 3168, 0, 1015, 731, 13),
        (2, 1, 3072, 81, 253, 93, 25),
        (2, 1, 2160, 864, 113, 32, 13),
        (2, 1, 2688, 1620, 112, 46, 3),
        (1, 1, 2048, 2160, 29, 9, 3),
        (1, 1, 2048, 2880, 1280, 0, 2),
        (2560, 1, 8, 7253, 8, 0, 12),
        (100, 1, 50, 1300, 50, 0, 1),
        (50, 1, 10, 150, 10, 0, 1),
        (10, 1, 1, 10, 1, 0, 1),
    ),
)


def _yolo(
    name: str, shape: tuple[int, int, int], inputs: int, size: tuple[int, int, int], words: tuple[int, int]
) -> ConvDemand:
    """A layer of YOLO-KP: ``size`` its input's side, stride and kernel; ``words`` of a core with so many channels."""
    kernel = (size[2], size[2])
    each = words[0] / (inputs * size[2] ** 2) / words[1]
    places = size[0] ** 2 * inputs
    return ConvDemand(name, shape, inputs, kernel, 0, 1, places, size[1], size[2], size[2] // 2, each)


YOLO = Published(
    "YOLO-KP",
    "newer",
    "lava-dl tutorials/lava/lib/dl/netx/yolo_kp/run.ipynb",
    (
        _yolo("conv1", (16, 224, 224), 3, (448, 2, 3), (41, 16)),
        _yolo("conv2", (32, 112, 112), 16, (224, 2, 3), (432, 32)),
        _yolo("conv3", (64, 56, 56), 32, (112, 2, 3), (1296, 64)),
        _yolo("conv4", (128, 28, 28), 64, (56, 2, 3), (4752, 128)),
        _yolo("conv5", (256, 28, 28), 128, (28, 1, 3), (9504, 128)),
        _yolo("conv6", (256, 14, 14), 256, (28, 2, 3), (8640, 64)),
        _yolo("conv7", (512, 14, 14), 256, (14, 1, 3), (10368, 64)),
        _yolo("conv8", (256, 14, 14), 512, (14, 1, 1), (8064, 256)),
        _yolo("conv9", (512, 14, 14), 256, (14, 1, 3), (10368, 64)),
        _yolo("conv10", (48, 14, 14), 256, (14, 1, 1), (2304, 48)),
    ),
    (
        (1, 1, 3584, 41, 224, 112, 224),
        (1, 1, 3584, 432, 112, 56, 112),
        (1, 1, 3584, 1296, 56, 28, 56),
        (1, 1, 3584, 4752, 28, 56, 28),
        (1, 1, 3584, 9504, 28, 28, 56),
        (1, 1, 3584, 8640, 56, 448, 16),
        (1, 1, 3584, 10368, 56, 56, 32),
        (1, 1, 3584, 8064, 14, 56, 14),
        (1, 1, 3584, 10368, 56, 28, 32),
        (2, 2, 2688, 2304, 2688, 0, 4),
    ),
    synapses=False,
)
TABLES = (OXFORD, MNIST, PILOTNET, YOLO)
