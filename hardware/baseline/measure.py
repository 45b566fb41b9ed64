"""The baseline of a run: every network, variant and batch on every device, kept cell by cell."""

import os
import time
from typing import Any

from hardware.baseline import device as devices
from hardware.baseline.device import Device
from hardware.baseline.elsewhere import elsewhere
from hardware.baseline.idle import Idle
from hardware.baseline.kept import Kept
from hardware.baseline.meter import Meter
from hardware.baseline.preprocessing import preprocessing
from hardware.baseline.protocol import Protocol
from hardware.baseline.section import best_of, device_entry
from hardware.baseline.subject import Subject, Subjects, subjects_of
from hardware.baseline.timing import Ready, make_ready, meter_cell, reference_scores, threads_of, time_cell
from hardware.baseline.variants import Variant, variants_of
from hardware.doctor.probe import Probe
from hardware.measurement import file_section, identity, read_measurement, unavailable
from train.artifacts import RunFolder, provenance
from train.console import Meter as Progress
from train.console import progress, say

DEVICES = ("cpu", "cuda")
# Raise it when the result of one and the same cell changes.
_FORMAT = 1
_NOT_ASKED = "was not asked for: `python -m hardware baseline RUN` measures every device there is"


def measure_baseline(
    run: RunFolder,
    device: str = "all",
    again: bool = False,
    *,
    protocol: Protocol | None = None,
    probe: Probe | None = None,
) -> dict[str, Any]:
    """Measure, file and return the section ``baseline``.

    Parameters
    ----------
    device
        ``all``, ``cpu`` or ``cuda``; what was filed of the other one stays if it is of this network.
    again
        Forget what was measured before.
    protocol, probe
        Other numbers, and what to ask instead of this machine.

    Raises
    ------
    MaestroError
        The run is missing or damaged, or its folder cannot be written.
    """
    protocol, probe = protocol or Protocol(), probe or Probe()
    read_measurement(run)
    subjects = subjects_of(run, protocol)
    of_run = identity(run)
    made_of = {"format": _FORMAT, "identity": of_run, "protocol": protocol.as_dict()}
    origin = provenance()
    made_of |= {"versions": origin["versions"], "machine": origin["machine"]}
    section: dict[str, Any] = {
        "identity": of_run,
        "protocol": protocol.as_dict(),
        "preprocessing": _preprocessing(subjects, Kept(run.path / ".baseline", made_of), again),
        "devices": _filed(run, of_run),
        "elsewhere": elsewhere(),
    }
    # The GPU first: what it takes with nothing loaded can be metered only before anything is.
    for key in (each for each in reversed(DEVICES) if device in ("all", each)):
        found = devices.cpu(probe) if key == "cpu" else devices.cuda(probe)
        if isinstance(found, str):
            say(f"{key}: {found}")
            section["devices"][key] = unavailable(found)
        else:
            kept = Kept(run.path / ".baseline", {**made_of, "device": [found.name, found.threads]})
            if again:
                kept.forget(key)
            section["devices"][key] = _Session(subjects, found, protocol, kept).measure()
        file_section(run, "baseline", section)
    return {**section, "provenance": read_measurement(run)["baseline"]["provenance"]}


def _filed(run: RunFolder, of_run: dict[str, str | None]) -> dict[str, Any]:
    """Devices as they were filed before, of this network."""
    before = read_measurement(run).get("baseline", {})
    if not isinstance(before, dict) or before.get("identity") != of_run:
        before = {}
    return {key: before.get("devices", {}).get(key, unavailable(_NOT_ASKED)) for key in DEVICES}


def _preprocessing(subjects: Subjects, kept: Kept, again: bool) -> dict[str, Any]:
    found = None if again else kept.get("preprocessing")
    if found is None:
        say("preprocessing: features and encoding of test clips")
        found = preprocessing(subjects.trained)
        kept.put(found, "preprocessing")
    return found


class _Session:
    """One device's cells: all that is not kept yet."""

    def __init__(self, subjects: Subjects, device: Device, protocol: Protocol, kept: Kept) -> None:
        self.subjects, self.device, self.protocol, self.kept = subjects, device, protocol, kept
        self.variants = {subject.key: variants_of(subject, device.key) for subject in subjects.networks}
        self.check = subjects.spikes[: protocol.check_clips]
        self._expected: dict[str, Any] = {}

    def measure(self) -> dict[str, Any]:
        """Measure what is missing, and give the device's entry."""
        if self.kept.get(self.device.key, "done") is None:
            self._measure()
            self.kept.put({}, self.device.key, "done")
        else:
            say(f"{self.device.key}: measured before; --again measures anew")
        return device_entry(self.subjects, self.device, self.protocol, self.kept, self.variants)

    def _measure(self) -> None:
        idle = None
        if not isinstance(self.device.counters, str):
            idle = Idle(self.device.key, self._make_meter, self.protocol, self.kept)
            idle.take("bare")
        load = os.getloadavg()[0]
        self.kept.put({"load": load, "threads": self.device.threads}, self.device.key, "load")
        cells = sum(map(len, self.variants.values())) * len(self.protocol.batches)
        window_s, warm_s = self.protocol.timing(self.device.key)
        # A GPU is timed both call by call and in a row.
        windows = self.protocol.trials * (2 if self.device.key == "cuda" else 1)
        seconds = cells * (windows * window_s + warm_s + 0.1)
        say(
            f"{self.device.key} ({self.device.name}): {cells} cells to time, about {seconds / 60:.1f} min and compiling"
        )
        with progress(f"timing on {self.device.key}", cells, "cells") as shown:
            for subject in self.subjects.networks:
                for name, variant in self.variants[subject.key].items():
                    self._time(subject, name, variant, shown)
        if idle is not None:
            self._meter(idle)

    def _make_meter(self) -> Meter:
        assert not isinstance(self.device.counters, str)
        return Meter(self.device.counters)

    def _ready(self, subject: Subject, variant: Variant) -> Ready | str:
        if subject.key not in self._expected:
            self._expected[subject.key] = reference_scores(subject, self.check)
        with threads_of(min(variant.threads or self.device.threads, self.device.threads)):
            return make_ready(subject, variant, self.device, self.check, self._expected[subject.key])

    def _time(self, subject: Subject, name: str, variant: Variant, shown: Progress) -> None:
        """Time a variant's missing batches; its own record says whether it can be had, and is kept last."""
        at = (self.device.key, subject.key, name)
        if self.kept.get(*at) is not None:
            shown.advance(len(self.protocol.batches))
            return
        ready = self._ready(subject, variant)
        if isinstance(ready, str):
            self.kept.put(unavailable(ready), *at)
            shown.advance(len(self.protocol.batches))
            return
        too_long = None
        for batch in self.protocol.batches:
            cell = self.kept.get(*at, str(batch))
            if cell is None:
                cell = too_long or time_cell(ready, self.subjects.spikes, batch, self.device, self.protocol)
                self.kept.put(cell, *at, str(batch))
            if "unavailable" in cell:
                too_long = too_long or unavailable(f"at batch {batch} {cell['unavailable']}")
            shown.advance(note=f"{subject.key} {name}")
        self.kept.put({"threads": ready.threads}, *at)

    def _meter(self, idle: Idle) -> None:
        """Meter the plainest variant and the fastest of each batch."""
        todo = [
            (subject, name, missing)
            for subject in self.subjects.networks
            for name in self.variants[subject.key]
            if (missing := self._unmetered(subject, name))
        ]
        cells = sum(len(missing) for _, _, missing in todo)
        each_s = self.protocol.energy_warm_s + self.protocol.trials * self.protocol.energy_window_s
        say(f"{self.device.key}: {cells} cells to meter, about {cells * each_s / 60:.0f} min")
        with progress(f"metering on {self.device.key}", cells, "cells") as shown:
            for subject, name, missing in todo:
                ready = self._ready(subject, self.variants[subject.key][name])
                if isinstance(ready, str):
                    shown.advance(len(missing))
                    continue
                if not idle.taken("loaded"):
                    idle.take("loaded")
                for batch in missing:
                    spikes = self.subjects.spikes
                    cell = meter_cell(ready, spikes, batch, self.device, self.protocol, self._make_meter)
                    cell["session"] = idle.name
                    self.kept.put(cell, self.device.key, subject.key, name, str(batch), "energy")
                    shown.advance(note=f"{subject.key} {name}")
        if todo:
            time.sleep(1.0)
            idle.take("after")

    def _unmetered(self, subject: Subject, name: str) -> list[int]:
        """Batches of a variant that are to be metered and are not yet."""
        names = list(self.variants[subject.key])
        best = best_of(self.kept, self.device.key, subject.key, names, self.protocol)

        def wanted(batch: int) -> bool:
            at = (self.device.key, subject.key, name, str(batch))
            cell = self.kept.get(*at)
            ran = cell is not None and "unavailable" not in cell
            return ran and name in (names[0], best.get(str(batch))) and self.kept.get(*at, "energy") is None

        return [batch for batch in self.protocol.batches if wanted(batch)]
