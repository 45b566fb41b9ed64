"""How latency and energy are measured: the numbers, and in words."""

from dataclasses import asdict, dataclass
from typing import Any

from train.errors import CallError


@dataclass(frozen=True)
class Protocol:
    """Numbers of the measurement.

    Parameters
    ----------
    batches
        Sizes of the sweep.
    trials
        Of everything that is timed or metered; of six the least and the greatest hold the median with 96.9 %.
    window_s, warm_s
        Of a trial of latency, and before the first.
    cuda_window_s, cuda_warm_s
        The same on a GPU, whose clocks take a while to rise.
    energy_window_s, energy_warm_s
        Of a trial of energy, and before the first.
    idle_s
        Of an idle device, each time it is metered.
    burst_s
        Between two looks at the counter: calls in between are not waited for one by one.
    longest_call_s
        A batch that takes longer is not measured.
    busy_share, busy_again
        A cell that waited more than this share of its time for a core is timed again, at most so often.
    clips, check_clips
        Test clips that batches are made of in turn, and those on which a variant's decisions are checked.
    """

    batches: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128, 256)
    trials: int = 6
    window_s: float = 0.1
    warm_s: float = 0.05
    cuda_window_s: float = 0.5
    cuda_warm_s: float = 1.0
    energy_window_s: float = 5.0
    energy_warm_s: float = 5.0
    idle_s: float = 60.0
    burst_s: float = 0.02
    longest_call_s: float = 1.5
    busy_share: float = 0.05
    busy_again: int = 2
    clips: int = 512
    check_clips: int = 33

    def timing(self, device: str) -> tuple[float, float]:
        """Seconds of a window and of warming up on a device, when it is timed alone."""
        return (self.cuda_window_s, self.cuda_warm_s) if device == "cuda" else (self.window_s, self.warm_s)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, with the words."""
        return {**asdict(self), "batches": list(self.batches), "words": WORDS}


def protocol_of(batches: str | None) -> Protocol:
    """The protocol, with the batch sizes of ``--batches`` if that is given: ``1,8,64``.

    Raises
    ------
    CallError
        One is no whole number from 1 on, or 1 is not among them, which the chip is compared at.
    """
    if batches is None:
        return Protocol()
    parts = [part.strip() for part in batches.split(",")]
    if not all(part.isdecimal() and int(part) for part in parts) or "1" not in parts:
        allowed = "whole numbers with commas between, 1 among them: 1,8,64"
        raise CallError(f"--batches {batches}", "no such sweep", allowed=allowed)
    return Protocol(batches=tuple(sorted({int(part) for part in parts})))


WORDS = {
    "latency": "time of a call with one batch, the device waited for at its end; median over trials of the mean call "
    "of a trial",
    "throughput": "inferences a second of calls made back to back, the device waited for at both ends of a trial",
    "inputs": "different encoded clips of the test set in turn, already in the device's memory and in the type that "
    "the variant takes; results stay there. Features and encoding are not in it, and are given apart",
    "energy": "a cumulative counter read at its renewals, around whole inferences; of the plainest variant and of the "
    "one with the highest throughput at that batch; where there is no counter, nothing is waited for",
    "idle": "power with nothing loaded (bare), and with the network loaded and nothing running (loaded), before and "
    "after; dynamic energy is total energy less idle power times time, given both ways",
    "busy": "a cell that waited too long for a core is timed again, and the one that waited least is kept and says so",
    "interval": "of the median, from order statistics: of the trials alone, which a busy machine shifts all together; "
    "idle power between the least and the greatest of its parts",
}
