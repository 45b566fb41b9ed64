"""The rules that numbers of a placement come from, each with its source, as reports print them."""

RULES: dict[str, str] = {
    "dense synapses": (
        "words = axons * ceil((neurons * (weight bits + c) + 10) / 64) on a core, c = 12 (2022) or 7 (newer); weights "
        "of 7 bits take 8, zero weights as many as others. Nine published rows of oxford, mnist and PilotNet: eight "
        "exact, one 1.6 % too much; 5 % are granted"
    ),
    "dense cut": (
        "a layer over 12000 words is cut into pieces of 127 neurons, and these into ceil(allocation / 12000) until "
        "they fit (2022), or into pieces of at most 127 that fill a core to 80 % (newer). Bounds: a full core each, "
        "and the other compiler's way"
    ),
    "dense separate": "as dense synapses; the lower bound is that an input takes memory only where it reaches a neuron",
    "dense delays": "as dense synapses; the upper bound has the bits of delays: no public table has any",
    "conv synapses": (
        "one kernel a core: words = input channels * kernel places * sum over the powers of two in the output channels "
        "of ceil((channels * weight bits + 10) / 64); fits PilotNet's five convolutions exactly (2022)"
    ),
    "conv synapses newer": (
        "as in 2022; in YOLO-KP's table (2024) a weight takes 3.75 to 12 bits, of which at most 8 are its own: the "
        "bounds are none and 4 bits more than its own"
    ),
    "conv grouped": (
        "no public table has groups: from a kernel of the group alone, over one of all channels, to synapses one by one"
    ),
    "conv strips": (
        "a layer is cut along its width into strips of p columns, p the largest power of two with at most 4095 neurons "
        "a strip; fits PilotNet's six layers exactly (2022). Bounds: 4095 neurons a core, and tiles as the newer cuts"
    ),
    "conv tiles": (
        "channels are halved until the kernel fits, then width (to a power of two) and height in turn until a tile has "
        "at most 4095 neurons; gives the cores of YOLO-KP's ten layers exactly (2024). Bounds: full cores, and the "
        "bounds of the kernel"
    ),
    "neurons": "as the compiler prints them: of its mean core (2022) or fullest core (newer); of a full tile for conv",
    "axons": "an axon for every input; for conv one for every power of two in the output channels",
    "axons out": "an entry for every neuron, or for every place of the map if the next layer is a convolution",
    "axon memory none": "0 in every public row whose next layer is dense, or that is last",
    "axon memory": (
        "2.4 to 7.2 words for each place that reaches more than one core of the next layer (2022); 0.5 to 8 for each "
        "place (newer)"
    ),
    "neuron groups": "1; for conv one for every power of two in the output channels (newer)",
    "total": "the sum of the layers'",
}
