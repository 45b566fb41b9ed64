"""The verb ``bundle``: pack a run, or read what came back, and say so."""

from collections import Counter
from pathlib import Path
from typing import Any

from hardware.bundle.check import unpacked
from hardware.bundle.pack import Packed, pack
from hardware.bundle.read import Reading, file_of
from hardware.divergence import Comparison
from train.artifacts import RunFolder
from train.console import emit_json, emit_table, say
from train.errors import CallError

SAMPLES = 16
_SHOWN = {"W": ("mW", 1e3), "J": ("mJ", 1e3), "s": ("ms", 1e3), "us": ("us", 1.0), "1/inference": ("an inference", 1.0)}


def bundle(path: Path, samples: int | None, out: Path | None, result: Path | None, as_json: bool) -> int:
    """Pack the run, or with ``result`` read it.

    Returns
    -------
    int
        Exit code: 1 if a spike differs from what was expected, or comes after a reset; else 0.

    Raises
    ------
    CallError, MaestroError
        As :func:`hardware.bundle.pack.pack` and :func:`hardware.bundle.read.file_of`.
    """
    run = RunFolder(path)
    file = out or path / "bundle.zip"
    if result is None:
        packed = pack(run, samples or SAMPLES, file)
        if as_json:
            emit_json(
                {
                    "path": str(packed.path),
                    "size_bytes": packed.size_bytes,
                    "warnings": packed.warnings,
                    **packed.content,
                }
            )
        else:
            _say_packed(packed, path, out)
        return 0
    if samples is not None:
        raise CallError("--samples", "does not go with --read", cure="leave it out: all samples recorded are read")
    with unpacked(file) as opened:
        reading = file_of(run, opened, result)
    if as_json:
        emit_json(reading.content)
    else:
        show_reading(reading, run)
    return 1 if reading.comparison.faults else 0


def _say_packed(packed: Packed, run: Path, out: Path | None) -> None:
    content = packed.content
    say(
        f"wrote {packed.path}: {packed.size_bytes / 1e6:.2f} MB, {content['samples']} samples of {content['steps']} "
        f"steps, golden spikes of {len(content['layers'])} layers, id {content['id'][:8]}"
    )
    placement = content["placement"]
    cores, chips = placement["cores"], placement["chips"]
    span = f"{cores['low']} to {cores['high']}" if cores["low"] != cores["high"] else f"{cores['high']}"
    say(f"takes {span} cores, {chips} {'chip' if chips == 1 else 'chips'} (`python -m hardware place {run}` says why)")
    if packed.warnings:
        codes = Counter(warning.partition(" ")[0] for warning in packed.warnings)
        warned = ", ".join(f"{code} ({count})" if count > 1 else code for code, count in codes.items())
        say(f"the lint warns, of {warned}: `python -m export lint {RunFolder(run).net} --chip` says what and why")
    where = "" if out is None else f" --out {out}"
    say(
        f"next: copy it to a machine with Lava, unzip it, `python run_on_loihi.py --sim --samples 2` there, then "
        f"`bash job.sh` for the chip, and bring result.json back to `python -m hardware bundle --read result.json "
        f"{run}{where}`"
    )


def show_reading(reading: Reading, run: RunFolder) -> None:
    """A result against its bundle, as a table, and what was measured."""
    found = reading.comparison
    rows = [
        [name, f"{count}", f"{found.found[name]}", f"{found.differing[name]}"] for name, count in found.expected.items()
    ]
    rows.append(["all", *(f"{sum(each.values())}" for each in (found.expected, found.found, found.differing))])
    title = f"{reading.content['backend']}: spikes of {found.samples} samples, found {found.delay} steps late"
    emit_table(title, ["layer", "expected", "found", "differing"], rows)
    if reading.missing:
        say(f"not recorded, so not compared: {', '.join(reading.missing)}")
    _say_compared(found)
    if reading.content["states"]:
        say(f"states recorded of {', '.join(reading.content['states'])}: not compared, they stay in the result")
    if reading.failed:
        say(f"the run was not finished: {reading.failed}")
    if reading.section == "loihi2":
        _show_measured(reading.content)
        compiler = reading.content["compiler"]
        if "cores" in compiler:
            low, high = (compiler["cores_foretold"][key] for key in ("low", "high"))
            say(f"the compiler took {compiler['cores']} cores; {low} to {high} were foretold")
    else:
        say("a run in the simulator: nothing was measured")
    say(f"filed as {reading.section} in {run.measurement}")


def _say_compared(found: Comparison) -> None:
    spurious = {name: count for name, count in found.spurious.items() if count}
    if found.first is not None:
        say(f"first divergence: {found.first}")
    elif found.vacuous:
        say("no spike was expected of any layer, and none was found: neither the network nor the delay is shown by it")
    elif not spurious:
        say("no spike differs")
    if spurious:
        layers = ", ".join(f"{name} {count}" for name, count in spurious.items())
        say(f"{sum(spurious.values())} spikes after resets, where there are to be none: {layers}")
        say(f"the first of them: {found.first_spurious}")


def _show_measured(content: dict[str, Any]) -> None:
    if "power" not in content:
        say(f"nothing measured: {content['profile']['unavailable']}")
        return
    rows, absent = [], []
    for part in ("power", "time", "energy", "activity"):
        for name, value in content[part].items():
            if name == "cores":
                continue
            if "unavailable" in value:
                absent.append(f"{part} {name.replace('_', ' ')}: {value['unavailable']}")
                continue
            unit, scale = _SHOWN[value["unit"]]
            numbers = [f"{value[key] * scale:.4g}" for key in ("value", "low", "high")]
            rows.append([f"{part}, {name.replace('_', ' ')}", *numbers, unit])
    if rows:
        emit_table("measured on the chip", ["", "value", "low", "high", "unit"], rows)
    if content["profile"]["input"] == "host":
        say("spikes came from the host in every step, so that time and energy hold the way in too")
    else:
        say("spikes were replayed by the chip: that every period had all of them rests on how its buffer repeats")
    dynamic = content["power"]["dynamic"]
    if "unavailable" not in dynamic and dynamic["low"] <= 0 <= dynamic["high"]:
        say("dynamic power is not told from zero: it is below what this method resolves")
    for line in absent:
        say(f"not measured: {line}")
    for name, counts in content["engine"]["counters"].items():
        if counts["chip_over_engine"] is not None:
            say(
                f"{name} an inference: chip {counts['chip']:.6g}, engine {counts['engine']}, "
                f"ratio {counts['chip_over_engine']:.4f}{_between(counts['low'], counts['high'])}"
            )


def _between(low: float, high: float | None) -> str:
    if low == high:
        return ""
    upper = "more" if high is None else f"{high:.4f}"
    return f" ({low:.4f} to {upper}: the steps are no whole number of inferences)"
