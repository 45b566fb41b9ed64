"""Run folders: where each stage leaves its file, written whole or not at all."""

import hashlib
import json
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from train.errors import MaestroError

CACHE = Path(".cache")


@dataclass(frozen=True)
class RunFolder:
    """Paths of one trained network's files (design: one folder a network, one file a stage)."""

    path: Path

    @property
    def config(self) -> Path:
        return self.path / "config.toml"

    @property
    def checkpoint(self) -> Path:
        return self.path / "checkpoint.pt"

    @property
    def resume(self) -> Path:
        """The state that ``--resume`` goes on from; gone once training has ended."""
        return self.path / "resume.pt"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.json"

    @property
    def recordings(self) -> Path:
        """Names of the recordings it was trained on."""
        return self.path / "recordings.json"

    @property
    def net(self) -> Path:
        return self.path / "model.net"

    @property
    def manifest(self) -> Path:
        return self.path / "manifest.json"

    @property
    def parity(self) -> Path:
        return self.path / "parity.json"

    @property
    def measurement(self) -> Path:
        return self.path / "measurement.json"

    def require(self, path: Path, made_by: str) -> Path:
        """Return ``path``, or say which command makes it.

        Raises
        ------
        MaestroError
            The run folder or the file is missing.
        """
        if not self.path.is_dir():
            raise MaestroError(str(self.path), "no such run folder", cure=f"make it with `{made_by}`")
        if not path.is_file():
            raise MaestroError(str(path), "missing from the run", cure=f"make it with `{made_by}`")
        return path


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a temporary path in the same folder that becomes ``path`` on success.

    A killed or failing writer leaves the old file, or none.

    Raises
    ------
    MaestroError
        The folder cannot be written, or the disk is full; or the writer failed at another file, which is named.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        os.close(handle)
    except OSError as error:
        raise _unwritable(path, error) from error
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        # mkstemp's files are private; what we leave should be as readable as any other file.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except OSError as error:
        if isinstance(error.filename, str) and Path(error.filename) != temporary:
            reason, cure = error.strerror or str(error), f"mend it; {path} was not changed"
            raise MaestroError(error.filename, f"cannot be used: {reason}", cure=cure) from error
        raise _unwritable(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> MaestroError:
    return MaestroError(
        str(path),
        f"cannot be written: {error.strerror or error}",
        cure="free some disk space or choose another folder; nothing was changed",
    )


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, atomically. NaN and infinity are refused."""
    text = json.dumps(value, indent=2, allow_nan=False) + "\n"
    with atomic_write(path) as temporary:
        temporary.write_text(text)


def read_json(path: Path, cure: str) -> Any:
    """Read a JSON file of ours.

    Raises
    ------
    MaestroError
        Missing or not JSON; ``cure`` says how to make it again.
    """
    try:
        return json.loads(path.read_text())
    except FileNotFoundError as error:
        raise MaestroError(str(path), "no such file", cure=cure) from error
    except (ValueError, OSError) as error:
        raise MaestroError(str(path), f"cannot be read as JSON: {error}", cure=cure) from error


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def key_of(value: Any) -> str:
    """A short key of a JSON-able value, for names of cached things."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def versions() -> dict[str, str]:
    """Installed versions of the project and of what decides its results."""
    found = {}
    for package in ("maestro-loihi", "lava-nc", "lava-dl", "torch", "numpy", "librosa", "numba"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    found["python"] = platform.python_version()
    return found


def provenance() -> dict[str, Any]:
    """What made a result: versions, kind of machine, commit, time (UTC)."""
    return {
        "versions": versions(),
        "machine": {"processor": _processor(), "cores": os.cpu_count(), "system": platform.system()},
        "commit": _commit(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _commit() -> str:
    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(Path(__file__).parent), *words], check=True, capture_output=True, text=True, timeout=60
        )
        return done.stdout.strip()

    try:
        return git("rev-parse", "HEAD") + (" with local changes" if git("status", "--porcelain") else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
