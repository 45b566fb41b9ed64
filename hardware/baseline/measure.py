"""The baseline of a run: every network, variant and batch on every device, kept cell by cell."""

import os
import time
from collections.abc import Mapping
from typing import Any

from hardware.baseline import device as devices
from hardware.baseline.device import Device
from hardware.baseline.elsewhere import elsewhere
from hardware.baseline.idle import Idle, unfinished
from hardware.baseline.kept import Kept, only_here
from hardware.baseline.meter import Meter
from hardware.baseline.preprocessing import preprocessing
from hardware.baseline.protocol import Protocol
from hardware.baseline.section import device_entry, metered_at
from hardware.baseline.subject import Subject, Subjects, subjects_of
from hardware.baseline.timing import Ready, make_ready, meter_cell, reference_scores, threads_of, time_cell
from hardware.baseline.variants import Variant, tools, variants_of
from hardware.doctor.probe import Probe
from hardware.measurement import file_section, identity, read_measurement, unavailable
from train.artifacts import RunFolder, provenance
from train.console import Meter as Progress
from train.console import progress, say

DEVICES = ("cpu", "cuda")
# Raise it when the result of one and the same cell changes.
_FORMAT = 2
NOT_ASKED = "was not asked for: `python -m hardware baseline RUN` measures every device there is"
_OLD = "was measured by another version, which did not keep when and where: measure it again"


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
        The run is missing or damaged, its folder cannot be written, or another call measures it.
    """
    protocol, probe = protocol or Protocol(), probe or Probe()
    read_measurement(run)
    subjects = subjects_of(run, protocol)
    with only_here(run.path / ".baseline"):
        return _measure_all(run, subjects, device, again, protocol, probe)


def _measure_all(
    run: RunFolder, subjects: Subjects, device: str, again: bool, protocol: Protocol, probe: Probe
) -> dict[str, Any]:
    of_run = identity(run)
    made_of = {"format": _FORMAT, "identity": of_run, "protocol": protocol.as_dict()}
    origin = provenance()
    made_of |= {"versions": origin["versions"], "machine": origin["machine"]}
    section: dict[str, Any] = {
        "identity": of_run,
        "run": _named(subjects),
        "protocol": protocol.as_dict(),
        "preprocessing": _preprocessing(subjects, Kept(run.path / ".baseline", made_of), again),
        "devices": _filed(run, of_run),
        "elsewhere": [],
    }
    section["elsewhere"] = elsewhere(section)
    # The GPU first: what it takes with nothing loaded can be metered only before anything is.
    for key in (each for each in reversed(DEVICES) if device in ("all", each)):
        found = devices.cpu(probe) if key == "cpu" else devices.cuda(probe)
        if isinstance(found, str):
            say(f"{key}: {found}")
            section["devices"][key] = unavailable(found)
        else:
            kept = Kept(run.path / ".baseline", {**made_of, "device": [found.name, found.threads, found.driver]})
            if again:
                kept.forget(key)
            section["devices"][key] = _Session(subjects, found, protocol, kept).measure(origin)
        file_section(run, "baseline", section)
    return {**section, "provenance": read_measurement(run)["baseline"]["provenance"]}


def _filed(run: RunFolder, of_run: dict[str, str | None]) -> dict[str, Any]:
    """Devices as they were filed before, of this network; each says itself when and where it was measured."""
    before = read_measurement(run).get("baseline", {})
    if not isinstance(before, dict) or before.get("identity") != of_run:
        before = {}
    found = {key: before.get("devices", {}).get(key, unavailable(NOT_ASKED)) for key in DEVICES}
    known = {key: "unavailable" in entry or isinstance(entry.get("made"), dict) for key, entry in found.items()}
    return {key: entry if known[key] else unavailable(_OLD) for key, entry in found.items()}


def _named(subjects: Subjects) -> dict[str, Any]:
    """The run's name, kind of neurons and layers' sizes, by which others' measurements are told apart."""
    config, plan = subjects.trained.config, subjects.networks[0].network.plan
    sizes = [
        [each.kind, each.channels_in, each.height_in, each.channels_out, each.height_out, each.kernel] for each in plan
    ]
    return {"name": config.name, "neuron": config.network.neuron, "layers": sizes}


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

    def measure(self, origin: Mapping[str, Any]) -> dict[str, Any]:
        """Measure what is missing, and give the device's entry; ``origin`` is this call's provenance."""
        stopped = unfinished(self.kept, self.device.key)
        if self._untimed() or self._to_meter():
            self._sign(origin)
            self._measure()
        elif stopped and self.device.meter and stopped["meter"] == self.device.meter:
            self._sign(origin)
            self._end(stopped)
        else:
            say(f"{self.device.key}: measured before; --again measures anew")
        return device_entry(self.subjects, self.device, self.protocol, self.kept, self.variants)

    def _sign(self, origin: Mapping[str, Any]) -> None:
        """Keep what makes the cells, since another call may file them: a later device's, on another machine."""
        before = self.kept.get(self.device.key, "made") or {}
        made = {**origin, "began": before.get("began", origin["date"]), "protocol": self.protocol.as_dict()}
        self.kept.put(made, self.device.key, "made")

    def _untimed(self) -> bool:
        return any(
            self._record(network, name) is None for network, variants in self.variants.items() for name in variants
        )

    def _record(self, network: str, name: str) -> dict[str, Any] | None:
        """What is kept of a variant; None if it could not be had, and what builds it is another now."""
        found = self.kept.get(self.device.key, network, name)
        changed = found is not None and "unavailable" in found and found.get("tools") != tools()
        return None if changed else found

    def _measure(self) -> None:
        idle = None
        if self.device.meter is not None:
            idle = Idle(self.device.key, self._make_meter, self.protocol, self.kept, self.device.meter)
            idle.take("bare")
        if self._untimed():
            self._time_all()
        if idle is not None:
            self._meter(idle)

    def _end(self, stopped: Mapping[str, Any]) -> None:
        """Take the last stretch of a session that has all its cells."""
        subject = self.subjects.networks[0]
        # Kept loaded meanwhile, as when the cells were metered.
        ready = self._ready(subject, next(iter(self.variants[subject.key].values())))
        Idle(self.device.key, self._make_meter, self.protocol, self.kept, self.device.meter, stopped).take("after")
        del ready

    def _time_all(self) -> None:
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
        if self._record(subject.key, name) is not None:
            shown.advance(len(self.protocol.batches))
            return
        ready = self._ready(subject, variant)
        if isinstance(ready, str):
            self.kept.put({**unavailable(ready), "tools": tools()}, *at)
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
        todo = self._to_meter()
        cells = sum(len(missing) for _, _, missing in todo)
        each_s = self.protocol.energy_warm_s + self.protocol.trials * self.protocol.energy_window_s
        say(f"{self.device.key}: {cells} cells to meter, about {cells * each_s / 60:.0f} min")
        with progress(f"metering on {self.device.key}", cells, "cells") as shown:
            for subject, name, missing in todo:
                ready = self._ready(subject, self.variants[subject.key][name])
                if not isinstance(ready, str) and not idle.taken("loaded"):
                    idle.take("loaded")
                for batch in missing:
                    if isinstance(ready, str):
                        cell: dict[str, Any] = unavailable(ready)
                    else:
                        spikes = self.subjects.spikes
                        cell = meter_cell(ready, spikes, batch, self.device, self.protocol, self._make_meter)
                    cell = {**cell, "session": idle.name, "meter": self.device.meter}
                    self.kept.put(cell, self.device.key, subject.key, name, str(batch), "energy")
                    shown.advance(note=f"{subject.key} {name}")
        if todo:
            time.sleep(1.0)
            idle.take("after")

    def _to_meter(self) -> list[tuple[Subject, str, list[int]]]:
        """Batches of variants that are to be metered and were not, with the counters that there are now."""
        if self.device.meter is None:
            return []
        todo = []
        for subject in self.subjects.networks:
            names = list(self.variants[subject.key])
            wanted = metered_at(self.kept, self.device.key, subject.key, names, self.protocol)
            for name in names:
                missing = [batch for batch in self.protocol.batches if wanted[name][str(batch)]]
                missing = [batch for batch in missing if self._lacks_energy(subject, name, str(batch))]
                if missing:
                    todo.append((subject, name, missing))
        return todo

    def _lacks_energy(self, subject: Subject, name: str, batch: str) -> bool:
        at = (self.device.key, subject.key, name, batch)
        cell, metered = self.kept.get(*at), self.kept.get(*at, "energy")
        ran = cell is not None and "unavailable" not in cell
        return ran and (metered is None or metered["meter"] != self.device.meter)
