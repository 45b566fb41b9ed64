"""The rules that only the chip has, judged beside those of ``export/rulebook.py`` where a network is to go there.

Codes are stable: they are never reused. An error is what the chip cannot run, or would run with other spikes; a
warning is what nothing public shows to run there, or what a measurement should know of.
"""

from export import chip_checks
from export.chip_checks import ChipCheck, each
from export.rulebook import WARNING, Rule

CHIP_RULES: tuple[Rule[ChipCheck], ...] = (
    Rule(
        "HW001",
        "reset interval that is no power of two",
        "Samples follow each other in one run, and LIFReset takes the last one out of every layer at a fixed interval. "
        "Lava's simulator takes any interval, the chip powers of two alone.",
        "Use a power of two with --period, or leave it out: the shortest one is taken then",
        chip_checks.interval,
    ),
    Rule(
        "HW002",
        "samples too close for the adapters",
        "On the chip a spike of the host's is at the first layer two steps later, and how many steps more adapters "
        "and boards take is not published. Layers are reset one a step, in the middle of the gap between two samples, "
        "so that some steps either way change nothing; with too small a gap the reset takes the end of one sample or "
        "the start of the next.",
        "Use a longer period with --period, or leave it out",
        chip_checks.gap,
    ),
    Rule(
        "HW003",
        "state that outlives the reset",
        "LIFReset zeroes current and voltage. A bias drives neurons again before the next sample comes; spikes in "
        "delays, or on the way back into their own layer, arrive after the reset. Samples that follow each other "
        "then hear the one before.",
        "Train without biases, delays, recurrence and input neurons, or run sample by sample in the simulator",
        each(chip_checks.outliving),
    ),
    Rule(
        "HW004",
        "process without a public model for the chip",
        "Public material shows LIF, LIFReset, Dense, Conv, the sigma-delta family and the graded-vector set on the "
        "chip. No public process has two currents in one neuron, and neuron microcode of one's own has no public "
        "path. Dendrites made of spiking compartments use LIF alone.",
        "Train the spiking realisation: `python -m train fit dh_lif_spiking`, or "
        "--set dendrites.realisation=spiking; other neurons: train LIF",
        each(chip_checks.no_model),
    ),
    Rule(
        "HW005",
        "messages of too many bits",
        "A spike of Loihi 2 carries up to 32 bits. This project's networks send unary spikes, of 0 message bits, and "
        "NX006 refuses all others; of a network of others it is the chip's limit.",
        "Send unary spikes: train with graded_spike=False",
        each(chip_checks.message_bits),
    ),
    Rule(
        "HW006",
        "voltage decay beyond its register",
        "Lava's register dv is vDecay itself, 0 to 4095; du is iDecay - 1, so that the current may forget all at "
        "once, and the voltage may not. The simulator takes 4096 as it is.",
        "Clamp voltage decays to 4095, train on with them there, and export again",
        each(chip_checks.voltage_decay),
    ),
    Rule(
        "HW007",
        "several decays in one population",
        "Lava says of LIF that only one decay can be set for a whole population; its simulator broadcasts an array "
        "nevertheless. Public models of neurons for the chip, written in Lava's terms, set the decay once, in a "
        "configuration that all neurons share. Nothing public shows an array of decays on the chip.",
        "Give each decay a population of its own (one LIF with its own synapses, all into the next layer); or train "
        "one decay a layer, and write it as one number",
        each(chip_checks.several_decays),
        WARNING,
    ),
    Rule(
        "HW008",
        "delayed synapses",
        "Lava runs delays by DelayDense. A paper reports networks with delays on Loihi 2; no notebook of Lava's runs "
        "NetX's delays there, and none shows that they come out as in the simulator.",
        "Train with delay=False; or compare every layer's spikes of the first run before you trust it",
        each(chip_checks.delayed),
        WARNING,
    ),
    Rule(
        "HW009",
        "convolution in groups or with dilation",
        "The networks that lava-dl's notebooks run on the chip have convolutions of one group and dilation 1. Pooling "
        "and the somata of spiking dendrites are convolutions of as many groups as channels; the simulator runs them "
        "exactly, and nothing public shows them on the chip.",
        "Try the layer on the chip first; or export with `python -m export netx RUN --one-group`, which writes groups "
        "out with zeros between them, for the same spikes and more memory; train with dilation 1",
        each(chip_checks.special_convolution),
        WARNING,
    ),
    Rule(
        "HW010",
        "sum of synapses beyond 16 bits",
        "What arrives at a LIF population in a step is declared with 16 bits, signed. The simulator sums in 32 and "
        "never looks. The bound takes all synapses of one sign as hit in one step.",
        "Use smaller weights or fewer inputs, if so many of them can fire at once",
        each(chip_checks.wide_sum),
        WARNING,
    ),
    Rule(
        "HW011",
        "input from the host that takes much of a step",
        "Spikes go in through an embedded processor at every step, and where there are many it sets the pace: time "
        "and static energy of a run are then the host's, not the network's. The estimate takes every place as sending "
        "at every step; how much less fewer take is not published, nor what the way out costs.",
        "Compare time and energy with networks fed the same way; give the time without input beside it if you can",
        chip_checks.host,
        WARNING,
    ),
)
