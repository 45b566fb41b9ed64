"""The manifest: all that must travel with a NetX file for a recording to go in and a decision to come out."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from export.dendrites import REALISATIONS
from train.artifacts import RunFolder, read_json, sha256, write_json
from train.config import EncodingConfig, FeatureConfig, parse_config, section_dict
from train.errors import CallError, MaestroError

# 2 says whether the network has analog dendrites.
FORMAT = 2
# The largest float32, in which the network's input is reckoned.
_LARGEST = 3.4028234e38


@dataclass(frozen=True)
class Head:
    """One decision: neurons ``start`` to ``stop`` (not included) of the last layer, one a label."""

    start: int
    stop: int
    labels: tuple[str, ...]


@dataclass(frozen=True)
class GateRecord:
    """What the gate compared. ``spikes`` counts each layer's over all clips; nothing may differ."""

    clips: int
    steps: int
    spikes: dict[str, int]
    differing: int


@dataclass(frozen=True)
class Manifest:
    """The contents of ``manifest.json``.

    ``layers`` names the layers with neurons; ``realisation`` is ``stock``, or ``analog`` for a network with analog
    dendrites, which runs in the simulator only; ``latency_steps`` is how late the output is against the input;
    ``steps`` the length of a clip; ``normaliser`` holds the features' statistics of the training set. ``readout`` is
    None where the last layer's neurons are the heads' classes; else every step is told, by the weights with which
    :class:`train.segmentation.readout.Readout` reads that layer.
    """

    name: str
    net_sha256: str
    checkpoint_sha256: str
    layers: tuple[str, ...]
    realisation: str
    input_shape: tuple[int, ...]
    latency_steps: int
    steps: int
    sample_rate_hz: int
    features: FeatureConfig
    encoding: EncodingConfig
    normaliser: dict[str, list[float]]
    heads: dict[str, Head]
    count_scale: float
    gate: GateRecord
    versions: dict[str, str]
    created: str
    readout: dict[str, Any] | None = None
    format: int = FORMAT

    @property
    def slices(self) -> dict[str, tuple[int, int]]:
        """First and one-past-last neuron of each head, as ``train.metrics`` takes them."""
        return {name: (head.start, head.stop) for name, head in self.heads.items()}


def save_manifest(run: RunFolder, manifest: Manifest) -> None:
    """Write ``manifest.json``, atomically."""
    values = section_dict(manifest)
    write_json(run.manifest, {"format": values.pop("format"), **values})


def load_manifest(run: RunFolder) -> Manifest:
    """Read ``manifest.json`` and check that it speaks of the network and the checkpoint beside it.

    Raises
    ------
    MaestroError
        Missing, damaged or of another format; or the network or the checkpoint has changed since.
    """
    again = f"python -m export netx {run.path}"
    run.require(run.net, again)
    manifest = parse_manifest(read_json(run.require(run.manifest, again), f"export again with `{again}`"), run, again)
    for path, recorded in ((run.net, manifest.net_sha256), (run.checkpoint, manifest.checkpoint_sha256)):
        if path.is_file() and sha256(path) != recorded:
            raise MaestroError(
                str(run.manifest), f"was made for another {path.name}", cure=f"export again with `{again}`"
            )
    return manifest


def parse_manifest(values: Any, run: RunFolder, again: str) -> Manifest:
    """Check plain values and make a manifest of them.

    Raises
    ------
    MaestroError
        Another format, a missing or unknown key, or a value that cannot be; names the file and the key.
    """

    def damaged(found: str, allowed: str = "") -> MaestroError:
        return MaestroError(str(run.manifest), found, allowed=allowed, cure=f"export again with `{again}`")

    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise damaged(f"is not a manifest of format {FORMAT}")
    # Older manifests of this format are of networks that have none.
    values = {"readout": None, **values}
    names = {field.name for field in dataclasses.fields(Manifest)}
    if set(values) != names:
        odd = sorted(set(values) ^ names)
        raise damaged(f"does not have the keys of format {FORMAT}: {', '.join(odd)}")
    try:
        # The longest performance allowed: clips as long as any that training takes.
        sections = parse_config(
            {"corpus": {"performance_s": 3600.0}, "features": values["features"], "encoding": values["encoding"]}
        )
        for key, found, allowed in _faults(values, sections.features, sections.encoding):
            raise damaged(f"key {key} {found}", allowed)
        values = {
            **values,
            "features": sections.features,
            "encoding": sections.encoding,
            "layers": tuple(values["layers"]),
            "input_shape": tuple(values["input_shape"]),
            "heads": {
                head: Head(entry["start"], entry["stop"], tuple(entry["labels"]))
                for head, entry in values["heads"].items()
            },
            "gate": GateRecord(**values["gate"]),
        }
        return Manifest(**values)
    except (KeyError, TypeError, AttributeError, CallError) as error:
        raise damaged(f"is damaged: {error}") from error


def _faults(
    values: dict[str, Any], features: FeatureConfig, encoding: EncodingConfig
) -> Iterator[tuple[str, str, str]]:
    """What cannot be among plain values: a key, what is wrong with it and what would be right."""
    # Here: librosa is slow to load, and the export loads it late as well.
    from train.encoding import make_encoder
    from train.features import clip_steps, feature_names

    for section, config in (("features", features), ("encoding", encoding)):
        missing = sorted(set(section_dict(config)) - set(values[section]))
        if missing:
            yield section, f"lacks {', '.join(missing)}", ""
    for key in ("steps", "sample_rate_hz", "latency_steps"):
        if not _is_count(values[key]):
            yield key, f"is {values[key]!r}", "a whole number above 0"
    if values["steps"] != clip_steps(features):
        yield "steps", f"is {values['steps']}", f"{clip_steps(features)}, as the section features says"
    if not _are_names(values["layers"]):
        yield "layers", f"is {values['layers']!r}", "a list of different names"
    if values["realisation"] not in REALISATIONS:
        yield "realisation", f"is {values['realisation']!r}", " or ".join(REALISATIONS)
    size = len(feature_names(features))
    shape = [make_encoder(encoding).channels, size, 1]
    if values["input_shape"] != shape or not all(map(_is_count, values["input_shape"])):
        yield "input_shape", f"is {values['input_shape']!r}", f"{shape}, as the encoding and the features say"
    yield from _normaliser_faults(values["normaliser"], size)
    yield from _head_faults(values["heads"])
    if values["readout"] is not None:
        yield from _readout_faults(values["readout"], values["latency_steps"])
    if not (_is_number(values["count_scale"]) and values["count_scale"] > 0):
        yield "count_scale", f"is {values['count_scale']!r}", "a finite number above 0"


def _normaliser_faults(normaliser: Any, size: int) -> Iterator[tuple[str, str, str]]:
    if not isinstance(normaliser, dict) or set(normaliser) != {"mean", "std"}:
        yield "normaliser", "is not the lists mean and std", ""
        return
    for part, row in normaliser.items():
        if not isinstance(row, list) or len(row) != size:
            found = f"has {len(row)} entries" if isinstance(row, list) else f"is {row!r}"
            yield f"normaliser.{part}", found, f"a list of {size}, one a feature"
            return
        # A deviation of 0 marks a feature that never changed in training.
        odd = [value for value in row if not _is_number(value) or (part == "std" and value < 0)]
        if odd:
            allowed = "finite numbers" if part == "mean" else "finite numbers, none below 0"
            yield f"normaliser.{part}", f"holds {odd[0]!r}", allowed
    if not any(normaliser["std"]):
        yield "normaliser.std", "is 0 for every feature", "a deviation above 0"


def _head_faults(heads: Any) -> Iterator[tuple[str, str, str]]:
    if not isinstance(heads, dict) or not heads:
        yield "heads", f"is {heads!r}", "at least one head"
        return
    first = 0
    for name, entry in heads.items():
        key = f"heads.{name}"
        if not isinstance(entry, dict) or set(entry) != {"start", "stop", "labels"}:
            yield key, f"is {entry!r}", "start, stop and labels"
            return
        start, stop, labels = entry["start"], entry["stop"], entry["labels"]
        if not _are_names(labels):
            yield f"{key}.labels", f"is {labels!r}", "a list of different names"
            return
        if type(start) is not int or start != first:
            yield f"{key}.start", f"is {start!r}", f"{first}, where the head before it stops"
        if type(stop) is not int or stop != first + len(labels):
            yield f"{key}.stop", f"is {stop!r}", f"{first + len(labels)}, a neuron for each of {len(labels)} labels"
        first += len(labels)


def _readout_faults(readout: Any, latency_steps: int) -> Iterator[tuple[str, str, str]]:
    if not isinstance(readout, dict) or set(readout) != {"weight", "readout_steps", "latency_steps"}:
        yield "readout", "is not weight, readout_steps and latency_steps", ""
        return
    weight = readout["weight"]
    rows = weight if isinstance(weight, list) and all(isinstance(row, list) for row in weight) else []
    if not rows or len({len(row) for row in rows}) != 1 or not all(_is_number(value) for row in rows for value in row):
        yield "readout.weight", "is no table of finite numbers", "a row a class"
    if not _is_count(readout["readout_steps"]):
        yield "readout.readout_steps", f"is {readout['readout_steps']!r}", "a whole number above 0"
    if readout["latency_steps"] != latency_steps:
        yield "readout.latency_steps", f"is {readout['latency_steps']!r}", f"{latency_steps}, as the network's"


def _is_count(value: Any) -> bool:
    return type(value) is int and value > 0


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= _LARGEST


def _are_names(value: Any) -> bool:
    """Whether it is a list of different strings, at least one and none empty."""
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        return False
    return bool(value) and len(set(value)) == len(value)
