"""One pass, inside, on a Loihi 2: what feeds, records and measures; all that is known of the closed package."""

import importlib
import logging
from pathlib import Path
from typing import Any

import numpy as np

from hardware.loihi2.script.simulator import Simulator

SERIES_MAX = 100_000
# What is read of the profilers, by the names they are written under. Source of the attributes: netx/pilotnet_snn and
# netx/pilotnet_sdnn/benchmark.ipynb of lava-dl's tutorials, and public profiling scripts.
_RAILS = ("total", "vdd", "vddm", "vddio")
_TIMES = ("time", "execution_time", "spiking_time", "management_time", "host_time", "learning_time", "pre_lrn_time")
MEASURED: dict[str, dict[str, str]] = {
    "time": {
        **{f"{name}_per_step": f"{name}_per_step" for name in _TIMES},
        "avg_time_per_step_us": "avg_time_per_step",
    },
    "power": {f"{kind}{rail}_w": f"{kind}{rail}_power" for kind in ("", "static_") for rail in _RAILS},
    "activity": {
        name: name
        for name in ("chip_idx", "core_idx", "syn_ops", "dendrite_updates", "axon_out", "spikes_in", "spike_axon_in")
    },
    "memory": {name: name for name in ("chip_idx", "core_idx", "small_mpds", "large_mpds", "total_mpds")},
}


# Order of netx/pilotnet_snn/benchmark.ipynb of lava-dl's tutorials.
LOGGERS = {
    "power": "Loihi2Power",
    "time": "Loihi2ExecutionTime",
    "memory": "Loihi2Memory",
    "activity": "Loihi2Activity",
}


class Chip(Simulator):
    """A Loihi 2, through adapters on either side of the network; all that is known of the closed package is here."""

    def __init__(self, job: dict[str, Any], work: Path) -> None:
        super().__init__(job, work)
        self._spike = importlib.import_module("lava.proc.embedded_io.spike")
        self._callbacks: list[Any] = []
        self._loggers: dict[str, Any] = {}
        self._probes: dict[str, Any] = {}
        self._missing: dict[str, str] = {}
        self._show_resources()
        if job["pass"] == "profile":
            self._make_loggers()

    def _show_resources(self) -> None:
        """Have the compiler print its tables (a public profiling script of YOLO-KP sets these three)."""
        try:
            options = importlib.import_module("lava.magma.compiler.subcompilers.nc.ncproc_compiler").CompilerOptions
        except (ImportError, AttributeError) as error:
            self._missing["CompilerOptions"] = str(error)
            return
        for name in ("verbose", "show_resource_count", "log_resource_count"):
            if hasattr(options, name):
                setattr(options, name, True)

    def _make_loggers(self) -> None:
        profiler = importlib.import_module("lava.utils.loihi2_profiler")
        for part, name in LOGGERS.items():
            if part not in self.job["loggers"]:
                continue
            arguments = {"num_steps": self.job["steps"]} if part == "power" else {}
            try:
                self._loggers[part] = getattr(profiler, name)(**arguments)
            except (AttributeError, TypeError) as error:
                self._missing[name] = str(error)
        self._callbacks += self._loggers.values()

    def feed(self, net: Any, spikes: Any) -> None:
        from lava.proc.io import source

        net._log_config.level = logging.INFO
        if self.job["pass"] == "profile" and self.job["profile_input"] == "cyclic":
            # As mlGeNN's NetX example feeds a network without the host (ml_genn examples, spiking Heidelberg digits).
            cyclic = importlib.import_module("lava.proc.cyclic_buffer.process").CyclicBuffer
            cyclic(first_frame=spikes[..., 0], replay_frames=spikes[..., 1:]).s_out.connect(net.inp)
            return
        feed = source.RingBuffer(data=spikes)
        self.models[source.RingBuffer] = source.PySendModelFixed
        adapter = self._input_adapter(net)(shape=net.inp.shape)
        feed.s_out.connect(adapter.inp)
        adapter.out.connect(net.inp)

    def _input_adapter(self, net: Any) -> Any:
        chosen = self.job["adapter"]
        if chosen == "auto":
            conv = net.in_layer.block == "Conv" and hasattr(self._spike, "PyToN3ConvAdapter")
            chosen = "conv" if conv else "spike"
        name = {"conv": "PyToN3ConvAdapter", "spike": "PyToNxAdapter"}[chosen]
        print(f"input adapter: {name}", flush=True)
        return getattr(self._spike, name)

    def record(self, name: str, out: Any, dtype: Any, number: int) -> Any:
        adapter = self._spike.NxToPyAdapter(shape=out.shape)
        out.connect(adapter.inp)
        return super().record(name, adapter.out, dtype, number)

    def probe(self, name: str, var: Any, number: int) -> None:
        try:
            probe = importlib.import_module("lava.utils.loihi2_state_probes").StateProbe
        except (ImportError, AttributeError):
            states = importlib.import_module("lava.proc.embedded_io.state")
            # A convolution's states have an adapter of their own (lava-dl tutorials, netx/yolo_kp/run.ipynb).
            read = states.ReadConv if len(var.shape) > 1 and hasattr(states, "ReadConv") else states.Read
            reader = read(shape=var.shape)
            reader.connect_var(var)
            super().record(name, reader.out, np.int32, number)
            return
        self._probes[name] = probe(var), var.shape
        self._callbacks.append(self._probes[name][0])

    def config(self) -> Any:
        from lava.magma.core import run_configs
        from lava.proc.io import sink

        if self.job["record"] == "buffer":
            self.models[sink.RingBuffer] = sink.PyReceiveModelFixed
        return run_configs.Loihi2HwCfg(exception_proc_model_map=self.models, callback_fxs=self._callbacks)

    def measured(self) -> dict[str, Any]:
        for name, (probe, shape) in self._probes.items():
            series = np.asarray(probe.time_series).reshape(*shape, self.job["steps"])
            np.moveaxis(series, -1, 0).astype(np.int32).tofile(self.work / f"{name}.raw")
        if self.job["pass"] != "profile":
            return {}
        plan = self.job["plan"]
        found: dict[str, Any] = {"steps": self.job["steps"], "sample": 0, "period": plan["period"]}
        found["input"] = self.job["profile_input"]
        for part, names in MEASURED.items():
            values = {name: self._series(part, attribute) for name, attribute in names.items()}
            found[part] = {name: value for name, value in values.items() if value is not None}
        return {"profile": {**found, "missing": self._missing}}

    def _series(self, part: str, attribute: str) -> Any:
        """What a logger has under a name, as a number or a list; None, and why, where it has none."""
        where = f"{part}.{attribute}"
        if part not in self._loggers:
            self._missing[where] = "not asked for" if part not in self.job["loggers"] else "no such profiler"
            return None
        try:
            values = np.asarray(getattr(self._loggers[part], attribute), float)
        except Exception as error:
            # Whatever a closed class raises, the other figures are to be kept.
            self._missing[where] = f"{type(error).__name__}: {error}"
            return None
        if not values.size or not np.isfinite(values).all():
            self._missing[where] = "holds no number" if not values.size else "holds values that are no numbers"
            return None
        if not values.ndim:
            return float(values)
        values = values.reshape(-1)
        # Of very long runs means of as many steps each, which leaves every mean as it is.
        bin_size = -(-values.size // SERIES_MAX)
        whole = values[: values.size // bin_size * bin_size]
        return whole.reshape(-1, bin_size).mean(axis=1).tolist()
