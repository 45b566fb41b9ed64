"""Which class was taken for which."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hardware.report.blocks import Figure
from hardware.report.figures.style import HIT, INK, MISS, PAPER, SOFT, drawing, to_svg
from hardware.report.format import THIN

_LONGEST = 34


def confusion(name: str, what: str, labels: Sequence[str], counts: Sequence[Sequence[int]]) -> Figure:
    """A confusion matrix: rows the truth, columns the decision, numbers the clips; empty where there are none.

    Parameters
    ----------
    what
        Run, test set and head, in words.
    labels
        Class names.
    counts
        Shape (truth, decision).
    """
    table = np.asarray(counts, np.int64)
    size, of_row = len(labels), np.maximum(table.sum(axis=1), 1)
    many = size > 8
    step = 0.2 if many else 0.3
    # The names stand left, the numbers of the columns above.
    margin = 0.075 * max(len(_short(label)) for label in labels) + 0.55
    width, height = margin + step * size + 0.2, step * size + 0.75
    with drawing(name, width, height) as figure:
        # Placed by hand: to lay out so many texts takes longer than to draw them.
        figure.set_layout_engine("none")
        axis = figure.add_axes((margin / width, 0.1 / height, step * size / width, step * size / height))
        for (truth, decision), clips in np.ndenumerate(table):
            if not clips:
                continue
            share = clips / of_row[truth]
            colour = HIT if truth == decision else MISS
            axis.fill(
                [decision - 0.46, decision + 0.46, decision + 0.46, decision - 0.46],
                [truth - 0.46, truth - 0.46, truth + 0.46, truth + 0.46],
                color=colour,
                alpha=round(0.2 + 0.8 * float(share), 2),
                linewidth=0,
            )
            tone = PAPER if share > 0.55 else INK
            axis.text(decision, truth, str(clips), ha="center", va="center", fontsize=6 if many else 8, color=tone)
        axis.set_xlim(-0.5, size - 0.5)
        axis.set_ylim(size - 0.5, -0.5)
        axis.set_xticks(range(size), [str(number + 1) for number in range(size)], fontsize=6.5 if many else 8)
        axis.set_yticks(
            range(size),
            [f"{_short(label)}  {number + 1}" for number, label in enumerate(labels)],
            fontsize=6.5 if many else 8,
        )
        axis.xaxis.tick_top()
        axis.xaxis.set_label_position("top")
        axis.set_xlabel("decision, by the number of the row")
        axis.tick_params(length=0)
        for edge in axis.spines.values():
            edge.set_visible(True)
            edge.set_color(SOFT)
        for place in range(1, size):
            axis.axhline(place - 0.5, color="#030405", linewidth=0.4)
        svg = to_svg(figure, name, f"Confusion matrix: {what}")
    return Figure(name, svg, what, _caption(what, labels, table), 330 if not many else 620)


def _caption(what: str, labels: Sequence[str], table: NDArray[np.int64]) -> str:
    """The matrix in a sentence: how many are right, and which mistakes are most frequent."""
    total, right = int(table.sum()), int(np.trace(table))
    text = f"{what}: {right} of {total} clips lie on the diagonal (blue: decided right)."
    wrong = table.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(wrong, axis=None, kind="stable")[::-1][:3]
    worst = [divmod(int(place), len(labels)) for place in order if wrong.flat[place]]
    if not worst:
        return f"{text} No clip was taken for another class."
    told = [f"{labels[a]} taken for {labels[b]}, {_clips(int(wrong[a, b]))}" for a, b in worst]
    return f"{text} Most frequent mistakes (orange): {'; '.join(told)}."


def _clips(number: int) -> str:
    return f"{number}{THIN}clip{'' if number == 1 else 's'}"


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1].rstrip()}…"
