"""lava-dl's SLAYER, imported once and quietly.

Its object detection prints three lines about a Prophesee toolbox on stdout when it is imported
(lava-dl 0.6.0, ``object_detection/dataset/prophesee_automotive.py``), and torch's extension builder, which it loads,
remarks on stderr that a machine with a CUDA toolkit has no GPU; neither matters here, and stdout is for data.
Anything else that the import prints goes to stderr.
"""

import contextlib
import io
import sys
from collections.abc import Iterator

_KNOWN = ("Prophesee", "prophesee", "No CUDA runtime is found")


@contextlib.contextmanager
def without_known_warning() -> Iterator[None]:
    """Hold back what is printed: the known lines are dropped, the rest goes to stderr at the end."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            yield
    finally:
        for line in printed.getvalue().splitlines():
            if not any(word in line for word in _KNOWN):
                print(line, file=sys.stderr)


with without_known_warning():
    from lava.lib.dl.slayer import block, synapse, utils
    from lava.lib.dl.slayer.block.base import step_delay
    from lava.lib.dl.slayer.neuron import Dropout, cuba
    from lava.lib.dl.slayer.neuron.dynamics import leaky_integrator

__all__ = ["Dropout", "block", "cuba", "leaky_integrator", "step_delay", "synapse", "utils"]
