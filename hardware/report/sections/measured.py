"""Energies that something measured: silicon, a GPU, a processor; here or on another machine."""

from hardware.measure.bands import find
from hardware.measure.sweeps import at_batch, sweeps
from hardware.measurement import Quantity
from hardware.report.blocks import Missing
from hardware.report.subject import Subject


def measured_energies(subject: Subject) -> dict[str, Quantity | str]:
    """Energy of an inference by what took it, in all; the reason where there is none. The baseline's is at batch 1."""
    found: dict[str, Quantity | str] = {}
    silicon = subject.section("loihi2")
    if not isinstance(silicon, Missing):
        found["Loihi 2, silicon"] = find(silicon, "energy", "total")
    section = subject.section("baseline")
    if isinstance(section, Missing):
        found["baseline"] = section.why
        return found
    for (device, network), sweep in sweeps({"baseline": section}).items():
        found[f"{network.upper()} on {device_title(device)}, batch 1"] = find(at_batch(sweep, "1"), "energy_total")
    return found


def device_title(device: str) -> str:
    """A device's key in words."""
    return {"cpu": "the processor", "cuda": "the GPU"}.get(device, device)
