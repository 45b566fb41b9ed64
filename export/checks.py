"""How each rule of ``export/rulebook.py`` is checked on one layer, as it lies in the file."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from export.graph import INPUT_OFFSET, INPUT_WEIGHT
from export.limits import (
    ACTIVATION_SHIFT,
    BIAS_MANT_MAX,
    BIAS_MANT_MIN,
    CONV_MAX,
    DECAY_ONE,
    DELAY_MAX,
    STATE_MAX,
    THRESHOLD_MANT_MAX,
    WEIGHT_MAX,
    WEIGHT_MIN,
    WEIGHT_STEP,
)
from export.netx import AVERAGE, STOCK_KINDS
from export.neurons import DENDRITIC, NEURONS
from export.rawnet import RawLayer, is_whole
from export.stock import stock_weights

# Yields what is wrong with a layer, in words; the second argument is the length of a run in steps, if known.
Check = Callable[[RawLayer, int | None], Iterator[str]]
_SYNAPSES = ("weight", "weight_rec")
# What input neurons' input is multiplied by and what is added, where the file does not say.
_TRANSFORM = {"weight": INPUT_WEIGHT, "bias": INPUT_OFFSET}


def kind(layer: RawLayer, _steps: int | None) -> Iterator[str]:
    """NX001, layer that NetX cannot run."""
    if not layer.values and not layer.groups:
        yield "is empty, as SLAYER's KWTA block leaves it"
    elif layer.kind not in (*STOCK_KINDS, AVERAGE):
        yield f"is of type {layer.kind!r}; NetX runs {', '.join(STOCK_KINDS)}"
    elif "weight" in layer.groups:
        yield "has complex weights"


def neuron_type(layer: RawLayer, _steps: int | None) -> Iterator[str]:
    """NX002, unknown neuron."""
    if layer.needs_neuron and not layer.has_neuron:
        yield f"has no neuron{'' if layer.kind == 'conv' else ', which makes it an integrator that never fires'}"
        return
    known = (*NEURONS, DENDRITIC) if layer.kind in ("conv", "dense") else NEURONS
    if layer.has_neuron and layer.text("neuron/type") not in known:
        yield f"has neurons of type {layer.text('neuron/type')!r}; known here are {', '.join(known)}"


def conv_delay(layer: RawLayer, _steps: int | None) -> Iterator[str]:
    """NX003, delays on a convolution."""
    if layer.kind == "conv" and "delay" in layer.values:
        yield "is a convolution with delays"


def recurrent_delay(layer: RawLayer, _steps: int | None) -> Iterator[str]:
    """NX004, recurrent layer with delays."""
    if layer.kind == "dense_rec" and "delay" in layer.values:
        yield "is recurrent and has delays"


def batch_norm(layer: RawLayer, _steps: int | None) -> Iterator[str]:
    """NX005, batch normalisation not folded in."""
    bias = layer.numbers("bias") if layer.kind != "input" else None
    if "neuron/weight_exp" in layer.values:
        yield "was trained with MeanOnlyBatchNorm (it has neuron/weight_exp)"
    elif bias is not None and not is_whole(bias):
        yield "has a bias that is not whole numbers, as MeanOnlyBatchNorm leaves it"


def graded(layer: RawLayer, _steps: int | None) -> Iterator[str]:
    """NX006, graded spikes."""
    for key in ("gradedSpike", "messageBits"):
        value = layer.numbers(f"neuron/{key}")
        if value is not None and value.any():
            yield f"sends graded spikes ({key})"
            return


def zero_weights(layer: RawLayer, _steps: int | None) -> Iterator[str]:
    """NX007, only zero weights."""
    found = [layer.numbers(key) for key in _SYNAPSES]
    matrices = [matrix for matrix in found if matrix is not None]
    if matrices and not any(matrix.any() for matrix in matrices):
        yield "has no weight but zeros"


def whole_weights(layer: RawLayer, _steps: int | None) -> Iterator[str]:
    """NX008, weights that are not whole numbers."""
    for key in _SYNAPSES:
        value = layer.numbers(key) if layer.kind != "input" else None
        if value is not None and not is_whole(value):
            yield f"has a {key} that is not whole numbers"


def weight_range(layer: RawLayer, _steps: int | None) -> Iterator[str]:
    """NX009, weights beyond eight bits."""
    for key in _SYNAPSES:
        value = layer.whole(key) if layer.kind != "input" else None
        if value is None:
            continue
        if value.min() < WEIGHT_MIN or value.max() > WEIGHT_MAX:
            yield f"has a {key} of {value.min()} to {value.max()}; eight bits hold {WEIGHT_MIN} to {WEIGHT_MAX}"
        elif (value % WEIGHT_STEP).any():
            yield f"has an odd {key}, {value[value % WEIGHT_STEP != 0][0]}; eight bits count in steps of {WEIGHT_STEP}"


def altered_weights(layer: RawLayer, steps: int | None) -> Iterator[str]:
    """NX010, weights of one sign that stock Lava alters."""
    if layer.kind not in ("dense", "dense_rec"):
        return
    earlier = (zero_weights, whole_weights, weight_range)
    if any(found for check in earlier for found in check(layer, steps)):
        return
    weight, recurrent = (layer.whole(key) for key in _SYNAPSES)
    if weight is None:
        return
    for key, before, after in zip(_SYNAPSES, (weight, recurrent), stock_weights(weight, recurrent), strict=False):
        if before is not None and (before != after).any():
            wrong = before != after
            yield f"has a {key} of {before[wrong][0]} that stock Lava takes as {after[wrong][0]}"


def threshold(layer: RawLayer, _steps: int | None) -> Iterator[str]:
    """NX011, threshold beyond its register."""
    value = layer.numbers("neuron/vThMant")
    if value is None:
        return
    if value.size != 1 or not is_whole(value):
        yield "has a threshold that is not one whole number"
    elif not 0 <= value.reshape(-1)[0] <= THRESHOLD_MANT_MAX:
        yield f"has vThMant {value.reshape(-1)[0]:.0f}; 17 bits hold 0 to {THRESHOLD_MANT_MAX}"


def decays(layer: RawLayer, _steps: int | None) -> Iterator[str]:
    """NX012, decay out of range."""
    for path in ("neuron/iDecay", "neuron/vDecay", "dendrite/iDecay"):
        value, key = layer.numbers(path), path.replace("neuron/", "")
        if value is None:
            continue
        if not is_whole(value):
            yield f"has an {key} that is not whole numbers"
        elif value.min() < 0 or value.max() > DECAY_ONE:
            yield f"has {key} {value.min():.0f} to {value.max():.0f}; it must lie in 0 to {DECAY_ONE}"


def delays(layer: RawLayer, _steps: int | None) -> Iterator[str]:
    """NX013, delay out of range."""
    value = layer.numbers("delay") if layer.kind == "dense" else None
    if value is None:
        return
    if not is_whole(value):
        yield "has delays that are not whole steps"
    elif value.min() < 0 or value.max() > DELAY_MAX:
        yield f"has delays of {value.min():.0f} to {value.max():.0f} steps; they must lie in 0 to {DELAY_MAX}"


def bias_range(layer: RawLayer, _steps: int | None) -> Iterator[str]:
    """NX014, bias out of range."""
    value, owner = layer.whole("bias"), "a bias"
    if layer.kind == "input":
        owner = "a bias for inputs of 0 and 1"
        value = _unary_mantissas(layer)
    if value is not None and (value.min() < BIAS_MANT_MIN or value.max() > BIAS_MANT_MAX):
        yield f"has {owner} of {value.min()} to {value.max()}; 13 bits hold {BIAS_MANT_MIN} to {BIAS_MANT_MAX}"


def _unary_mantissas(layer: RawLayer) -> NDArray[np.int64] | None:
    """Bias mantissas of input neurons without and with a spike, None if there are no such neurons or numbers."""
    found = []
    for key, stock in _TRANSFORM.items():
        value = layer.whole(key) if key in layer.values else np.array([stock])
        if not layer.has_neuron or value is None or value.size != 1:
            return None
        found.append(int(value.reshape(-1)[0]))
    weight, offset = found
    return np.array([offset, weight + offset])


def input_affine(layer: RawLayer, _steps: int | None) -> Iterator[str]:
    """NX015, input transform that NetX does not apply."""
    if layer.kind != "input" or not layer.has_neuron:
        return
    for key, stock in _TRANSFORM.items():
        value = layer.numbers(key)
        if value is None:
            continue
        if value.size != 1 or not is_whole(value):
            yield f"has a {key} that is not one whole number, as NetX takes it"
        elif value.reshape(-1)[0] != stock:
            yield f"has a {key} of {value.reshape(-1)[0]:.0f}, which NetX hands on and does not apply"


def input_decay(layer: RawLayer, _steps: int | None) -> Iterator[str]:
    """NX016, input neurons with a current."""
    value = layer.whole("neuron/iDecay") if layer.kind == "input" else None
    if value is not None and value.min() >= 0 and value.min() < DECAY_ONE >= value.max():
        yield f"has input neurons with iDecay {value.min()}"


def delayed_bias(layer: RawLayer, _steps: int | None) -> Iterator[str]:
    """NX017, bias with delays."""
    delay, bias = layer.whole("delay"), layer.whole("bias")
    if layer.kind == "dense" and delay is not None and bias is not None and delay.any() and bias.any():
        yield "has delays and a bias"


def refractory(layer: RawLayer, _steps: int | None) -> Iterator[str]:
    """NX018, refractory delay."""
    value = layer.numbers("neuron/refDelay")
    if value is not None and (value != 1).any():
        yield f"has refDelay {value.reshape(-1)[0]:g}"


def current_wraps(layer: RawLayer, steps: int | None) -> Iterator[str]:
    """NX019, current that can wrap."""
    if layer.kind not in ("conv", "dense", "dense_rec") or layer.dendritic:
        return
    decay = layer.whole("neuron/iDecay")
    matrices = [matrix for key in _SYNAPSES if (matrix := layer.whole(key)) is not None]
    if decay is None or not matrices or decay.min() < 0 or decay.max() > DECAY_ONE:
        return
    rows = [matrix.reshape(matrix.shape[0], -1) for matrix in matrices if matrix.ndim > 1]
    if not rows or len({row.shape[0] for row in rows}) > 1 or decay.size not in (1, rows[0].shape[0]):
        return
    up = sum(np.maximum(row, 0).sum(axis=1) for row in rows)
    down = sum(np.maximum(-row, 0).sum(axis=1) for row in rows)
    reach = np.maximum(largest_current(up, decay.reshape(-1), steps), largest_current(down, decay.reshape(-1), steps))
    if reach.max() >= STATE_MAX:
        yield f"neuron {int(reach.argmax())}'s current can reach {in_words(float(reach.max()), steps)}"


def average(layer: RawLayer, _steps: int | None) -> Iterator[str]:
    """NX026, readout that NetX cannot run."""
    if layer.kind == AVERAGE:
        yield "is an average"


def weight_exponent(layer: RawLayer, _steps: int | None) -> Iterator[str]:
    """NX027, weight exponent."""
    value = layer.numbers("neuron/wgtExp")
    if value is not None and value.any():
        yield f"has wgtExp {value.reshape(-1)[0]:g}"


def conv_size(layer: RawLayer, _steps: int | None) -> Iterator[str]:
    """NX021, convolution beyond a byte."""
    if layer.kind != "conv":
        return
    found = {key: layer.whole(key) for key in ("groups", "stride", "padding", "dilation")}
    weight = layer.values.get("weight")
    found["kernel"] = np.array(weight.shape[2:4]) if weight is not None else None
    for key, value in found.items():
        if value is not None and value.size and value.max() > CONV_MAX:
            yield f"has a {key} of {value.max()}; Lava's convolution holds up to {CONV_MAX}"


def in_words(reach: float, steps: int | None) -> str:
    """How far a register can get in a run of ``steps``, and what it holds."""
    run = f"in {steps} steps" if steps else "in a run of any length"
    amount = f"{reach:.0f}" if np.isfinite(reach) else "any size"
    return f"{amount} {run}; 24 bits hold {STATE_MAX}"


def largest_current(
    activation: NDArray[np.int64], i_decay: NDArray[np.int64], steps: int | None, gain: NDArray[np.int64] | int = 0
) -> NDArray[np.float64]:
    """The size that a current cannot exceed when every synapse of one sign is hit at every step.

    ``((a << 6) >> gain) * (1 + r + … + r^(steps - 1))`` with ``r = 1 - iDecay / 4096``; truncation only lowers it.

    Parameters
    ----------
    activation
        Sum of a neuron's weights of one sign, positive, shape (neuron,) or (branch, neuron).
    i_decay
        Of a shape that spreads to the activation's.
    steps
        Length of the run; None for one without end.
    gain
        Bits that a branch's input is shifted down by, likewise.
    """
    step = ((activation << ACTIVATION_SHIFT) >> gain).astype(np.float64)
    kept = 1 - i_decay / DECAY_ONE
    with np.errstate(divide="ignore", invalid="ignore"):
        endless = 1 / (1 - kept)
        total = endless if steps is None else np.where(kept == 1, float(steps), (1 - kept**steps) * endless)
        # A neuron without such synapses stays at 0, however slowly it forgets.
        return np.where(step > 0, step * total, 0.0)
