"""Text as people paste it: from a terminal with its colours, from a notebook, or from a notebook's JSON."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from train.errors import MaestroError

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
        Missing, no text, or empty.
    """
    if not path.is_file():
        raise MaestroError(str(path), "no such file", cure="paste what the compiler printed into a file")
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (UnicodeDecodeError, OSError) as error:
        raise MaestroError(str(path), "is no text", allowed="text, a notebook, .npy, .npz or .csv") from error
    if not content.strip():
        raise MaestroError(str(path), "is empty")
    return lines_of(content)


def lines_of(content: str) -> list[Line]:
    """Lines of text that was pasted; see :func:`read_lines`."""
    printed = list(_notebook(content))
    if not printed:
        printed = list(enumerate(content.splitlines(), 1))
    return [Line(number, text) for number, raw in printed for text in _plain(raw)]


def _notebook(content: str) -> Iterator[tuple[int, str]]:
    """Number of the cell and text of every output of a notebook; nothing for what is none."""
    if not content.lstrip().startswith("{"):
        return
    try:
        notebook = json.loads(content)
    except json.JSONDecodeError:
        return
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    for number, cell in enumerate(cells if isinstance(cells, list) else [], 1):
        outputs = cell.get("outputs", []) if isinstance(cell, dict) else []
        for output in outputs:
            data = output.get("data", {})
            for text in (output.get("text"), data.get("text/plain") if isinstance(data, dict) else None):
                for line in _joined(text).splitlines():
                    yield number, line


def _joined(text: Any) -> str:
    """A notebook's text, which is a string or a list of strings."""
    return "".join(text) if isinstance(text, list) else text if isinstance(text, str) else ""


def _plain(raw: str) -> Iterator[str]:
    r"""Lines of a pasted one: ``"...\\n",`` of JSON is text and an end of line, maybe several of them."""
    text = _ANSI.sub("", _ESCAPED.sub("\x1b", raw))
    for part in re.split(r"\\r\\n|\\n|\r", text):
        yield part.replace('\\"', '"').replace("\\t", " ").strip(' \t",')
