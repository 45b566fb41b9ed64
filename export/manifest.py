"""The manifest: all that must travel with a NetX file for a recording to go in and a decision to come out."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from train.artifacts import RunFolder, read_json, sha256, write_json
from train.config import EncodingConfig, FeatureConfig, parse_config, section_dict
from train.errors import MaestroError

FORMAT = 1


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

    ``layers`` names the layers with neurons; ``latency_steps`` is how late the output is against the input;
    ``steps`` the length of a clip; ``normaliser`` holds the features' statistics of the training set.
    """

    name: str
    net_sha256: str
    checkpoint_sha256: str
    layers: tuple[str, ...]
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
    manifest = parse_manifest(read_json(run.require(run.manifest, again), f"make it again with `{again}`"), run, again)
    for path, recorded in ((run.net, manifest.net_sha256), (run.checkpoint, manifest.checkpoint_sha256)):
        if path.is_file() and sha256(path) != recorded:
            raise MaestroError(
                str(run.manifest), f"was made for another {path.name}", cure=f"export again with `{again}`"
            )
    return manifest


def parse_manifest(values: Any, run: RunFolder, again: str) -> Manifest:
    """Check plain values and make a manifest of them."""

    def damaged(found: str) -> MaestroError:
        return MaestroError(str(run.manifest), found, cure=f"make it again with `{again}`")

    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise damaged(f"is not a manifest of format {FORMAT}")
    names = {field.name for field in dataclasses.fields(Manifest)}
    if set(values) != names:
        odd = sorted(set(values) ^ names)
        raise damaged(f"does not have the keys of format {FORMAT}: {', '.join(odd)}")
    try:
        sections = parse_config({"features": values["features"], "encoding": values["encoding"]})
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
    except (KeyError, TypeError, AttributeError, MaestroError) as error:
        raise damaged(f"is damaged: {error}") from error
