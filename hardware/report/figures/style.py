"""How pictures look, and how matplotlib's SVG becomes a part of the page that follows its light and dark."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from markupsafe import escape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Colours that stand for the page's CSS variables: matplotlib writes them, and `to_svg` puts the variable's name in
# their place, so that one drawing serves light, dark and print. None is a colour that a colour map gives.
INK, SOFT, GRID, PAPER = "#010203", "#020304", "#030405", "#040506"
# By run: after Okabe and Ito (2008), told apart by colour-blind readers; the shades for light and dark are in the
# page's style. Marks and hatches differ too, so that nothing rests on colour alone.
SERIES = ("#050601", "#050602", "#050603", "#050604", "#050605", "#050606")
HIT, MISS = SERIES[0], SERIES[1]
_VARIABLES = {
    INK: "ink",
    SOFT: "soft",
    GRID: "rule",
    PAPER: "paper",
    **{colour: f"series-{number}" for number, colour in enumerate(SERIES, 1)},
}
MARKS = ("o", "s", "^", "D", "v", "P")
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (3, 1)), (0, (2, 3)))
# A colour that stands out on a light page and on a dark one: pixels cannot follow the page.
PIXEL_RGB = (0.23, 0.51, 0.85)

_STYLE = {
    "svg.fonttype": "none",
    # Labels come from files: a dollar sign in one is no formula.
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.labelsize": 8.5,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "axes.unicode_minus": True,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.edgecolor": SOFT,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "hatch.color": INK,
    "hatch.linewidth": 0.7,
    "lines.linewidth": 1.4,
    "lines.markersize": 4.5,
}


@contextmanager
def drawing(name: str, width: float, height: float) -> Iterator["Figure"]:
    """A figure of that many inches in the page's style; ``name`` makes its ids the same at every call."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=(width, height), layout="constrained")
        # matplotlib's own log and scalar formatters would write formulas.
        yield figure


def series(number: int) -> str:
    """The colour of a run."""
    return SERIES[number % len(SERIES)]


def marker(number: int) -> str:
    """The mark of a run."""
    return MARKS[number % len(MARKS)]


def dashes(number: int) -> Any:
    """The line of a run or a variant."""
    return DASHES[number % len(DASHES)]


def to_svg(figure: "Figure", name: str, label: str) -> str:
    """The figure as an ``<svg>`` to stand in the page.

    It has a name for those who do not see it, no ids but ones that begin with ``name``, no size of its own but a
    proportion, and colours by the page's variables. Called inside :func:`drawing`.
    """
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=nothing, dpi=200, transparent=True)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var(--{variable})")
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    text = re.sub(r'href="#', f'href="#{name}-', text)
    text = re.sub(r"\n\s*", "\n", text)
    head, body = text.split(">", 1)
    box = re.search(r'viewBox="[^"]*"', head)
    assert box is not None
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {spaces} {box.group()} role="img" aria-label="{escape(label)}">{body.rstrip()}'


def grid(axis: Any, which: str = "x") -> None:
    """Quiet lines along one axis, and no ticks across it."""
    axis.grid(visible=True, axis=which)
    axis.tick_params(length=0, axis="y" if which == "x" else "x")


def log_axis(axis: Any, unit: str) -> None:
    """Decades written as 1 µJ, 10 µJ, 100 µJ. Called when all is drawn."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    from hardware.report.format import with_unit

    low, high = axis.get_view_interval()
    # Within a decade or so its ends alone would say too little.
    between = (1.0, 2.0, 5.0) if high < 40 * low else (1.0,)
    axis.set_major_locator(LogLocator(base=10, subs=between, numticks=12))
    axis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:g}" if unit == "1" else _plain(with_unit(value, unit)))
    )
    # Over many decades minor ticks are too dense to read, and most of a picture's time.
    axis.set_minor_locator(NullLocator())


def _plain(text: str) -> str:
    """1.00 µJ as 1 µJ."""
    return re.sub(r"\.0+(?=\D|$)", "", text)


def legend_under(figure: "Figure", handles: Any, columns: int) -> None:
    """A legend below the axes."""
    figure.legend(handles=handles, loc="outside lower center", ncols=columns)
