"""The verb ``deploy``: lint, place, run on the chip, compare with the engine, file what it took."""

import os
import tempfile
from pathlib import Path

from hardware.availability import require_chip
from hardware.boards import board_kind
from hardware.bundle.command import show_reading
from hardware.bundle.pack import check_run, write_folder
from hardware.bundle.read import file_result
from hardware.loihi2.runner import Way, run_script
from hardware.placement.plan import Placement, place_file
from hardware.placement.report import emit, verdict
from train.artifacts import RunFolder, read_json
from train.console import emit_json, say
from train.errors import CallError, MaestroError


def deploy(path: Path, samples: int, steps: int, way: Way, profile: bool, as_json: bool) -> int:
    """Run a run on a Loihi 2.

    What needs no chip comes first, so that it is of use where there is none.

    Parameters
    ----------
    samples
        Test clips to compare.
    steps
        Steps of the profiled run.
    profile
        Measure power, time, activity and memory as well.

    Returns
    -------
    int
        Exit code: 1 if a spike differs from the engine's.

    Raises
    ------
    CallError
        More samples than clips, or no such layer to probe.
    MaestroError
        The run cannot go to the chip or does not fit the board, the closed package is not installed, or a part of the
        run failed; what came before that part is filed.
    """
    run = RunFolder(path)
    checked = check_run(run)
    names = checked.network.spiking_names
    for name in way.probes:
        if name not in names:
            raise CallError(f"--probe {name}", "no such layer with neurons", allowed=f"one of {', '.join(names)}")
    say(f"lint: {run.net} breaks no rule for the chip, {len(checked.warnings)} warnings")
    for warning in checked.warnings:
        say(f"warning: {warning}")
    placement = place_for(run, way, checked.placement)
    if as_json:
        say(f"place: {verdict(placement)}")
    else:
        emit(placement, str(run.net))
    placement.require_fit()
    closed = require_chip(path)
    say(" ".join(["closed package:", *(f"{name} {version}" for name, version in closed.versions.items())]))
    out = path / "result.json"
    with tempfile.TemporaryDirectory(prefix="maestro-deploy-") as name:
        folder = Path(name)
        write_folder(run, samples, folder)
        run_script(folder, out, way, profile=profile, steps=steps)
        _require_samples(out)
        reading = file_result(run, folder, out)
    if as_json:
        emit_json(reading.content)
    else:
        show_reading(reading, run)
    if reading.failed:
        raise MaestroError(str(path), f"was not run to the end: {reading.failed}", cure=f"{out} has what there is")
    return 1 if reading.comparison.faults else 0


def place_for(run: RunFolder, way: Way, otherwise: Placement) -> Placement:
    """The placement on the board that is asked for; ``otherwise`` where its kind is not known.

    Raises
    ------
    MaestroError
        The board has chips of the first Loihi.
    """
    partition = way.partition or os.environ.get("PARTITION", "")
    board = way.board or os.environ.get("BOARD", "")
    kind = board_kind(partition, board)
    if kind is None:
        return otherwise
    if kind.loihi == 1:
        raise MaestroError(partition or board, f"is a {kind.board}, whose chips are of the first Loihi")
    return place_file(run.net, board=kind.partition)


def _require_samples(out: Path) -> None:
    """Say what failed where not even one sample came back."""
    result = read_json(out, cure="run it again")
    if result["failed"] and not result["samples"]:
        failed = result["failed"]
        raise MaestroError(f"pass {failed['pass']}", failed["error"], cure=f"{out} has what was printed")
