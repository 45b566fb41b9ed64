"""``python -m hardware energy``: devices and constants, what they foretell of known networks, and of a run."""

from pathlib import Path
from typing import Any

from hardware.energy.filed import filed_copies, filed_counts, filed_schedule, filed_twin, has_dendrites
from hardware.energy.profile import PARTS, load_profiles
from hardware.energy.section import energy_section
from hardware.energy.tables import check_table, devices_table, explanations, section_table
from hardware.energy.validate import validation
from train.artifacts import RunFolder
from train.console import emit_json, emit_table, say
from train.errors import CallError

__all__ = ["energy", "energy_section", "run_section"]


def energy(run: Path | None, check: bool, step_time_us: float | None, as_json: bool) -> int:
    """Print energies of a measured run; or devices and their constants; or, with ``check``, the validation.

    Returns
    -------
    int
        0.

    Raises
    ------
    MaestroError
        The run has no counts yet.
    CallError
        A step time without a run, or a run with ``check``.
    """
    if check:
        if run is not None:
            raise CallError("--check", "goes without RUN", cure="leave one out")
        _emit_check(as_json)
        return 0
    if run is None:
        if step_time_us is not None:
            raise CallError("--step-time", "says nothing without RUN", cure="name a measured run")
        _emit_devices(as_json)
        return 0
    section = run_section(RunFolder(run), step_time_us)
    if as_json:
        emit_json(section)
        return 0
    emit_table(*section_table(section))
    for name, device in section["devices"].items():
        told = [note for note in device["notes"] if not note.startswith("left out: ")]
        say(f"{name}: {'. '.join([device['applies'], *told])}")
    return 0


def run_section(run: RunFolder, step_time_us: float | None = None) -> dict[str, Any]:
    """The section "energy", without its identity, of a run that has been counted.

    Raises
    ------
    MaestroError
        It has not, or another network was, or what was filed is damaged.
    """
    counts = filed_counts(run)
    seconds = None if step_time_us is None else step_time_us * 1e-6
    twin, copies, chip = filed_twin(run, counts), filed_copies(run), filed_schedule(run, counts)
    return energy_section(counts, twin, analog=has_dendrites(counts), step_time_s=seconds, copies=copies, **chip)


def _emit_check(as_json: bool) -> None:
    if as_json:
        emit_json(validation())
        return
    emit_table(*check_table())
    for line in explanations():
        say(line)


def _emit_devices(as_json: bool) -> None:
    if not as_json:
        for table in devices_table():
            emit_table(*table)
        return
    emit_json(
        [
            {
                "name": profile.name,
                "title": profile.title,
                "network": profile.network,
                "applies": profile.applies,
                "leaves_out": list(profile.leaves_out),
                "parts": {part: profile.unpriced.get(part, [one.name for one in profile.of(part)]) for part in PARTS},
                "constants": [constant.as_dict() for constant in profile.constants.values()],
            }
            for profile in load_profiles()
        ]
    )
