"""What one gets without hearing anything: decisions made of the training clips' labels alone."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.data.clips import ClipSet

Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Baselines:
    """Two of them.

    Parameters
    ----------
    majority
        The class of most steps.
    clock
        The class that most clips have at a step, shape (step,). Where the styles always come in one order this is
        the best constant time of change.
    """

    majority: int
    clock: Labels

    @classmethod
    def of(cls, clips: ClipSet) -> "Baselines":
        """From the labels of training clips."""
        labels = clips.labels["style"]
        shares = np.stack([(labels == number).mean(axis=0) for number in range(int(labels.max()) + 1)])
        # The first of equals, as everywhere.
        return cls(int(shares.mean(axis=1).argmax()), shares.argmax(axis=0))

    @property
    def cut(self) -> int | None:
        """The step at which the clock changes its mind; None where it never does, or more than once."""
        found = np.flatnonzero(np.diff(self.clock)) + 1
        return int(found[0]) if len(found) == 1 else None

    def accuracies(self, labels: Labels) -> dict[str, Any]:
        """Share of right steps of each, for labels (clip, step)."""
        return {
            "majority": float((labels == self.majority).mean()),
            "clock": float((labels == self.clock[: labels.shape[1]]).mean()),
        }
