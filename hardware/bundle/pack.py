"""From an exported run to one zip for a machine that has a Loihi 2 and not this project."""

import errno
import json
import re
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from export import netx
from export.dendrites import simulator_only
from export.graph import Network
from export.lint import require_clean
from export.manifest import Manifest, load_manifest
from export.schedule import CHIP_INPUT_DELAY, SIMULATOR_INPUT_DELAY, Schedule, require_streamable, schedule
from hardware.bundle import text
from hardware.bundle.check import GOLDEN, INPUTS, SITE, content_id, sums_text
from hardware.bundle.golden import Golden, make_golden, netx_layers
from hardware.loihi2.join import SCRIPT, write_script
from hardware.loihi2.script.checks import BUNDLE, SUMS
from hardware.loihi2.script.common import FORMAT
from hardware.placement.plan import Placement, place_file
from train.artifacts import RunFolder, atomic_write, versions
from train.errors import CallError, MaestroError

# Zip's own beginning of time: two packs of the same are the same file.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_RUNNABLE = (SCRIPT, "job.sh")
# Of copying, the file that was copied is named, though it is the disk of the copy that is full.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class Checked:
    """A run that may go to the chip, what it takes there, and what the lint warns of."""

    manifest: Manifest
    network: Network
    placement: Placement
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Packed:
    """A bundle that was written: the zip, its size, what bundle.json says and what the lint warns of."""

    path: Path
    size_bytes: int
    content: dict[str, Any]
    warnings: tuple[str, ...]


def pack(run: RunFolder, samples: int, out: Path) -> Packed:
    """Write the zip of a run, whole or not at all; the same run packs to the same bytes.

    Parameters
    ----------
    samples
        Test clips to pack, half of each test set.

    Raises
    ------
    CallError
        More samples than clips; ``out`` is no .zip, or its folder is missing.
    MaestroError
        The run is not exported, would not run on the chip as it does here, or the disk is full.
    """
    checked = check_run(run)
    _check_out(out)
    with atomic_write(out) as temporary:
        try:
            # Beside the zip: then a disk that is full is the disk that is named.
            with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as name:
                folder = Path(name)
                content = _fill(run, checked, make_golden(run, samples), folder)
                _zip(folder, f"{content['name']}-{content['id'][:8]}", temporary)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            cure = "free some disk space or choose another folder with --out; nothing was changed"
            raise MaestroError(str(out), f"cannot be written: {error.strerror}", cure=cure) from error
    return Packed(out, out.stat().st_size, content, checked.warnings)


def write_folder(run: RunFolder, samples: int, folder: Path) -> dict[str, Any]:
    """Write what a bundle holds into an empty folder.

    Returns
    -------
    dict
        What ``bundle.json`` says.

    Raises
    ------
    CallError, MaestroError
        As :func:`pack`.
    """
    checked = check_run(run)
    golden = make_golden(run, samples)
    try:
        return _fill(run, checked, golden, folder)
    except OSError as error:
        raise MaestroError(
            str(folder), f"cannot be written: {error.strerror or error}", cure="free some disk space"
        ) from error


def check_run(run: RunFolder) -> Checked:
    """The run's manifest, network and placement, if the chip would run it as the engine does.

    Raises
    ------
    MaestroError
        Not exported, or another network than the manifest's; analog dendrites; something that outlives a reset; a
        broken rule of the lint; layers that do not fit the chip.
    """
    manifest = load_manifest(run)
    network = netx.read(run.net)
    if network.dendritic_names:
        raise MaestroError(
            str(run.net),
            simulator_only(network.dendritic_names),
            cure='in that preset dendrites have `realisation = "spiking"`: they are made of LIF alone',
        )
    require_streamable(network, str(run.net))
    plan = plans(network, manifest.steps)["chip"]
    warnings = require_clean(run.net, manifest.steps, chip=True, period=plan.period)
    # Layers hear a sample until they are reset, a little longer than it lasts.
    require_clean(run.net, plan.period - plan.slack)
    return Checked(manifest, network, _placement(run), tuple(str(warning) for warning in warnings))


def plans(network: Network, steps: int) -> dict[str, Schedule]:
    """When samples of ``steps`` steps go in and are reset, on the chip and in Lava's simulator."""
    delays = {"chip": CHIP_INPUT_DELAY, "simulator": SIMULATOR_INPUT_DELAY}
    return {key: schedule(steps, network.latency, input_delay=delay) for key, delay in delays.items()}


def _placement(run: RunFolder) -> Placement:
    """Where the network fits: one chip, or else the largest board."""
    small = place_file(run.net, board="oheogulch")
    if small.fits:
        return small
    large = place_file(run.net, board="kp")
    large.require_fit()
    return large


def _check_out(out: Path) -> None:
    if out.suffix != ".zip":
        raise CallError(f"--out {out}", "does not end in .zip", cure=f"write {out}.zip")
    if out.is_dir():
        raise CallError(f"--out {out}", "is a folder", cure=f"write {out / 'bundle.zip'}")
    if not out.absolute().parent.is_dir():
        raise CallError(f"--out {out}", f"{out.absolute().parent} is no folder", cure="make it first")


def _fill(run: RunFolder, checked: Checked, golden: Golden, folder: Path) -> dict[str, Any]:
    """Write every file; bundle.json after those that its id is of, the hashes last."""
    manifest, network = checked.manifest, checked.network
    name = re.sub(r"[^\w.-]+", "-", manifest.name, flags=re.ASCII)
    shutil.copyfile(run.net, folder / "model.net")
    shutil.copyfile(run.manifest, folder / "manifest.json")
    write_script(folder / SCRIPT)
    np.save(folder / INPUTS, golden.inputs)
    np.savez_compressed(folder / GOLDEN, **golden.layers)
    (folder / "README.txt").write_text(text.readme(name, len(golden.clips), manifest.steps, len(network.spiking)))
    (folder / "job.sh").write_text(text.job(name, checked.placement.board.partition))
    (folder / SITE).write_text(text.site(checked.placement.board.partition))
    content = {
        "format": FORMAT,
        "id": content_id(folder),
        "name": name,
        "net_sha256": manifest.net_sha256,
        "layers": netx_layers(network),
        "samples": len(golden.clips),
        "steps": manifest.steps,
        "schedule": {key: plan.as_dict() for key, plan in plans(network, manifest.steps).items()},
        "latency": network.latency,
        "clips": [list(clip) for clip in golden.clips],
        "placement": checked.placement.as_dict(),
        "versions": versions(),
        # The export's: a bundle has no time of its own, so that packing again gives the same.
        "created": manifest.created,
    }
    (folder / BUNDLE).write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")
    (folder / SUMS).write_text(sums_text(folder))
    return content


def _zip(folder: Path, top: str, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(folder.iterdir()):
            entry = zipfile.ZipInfo(f"{top}/{path.name}", _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, whose permissions follow.
            entry.external_attr = (0o755 if path.name in _RUNNABLE else 0o644) << 16
            with path.open("rb") as file, archive.open(entry, "w", force_zip64=True) as packed:
                shutil.copyfileobj(file, packed)
