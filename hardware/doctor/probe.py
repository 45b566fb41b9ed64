"""What the doctor asks of a machine, in one place, so that a test can answer instead."""

import importlib.util
import os
import platform
import selectors
import shutil
import signal
import subprocess
import sysconfig
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from hardware.availability import ClosedPackage, closed_package

# No probe answers later than this unless something is wrong; a controller that is busy takes some seconds.
PATIENCE_S = 15.0
# Ten thousand boards in ten partitions are some megabytes.
MOST_BYTES = 1 << 25


@dataclass(frozen=True)
class Answer:
    """What a command left.

    Parameters
    ----------
    code
        Its exit code; meaningless unless ``failed`` is empty.
    out, err
        What it printed.
    failed
        Why there is no exit code: there is no such command, it took or printed too much, or it could not be started.
    reason
        The system's words where it could not be started.
    """

    code: int = 0
    out: str = ""
    err: str = ""
    failed: Literal["", "absent", "late", "endless", "unstartable"] = ""
    reason: str = ""

    @property
    def good(self) -> bool:
        """It ran and said so itself."""
        return not self.failed and self.code == 0


class Probe:
    """The machine at hand; a stand-in for tests overrides what it wants to answer."""

    @property
    def environment(self) -> Mapping[str, str]:
        return os.environ

    @property
    def python(self) -> str:
        """Version of the running Python."""
        return platform.python_version()

    def run(self, command: Sequence[str], patience_s: float = PATIENCE_S) -> Answer:
        """Run a command without input; one that takes longer than ``patience_s`` is ended with all it started."""
        try:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError:
            return Answer(failed="absent")
        except OSError as error:
            return Answer(failed="unstartable", reason=error.strerror or str(error))
        failed: Literal["late", "endless"] | None = None
        with process:
            try:
                out, err = _output(process, time.monotonic() + patience_s)
            except TimeoutError:
                failed = "late"
            except OverflowError:
                failed = "endless"
            finally:
                if process.returncode is None:
                    # Its children too, which are of its session.
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
        return Answer(failed=failed) if failed else Answer(process.returncode, out, err)

    def which(self, name: str) -> str:
        """Path of a command, or nothing."""
        return shutil.which(name) or ""

    def read(self, path: str) -> str:
        """Text of a file; raises OSError."""
        return Path(path).read_text(errors="replace")

    def paths(self, pattern: str) -> list[str]:
        """What there is of a pattern, sorted."""
        return sorted(str(path) for path in Path("/").glob(pattern.lstrip("/")))

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder."""
        return Path(path).exists()

    def version(self, package: str) -> str:
        """Version of an installed distribution, or nothing."""
        try:
            # A damaged one has none, whatever the annotation says.
            return metadata.version(package) or "unknown"
        except metadata.PackageNotFoundError:
            return ""

    def module(self, name: str) -> str:
        """Where a module would be imported from, or nothing; it is not imported, the packages around it are."""
        try:
            spec = importlib.util.find_spec(name)
        except Exception:
            # Importing a package around it may fail in any way; then the module cannot be imported either.
            return ""
        if spec is None:
            return ""
        return spec.origin or next(iter(spec.submodule_search_locations or ()), "")

    def closed(self) -> ClosedPackage:
        """What there is of lava-loihi."""
        return closed_package()

    @property
    def headers(self) -> str:
        """Folder of Python's C headers."""
        return sysconfig.get_paths()["include"]

    @property
    def cores(self) -> int:
        """Cores that this process may use."""
        return len(os.sched_getaffinity(0))

    def free_bytes(self, path: str) -> int:
        """Room left on the disk that holds ``path``."""
        return shutil.disk_usage(path).free


def _output(process: subprocess.Popen[bytes], deadline: float) -> tuple[str, str]:
    """What a process prints until it ends.

    Raises
    ------
    TimeoutError
        It has not ended at ``deadline`` (of the monotonic clock).
    OverflowError
        It printed more than anything that is asked here does.
    """
    found: dict[int, bytearray] = {}
    with selectors.DefaultSelector() as selector:
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                found[pipe.fileno()] = bytearray()
                selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select(_left(deadline)):
                text = os.read(key.fd, 1 << 16)
                found[key.fd] += text
                if not text:
                    selector.unregister(key.fileobj)
                if len(found[key.fd]) > MOST_BYTES:
                    raise OverflowError
    try:
        process.wait(_left(deadline))
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    out, err = (text.decode(errors="replace") for text in found.values())
    return out, err


def _left(deadline: float) -> float:
    """Seconds until then, some."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
