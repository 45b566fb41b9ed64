"""The rules a network must keep to run on the chip as it was trained. Codes are stable: they are never reused.

Each rule stands for something that stock lava-dl (0.6.0), lava-nc (0.10.0) or the chip gets wrong, most of it
in silence. There is no rule for voltages that saturate below: a bound on them exceeds 24 bits for ordinary networks
(for this project's at its first weights), and the gate would see the first spike that it costs. Rules that only
the chip has are in ``export/chip_rules.py``.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from export import branch_checks, checks

# A finding of the first kind is refused, one of the second said.
ERROR = "error"
WARNING = "warning"

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Rule(Generic[Kind]):
    """One rule: its code and name, why it is there, what to do, how it is checked, and how severe a finding is.

    The rest of its page is in ``export/pages.py``. ``check`` judges one layer, or for rules of the chip a file and
    the way it is to be run.
    """

    code: str
    title: str
    reason: str
    cure: str
    check: Kind
    severity: str = ERROR


RULES: tuple[Rule[checks.Check], ...] = (
    Rule(
        "NX001",
        "layer that NetX cannot run",
        "NetX says of pool, convT, unpool and concat layers that they are not implemented, has no loader for complex "
        "ones that works here, and leaves out a layer of a type it has never heard of without a word. SLAYER exports "
        "a KWTA block as a layer without any content. An average has a rule of its own, NX026.",
        "Build the network of dense, conv and flatten layers; export pooling as a grouped convolution",
        checks.kind,
    ),
    Rule(
        "NX002",
        "unknown neuron",
        "For a neuron type it does not know NetX fails with \"'NoneType' object has no attribute 'pop'\", and for a "
        "convolution without neurons at the missing group. A dense layer without any gets an integrator: its voltage "
        "is the sum of all that ever arrived, and its threshold of 2^17, one more than the chip's register holds, "
        "lies above the largest voltage, so that it never fires. This project's loaders run it just so.",
        "Use SLAYER's cuba neurons",
        checks.neuron_type,
    ),
    Rule(
        "NX003",
        "delays on a convolution",
        "NetX shows the delays of a convolution in its table and then leaves them out: wrong spikes, no error.",
        "Train the convolution with delay=False; dense layers may have delays",
        checks.conv_delay,
    ),
    Rule(
        "NX004",
        "recurrent layer with delays",
        "NetX delays the spikes that come in and those that come back alike; SLAYER delays only what goes out.",
        "Train the recurrent layer with delay=False",
        checks.recurrent_delay,
    ),
    Rule(
        "NX005",
        "batch normalisation not folded in",
        "SLAYER's MeanOnlyBatchNorm subtracts a running mean from the current. The file holds a bias and an "
        "exponent for it, but NetX takes the bias as whole numbers, for the voltage, and ignores the exponent.",
        "Train without norm; weight_norm=True can be exported",
        checks.batch_norm,
    ),
    Rule(
        "NX006",
        "graded spikes",
        "SLAYER's graded spikes carry the voltage above the threshold; NetX's LIF sends 0 or 1 whatever the file says.",
        "Train with graded_spike=False",
        checks.graded,
    ),
    Rule(
        "NX007",
        "only zero weights",
        "NetX divides by the largest weight to scale a dense layer: OverflowError. A convolution runs, and is silent.",
        "Train on; or leave the layer out",
        checks.zero_weights,
    ),
    Rule(
        "NX008",
        "weights that are not whole numbers",
        "NetX cuts weights off to whole numbers, without rounding and without a word; SLAYER computed with others.",
        "Export quantised weights, in units of 1/64 and times 64",
        checks.whole_weights,
    ),
    Rule(
        "NX009",
        "weights beyond eight bits",
        "A synapse of both signs holds even numbers of -256 to 254. Stock Lava clips some others, keeps odd ones "
        "that the chip has no bit for, and shifts by a negative number of bits for the rest.",
        "Quantise with SLAYER's quantize_8bit",
        checks.weight_range,
    ),
    Rule(
        "NX010",
        "weights of one sign that stock Lava alters",
        "NetX scales weights up for a sign mode that the synapse then works out anew, and differently: where no "
        "weight is positive (in a recurrent layer: in one of its two matrices) it clips at 255 after the scaling "
        "and drops bits that count, so that -4 becomes -3. See export/stock.py.",
        "Give the layer one weight above zero, of an input that never fires if need be",
        checks.altered_weights,
    ),
    Rule(
        "NX011",
        "threshold beyond its register",
        "The threshold mantissa is one number of 17 bits, shifted up by 6. The simulator takes more; the chip cannot.",
        "Use a threshold of up to 2047 in SLAYER's units",
        checks.threshold,
    ),
    Rule(
        "NX012",
        "decay out of range",
        "Decays are 12 bit: 0 keeps all, 4096 forgets all. Beyond that the state grows or changes sign each step.",
        "Clamp decays to 0 to 4096 (SLAYER does)",
        checks.decays,
    ),
    Rule(
        "NX013",
        "delay out of range",
        "Delays are 0 to 62 steps. NetX clamps longer ones with a warning; a negative one drops its synapse.",
        "Clamp delays to 0 to 62 and cut them to whole steps",
        checks.delays,
    ),
    Rule(
        "NX014",
        "bias out of range",
        "The bias mantissa has 13 bits with its sign; NetX fixes its exponent at 6. The input of input neurons is a "
        "bias too: the rule looks at inputs of 0 and 1. Lava's simulator holds 16 bits, beyond which it wraps.",
        "Keep biases within -4096 to 4095, in units of the threshold mantissa",
        checks.bias_range,
    ),
    Rule(
        "NX015",
        "input transform that NetX does not apply",
        "Input neurons take their input as bias mantissas, weight * x + bias of the file, 64 * x where it does not "
        "say. NetX connects nothing to them: it cuts weight and bias to whole numbers, hands them on as "
        "in_layer.transform, and leaves bias_mant at 0 until somebody writes it. Who writes the input as it is, or "
        "64 times, gets wrong spikes and no error where the file says something else. This project's loaders apply "
        "what the file says.",
        "Run it with `python -m lava_runtime`, write transformed mantissas into the input neurons' bias_mant, or "
        "apply the transform to the data and train with weight and bias None",
        checks.input_affine,
    ),
    Rule(
        "NX016",
        "input neurons with a current",
        "NetX feeds input neurons through their bias, past the current; SLAYER feeds the current, which decays.",
        "Train input neurons with current_decay=1",
        checks.input_decay,
    ),
    Rule(
        "NX017",
        "bias with delays",
        "SLAYER delays what a layer sends, NetX what it is sent; the bias, which nobody sends, then acts too early.",
        "Use one of the two",
        checks.delayed_bias,
    ),
    Rule(
        "NX018",
        "refractory delay",
        "NetX ignores refDelay: its neurons may fire at every step, which is refDelay 1.",
        "Train with a refractory delay of 1",
        checks.refractory,
    ),
    Rule(
        "NX019",
        "current that can wrap",
        "The current has 24 bits and wraps silently: a large excitation turns into a large inhibition. SLAYER does "
        "not. The bound takes all synapses of one sign as hit at every step of a run, its length being the "
        "manifest's clip, or without end where there is no manifest.",
        "Use a faster current decay, smaller weights or fewer inputs",
        checks.current_wraps,
    ),
    Rule(
        "NX021",
        "convolution beyond a byte",
        "Lava's convolution keeps groups, kernel, stride, padding and dilation in a signed byte. 128 groups become "
        "-128 and every sum 0, without a word; the others end in an error from inside a process.",
        "Use at most 127 channels in a pooled layer, and kernels, strides and paddings of at most 127",
        checks.conv_size,
    ),
    Rule(
        "NX022",
        "dendrites that a file half describes",
        "Stock lava-dl passes over a group it does not know. With neurons of type CUBA it stops at the shapes or, if "
        "these count every row of weights, runs branches as neurons of their own. The type DH-LIF always stops it; the "
        "group `dendrite` says how branches go together; the root tells any reader that the simulator is needed.",
        "Export the network again with `python -m export netx RUN`",
        branch_checks.owned,
    ),
    Rule(
        "NX023",
        "branch gain out of range",
        "A branch's input, shifted up by 6 bits, is shifted down by its gain: beyond 6 weights would lose bits.",
        "Use gains of 0 to 6",
        branch_checks.gain,
    ),
    Rule(
        "NX024",
        "input in two branches",
        "Every input of a neuron belongs to one of its branches. A second weight was never masked: such a layer has "
        "more synapses than the one it is compared with, and is not what was trained.",
        "Apply the branch masks to the weights, and export again",
        branch_checks.shared_input,
    ),
    Rule(
        "NX025",
        "branch that can wrap",
        "Branch currents and their sum have 24 bits each and wrap silently, as the current of NX019 does; SLAYER's "
        "do not. The bound takes all synapses of one sign as hit at every step, in all branches of a neuron at once.",
        "Use a greater gain or a faster decay for the slowest branch, smaller weights or fewer inputs",
        branch_checks.branch_wraps,
    ),
    Rule(
        "NX026",
        "readout that NetX cannot run",
        "NetX raises an error at an average layer. It has no neurons: it says how the output's neurons "
        "go together, whose spikes somebody outside averages. This project's loaders run what is before it and give "
        "the spikes of each group; with stock, hdf5.Network's num_layers leaves it out.",
        "Run it with `python -m lava_runtime`, or leave the layer out of the file and average its output outside",
        checks.average,
    ),
    Rule(
        "NX027",
        "weight exponent",
        "NetX ignores wgtExp, an exponent of all of a layer's weights in files of Loihi's first generation, and sums "
        "the weights as they are.",
        "Multiply the weights by 2^wgtExp before the export, and write wgtExp 0",
        checks.weight_exponent,
    ),
)

# Checked by reading the file, once no other rule is broken.
UNFIT: Rule[checks.Check] = Rule(
    "NX020",
    "layers that do not fit",
    "A dataset is missing or of another kind, or two layers do not fit each other.",
    "Export the network again",
    lambda _layer, _steps: iter(()),
)
