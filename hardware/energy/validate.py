"""What the constants foretell beside what silicon measured.

A prediction is made from counts and constants alone, at the step time that was measured; where a constant was taken
from the same measurement, agreement is no test, and the row says so.
"""

from typing import Any

from hardware.energy.bands import Band, exactly
from hardware.energy.estimate import Estimate, estimate
from hardware.energy.pace import Deployment, Pace
from hardware.energy.profile import Profile, load_profiles
from hardware.energy.published import Measured, counts_of, measurements
from hardware.measurement import Quantity, unavailable
from train.errors import MaestroError

FITTED = "no test: a constant of the profile is taken from this measurement"
_STATIC = "its static power is the width of what was published, this measurement among it: no test of that part"

_AGREE = "no test of ours: the published figures agree among themselves to 0.1 %"
_BY_CONSTRUCTION = (
    "no test of anything: the step time is total energy by total power, so that the figures have to agree"
)


def validation() -> list[dict[str, Any]]:
    """Rows of prediction and measurement, a total where all parts are priced; the section "energy" has them.

    A network that is not installed is unavailable.
    """
    return [row for measured in measurements() for row in _rows(measured)]


def _rows(measured: Measured) -> list[dict[str, Any]]:
    rows = [_published(measured)]
    for profile in load_profiles():
        if profile.loihi:
            rows += _compared(measured, profile)
    return rows


def _compared(measured: Measured, profile: Profile) -> list[dict[str, Any]]:
    quantities = {"dynamic energy": measured.dynamic}
    if profile.of("static") and profile.of("messages"):
        quantities["total energy"] = measured.total
    try:
        counts, spread = counts_of(measured.network)
    except MaestroError as error:
        return [_absent(measured, profile, name, found, str(error)) for name, found in quantities.items()]
    pace = Pace(exactly(measured.step_time_s), "literature", "as published with the measurement")
    # Neither network was run with a reset: an inference is its steps.
    made = estimate(counts, profile, Deployment(pace, spread=spread))
    return [_row(measured, made, name, found) for name, found in quantities.items()]


def _row(measured: Measured, made: Estimate, name: str, found: Quantity) -> dict[str, Any]:
    static = name == "total energy"
    band = made.total if static else made.dynamic
    assert band is not None
    method = f"{made.profile.name}: counts of {measured.inference} times its constants, at the step time measured"
    evidence = made.evidence["synapses"]
    predicted = Quantity(made.middle(static=static), "J", "estimated", method, band.low, band.high, evidence)
    inside, explained = found.value in band, []
    if made.profile.name in measured.fitted:
        explained.append(FITTED)
    elif not inside:
        explained.append(measured.explained[made.profile.name])
    if static:
        explained.append(_STATIC)
    return {
        "network": measured.name,
        "profile": made.profile.name,
        "quantity": name,
        "predicted": predicted.as_dict(),
        "measured": found.as_dict(),
        "ratio": _ratio(band, predicted.value, found.value),
        "inside": inside,
        "test": made.profile.name not in measured.fitted,
        "explained": "; ".join(explained),
    }


def _published(measured: Measured) -> dict[str, Any]:
    """The published numbers held against each other: static power times time, and total less dynamic energy."""
    energy = measured.power_static_w * measured.steps * measured.step_time_s
    method = "static power as measured, times the time as measured"
    predicted = Quantity(energy, "J", "estimated", method, energy, energy, "derived")
    found = measured.static
    return {
        "network": measured.name,
        "profile": "published",
        "quantity": "static energy",
        "predicted": predicted.as_dict(),
        "measured": found.as_dict(),
        "ratio": _ratio(exactly(energy), energy, found.value),
        # As many digits as the figures were printed with.
        "inside": abs(energy / found.value - 1) < 1e-3,
        "test": False,
        "explained": _BY_CONSTRUCTION if measured.time_derived else _AGREE,
    }


def _absent(measured: Measured, profile: Profile, name: str, found: Quantity, why: str) -> dict[str, Any]:
    return {
        "network": measured.name,
        "profile": profile.name,
        "quantity": name,
        "predicted": unavailable(why),
        "measured": found.as_dict(),
        "ratio": unavailable(why),
        "inside": False,
        "test": False,
        "explained": "its counts are not to be had here",
    }


def _ratio(band: Band, middle: float, measured: float) -> dict[str, float]:
    """Prediction by measurement."""
    return {"low": band.low / measured, "value": middle / measured, "high": band.high / measured}
