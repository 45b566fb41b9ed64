"""What is made sure of before a board is asked for: the bundle's files, the board's name, the closed package."""

import argparse
import hashlib
import importlib.util
import json
import os
from pathlib import Path
from typing import Any

from hardware.loihi2.script.common import FORMAT, FailedError

SUMS, BUNDLE = "SHA256SUMS", "bundle.json"
NEEDED = ("model.net", "inputs.npy", BUNDLE)
# What the chip's passes import of the closed package.
CLOSED = ("lava.utils.loihi2_profiler", "lava.proc.embedded_io.spike")
# Loihi 2 as most boards of the INRC have it: lava-nc utils/loihi.py, ChipGeneration.
GENERATION = "N3B3"


def checked(folder: Path) -> dict[str, Any]:
    """bundle.json of a folder whose files are all as they were packed.

    Raises
    ------
    FailedError
        A file is missing, or another one than was packed: the first is named.
    """
    sums = _listed(folder)
    for name in NEEDED:
        if name not in sums:
            raise FailedError(f"{SUMS}: does not list {name}, so it is damaged. Copy the bundle again")
    for name in sorted(sums):
        if not (folder / name).is_file():
            raise FailedError(f"{name}: listed in {SUMS} and not there. Copy the bundle again")
    found = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in sorted(sums)}
    try:
        bundle: dict[str, Any] = json.loads((folder / BUNDLE).read_text())
        stated = bundle["id"]
    except (ValueError, KeyError, TypeError):
        bundle, stated = {}, ""
    content = "".join(f"{name} {digest}\n" for name, digest in found.items() if name != BUNDLE)
    whole = stated == hashlib.sha256(content.encode()).hexdigest()
    for name, digest in found.items():
        if digest != sums[name]:
            # Where the id is of these files, it is the list that is wrong.
            where = SUMS if whole and name != BUNDLE else name
            raise FailedError(f"{where}: not as it was packed: {name} has another hash. Copy the bundle again")
    if not whole:
        raise FailedError(f"{BUNDLE}: has an id that is not of these files. Copy the bundle again")
    if bundle.get("format") != FORMAT:
        raise FailedError(f"{BUNDLE}: of format {bundle.get('format')}, expected {FORMAT}")
    return bundle


def _listed(folder: Path) -> dict[str, str]:
    try:
        # Not splitlines, to which other bytes are ends of lines too.
        lines = (folder / SUMS).read_bytes().decode("ascii").removesuffix("\n").split("\n")
    except (OSError, ValueError) as error:
        raise FailedError(f"{folder / SUMS}: cannot be read: {error}") from error
    sums = {}
    for number, line in enumerate(lines, 1):
        digest, space, name = line.partition("  ")
        if len(digest) != 64 or not space or not name:
            raise FailedError(f"{SUMS}: line {number} is none of sha256sum's. Copy the bundle again")
        sums[name] = digest
    return sums


def choose_board(options: argparse.Namespace) -> None:
    """Set what nxcore reads; processes that are started inherit it."""
    if options.sim:
        return
    if options.board or options.partition:
        # What was set before might name another board.
        for name in ("NOSLURM", "NXSDKHOST", "BOARD", "PARTITION"):
            os.environ.pop(name, None)
        os.environ["SLURM"] = "1"
    if options.board:
        os.environ["BOARD"] = options.board
    if options.partition:
        os.environ["PARTITION"] = options.partition
    if "NXSDKHOST" in os.environ and "SLURM" not in os.environ:
        os.environ["NOSLURM"] = "1"
    os.environ.setdefault("LOIHI_GEN", GENERATION)


def require_closed() -> None:
    """Refuse to go on without the closed package."""
    for name in CLOSED:
        try:
            found = importlib.util.find_spec(name)
        except Exception:
            # A package above it is missing, or fails as it is imported, with whatever error.
            found = None
        if found is None:
            raise FailedError(f"{name}: not installed, it comes with lava-loihi (INRC members). --sim runs without it")
