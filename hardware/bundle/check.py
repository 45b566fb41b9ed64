"""A bundle as it was packed, file by file, or the name of the first file that is not."""

import hashlib
import json
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.schedule import Schedule
from hardware.loihi2.join import SCRIPT
from hardware.loihi2.script.checks import BUNDLE, SUMS
from hardware.loihi2.script.common import FORMAT
from train.artifacts import sha256
from train.errors import MaestroError

GOLDEN, INPUTS = "golden.npz", "inputs.npy"
FILES = ("README.txt", SUMS, BUNDLE, GOLDEN, INPUTS, "job.sh", "manifest.json", "model.net", SCRIPT)
# For whoever unpacks it to edit: without a hash, and it may be missing.
SITE = "site.sh"
_CURE = "pack it again with `python -m hardware bundle RUN`"
# What the id is of, and what has a hash, in their order.
_CONTENT = tuple(sorted(set(FILES) - {BUNDLE, SUMS}))
_LISTED = tuple(sorted(set(FILES) - {SUMS}))

# What zipfile raises of an archive with a byte that is another.
_UNZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, struct.error)

Spikes = NDArray[np.uint8]


@dataclass(frozen=True)
class Bundle:
    """A bundle's folder, whose files are all as they were packed.

    Parameters
    ----------
    shapes
        By layer with neurons, in order: shape of one step.
    plans
        Schedules of ``chip`` and ``simulator``.
    cores
        Cores that the placement foretold: ``value``, ``low``, ``high``.
    """

    folder: Path
    id: str
    name: str
    net_sha256: str
    shapes: dict[str, tuple[int, ...]]
    samples: int
    steps: int
    plans: dict[str, Schedule]
    latency: int
    clips: tuple[tuple[str, int], ...]
    cores: dict[str, Any]

    def golden(self, samples: int) -> dict[str, Spikes]:
        """Expected spikes of the first samples, by layer, each (sample, neuron..., time)."""
        with np.load(self.folder / GOLDEN, allow_pickle=False) as arrays:
            return {name: arrays[name][:samples] for name in self.shapes}

    def inputs(self) -> Spikes:
        """Shape (sample, channel, height, width, time) or (sample, neuron, time)."""
        inputs: Spikes = np.load(self.folder / INPUTS, allow_pickle=False)
        return inputs


def content_id(folder: Path) -> str:
    """SHA-256 over names and hashes of all files but bundle.json, which holds it, and SHA256SUMS."""
    return _id_of({name: sha256(folder / name) for name in _CONTENT})


def sums_text(folder: Path) -> str:
    """Hashes of all files but SHA256SUMS, as ``sha256sum`` writes them."""
    return _sums_of({name: sha256(folder / name) for name in _LISTED})


def _id_of(hashes: Mapping[str, str]) -> str:
    return hashlib.sha256("".join(f"{name} {hashes[name]}\n" for name in _CONTENT).encode()).hexdigest()


def _sums_of(hashes: Mapping[str, str]) -> str:
    return "".join(f"{hashes[name]}  {name}\n" for name in _LISTED)


@contextmanager
def unpacked(path: Path) -> Iterator[Bundle]:
    """The bundle in a zip, in a folder that lasts as long as the context.

    Raises
    ------
    MaestroError
        Missing, no zip or cut short; a file is missing, too many, or not as it was packed.
    """
    if not path.is_file():
        raise MaestroError(str(path), "no such bundle", cure="name the one that the result is of with --out FILE.zip")
    with tempfile.TemporaryDirectory(prefix="bundle-") as name:
        folder = Path(name)
        try:
            with zipfile.ZipFile(path) as archive:
                _extract(path, archive, folder)
        except _UNZIP_ERRORS as error:
            raise MaestroError(str(path), f"is not a whole zip: {error}", cure=_CURE) from error
        yield open_folder(folder, str(path))


def _extract(path: Path, archive: zipfile.ZipFile, folder: Path) -> None:
    for entry in archive.infolist():
        top, slash, name = entry.filename.partition("/")
        # A folder's own entry, as other zip programs write them.
        if slash and not name:
            continue
        if not top or name not in (*FILES, SITE):
            raise MaestroError(str(path), f"holds {entry.filename}, which is none of a bundle's files", cure=_CURE)
        if (folder / name).exists():
            raise MaestroError(str(path), f"holds {name} twice", cure=_CURE)
        try:
            with archive.open(entry) as packed, (folder / name).open("wb") as file:
                shutil.copyfileobj(packed, file)
        except _UNZIP_ERRORS as error:
            raise MaestroError(f"{path}, {name}", f"is damaged: {error}", cure=_CURE) from error
        except OSError as error:
            found = f"cannot be unpacked: {error.strerror or error}"
            raise MaestroError(f"{path}, {name}", found, cure=f"free some disk space, or {_CURE}") from error


def open_folder(folder: Path, where: str = "") -> Bundle:
    """The bundle that lies in a folder.

    Parameters
    ----------
    where
        What an error names it by; the folder if empty.

    Raises
    ------
    MaestroError
        A file is missing, too many, or not as it was packed.
    """
    where = where or str(folder)
    found = sorted(path.name for path in folder.iterdir())
    for name in FILES:
        if name not in found:
            raise MaestroError(f"{where}, {name}", "is missing from the bundle", cure=_CURE)
    for name in found:
        # Beside the files lies what the script wrote.
        written = (name.startswith("result") and name.endswith(".json")) or name.startswith((".", "__pycache__"))
        if name not in (*FILES, SITE) and not written:
            raise MaestroError(f"{where}, {name}", "is none of a bundle's files", cure="take it out")
    _check_sums(folder, where)
    return _parse(folder, where)


def _check_sums(folder: Path, where: str) -> None:
    lines = (folder / SUMS).read_bytes().decode("ascii", "replace").split("\n")
    hashes = {name: sha256(folder / name) for name in _LISTED}
    expected = _sums_of(hashes).split("\n")
    if lines == expected:
        return
    if [line[64:] for line in lines] == [line[64:] for line in expected]:
        differing = [name for name, line, right in zip(_LISTED, lines, expected, strict=False) if line != right]
        # Where the id agrees with the files it is of, the list is wrong and not they.
        if differing == [BUNDLE] or _stated_id(folder) != _id_of(hashes):
            found = f"is not what was packed: {SUMS} has another hash"
            raise MaestroError(f"{where}, {differing[0]}", found, cure=_CURE)
    raise MaestroError(f"{where}, {SUMS}", "is damaged: it does not list the files as they are", cure=_CURE)


def _stated_id(folder: Path) -> str:
    try:
        return str(json.loads((folder / BUNDLE).read_bytes())["id"])
    except (ValueError, TypeError, KeyError):
        return ""


def _parse(folder: Path, where: str) -> Bundle:
    def damaged(found: str) -> MaestroError:
        return MaestroError(f"{where}, {BUNDLE}", found, cure=_CURE)

    try:
        content = json.loads((folder / BUNDLE).read_bytes())
        if content["format"] != FORMAT:
            raise damaged(f"is of format {content['format']}, expected {FORMAT}")
        if content["id"] != content_id(folder):
            raise damaged("has an id that is not of these files")
        return Bundle(
            folder,
            content["id"],
            content["name"],
            content["net_sha256"],
            {layer["name"]: tuple(layer["shape"]) for layer in content["layers"]},
            content["samples"],
            content["steps"],
            {key: plan_of(values) for key, values in content["schedule"].items()},
            content["latency"],
            tuple((split, index) for split, index in content["clips"]),
            content["placement"]["cores"],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(f"does not say what a bundle says: {error}") from error


def plan_of(values: Mapping[str, Any]) -> Schedule:
    """A schedule from its plain data."""
    return Schedule(**{field.name: values[field.name] for field in fields(Schedule)})
