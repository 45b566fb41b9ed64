"""The verb ``measure``: fill a run's ``measurement.json``, section by section, and say what was found."""

from pathlib import Path

from hardware.baseline.protocol import protocol_of
from hardware.measure.accuracy import hear
from hardware.measure.derived import refresh
from hardware.measure.show import show
from hardware.measurement import file_section, identity, read_measurement
from train.artifacts import RunFolder
from train.console import emit_json, say


def measure(path: Path, with_baseline: bool, batches: str | None, as_json: bool) -> int:
    """Measure a run and print it.

    Each section is filed as soon as it is done: a call that is stopped has lost the section it was at.

    Returns
    -------
    int
        0.

    Raises
    ------
    MaestroError
        The run is not trained or exported, or one of its files is damaged; what was filed before stays.
    """
    run = RunFolder(path)
    # Before anything is measured: a wrong call and a damaged file are to be told at once.
    protocol = protocol_of(batches)
    read_measurement(run)
    _file_counted(run)
    if with_baseline:
        from hardware.baseline.command import measure_baseline

        measure_baseline(run, "all", again=False, protocol=protocol)
    refresh(run)
    found = read_measurement(run)
    if as_json:
        emit_json(found)
    else:
        show(found)
        say(f"wrote {run.measurement}; `python -m hardware report {path}` makes a page of it")
    return 0


def _file_counted(run: RunFolder) -> None:
    """Accuracy, counts and energies: what needs no clock."""
    from hardware.counters.measure import count_run
    from hardware.energy.command import run_section

    of_run = identity(run)
    heard = hear(run)
    file_section(run, "network", {"identity": of_run, **heard.network})
    file_section(run, "accuracy", {"identity": of_run, **heard.accuracy})
    file_section(run, "counters", {"identity": of_run, **count_run(run).section()})
    file_section(run, "energy", {"identity": of_run, **run_section(run)})
