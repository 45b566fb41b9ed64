"""Text as people paste it: from a terminal with its colours, from a notebook, or from a notebook's JSON."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from train.errors import MaestroError

# A larger number is of a damaged file: no watts, joules or seconds.
LARGEST = 1e100

_Part = TypeVar("_Part", dict[str, Any], list[Any])
# Colours and cursor movements of a terminal: ECMA-48, control sequences.
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
# The escape character as JSON and Python write it.
_ESCAPED = re.compile(r"\\u001[bB]|\\x1[bB]|\\033|\\e(?=\[)")


@dataclass(frozen=True)
class Line:
    """A line of text, and its number in the file; that of its cell for a notebook."""

    number: int
    text: str


def read_lines(path: Path) -> list[Line]:
    """Lines of a pasted log, without colours, indentation, and JSON's quotes, commas and escapes.

    A whole notebook (.ipynb) gives what its cells printed.

    Raises
    ------
    MaestroError
        Missing, no text, or empty; or a notebook with a part of a wrong type, whose cell is named.
    """
    if not path.is_file():
        raise MaestroError(str(path), "no such file", cure="paste what the compiler printed into a file")
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (UnicodeDecodeError, OSError) as error:
        raise MaestroError(str(path), "is no text", allowed="text, a notebook, .npy, .npz or .csv") from error
    if not content.strip():
        raise MaestroError(str(path), "is empty")
    return lines_of(content, str(path))


def lines_of(content: str, where: str) -> list[Line]:
    """Lines of text that was pasted, ``where`` being what errors name; see :func:`read_lines`."""
    printed = list(_notebook(content, where))
    if not printed:
        printed = list(enumerate(content.splitlines(), 1))
    return [Line(number, text) for number, raw in printed for text in _plain(raw)]


def _notebook(content: str, where: str) -> Iterator[tuple[int, str]]:
    """Number of the cell and text of every output of a notebook; nothing for what is none."""
    if not content.lstrip().startswith("{"):
        return
    try:
        notebook = json.loads(content)
    except ValueError:
        return
    except RecursionError as error:
        raise MaestroError(where, "is JSON that is nested too deeply", allowed="text or a notebook") from error
    cells = notebook.get("cells")
    for number, each in enumerate(cells if isinstance(cells, list) else [], 1):
        at = f"{where}, cell {number}"
        for one in _part(_part(each, dict, at).get("outputs"), list, at):
            output = _part(one, dict, at)
            for text in (output.get("text"), _part(output.get("data"), dict, at).get("text/plain")):
                for line in _joined(text, at).splitlines():
                    yield number, line


def _part(value: Any, kind: type[_Part], at: str) -> _Part:
    """A part of a notebook, empty where there is none."""
    if value is None:
        return kind()
    if not isinstance(value, kind):
        raise _odd(value, at, {dict: "an object", list: "a list"}[kind])
    return value


def _joined(text: Any, at: str) -> str:
    """A notebook's text, which is a string or a list of strings."""
    parts = [text] if isinstance(text, str) else _part(text, list, at)
    for part in parts:
        if not isinstance(part, str):
            raise _odd(part, at, "a string")
    return "".join(parts)


def _odd(value: Any, at: str, allowed: str) -> MaestroError:
    text = f"is damaged: it has a value of type {type(value).__name__}"
    return MaestroError(at, text, allowed=allowed, cure="save the notebook again")


def _plain(raw: str) -> Iterator[str]:
    r"""Lines of a pasted one: ``"...\\n",`` of JSON is text and an end of line, maybe several of them."""
    # JSON can write halves of a character, which no terminal and no file takes.
    whole = raw.encode("utf-8", "replace").decode("utf-8")
    text = _ANSI.sub("", _ESCAPED.sub("\x1b", whole))
    for part in re.split(r"\\r\\n|\\n|\r", text):
        yield part.replace('\\"', '"').replace("\\t", " ").strip(' \t",')
