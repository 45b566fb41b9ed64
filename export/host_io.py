"""What the way from the host to the chip may cost, from the one figure that has been published.

A spike of the host's goes through an embedded processor of the chip's, at every step. lava-dl's PilotNet SDNN did
11.18 frames a second, a frame a step, and its notebook says that handing over the frames is what bounds it
(tutorials/lava/lib/dl/netx/pilotnet_sdnn/benchmark.ipynb, Oheo Gulch). Spread evenly over a frame's places, that is
2.26 us a place. The frames were sent as differences, so that not every place was sent: a message that was cost at
least as much. PilotNet LIF, which kept one frame on the chip "to avoid IO bottleneck", did 408.91 frames of 16 steps
a second (pilotnet_snn/benchmark.ipynb, Oheo Gulch): 152.8 us a step. Both figures are measured, of other networks;
what is reckoned from them here is an estimate.
"""

from dataclasses import dataclass

_FRAME_PLACES = 200 * 66 * 3
_FRAMES_PER_S = 11.18
US_PER_PLACE = 1e6 / _FRAMES_PER_S / _FRAME_PLACES
_LIF_FRAMES_PER_S = 408.91
_LIF_STEPS = 16
US_PER_STEP = 1e6 / _LIF_FRAMES_PER_S / _LIF_STEPS
# Above this share of such a step the host is part of what is measured. This project's choice, nobody's figure.
SHARE_MAX = 0.1

METHOD = (
    "input places x 2.26 us, the time of PilotNet SDNN's step (1 / 11.18 s, bound by its input) spread over its "
    "200 x 66 x 3 places; against 152.8 us, PilotNet LIF's step without input from the host"
)


@dataclass(frozen=True)
class HostIo:
    """The estimate for a network with ``places`` input places, if each sends at every step."""

    places: int

    @property
    def us_per_step(self) -> float:
        """Time that the way in takes out of a step."""
        return self.places * US_PER_PLACE

    @property
    def binds(self) -> bool:
        """Whether it is more than a small part of a step as published."""
        return self.us_per_step > SHARE_MAX * US_PER_STEP

    def as_dict(self) -> dict[str, object]:
        """Plain data; the figures with their kind and method."""
        return {
            "places": self.places,
            "us_per_step": self.us_per_step,
            "against_us_per_step": US_PER_STEP,
            "kind": "estimated",
            "method": METHOD,
        }
