"""The verb ``report``."""

from collections.abc import Sequence
from pathlib import Path

import click

from train.artifacts import atomic_write
from train.console import say
from train.errors import CallError


def report(runs: Sequence[Path], clip: int | None, out: Path | None, table: bool) -> int:
    """Write the page of some runs, or with ``table`` print their numbers as a table in Markdown instead.

    Returns
    -------
    int
        0.

    Raises
    ------
    MaestroError
        A run is missing or was never measured, or the page cannot be written; an old page is then kept.
    CallError
        The test set has no such clip, ``out`` is a folder, or options do not go together.
    """
    if table:
        if out is not None or clip is not None:
            raise CallError("--table", "prints a table and makes no page", cure="leave out --out and --clip")
        from hardware.report.sections.summary import markdown, summary
        from hardware.report.subject import gather

        click.echo(markdown(summary(gather(runs))), nl=False)
        return 0
    target = out or runs[0] / "report.html"
    if target.is_dir():
        raise CallError("--out", f"{target} is a folder", cure=f"name a file, {target / 'report.html'}")
    from hardware.report.page import render

    text = render(runs, clip)
    with atomic_write(target) as temporary:
        temporary.write_text(text, encoding="utf-8")
    say(f"wrote {target} ({len(text.encode()) / 1e6:.1f} MB): one file, which opens without a network")
    return 0
