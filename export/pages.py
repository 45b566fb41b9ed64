"""The rest of each rule's page: what it is about, how it shows, numbers, and where it is known from.

A source ends with how it is known: `stated` by a code, document or log of the maker's; `run` here, in Lava's
simulator or against SLAYER; `shown` on the chip by public material; `inferred` from these; `defined` by this
project; `estimate` from a published figure; `nothing public` where the chip is said to do neither.
"""

from dataclasses import dataclass

_HDF5 = "lava-dl 0.6.0, netx/hdf5.py"
_LIF = "lava-nc 0.10.0, proc/lif/models.py"


@dataclass(frozen=True)
class Page:
    """Of one rule: what in a file it is about, what one sees if it is broken, numbers, and the source."""

    what: str
    shows: str
    example: str
    source: str


PAGES = {
    "NX001": Page(
        "A layer is empty, has complex weights, or is none of input, flatten, conv, dense, dense_rec and average.",
        "An error when the file is loaded; or, for an unknown type, a network that is one layer short.",
        "A file with a layer `pool` stops with `pool is not implemented.`",
        f"{_HDF5}, Network._create (stated, run)",
    ),
    "NX002": Page(
        "A layer with weights has no neurons, or neurons of a type other than CUBA, LOIHI and, here, DH-LIF.",
        "An AttributeError or KeyError when the file is loaded; from a dense layer without neurons no spike, ever.",
        "The integrator's threshold: 2^17 << 6 = 8388608; its voltage saturates at 8388607.",
        f"{_HDF5}, get_neuron_params and create_dense (stated, run)",
    ),
    "NX003": Page(
        "A layer of type conv has a dataset delay.",
        "Spikes that come as many steps early as they were delayed by; no error.",
        "A delay of 3: NetX's table says True, and the spike of step 10 comes at step 7.",
        f"{_HDF5}, create_conv (stated, run)",
    ),
    "NX004": Page(
        "A layer of type dense_rec has a dataset delay.",
        "Other spikes from the first step on which a spike comes back to its own layer; no error.",
        "A delay of 3: a neuron hears itself 4 steps later in NetX's network, 1 step later in SLAYER's.",
        f"{_HDF5}, create_dense, and netx/blocks/process.py, RecurrentDense (stated, run)",
    ),
    "NX005": Page(
        "A layer's neurons have weight_exp, or its bias is not whole numbers: the marks of MeanOnlyBatchNorm.",
        "Wrong spikes from the first step on; no error.",
        "A running mean of 0.5 in SLAYER's units is 32 of a synapse's; NetX cuts the bias 0.5 to 0.",
        f"lava-dl 0.6.0, slayer/neuron/norm.py and block/base.py; {_HDF5} (stated, run)",
    ),
    "NX006": Page(
        "A layer's neurons have gradedSpike or messageBits other than 0.",
        "The next layer is driven too weakly; messageBits does not load at all.",
        "A voltage of 100 at a threshold of 64 sends 36 in SLAYER and 1 in Lava.",
        f"{_HDF5}, get_neuron_params; {_LIF} (stated, run)",
    ),
    "NX007": Page(
        "All weights of a layer are 0.",
        "OverflowError when the file is loaded, or a layer that never fires.",
        "127 / 0 is infinite; its logarithm is no number of bits.",
        "lava-dl 0.6.0, netx/utils.py, optimize_weight_bits (stated, run)",
    ),
    "NX008": Page(
        "A weight has a fraction, or is no number.",
        "Sums that are too small, and spikes that come late or not at all; no error.",
        "2.5 is run as 2, -2.5 as -2.",
        "lava-dl 0.6.0, netx/utils.py, NetDict and optimize_weight_bits (stated, run)",
    ),
    "NX009": Page(
        "A weight is below -256, above 254, or odd.",
        "Other sums than trained; on the chip the lowest bit is not there.",
        "256 is run as 254; 3 is run as 3 in the simulator and has no place in eight bits of both signs.",
        "lava-dl 0.6.0, netx/utils.py; lava-nc 0.10.0, utils/weightutils.py (stated, run)",
    ),
    "NX010": Page(
        "No weight of a dense layer is above 0, and the two scalings that stock Lava makes do not agree.",
        "Weaker inhibition than trained; no error.",
        "Weights of -4 and -2 are run as -3 and -2.",
        "lava-dl 0.6.0, netx/utils.py; lava-nc 0.10.0, utils/weightutils.py (stated, run)",
    ),
    "NX011": Page(
        "vThMant is not one whole number of 0 to 131071.",
        "Spikes at another threshold than trained.",
        "2048 in SLAYER's units is vThMant 131072, one more than 17 bits hold.",
        f"{_LIF}, PyLifModelBitAcc (stated)",
    ),
    "NX012": Page(
        "iDecay or vDecay is not whole numbers of 0 to 4096.",
        "A state that grows, or changes its sign at every step.",
        "4097: a current of 4096 becomes -1 at the next step.",
        f"{_LIF}, decay_shift (stated)",
    ),
    "NX013": Page(
        "A delay of a dense layer is not a whole number of 0 to 62.",
        "Spikes that come early, after a warning; or, for one below 0, that never come.",
        "63 is run as 62.",
        f"{_HDF5}, create_dense (stated, run)",
    ),
    "NX014": Page(
        "A bias, or what input neurons get for inputs of 0 and 1, is outside -4096 to 4095.",
        "The simulator runs it up to 16 bits; the chip has no register for it.",
        "4095 << 6 = 262080 is the most that a bias adds to a voltage in a step. 32768 is run as -32768.",
        f"{_LIF}, PyLifModelBitAcc: bias_mant 13 bit, bias_exp 0 to 7 (stated)",
    ),
    "NX015": Page(
        "Input neurons have a weight other than 64 or a bias other than 0.",
        "Wrong spikes of the first layer, where input is written as 64 a spike; no error.",
        "A weight of 32: a spike is 32 in SLAYER, and 64 for who does not look.",
        f"{_HDF5}, create_input (stated, run)",
    ),
    "NX016": Page(
        "Input neurons have an iDecay below 4096.",
        "The first layer fires less than trained: its input does not build up.",
        "At iDecay 410 a constant input comes to ten times itself in SLAYER, to itself in NetX.",
        f"{_HDF5}, create_input; lava-dl 0.6.0, slayer/neuron/cuba.py (stated, run)",
    ),
    "NX017": Page(
        "A dense layer has delays and a bias.",
        "Its own spikes, and those of all after it, come early; no error.",
        "A delay of 3 and a bias that fires alone at step 5: step 5 in NetX, step 8 in SLAYER.",
        "lava-dl 0.6.0, slayer/block/base.py and netx/blocks/process.py (stated, run)",
    ),
    "NX018": Page(
        "refDelay is not 1.",
        "More spikes than trained; no error.",
        "refDelay 2: a strongly driven neuron fires at every second step in SLAYER, at each in NetX.",
        f"{_HDF5}, get_neuron_params (stated)",
    ),
    "NX019": Page(
        "Weights, decay and the length of a run let a current leave 24 bits.",
        "Neurons fall silent when they are driven most; no error.",
        "300 weights of 254 at iDecay 41: 4876800 a step, beyond 8388608 at the second.",
        f"{_LIF}, subthr_dynamics (stated, run)",
    ),
    "NX020": Page(
        "A dataset is missing or of another kind, or layers do not fit.",
        "An error from inside h5py, NetX or the simulator that names none of this.",
        "A flatten layer of 12 places before weights for 14.",
        "This project's reader, export/netx.py (defined)",
    ),
    "NX021": Page(
        "Groups, kernel, stride, padding or dilation of a convolution is above 127.",
        "No spike from the layer, or an error from inside a process.",
        "128 groups are kept as -128.",
        "lava-nc 0.10.0, proc/conv/models.py, AbstractPyConvModel (stated, run)",
    ),
    "NX022": Page(
        "DH-LIF neurons without a group `dendrite`, such a group without DH-LIF neurons, or a root that says nothing.",
        "An error of stock lava-dl's; or each branch run as a neuron of its own.",
        "Two branches of six neurons: twelve rows of weights, which stock takes for twelve neurons.",
        "This project's format, export/netx.py (defined); stock's answer (run)",
    ),
    "NX023": Page(
        "A branch's gain is not a whole number of 0 to 6.",
        "Weights that lose bits, so that the branch's current is too small.",
        "A weight of 2 at gain 8: (2 << 6) >> 8 = 0.",
        "This project's neuron, export/fixed_point.py (defined)",
    ),
    "NX024": Page(
        "A neuron has weights for one input in several branches.",
        "More synapses and operations than the layer it is compared with.",
        "Input 5 of neuron 0 with a weight in branch 0 and one in branch 1.",
        "DH-SNN, Zheng et al., Nat Commun 15:277 (2024): disjoint branches (stated); this project's format (defined)",
    ),
    "NX025": Page(
        "Weights, gains, decays and the length of a run let a branch's current or the sum leave 24 bits.",
        "Neurons fall silent when they are driven most; no error.",
        "Two branches of 300 weights of 254: 9753600 together, beyond 8388608, though each is within.",
        "This project's neuron, export/fixed_point.py (defined, run)",
    ),
    "NX026": Page(
        "A layer is an average.",
        "An error when the file is loaded.",
        "`average is not implemented.`",
        f"{_HDF5}, Network._create (stated, run)",
    ),
    "NX027": Page(
        "Neurons have a wgtExp other than 0.",
        "Sums that are a power of two too small or too large; no error.",
        "wgtExp 1 and a weight of 64: 128 on Loihi's first generation, 64 in NetX.",
        f"{_HDF5}, get_neuron_params, which never reads it (stated)",
    ),
    "HW001": Page(
        "The period asked for, from one sample to the next, is no power of two.",
        "Expect an error of the compiler's, or resets in the middle of samples: the first sample agrees with the "
        "simulator, later ones do not.",
        "Samples of 94 steps: 128 is the shortest period that keeps HW002 too; 100 is none.",
        "R-Gaurav/lsnn-on-loihi2, tools/l2hw_lava_lsnn.py, for NetX on the chip with lava-loihi 0.6.0 (shown: it uses "
        "1024 and says why); lava-dl, tutorials pilotnet_snn/run.ipynb, uses 16 (shown)",
    ),
    "HW002": Page(
        "The period asked for is shorter than a sample, the latency and 4 steps on either side of the reset.",
        "Last steps of a sample, or the first of the next, differ in every sample but the first.",
        "94 steps and 6 layers in a period of 128: a gap of 34; 14 steps off either way change nothing.",
        "Two steps on the way in: lava-dl, tutorials pilotnet_snn/run.ipynb, reset_offset=3 (shown). The least slack "
        "is this project's (defined, export/schedule.py; run in a simulation of the reset)",
    ),
    "HW003": Page(
        "A layer has a bias, delays, recurrent weights, or input neurons.",
        "The first sample of a run agrees with the simulator, later ones do not.",
        "A bias of 10 at vThMant 64 and vDecay 0: the neuron fires in the gap, at the seventh step after its reset.",
        f"{_LIF}, PyLifResetModelBitAcc: u and v alone are reset (stated, run)",
    ),
    "HW004": Page(
        "Neurons of type DH-LIF, or of any but CUBA, LOIHI and SDNN.",
        "Lava finds no process model for the chip, and stops before the first step.",
        "A layer of 24 channels with 4 analog branches becomes 96 compartments and 24 somata, all LIF.",
        "lava-nc and lava-dl's notebooks for what runs (shown); for two currents in a neuron nothing public",
    ),
    "HW005": Page(
        "messageBits is above 32.",
        "Expect an error of the compiler's, or messages that lose their upper bits.",
        "33 bits break the rule, 32 keep it; a unary spike has 0.",
        "Intel, Loihi 2 technology brief: integer payloads of up to 32 bits (stated)",
    ),
    "HW006": Page(
        "vDecay is 4096.",
        "Expect an error of the compiler's, or a register that comes round to 0, so that the voltage forgets nothing.",
        "4096 needs 13 bits; at 4095 a voltage of 8192 leaves 2, and one below 4096 leaves 0.",
        f"{_LIF}, PyLifModelBitAcc: dv is 0 to 4095, dm_offset 0 (stated). It says the same of du, but iDecay 0, which "
        "is du -1, runs: lava-dl, tutorials pilotnet_snn/run.ipynb (shown)",
    ),
    "HW007": Page(
        "iDecay or vDecay is an array: a decay for each channel or neuron.",
        "Expect an error of the compiler's, or neurons that all forget alike: this layer is the first that differs.",
        "24 channels of 4 spiking branches: one population of 96 with four vDecays; or four of 24 with one each.",
        "lava-nc 0.10.0, proc/lif/process.py, LIF: du, dv (stated). Public models for the chip put a decay into one "
        "configuration, of shape (1,), for all neurons: solvers/lca/v1_neuron/ncmodels.py, a fork of lava-optimization "
        "(shown, of other neurons). Arrays on the chip: nothing public",
    ),
    "HW008": Page(
        "A dense layer has a dataset delay, even of zeros.",
        "Expect no model for DelayDense, or spikes that come at other steps than in the simulator.",
        "A delay of 62 steps is the longest; delays other than 0 break HW003 too.",
        "Mészáros et al., arXiv:2510.13757: delays on Loihi 2 (shown, other software). NetX's there: nothing public",
    ),
    "HW009": Page(
        "A convolution has more than one group, or a dilation above 1.",
        "Expect an error of the compiler's (`Partitioning could not converge`, where it cannot place a layer), or this "
        "layer as the first that differs.",
        "Pooling of 24 channels: 24 groups, a kernel of 2, weights of 64.",
        "lava-dl, tutorials pilotnet_snn and pilotnet_sdnn/benchmark.ipynb: one group, dilation 1 (shown). A network "
        "with dilation 2 did not compile, for a reason not given: sgluege/sdnn_loihi2_compiler_test (shown). Groups on "
        "the chip: nothing public",
    ),
    "HW010": Page(
        "Weights of one sign that a neuron has add up to more than 16 bits hold.",
        "Expect neurons that fall silent when they are driven most, on the chip and not in the simulator.",
        "130 weights of 254 come to 33020; 16 bits hold 32767. 300 of them ran as 76200 in the simulator.",
        f"{_LIF}, AbstractPyLifModelFixed: a_in, 16 bit (stated); the simulator's sum (run). Whether the chip's wraps: "
        "nothing public",
    ),
    "HW011": Page(
        "The input's places, each sending at every step, take the host more than a tenth of a step.",
        "A step takes as long for a small network as for a large one, and longer the more spikes go in.",
        "66 places x 2.26 us = 149 us a step; PilotNet LIF, without input from the host, took 152.8 us.",
        "lava-dl, tutorials pilotnet_sdnn/benchmark.ipynb: 11.18 frames/s, bound by its input, and pilotnet_snn/"
        "benchmark.ipynb: 408.91 frames/s of 16 steps (shown); a place's share of it (estimate, export/host_io.py)",
    ),
}
