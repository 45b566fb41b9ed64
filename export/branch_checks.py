"""How the rules for layers with analog dendrites are checked on one layer, as it lies in the file."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from export.checks import in_words, largest_current
from export.dendrites import ANALOG
from export.limits import DECAY_ONE, GAIN_MAX, STATE_MAX
from export.netx import ROOT
from export.neurons import DENDRITIC, NEURONS
from export.rawnet import RawLayer, is_whole

Integers = NDArray[np.int64]


def owned(layer: RawLayer, _steps: int | None) -> Iterator[str]:
    """NX022, dendrites that a file half describes."""
    if not layer.dendritic:
        kind = layer.text("neuron/type")
        if "dendrite" in layer.groups and kind in NEURONS:
            yield f"has a group `dendrite` and neurons of type {kind!r}, which are run without branches"
        return
    if "dendrite" not in layer.groups:
        yield f"has {DENDRITIC} neurons and no group `dendrite`"
    if layer.root != ANALOG:
        said = "says nothing of" if layer.root is None else f"says {layer.root!r} of"
        yield f"has {DENDRITIC} neurons, and the file's root {said} {ROOT!r}; it should say {ANALOG!r}"


def gain(layer: RawLayer, _steps: int | None) -> Iterator[str]:
    """NX023, branch gain out of range."""
    value = layer.numbers("dendrite/gain")
    if value is None:
        return
    if not is_whole(value):
        yield "has a branch gain that is not a whole number"
    elif value.min() < 0 or value.max() > GAIN_MAX:
        yield f"has branch gains of {value.min():.0f} to {value.max():.0f}; they must lie in 0 to {GAIN_MAX}"


def shared_input(layer: RawLayer, _steps: int | None) -> Iterator[str]:
    """NX024, input in two branches."""
    weight = _weight(layer)
    if weight is None:
        return
    used = (weight != 0).sum(axis=0)
    if used.max() > 1:
        neuron, source = (int(index) for index in np.argwhere(used > 1)[0])
        more = f", and {int((used > 1).sum()) - 1} more" if (used > 1).sum() > 1 else ""
        yield f"neuron {neuron} takes its input {source} in {used[neuron, source]} branches{more}"


def branch_wraps(layer: RawLayer, steps: int | None) -> Iterator[str]:
    """NX025, branch or sum of branches that can wrap."""
    weight, decay, shift = _weight(layer), layer.whole("dendrite/iDecay"), layer.whole("dendrite/gain")
    if weight is None or decay is None or shift is None:
        return
    branches, neurons, _ = weight.shape
    if decay.shape not in ((branches,), (branches, neurons)):
        return
    if min(decay.min(), shift.min()) < 0 or decay.max() > DECAY_ONE or shift.max() > GAIN_MAX:
        return
    rate = decay.reshape(branches, -1)
    up, down = (
        largest_current(np.maximum(sign * weight, 0).sum(axis=2), rate, steps, shift[:, np.newaxis]) for sign in (1, -1)
    )
    reach, total = np.maximum(up, down), np.maximum(up.sum(axis=0), down.sum(axis=0))
    if reach.max() >= STATE_MAX:
        branch, neuron = (int(index) for index in np.unravel_index(reach.argmax(), reach.shape))
        yield f"neuron {neuron}'s current in branch {branch} can reach {in_words(float(reach.max()), steps)}"
    elif total.max() >= STATE_MAX:
        yield f"neuron {int(total.argmax())}'s sum of branches can reach {in_words(float(total.max()), steps)}"


def _weight(layer: RawLayer) -> Integers | None:
    """Weights as (branch, neuron or channel, input), None if they cannot be taken so."""
    weight, count, gains = layer.whole("weight"), layer.whole("dendrite/numBranches"), layer.values.get("dendrite/gain")
    if not layer.dendritic or weight is None or weight.ndim < 2 or count is None or gains is None:
        return None
    branches = len(gains) if gains.ndim == 1 else 0
    if branches < 1 or (count != branches).any() or weight.shape[0] % branches:
        return None
    return weight.reshape(branches, weight.shape[0] // branches, -1)
