"""What a person sees: one-line errors, progress with an estimate, tables. Data goes to stdout, talk to stderr."""

import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from train.artifacts import versions
from train.errors import MaestroError

_err = Console(stderr=True, highlight=False)
# Seconds between progress lines where there is no terminal to redraw.
_LINE_EVERY_S = 15.0


class StageGroup(click.Group):
    """A click group whose commands turn our errors into one line and an exit code.

    0 done, 1 the work failed, 2 the call was wrong, 130 interrupted.
    """

    def main(self, *args: Any, **kwargs: Any) -> Any:
        # A terminated command must clean up its processes as an interrupted one does.
        signal.signal(signal.SIGTERM, _terminate)
        return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except MaestroError as error:
            click.echo(f"error: {' '.join(str(error).split())}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("interrupted: files are whole, old or new", err=True)
            ctx.exit(130)


def _terminate(_signum: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def stage(name: str, doc: str) -> StageGroup:
    """A stage's command group with ``--version``."""

    def show_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            for package, version in versions().items():
                click.echo(f"{package} {version}")
            ctx.exit()

    option = click.Option(
        ["--version"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=show_version,
        help="Show versions and exit.",
    )
    return StageGroup(name=f"python -m {name}", help=doc, params=[option], context_settings={"show_default": True})


def say(text: str) -> None:
    """Talk to the person, on stderr."""
    click.echo(text, err=True)


def size_words(count: float) -> str:
    """Bytes as a person reads them."""
    return f"{count / 1e9:.2f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def emit_json(value: Any) -> None:
    """Data for machines, on stdout."""
    click.echo(json.dumps(value, indent=2, allow_nan=False))


def emit_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table for people, on stdout; the first column is left, the others right aligned."""
    table = Table()
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right")
    for row in rows:
        # As it is: names come from files, and brackets in them are no colours.
        table.add_row(*map(Text, row))
    width = None if sys.stdout.isatty() else 120
    console = Console(width=width, highlight=False)
    # A title of the table's would be broken to its width.
    console.print(title, soft_wrap=True, markup=False)
    console.print(table)


class Meter:
    """Counts work done and tells how far it is and how long it may still take."""

    def __init__(self, label: str, total: int, unit: str, bar: Progress | None) -> None:
        self._label, self._total, self._unit = label, total, unit
        self._bar = bar
        self._task = bar.add_task(label, total=total) if bar else None
        self._start = self._last = time.monotonic()
        self._done = 0

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Say that ``steps`` more are done; ``note`` stands beside the count."""
        self._done += steps
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=steps, description=f"{self._label} {note}".rstrip())
            return
        now = time.monotonic()
        if now - self._last < _LINE_EVERY_S or self._done >= self._total:
            return
        self._last = now
        left = (now - self._start) / self._done * (self._total - self._done)
        say(f"{self._label}: {self._done}/{self._total} {self._unit}, about {left:.0f} s left {note}".rstrip())


@contextmanager
def progress(label: str, total: int, unit: str = "steps", *, quiet_end: bool = False) -> Iterator[Meter]:
    """A meter: a bar with an estimate on a terminal, a line now and then otherwise."""
    started = time.monotonic()
    if _err.is_terminal:
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=_err,
            transient=True,
        ) as bar:
            yield Meter(label, total, unit, bar)
    else:
        yield Meter(label, total, unit, None)
    if not quiet_end:
        say(f"{label}: {total} {unit} in {time.monotonic() - started:.1f} s")
