"""The one script that a bundle carries, joined from the parts in :mod:`hardware.loihi2.script`.

The machine with the chip has Lava and not this project, so the script is a single file. It is written as modules all
the same, each of which is checked and tested as such; here their imports of each other go, and what is left is put one
after the other.
"""

import ast
from pathlib import Path

from train.artifacts import atomic_write

# What it is called in a bundle.
SCRIPT = "run_on_loihi.py"
# In an order in which each uses only what is before it.
PARTS = ("common", "checks", "result", "supervise", "simulator", "chip", "work", "main")
_PACKAGE = "hardware.loihi2.script"
_FOLDER = Path(__file__).parent / "script"
_GUARD = """
import sys

if sys.version_info < (3, 10):  # noqa: UP036 - said before the first line that older ones do not know
    sys.exit("error: Python %d.%d: Lava and this script need 3.10" % sys.version_info[:2])
"""
_END = """

if __name__ == "__main__":
    sys.exit(main())
"""


def joined() -> str:
    """The script's text."""
    head = (_FOLDER / "__init__.py").read_text().strip()
    parts = [_without_its_imports((_FOLDER / f"{name}.py").read_text()) for name in PARTS]
    return "\n".join([f"#!/usr/bin/env python3\n{head}", _GUARD, *parts]).rstrip() + "\n" + _END


def write_script(path: Path) -> None:
    """Write the script, whole or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_text(joined())


def _without_its_imports(text: str) -> str:
    """A part without what it imports of the other parts, and its docstring as a heading."""
    tree = ast.parse(text)
    dropped: set[int] = set()
    for number, node in enumerate(tree.body):
        docstring = number == 0 and isinstance(node, ast.Expr)
        if docstring or (isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_PACKAGE)):
            dropped.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = text.splitlines()
    kept = "\n".join(line for number, line in enumerate(lines, 1) if number not in dropped).strip()
    return f"# --- {ast.get_docstring(tree)}\n\n{kept}\n\n"
