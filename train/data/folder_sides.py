"""Which side each group of recordings is on: drawn by lot, so that every class is heard in training."""

import hashlib
import math
from collections.abc import Collection, Mapping

from train.data.dataset import SPLITS, TEST, TRAIN, VALIDATION

# A head and one of its classes.
Class = tuple[str, str]
# What groups without any label count as, so that they are shared out too.
_NONE: Class = ("", "")


def draw_sides(
    groups: Mapping[str, Collection[Class]], validation_share: float, test_share: float, seed: int
) -> dict[str, str]:
    """Share groups out to training, validation and test, each class by itself.

    Of a class with three groups or more, each side gets one at least; the second group of two is for test, and a
    single one for training. Where groups have several classes, the rarest class is shared out first (after
    Sechidis, Tsoumakas and Vlahavas, On the Stratification of Multi-Label Data, ECML PKDD 2011), and a class that
    training lacks in the end gets a group from the other sides. A lot depends on the seed and the group's name
    alone: where groups have one class each, groups of other classes change nothing.

    Parameters
    ----------
    groups
        Group -> its classes.
    validation_share, test_share
        Shares of each class's groups, 0 to 1.
    seed
        Of the lots.

    Returns
    -------
    dict
        Group -> 'train', 'validation' or 'test'. Every class that is on any side is in training.
    """
    lots = sorted(groups, key=lambda group: hashlib.sha256(f"{seed}/{group}".encode()).digest())
    classes = {group: set(groups[group]) or {_NONE} for group in lots}
    members: dict[Class, list[str]] = {}
    for group in lots:
        for name in classes[group]:
            members.setdefault(name, []).append(group)
    needs = {name: _quota(len(own), validation_share, test_share) for name, own in members.items()}
    sides: dict[str, str] = {}
    waiting = {name: len(own) for name, own in members.items()}
    while left := [name for name, count in waiting.items() if count]:
        rarest = min(left, key=lambda name: (waiting[name], name))
        for group in members[rarest]:
            if group in sides:
                continue
            # Of equal needs training's, which comes first.
            sides[group] = max(SPLITS, key=needs[rarest].__getitem__)
            for name in classes[group]:
                needs[name][sides[group]] -= 1
                waiting[name] -= 1
    for name in sorted(members):
        if all(sides[group] != TRAIN for group in members[name]):
            sides[members[name][0]] = TRAIN
    return sides


def _quota(count: int, validation_share: float, test_share: float) -> dict[str, int]:
    """How many of a class's groups go to each side."""
    if count < 3:
        return {TRAIN: 1, VALIDATION: 0, TEST: count - 1}
    validation, test = (max(1, math.floor(share * count + 0.5)) for share in (validation_share, test_share))
    while validation + test >= count:
        if validation >= test:
            validation -= 1
        else:
            test -= 1
    return {TRAIN: count - validation - test, VALIDATION: validation, TEST: test}
