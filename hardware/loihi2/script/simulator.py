"""One pass, inside: what feeds and records a network in Lava's simulator."""

from pathlib import Path
from typing import Any

import numpy as np

from hardware.loihi2.script.supervise import clocks


def stream(job: dict[str, Any], shape: tuple[int, ...]) -> Any:
    """The samples one after the other by the schedule, (width, height, channel, time) as Lava counts.

    In the profiled pass one period of the first sample, which RingBuffer repeats.
    """
    plan = job["plan"]
    inputs = np.load(Path(job["folder"]) / "inputs.npy", mmap_mode="r")
    # A network that begins by flattening takes neurons in SLAYER's order, whatever shape they had.
    inputs = inputs.reshape(len(inputs), *shape[::-1], inputs.shape[-1])
    rows = plan["period"] if job["pass"] == "profile" else job["steps"]
    spikes = np.zeros((*inputs.shape[1:-1][::-1], rows), np.int32)
    for sample in range(job["samples"]):
        start = sample * plan["period"]
        axes = (*range(inputs.ndim - 3, -1, -1), inputs.ndim - 2)
        spikes[..., start : start + plan["steps"]] = inputs[sample].transpose(axes)
    return spikes.reshape(*shape, rows)


class Simulator:
    """Lava's fixed-point simulator: nothing between host and network, and nothing to measure."""

    def __init__(self, job: dict[str, Any], work: Path) -> None:
        self.job, self.work = job, work
        self.models: dict[Any, Any] = {}

    def feed(self, net: Any, spikes: Any) -> None:
        from lava.proc.io import source

        source.RingBuffer(data=spikes).s_out.connect(net.inp)

    def record(self, name: str, out: Any, dtype: Any, number: int) -> Any:
        """Connect a port to a RingBuffer that writes into a file, as Var.get() would take a message a number."""
        from lava.proc.io import sink

        if self.job["record"] == "buffer":
            made = sink.RingBuffer(shape=out.shape, buffer=self.job["steps"])
        else:
            made = sink.RingBuffer(shape=out.shape, buffer=1)
            self.tell(made, name, dtype, number)
            self.models[sink.RingBuffer] = file_sink()
        out.connect(made.a_in)
        return made

    def tell(self, process: Any, name: str, dtype: Any, number: int) -> None:
        """Tell a process that records which file to write, and where its clock is."""
        process.proc_params["file"] = str(self.work / f"{name}.raw")
        process.proc_params["dtype"] = np.dtype(dtype).name
        process.proc_params["clock"] = str(self.work / "clock.raw"), clocks(self.job), number

    def probe(self, name: str, var: Any, number: int) -> None:
        from lava.proc.io import sink

        reader = sink.Read(buffer=1)
        reader.connect_var(var)
        self.tell(reader, name, np.int32, number)
        self.models[sink.Read] = file_reader()

    def config(self) -> Any:
        from lava.magma.core.run_configs import Loihi2SimCfg

        return Loihi2SimCfg(select_tag="fixed_pt", exception_proc_model_map=self.models)

    def measured(self) -> dict[str, Any]:
        return {}


def file_sink() -> Any:
    """RingBuffer's model, with a file for its memory."""
    from lava.magma.core.model.py.ports import PyInPort
    from lava.magma.core.model.py.type import LavaPyType
    from lava.proc.io.sink import PyReceiveModelFixed

    class FileSink(PyReceiveModelFixed):  # type: ignore[misc]
        a_in = LavaPyType(PyInPort.VEC_DENSE, np.int32)
        data = LavaPyType(np.ndarray, np.int32)

        def __init__(self, proc_params: Any) -> None:
            super().__init__(proc_params)
            self._file = _Rows(proc_params)

        def run_spk(self) -> None:
            self._file.add(self.time_step, self.a_in.recv())

    return FileSink


def file_reader() -> Any:
    """Read's model, with a file for its memory."""
    from lava.magma.core.model.py.ports import PyRefPort
    from lava.magma.core.model.py.type import LavaPyType
    from lava.proc.io.sink import PyReadFixed

    class FileReader(PyReadFixed):  # type: ignore[misc]
        state = LavaPyType(PyRefPort.VEC_DENSE, np.int32)
        data = LavaPyType(np.ndarray, np.int32)

        def __init__(self, proc_params: Any) -> None:
            super().__init__(proc_params)
            self._file = _Rows(proc_params)

        def post_guard(self) -> bool:
            return True

        def run_post_mgmt(self) -> None:
            self._file.add(self.time_step, self.state.read())

    return FileReader


class _Rows:
    """A file of one row a step, and the clock that says how many there are."""

    def __init__(self, proc_params: Any) -> None:
        self._file = Path(proc_params["file"]).open("wb")  # noqa: SIM115 - open as long as the process lives
        self._dtype = np.dtype(proc_params["dtype"])
        path, clocks, self._number = proc_params["clock"]
        self._clock = np.memmap(path, np.int64, "r+", shape=(clocks,))

    def add(self, step: int, values: Any) -> None:
        values = values if self._dtype.itemsize > 1 else values != 0
        self._file.write(np.ascontiguousarray(values, self._dtype).data)
        self._file.flush()
        self._clock[self._number] = step
