"""What the chip's registers hold. Every number names its source."""

# Loihi 2: weights 8 bit signed. SLAYER and NetX count them in steps of 2 (the sign takes the lowest bit):
# lava-dl slayer/neuron/base.py, quantize_8bit; netx/utils.py, optimize_weight_bits.
WEIGHT_MIN = -256
WEIGHT_MAX = 254
WEIGHT_STEP = 2

# Decays are 12 bit; with the offset bit that Lava adds, a decay of 4096 forgets everything at once:
# lava-nc proc/lif/models.py, AbstractPyLifModelFixed (decay_shift, ds_offset).
DECAY_SHIFT = 12
DECAY_ONE = 1 << DECAY_SHIFT

# The voltage's decay has no offset bit in Lava, so that its register ends one below: lava-nc proc/lif/models.py
# (dm_offset = 0; PyLifModelBitAcc says dv is 0 to 4095).
V_DECAY_CHIP_MAX = DECAY_ONE - 1

# Synaptic sums, thresholds and (in NetX) biases are shifted up by 6 bits to meet the state:
# lava-nc proc/lif/models.py (act_shift, vth_shift); lava-dl netx/hdf5.py, get_neuron_params (bias_exp).
ACTIVATION_SHIFT = 6
THRESHOLD_SHIFT = 6
BIAS_EXP = 6

# Threshold mantissa 17 bit, bias mantissa 13 bit signed: lava-nc proc/lif/models.py, PyLifModelBitAcc.
THRESHOLD_MANT_MAX = (1 << 17) - 1
BIAS_MANT_MIN = -(1 << 12)
BIAS_MANT_MAX = (1 << 12) - 1
# Lava's simulator keeps it in 16 bits, and lets others come round in silence: lava-nc proc/lif/models.py (bias_mant).
BIAS_LAVA_MIN = -(1 << 15)
BIAS_LAVA_MAX = (1 << 15) - 1

# What a bias exponent's 3 bits hold, of which NetX uses the one above: lava-nc proc/lif/models.py (PyLifModelBitAcc).
BIAS_EXP_MAX = 7

# The sum that synapses hand a LIF population in a step is declared with 16 bits; the simulator does not hold it to
# them: lava-nc proc/lif/models.py (AbstractPyLifModelFixed, a_in).
SUM_MIN = -(1 << 15)
SUM_MAX = (1 << 15) - 1

# Current and voltage are 24 bit signed: lava-nc proc/lif/models.py (uv_bitwidth).
STATE_MAX = 1 << 23

# Kernel, stride, padding, dilation and groups of a convolution are int8: lava-nc proc/conv/models.py
# (AbstractPyConvModel). 128 groups become -128, and the sums 0.
CONV_MAX = 127

# Axonal delays, in steps: lava-dl netx/hdf5.py clamps at 62; slayer/block/cuba.py trains with the same bound.
DELAY_MAX = 62

# Exponents of a synapse's weights on Loihi's first generation: nengo-loihi builder/validate.py (validate_synapse_cfg).
# NetX writes -7 to 0 for what the limits above let through (lava-dl netx/utils.py, optimize_weight_bits).
WEIGHT_EXP_MIN = -7
WEIGHT_EXP_MAX = 7

# Bits of a graded spike on Loihi 2: Intel's technology brief of Loihi 2 (integer payloads of up to 32 bits).
MESSAGE_BITS_MAX = 32

# A branch's input is shifted down by its gain. Up to the shift above no bit is lost: (a << 6) >> g is exact.
GAIN_MAX = ACTIVATION_SHIFT

# A current goes around at its 24 bits once a step, in Lava's int32 as here: one that is driven out faster than it
# decays grows on. Up to here all arithmetic is exact in 32 bits; a run that gets there is refused.
CURRENT_MAX = 1 << 29
