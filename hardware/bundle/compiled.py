"""What Intel's compiler printed of a run, beside what was foretold when the bundle was packed."""

from typing import Any

from hardware.bundle.check import Bundle
from hardware.logs.compiler import tables
from hardware.logs.lines import lines_of
from hardware.measurement import unavailable
from train.errors import MaestroError

LOG = "compiler_log"


def compiled_section(text: str | None, bundle: Bundle) -> dict[str, Any]:
    """Cores that the compiler took, layer by layer, and those foretold; or why they cannot be told.

    Parameters
    ----------
    text
        ``compiler_log`` of a result.
    """
    if not text or not text.strip():
        return unavailable(f"{LOG}: the recording does not hold it")
    try:
        found = tables(lines_of(text, LOG), LOG)
    except MaestroError as error:
        return unavailable(str(error))
    if not found:
        return unavailable(f"{LOG}: no table of the compiler's in it")
    # Every pass compiles anew, and the same.
    table = found[-1]
    return {"table": table.as_dict(), "cores": table.total, "cores_foretold": bundle.cores}
