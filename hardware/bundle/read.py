"""What came back from the chip: read, checked against its bundle, compared, and filed with the run."""

import base64
import binascii
import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from export import netx
from export.schedule import Schedule
from hardware.bundle.activity import cross_check
from hardware.bundle.check import Bundle, Spikes, open_folder, plan_of
from hardware.bundle.compiled import LOG, compiled_section
from hardware.bundle.golden import tally_of_period
from hardware.bundle.plain import printable, read_plain, shown
from hardware.bundle.profile import Profile
from hardware.bundle.quantities import profile_section
from hardware.divergence import Comparison, compare_streams
from hardware.loihi2.script.common import FORMAT
from hardware.loihi2.script.result import delays
from hardware.measure.derived import refresh
from hardware.measurement import file_section, read_measurement
from train.artifacts import RunFolder, sha256
from train.errors import MaestroError

# Backend of a result -> its section of measurement.json, and its schedule.
SECTIONS = {"loihi2": "loihi2", "simulator": "simulator_check"}
_PLANS = {"loihi2": "chip", "simulator": "simulator"}
_CURE = "copy it again, or run the bundle again"
_KEYS = ("bundle_id", "backend", "schedule", "samples", "steps_run", "layers", "profile", "failed")
# What is only handed on: what it may be, and how that is called.
_STATED: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(("started", "ended"), (lambda value: value is None or isinstance(value, str), "a time, or null")),
    "steps_run": (lambda value: type(value) is int and value >= 0, "a number of steps"),
    **dict.fromkeys(("versions", "environment"), (lambda value: value is None or _is_names(value), "texts by name")),
    LOG: (lambda value: value is None or isinstance(value, str), "a text"),
    "states": (lambda value: value is None or isinstance(value, dict), "layers by name"),
    "failed": (lambda value: value is None or _is_names(value), "null, or a pass and its error"),
}


@dataclass(frozen=True, eq=False)
class Recording:
    """A result.json.

    Parameters
    ----------
    samples
        Samples whose run was recorded whole.
    layers
        By name, shape (neuron..., time), time being that of the run.
    profile
        What was measured; None where nothing was.
    failed
        Which pass failed and why, empty if none did.
    compiler_log
        What was printed, as text.
    stated
        Versions, environment and times as the file has them.
    """

    backend: str
    plan: Schedule
    samples: int
    layers: dict[str, Spikes]
    profile: Profile | None
    failed: str
    compiler_log: str | None
    stated: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Reading:
    """A result against its bundle: what was filed, and what it comes to."""

    section: str
    content: dict[str, Any]
    comparison: Comparison
    missing: tuple[str, ...]
    failed: str


def read_result(path: Path, bundle: Bundle) -> Recording:
    """Read a result of a bundle.

    Raises
    ------
    MaestroError
        Missing, no JSON, of another format, of another bundle; cut short, without the output layer, or with a layer
        that is not one.
    """
    content = read_plain(path, _CURE)
    where = str(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise MaestroError(where, "is no result of a bundle", allowed=f'"format": {FORMAT}', cure=_CURE)
    lacking = [key for key in _KEYS if key not in content]
    if lacking:
        raise MaestroError(where, f"lacks {', '.join(lacking)}", cure=_CURE)
    if content["bundle_id"] != bundle.id:
        raise MaestroError(
            where,
            f"is of bundle {_short(content['bundle_id'])}, and this is {bundle.id[:8]}",
            cure="name the bundle it is of with --out FILE.zip, and its run",
        )
    if content["backend"] not in list(SECTIONS):
        found = f"is of backend {shown(content['backend'])}"
        raise MaestroError(where, found, allowed=" or ".join(SECTIONS), cure=_CURE)
    for key, (right, allowed) in _STATED.items():
        if not right(content.get(key)):
            raise MaestroError(where, f"has {key} {shown(content.get(key))}", allowed=allowed, cure=_CURE)
    plan = _plan(where, content, bundle)
    failed = _failure(content["failed"])
    samples = content["samples"]
    if type(samples) is not int or not 0 < samples <= bundle.samples:
        why = f" (it failed in {failed})" if failed else ""
        raise MaestroError(where, f"has {shown(samples)} samples{why}", allowed=f"1 to {bundle.samples}", cure=_CURE)
    stated = {key: content.get(key) for key in ("started", "ended", "steps_run", "versions", "environment")}
    stated["states"] = [printable(name) for name in content.get("states") or {}]
    return Recording(
        content["backend"],
        plan,
        samples,
        _layers(where, content["layers"], bundle, plan),
        _profile(where, content["profile"], bundle, plan),
        failed,
        content.get(LOG),
        stated,
    )


def _plan(where: str, content: Mapping[str, Any], bundle: Bundle) -> Schedule:
    expected = bundle.plans[_PLANS[content["backend"]]]
    try:
        found = plan_of(content["schedule"])
    except (KeyError, TypeError) as error:
        raise MaestroError(where, "says no schedule that it was run by", cure=_CURE) from error
    if found != expected:
        said = ", ".join(f"{key} {shown(value)}" for key, value in vars(found).items())
        raise MaestroError(where, f"was run by the schedule {said}", allowed=f"{expected}, the bundle's", cure=_CURE)
    return expected


def _profile(where: str, content: Any, bundle: Bundle, plan: Schedule) -> Profile | None:
    if content is None:
        return None
    profile = Profile.parse(where, content)
    if profile.period != plan.period or profile.sample >= bundle.samples:
        found = f"is of sample {profile.sample} every {profile.period} steps"
        allowed = f"one of {bundle.samples} samples, every {plan.period} steps"
        raise MaestroError(f"{where}, profile", found, allowed=allowed, cure=_CURE)
    return profile


def _failure(failed: Mapping[str, str] | None) -> str:
    return printable(f"pass {failed.get('pass')}: {failed.get('error')}") if failed is not None else ""


def _is_names(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _short(identity: Any) -> str:
    return identity[:8] if isinstance(identity, str) and identity.isalnum() else shown(identity)


def _layers(where: str, layers: Any, bundle: Bundle, plan: Schedule) -> dict[str, Spikes]:
    if not isinstance(layers, Mapping) or not layers:
        raise MaestroError(where, "holds no recorded layer", allowed=", ".join(bundle.shapes), cure=_CURE)
    unknown = [name for name in layers if name not in bundle.shapes]
    if unknown:
        name = unknown[0] if unknown[0].isidentifier() else shown(unknown[0])
        found = f"records layer {name}, which the bundle has not"
        raise MaestroError(where, found, allowed=", ".join(bundle.shapes), cure=_CURE)
    *others, output = bundle.shapes
    # The script records all layers or the output alone; anything between was taken out.
    for name in (output, *(others if any(each in layers for each in others) else ())):
        if name not in layers:
            raise MaestroError(where, f"holds no recording of layer {name}", cure=_CURE)
    # No run is longer: all samples, and twice the room for what the way in may take.
    longest = plan.total(bundle.samples + 1)
    return {
        name: unpack(f"{where}, layer {name}", layers[name], shape, longest)
        for name, shape in bundle.shapes.items()
        if name in layers
    }


def unpack(where: str, layer: Any, shape: tuple[int, ...], longest: int) -> Spikes:
    """A layer's spikes out of a result, shape (neuron..., time).

    Parameters
    ----------
    shape
        Of one step.
    longest
        Most steps that a run can have.

    Raises
    ------
    MaestroError
        Another shape, or bits that are damaged, too few or too many.
    """
    if not isinstance(layer, dict) or "shape" not in layer or "bits" not in layer:
        raise MaestroError(where, "has no shape or no bits", cure=_CURE)
    stated, text = layer["shape"], layer["bits"]
    if not isinstance(stated, list) or not all(type(size) is int and size > 0 for size in stated):
        raise MaestroError(where, f"has shape {shown(stated)}", allowed=_sizes(shape), cure=_CURE)
    if tuple(stated[:-1]) != shape or stated[-1] > longest:
        found, allowed = f"has shape {shown(tuple(stated))}", f"{_sizes(shape)}, of up to {longest} steps"
        raise MaestroError(where, found, allowed=allowed, cure=_CURE)
    size = math.prod(stated)
    try:
        # Never more than what is expected, whatever the bits claim to hold.
        inflate = zlib.decompressobj()
        packed = inflate.decompress(base64.b64decode(text, validate=True), -(-size // 8) + 1)
        whole = inflate.eof and not inflate.unused_data
    except (binascii.Error, zlib.error, TypeError, ValueError) as error:
        raise MaestroError(where, f"has damaged bits: {error}", cure=_CURE) from error
    if len(packed) != -(-size // 8) or not whole:
        found = f"has bits that {'are cut short' if len(packed) <= -(-size // 8) else 'go on'}"
        raise MaestroError(where, found, allowed=f"{size} bits", cure=_CURE)
    return np.unpackbits(np.frombuffer(packed, np.uint8), count=size).reshape(stated)


def _sizes(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}, time)"


def file_result(run: RunFolder, folder: Path, result: Path) -> Reading:
    """As :func:`file_of`, for a bundle that lies in a folder."""
    return file_of(run, open_folder(folder), result)


def file_of(run: RunFolder, bundle: Bundle, result: Path) -> Reading:
    """Compare a result with what its bundle expects, and put both into the run's ``measurement.json``.

    Raises
    ------
    MaestroError
        The run has another network by now; the result is damaged, or of another bundle. A spike that differs is no
        exception but in the reading.
    """
    net = run.require(run.net, f"python -m export netx {run.path}")
    if sha256(net) != bundle.net_sha256:
        raise MaestroError(
            str(net), "is another network than the bundle's", cure="name the run that was packed, or pack this one anew"
        )
    recording = read_result(result, bundle)
    comparison = compare_streams(
        bundle.golden(recording.samples), recording.layers, recording.plan, delays(recording.plan.as_dict())
    )
    missing = tuple(name for name in bundle.shapes if name not in recording.layers)
    content: dict[str, Any] = {
        "bundle_id": bundle.id,
        "net_sha256": bundle.net_sha256,
        "result_sha256": sha256(result),
        "backend": recording.backend,
        **recording.stated,
        "failed": recording.failed or None,
        "schedule": recording.plan.as_dict(),
        "clips": [list(clip) for clip in bundle.clips[: recording.samples]],
        "comparison": {**comparison.as_dict(), "not_recorded": list(missing)},
    }
    if recording.backend == "loihi2":
        content |= _measured(recording, bundle, net)
        content["compiler"] = compiled_section(recording.compiler_log, bundle)
    file_section(run, SECTIONS[recording.backend], content)
    if "derived" in read_measurement(run):
        refresh(run)
    return Reading(SECTIONS[recording.backend], content, comparison, missing, recording.failed)


def _measured(recording: Recording, bundle: Bundle, net: Path) -> dict[str, Any]:
    if recording.profile is None:
        why = recording.failed or "the bundle was run with --no-profile"
        return {"profile": {"unavailable": why}}
    section = profile_section(recording.profile, recording.stated["environment"])
    sample = bundle.inputs()[recording.profile.sample]
    tally = tally_of_period(netx.read(net), sample, recording.plan)
    return {**section, "engine": cross_check(recording.profile, tally)}
