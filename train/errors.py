"""The errors a user can meet."""

from functools import partial
from typing import Any


class MaestroError(Exception):
    """Work that failed. The command line prints it as one line and exits 1.

    Parameters
    ----------
    where
        The thing at fault: a file, a key, a layer.
    found
        What is wrong with it.
    allowed
        What would have been right; empty if ``found`` says it already.
    cure
        What the user can do.
    """

    exit_code = 1

    def __init__(self, where: str, found: str, *, allowed: str = "", cure: str = "") -> None:
        self.where = where
        self.found = found
        self.allowed = allowed
        self.cure = cure
        text = f"{where}: {found}"
        if allowed:
            text += f" (expected {allowed})"
        if cure:
            text += f". {cure[0].upper()}{cure[1:]}"
        super().__init__(text)

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        # An exception is rebuilt from its message alone, which does not suit us; worker processes raise ours.
        return partial(type(self), allowed=self.allowed, cure=self.cure), (self.where, self.found)


class CallError(MaestroError):
    """A call that was wrong: an unknown key, a bad option, a missing argument. Exit code 2."""

    exit_code = 2


class DivergedError(MaestroError):
    """Training whose loss is no number any more: of a search's cell a result, and of nothing else."""
