"""A Loihi 2 as one more backend: whatever takes a runner of :mod:`lava_runtime.runner` can use the chip.

Engine and simulator give a sample's spikes as of a run of that sample alone. So does this: samples are streamed by a
schedule (:mod:`export.schedule`) through the same script that travels in a bundle, in a process of its own, and cut
out of the recording. The delay of the way in and out is the one with which the recording is most like the engine's
spikes; nothing else of the engine's is used.
"""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export import netx
from export.lint import require_clean
from export.schedule import CHIP_INPUT_DELAY, SIMULATOR_INPUT_DELAY, Schedule, require_streamable, schedule
from export.stock import refuse_altered
from hardware.availability import require_chip
from hardware.boards import generation
from hardware.divergence import compare_streams, windows
from hardware.loihi2.join import SCRIPT, write_script
from hardware.loihi2.script.checks import BUNDLE, SUMS
from hardware.loihi2.script.common import FORMAT
from hardware.loihi2.script.result import delays, unpacked
from lava_runtime.reference_pool import of_sample
from lava_runtime.runner import EngineRunner, Result, join
from lava_runtime.spikes import CheckedSpikes, Samples
from train.artifacts import read_json
from train.console import say
from train.errors import CallError, MaestroError

BACKEND = "loihi2"
# Samples in one run of the script: every layer's spikes of all of them are held in memory.
_BLOCK = 64
# Seconds that the script gets to end what it started.
_GRACE_S = 30.0

Spikes = NDArray[np.uint8]


@dataclass(frozen=True)
class Way:
    """Where and how a run goes to the chip; the options of the script (its ``--help`` says more).

    Parameters
    ----------
    sim
        Use Lava's simulator: same script, same folder, same schedule but for the delay of adapters.
    board, partition
        As SLURM names them; else as the environment says.
    layers
        Which layers to record: all, or output.
    probes
        Layers whose current and voltage to record too, of the first sample.
    input_adapter
        auto, spike or conv.
    profile_input
        What feeds the profiled run: host, or cyclic (the chip itself).
    patience_s
        Seconds without a step after which a run is given up; waiting for a board counts.
    """

    sim: bool = False
    board: str | None = None
    partition: str | None = None
    layers: str = "all"
    probes: tuple[str, ...] = ()
    input_adapter: str = "auto"
    profile_input: str = "host"
    patience_s: float = 600.0

    def arguments(self) -> list[str]:
        """What the script is called with."""
        words = ["--layers", self.layers, "--patience", f"{self.patience_s:g}"]
        words += ["--input-adapter", self.input_adapter, "--profile-input", self.profile_input]
        words += ["--sim"] if self.sim else []
        for option, value in (("--board", self.board), ("--partition", self.partition)):
            words += [] if value is None else [option, value]
        return words + [word for name in self.probes for word in ("--probe", name)]

    def environment(self) -> dict[str, str]:
        """What the script is started with: the generation of the board's chip too, where that has been published."""
        known = generation(self.board or "")
        return {**({"LOIHI_GEN": known.generation} if known else {}), **os.environ}


class LoihiRunner:
    """Runs samples on a Loihi 2, or with ``sim`` through the same script in Lava's simulator.

    Parameters
    ----------
    net
        A .net file.
    layers
        Keep every layer's spikes in the result.
    way
        Where and how to run; all layers are recorded, whatever it says.

    Raises
    ------
    MaestroError
        The file cannot be read or its samples cannot be streamed; or the closed package is not installed.
    """

    backend = BACKEND

    def __init__(self, net: Path, *, layers: bool = False, way: Way | None = None) -> None:
        self._net, self._keep = net, layers
        self._way = replace(way or Way(), layers="all", probes=())
        self.network = refuse_altered(netx.read(net))
        require_streamable(self.network, str(net))
        if not self._way.sim:
            require_chip(net.parent)
        self._engine = EngineRunner(net, layers=True)
        self.layer_sizes = self._engine.layer_sizes

    def __enter__(self) -> "LoihiRunner":
        self._engine.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.__exit__(kind, error, trace)

    def run(self, spikes: Samples, *, where: str = "spikes") -> Result:
        """As :meth:`lava_runtime.runner.Runner.run`."""
        return join(list(self.blocks(spikes, where=where)))

    def blocks(self, spikes: Samples, *, where: str = "spikes", probes: Sequence[str] = ()) -> Iterator[Result]:
        """As :meth:`lava_runtime.runner.Runner.blocks`, a run of the script each.

        Raises
        ------
        CallError
            ``probes`` is given.
        MaestroError
            The lint refuses the network for samples of this length; or the run failed.
        """
        if probes:
            raise CallError("--probe", f"does not go with the backend {self.backend}", cure="use --backend engine")
        checked = CheckedSpikes(where, spikes, self.network)
        plan = self._plan(checked.shape[-1])
        for first in range(0, len(checked), _BLOCK):
            yield self._block(checked[first : first + _BLOCK], plan)

    def _plan(self, steps: int) -> Schedule:
        require_clean(self._net, steps, chip=True)
        delay = SIMULATOR_INPUT_DELAY if self._way.sim else CHIP_INPUT_DELAY
        return schedule(steps, self.network.latency, input_delay=delay)

    def _block(self, spikes: NDArray[Any], plan: Schedule) -> Result:
        with tempfile.TemporaryDirectory(prefix="maestro-loihi2-") as name:
            folder = Path(name)
            self._write(folder, spikes, plan)
            out = folder / "result.json"
            run_script(folder, out, self._way, profile=False)
            streams = read_streams(out, self.network.spiking_names)
        names = self.network.spiking_names
        expected = dict(zip(names, self._engine.run(spikes).layers, strict=True))
        delay = compare_streams(expected, streams, plan, delays(plan.as_dict())).delay
        cut = [windows(streams[name], plan, len(spikes), delay) for name in names]
        found = [of_sample([layer[index] for layer in cut], self._keep) for index in range(len(spikes))]
        output = np.stack([sample.output for sample in found])
        counts = np.array([sample.counts for sample in found], np.int64)
        return Result(output, counts, tuple(cut) if self._keep else ())

    def _write(self, folder: Path, spikes: NDArray[Any], plan: Schedule) -> None:
        """Lay the folder out as a bundle's, without what is expected."""
        write_script(folder / SCRIPT)
        shutil.copyfile(self._net, folder / "model.net")
        np.save(folder / "inputs.npy", spikes.astype(np.uint8))
        hashes = {name: _sha256(folder / name) for name in ("inputs.npy", "model.net")}
        content = {
            "format": FORMAT,
            "id": hashlib.sha256("".join(f"{name} {digest}\n" for name, digest in hashes.items()).encode()).hexdigest(),
            "layers": [
                {"name": name, "netx_index": index, "shape": list(layer.shape)}
                for index, (name, layer) in enumerate(self.network.spiking)
            ],
            "samples": len(spikes),
            "steps": plan.steps,
            "latency": plan.latency,
            "schedule": {"chip": plan.as_dict(), "simulator": plan.as_dict()},
        }
        (folder / BUNDLE).write_text(json.dumps(content))
        hashes[BUNDLE] = _sha256(folder / BUNDLE)
        (folder / SUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in hashes.items()))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run_script(folder: Path, out: Path, way: Way, *, profile: bool = True, steps: int | None = None) -> None:
    """Run a bundle's script on its folder, in a process of its own; its talk goes to stderr.

    Parameters
    ----------
    folder
        As :func:`hardware.bundle.pack.write_folder` leaves it.
    out
        The result to write.
    profile
        Measure too; the simulator measures nothing.
    steps
        Steps of the profiled run; else the script's.

    Raises
    ------
    MaestroError
        The script wrote no result. Spikes that differ, and a pass that failed after another, are in the result.
    """
    command = [sys.executable, str(folder / SCRIPT), "--out", str(out), *way.arguments()]
    command += [] if steps is None else ["--steps", str(steps)]
    command += [] if profile else ["--no-profile"]
    older = _identity(out)
    script = subprocess.Popen(
        command,
        env=way.environment(),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    last = ""
    try:
        assert script.stderr is not None
        for line in script.stderr:
            last = line.strip() or last
            if not last.startswith("error: "):
                say(line.rstrip())
        script.wait()
    finally:
        # It ends its own children when it is told to end.
        with contextlib.suppress(subprocess.TimeoutExpired):
            script.terminate()
            script.wait(_GRACE_S)
        script.kill()
    # The script sets an older result aside; one that is still there is of another run.
    if _identity(out) in (None, older):
        raise MaestroError(str(folder), f"the run left no result: {last.removeprefix('error: ') or 'not a word'}")


def _identity(path: Path) -> tuple[int, int] | None:
    return (path.stat().st_ino, path.stat().st_mtime_ns) if path.is_file() else None


def read_streams(path: Path, names: Sequence[str]) -> dict[str, Spikes]:
    """Every layer's spikes out of a result of our own, shape (neuron..., time).

    Raises
    ------
    MaestroError
        A pass failed.
    """
    content: Mapping[str, Any] = read_json(path, cure="run it again")
    if content["failed"]:
        raise MaestroError(f"{BACKEND}, pass {content['failed']['pass']}", content["failed"]["error"])
    return {name: unpacked(content["layers"][name]) for name in names}
