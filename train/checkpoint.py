"""Checkpoints: tensors and plain data only, so that loading one never runs code."""

import pickle
from pathlib import Path
from typing import Any

import torch

from train.artifacts import atomic_write
from train.errors import MaestroError

FORMAT = 1


def save_checkpoint(path: Path, values: dict[str, Any]) -> None:
    """Write tensors and plain data, atomically."""
    with atomic_write(path) as temporary:
        torch.save({"format": FORMAT, **values}, temporary)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read what :func:`save_checkpoint` wrote.

    Raises
    ------
    MaestroError
        Missing, truncated, holding anything but tensors and plain data, or not ours.
    """
    cure = "train again, or restore the file from a copy"
    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise MaestroError(str(path), "no such checkpoint", cure="make it with `python -m train fit`") from error
    except pickle.UnpicklingError as error:
        raise MaestroError(
            str(path), "holds more than tensors and plain data, or is damaged; it was not loaded", cure=cure
        ) from error
    # torch raises several kinds for a truncated archive, by where the cut is.
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise MaestroError(str(path), "is not a whole checkpoint file", cure=cure) from error
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise MaestroError(str(path), "is not a checkpoint of this project", allowed=f"format {FORMAT}", cure=cure)
    return values
