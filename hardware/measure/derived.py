"""What follows from the other sections of ``measurement.json`` by arithmetic: section ``derived``.

Nothing is measured here, so it is worked out anew whenever a section was replaced.
"""

from collections.abc import Mapping
from typing import Any

from hardware.measure.bands import find, plain, times
from hardware.measure.break_even import batch_break_even, chip_number, chips, rate_break_even
from hardware.measure.sweeps import at_batch, ends, sweeps
from hardware.measurement import current, file_section, identity
from train.artifacts import RunFolder
from train.errors import MaestroError


def derive(measurement: Mapping[str, Any]) -> dict[str, Any]:
    """Section ``derived``.

    Parameters
    ----------
    measurement
        What :func:`hardware.measurement.read_measurement` gives.

    Returns
    -------
    dict
        ``energy_delay_product`` (energy of an inference times its latency, J s; total energies, batch 1) and
        ``throughput`` (inferences a second; at batch 1 and the largest), by device; ``break_even`` with ``batch`` and
        ``firing_rate`` (:mod:`hardware.measure.break_even`).
    """
    return {
        "energy_delay_product": _products(measurement),
        "throughput": _throughputs(measurement),
        "break_even": {"batch": batch_break_even(measurement), "firing_rate": rate_break_even(measurement)},
    }


def refresh(run: RunFolder) -> None:
    """Work the section out anew and file it, after another one was replaced.

    Raises
    ------
    MaestroError
        Another section is damaged, which is named as well as can be; nothing is filed.
    """
    measurement = current(run)
    try:
        found = derive(measurement)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        found_odd = f"a section is damaged ({type(error).__name__}: {error})"
        raise MaestroError(str(run.measurement), found_odd, cure="delete it and measure again") from error
    file_section(run, "derived", {"identity": identity(run), **found})


def _products(measurement: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for chip in chips(measurement):
        energy = chip_number(measurement, chip, "total")
        found[chip] = plain(times(energy, chip_number(measurement, chip, "latency"), "J s"))
    for (device, network), sweep in sweeps(measurement).items():
        cell = at_batch(sweep, "1")
        found[f"{device} {network}"] = plain(times(find(cell, "energy_total"), find(cell, "latency"), "J s"))
    return found


def _throughputs(measurement: Mapping[str, Any]) -> dict[str, Any]:
    found = {chip: plain(chip_number(measurement, chip, "throughput")) for chip in chips(measurement)}
    for (device, network), sweep in sweeps(measurement).items():
        for batch in ends(sweep):
            found[f"{device} {network}, batch {batch}"] = plain(find(at_batch(sweep, batch), "throughput"))
    return found
