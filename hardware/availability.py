"""What of Intel's closed package for Loihi 2 is installed: looked for, not used.

The package (lava-loihi, for members of the INRC) adds modules to the package ``lava`` and brings ``nxcore``. None of
the modules asked for is imported here: that takes seconds, wants a board's environment, and may talk to SLURM. To
find one, Python imports the packages above it, whatever they do. The one place that imports the modules themselves is
the script that runs on the chip's host (:mod:`hardware.loihi2.script`).
"""

import importlib.util
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from train.errors import MaestroError

# What a run on the chip imports: profilers, adapters, compiler, driver. Source: lava-dl tutorials, netx
# (pilotnet_snn/benchmark.ipynb, oxford/utils.py); lava-nc magma/compiler/compiler.py and magma/core/callback_fx.py.
MODULES = (
    "lava.utils.loihi2_profiler",
    "lava.proc.embedded_io.spike",
    "lava.magma.compiler.subcompilers.nc.ncproc_compiler",
    "nxcore",
)
# What pip calls it. lava-nc utils/loihi.py has the name; its own test is whether the first of MODULES is found.
PACKAGES = ("lava-loihi", "nxcore")


@dataclass(frozen=True)
class ClosedPackage:
    """What is there of it.

    Parameters
    ----------
    found, missing
        Of ``MODULES``.
    versions
        By pip's name, of those pip knows.
    """

    found: tuple[str, ...]
    missing: tuple[str, ...]
    versions: dict[str, str]

    @property
    def complete(self) -> bool:
        """Whether a run on the chip could begin."""
        return not self.missing


def closed_package() -> ClosedPackage:
    """Look for the closed package's modules."""
    found = tuple(name for name in MODULES if _is_there(name))
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return ClosedPackage(found, tuple(name for name in MODULES if name not in found), versions)


def require_chip(run: str | Path) -> ClosedPackage:
    """What is there, if it is all there.

    Parameters
    ----------
    run
        The run folder, for the way round that the error names.

    Raises
    ------
    MaestroError
        Something is missing: there is no way to a chip from this machine.
    """
    closed = closed_package()
    if closed.missing:
        what = f"{', '.join(closed.missing)} missing" if closed.found else "not installed"
        raise MaestroError(
            "lava-loihi, Intel's package for the chip",
            what,
            cure=f"`python -m hardware bundle {run}` packs the run for a machine that has it (INRC members only)",
        )
    return closed


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except Exception:
        # A package above it is missing, or fails as it is imported, with whatever error: then this cannot be used.
        return False
