"""What is in files, by their SHA-256, so that a data set that was moved or renamed is known again."""

import contextlib
import json
import time
from dataclasses import dataclass
from pathlib import Path

from train.artifacts import atomic_write
from train.errors import MaestroError

# A file changed so shortly before it was read might be changed again without its times telling, in nanoseconds.
_RACY_NS = 2 * 10**9
# Lines that may be outdated before the list is written anew.
_OUTDATED = 10000


@dataclass(frozen=True)
class Stamp:
    """What tells that a file is the one that was read: another size, time or inode is another file.

    The time of the last change of any kind, ctime, is the system's own, where a copying program sets mtime as it likes.
    """

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> "Stamp":
        """A file's stamp now.

        Raises
        ------
        OSError
            There is no such file.
        """
        found = path.stat()
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)

    def is_young(self) -> bool:
        """Whether the file was changed so recently that another change might leave its stamp as it is."""
        return time.time_ns() - self.ctime_ns < _RACY_NS


class Contents:
    """SHA-256 of files that have been read before, by path and stamp.

    Kept as lines of JSON, each added by one write, so that several processes may add to it and a kill costs the last
    line at most. A line that cannot be read only means that a file is read again.

    Parameters
    ----------
    path
        Where the lines are kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, tuple[Stamp, str]] = {}
        try:
            lines = list(filter(None, path.read_bytes().splitlines()))
        except OSError:
            lines = []
        for line in lines:
            try:
                name, *numbers, sha256 = json.loads(line)
                self._known[str(name)] = Stamp(*map(int, numbers)), str(sha256)
            except (ValueError, TypeError):
                continue
        if len(lines) > len(self._known) + _OUTDATED:
            # On a disk that may only be read the list stays as it is.
            with contextlib.suppress(MaestroError), atomic_write(path) as temporary:
                temporary.write_text("".join(_line(name, *known) for name, known in self._known.items()))

    def of(self, file: Path) -> str | None:
        """A file's SHA-256, None where it has not been read as it is now."""
        known = self._known.get(str(file.resolve()))
        try:
            return known[1] if known and known[0] == Stamp.of(file) else None
        except OSError:
            return None

    def learn(self, file: Path, stamp: Stamp, sha256: str) -> None:
        """Keep what was read of a file that had this stamp before and after.

        Raises
        ------
        MaestroError
            The list cannot be written.
        """
        name = str(file.resolve())
        self._known[name] = stamp, sha256
        if stamp.is_young():
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as lines:
                # Begun with a new line, lest it continue one that was cut off.
                lines.write(b"\n" + _line(name, stamp, sha256).encode())
        except OSError as error:
            raise MaestroError(
                str(self._path), f"cannot be written: {error.strerror}", cure="free some disk space; nothing was lost"
            ) from error


def _line(name: str, stamp: Stamp, sha256: str) -> str:
    return json.dumps([name, stamp.size, stamp.mtime_ns, stamp.ctime_ns, stamp.inode, sha256]) + "\n"
