"""What all parts of the script use."""

import contextlib
import platform
import sys
from datetime import datetime, timezone
from importlib import metadata

try:
    import numpy as np  # noqa: F401 - asked for before anything else is done
except ImportError:
    sys.exit(f"error: numpy is not installed for {sys.executable}. Use the Python that has Lava")

FORMAT = 1
PACKAGES = ("lava-nc", "lava-dl", "lava-loihi", "numpy", "h5py")
ENVIRONMENT = ("SLURM", "NOSLURM", "PARTITION", "BOARD", "LOIHI_GEN", "NXSDKHOST", "HOST_BINARY")


class FailedError(Exception):
    """What ends the script with one line and exit code 1."""


def say(text: str) -> None:
    """Talk to the person."""
    print(text, file=sys.stderr, flush=True)


def now() -> str:
    """The time, as it is written."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Installed versions of what decides the result."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found
