"""``python -m hardware place``: will it fit, and what binds."""

from pathlib import Path

from export.lint import net_file
from hardware.placement.check import check_json, emit_check
from hardware.placement.plan import place_file
from hardware.placement.report import emit, sources, verdict
from train.console import emit_json, say
from train.errors import CallError


def place(net: Path | None, realise: str | None, compiler: str, board: str, as_json: bool, check: bool = False) -> int:
    """Print how many cores a network takes and what binds; or, with ``check``, the rules beside published tables.

    Returns
    -------
    int
        0 if the network fits the board.

    Raises
    ------
    MaestroError
        The file cannot be read; a layer can never be cut small enough; or the board is too small, which is said
        after the table. The text names layer, what it takes, and the limit.
    CallError
        Neither a network nor ``check``, or no such compiler or board.
    """
    if check:
        if as_json:
            emit_json(check_json())
        else:
            emit_check()
        return 0
    if net is None:
        raise CallError("place", "no network given", cure="write `python -m hardware place NET`")
    path = net_file(net)
    placement = place_file(path, realise, compiler, board)
    if realise is not None and not placement.what_if:
        say(f"{path} has no analog dendrites: --realise {realise} changes nothing")
    if as_json:
        emit_json({"net": str(path), **placement.as_dict(), **sources(placement), "verdict": verdict(placement)})
    else:
        emit(placement, str(path))
    placement.require_fit()
    return 0
