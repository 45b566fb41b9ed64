"""What a run is made of: TOML read into frozen dataclasses."""

import dataclasses
import difflib
import typing
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import tomli
import tomli_w

from train.errors import CallError
from train.presets import read_preset

PRESETS = Path(__file__).parent / "configs"

HEADS = ("title", "style", "emotion")
ENCODINGS = ("delta", "level", "rate", "ttfs", "phase", "burst", "current")
NEURONS = ("dh_lif", "lif", "ann")
NOISES = ("white", "pink", "babble")


@dataclass(frozen=True)
class CorpusConfig:
    """The embedded corpus: how many titles and performances of each, how long, and their seed."""

    titles: int = 24
    train_performances: int = 5
    validation_performances: int = 1
    test_performances: int = 1
    keyboard_performances: int = 1
    performance_s: float = 75.0
    sample_rate_hz: int = 16000
    seed: int = 1


@dataclass(frozen=True)
class FeatureConfig:
    """Short-time features of a clip. One frame is one time step of the network."""

    clip_s: float = 3.0
    hop_s: float = 0.032
    window: int = 2048
    mfcc: int = 20
    chroma: int = 12
    rms: bool = True


@dataclass(frozen=True)
class EncodingConfig:
    """How normalised features become spikes. Which fields count depends on ``name``.

    ``threshold`` is delta's level distance, in standard deviations; ``levels`` the size of level's
    population; ``span`` the largest feature magnitude told apart, in standard deviations;
    ``period`` the length in steps of a cycle of phase, burst and time-to-first-spike, and the
    membrane time constant of current's neuron; ``seed`` drives rate coding.
    """

    name: str = "current"
    levels: int = 8
    span: float = 2.0
    threshold: float = 0.3
    period: int = 8
    seed: int = 1


@dataclass(frozen=True)
class NetworkConfig:
    """The one fixed topology. ``neuron`` alone differs between the models compared.

    Convolutions run along the feature axis, each followed by average pooling along it.
    """

    neuron: str = "dh_lif"
    conv_channels: tuple[int, ...] = (24, 48)
    conv_kernels: tuple[int, ...] = (5, 5)
    pools: tuple[int, ...] = (2, 2)
    dense: tuple[int, ...] = (192,)
    dropout: float = 0.0


@dataclass(frozen=True)
class LifConfig:
    """CUBA LIF in SLAYER's units.

    A larger threshold is a smaller input gain: states scale with it, spikes do not. With ``weight_std`` every layer
    gets the threshold that goes with initial weights of this standard deviation, so that models whose neurons gather
    more or less start from the same weights, in the same steps of 1/32; 0 leaves thresholds as given. ``per_channel``
    is about layers without dendrites. ``tau_grad`` is the width of the
    surrogate gradient in hundreds of thresholds (SLAYER's CUBA multiplies it by 100).
    """

    threshold: float = 8.0
    current_decay: float = 0.1
    voltage_decay: float = 0.05
    pool_threshold: float = 1.5
    tau_grad: float = 0.01
    scale_grad: float = 1.0
    weight_scale: float = 1.0
    weight_std: float = 0.0
    per_channel: bool = False
    learn_decays: bool = True


@dataclass(frozen=True)
class DendriteConfig:
    """Dendritic branches of DH-LIF; everything else is the LIF's.

    ``realisation``: analog branches summed into the soma, or spiking compartments that feed a LIF soma.
    ``layers``: which of the layers with weights have dendrites: early are the convolutions, late the dense ones.
    ``mask``: inputs go to branches at random or in contiguous blocks; one partition for every ``mask_share``
    neurons, 0 for one a layer. ``tau_low`` and ``tau_high``: time constants, in steps, of the fastest and
    slowest branch at the start, the others log-spaced between. ``decay_learning_rate`` is relative to a decay's
    own size. The spiking kind has thresholds of its own and soma weights fixed or learned.
    """

    realisation: str = "analog"
    branches: int = 4
    layers: str = "all"
    mask: str = "random"
    mask_share: int = 0
    tau_low: float = 2.0
    tau_high: float = 47.0
    decay_learning_rate: float = 0.01
    threshold: float = 1.0
    per_channel: bool = False
    branch_threshold: float = 1.0
    soma_threshold: float = 2.0
    soma_weights: str = "learned"


@dataclass(frozen=True)
class NoiseConfig:
    """Noise in training: a ``share`` of the clips is heard with noise of one of ``kinds`` at one of ``snr_db``."""

    share: float = 0.0
    kinds: tuple[str, ...] = NOISES
    snr_db: tuple[int, ...] = (0, 5, 10, 20)
    seed: int = 1


@dataclass(frozen=True)
class TrainingConfig:
    """The training loop. ``decay_learning_rate`` is relative to a decay's own size."""

    epochs: int = 15
    batch: int = 32
    learning_rate: float = 0.005
    decay_learning_rate: float = 0.002
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    count_scale: float = 0.3
    patience: int = 8
    seed: int = 1
    threads: int = 2
    title_weight: float = 1.0
    style_weight: float = 0.3
    emotion_weight: float = 0.3

    @property
    def head_weights(self) -> dict[str, float]:
        """Each head's weight in the loss and in the choice of the best epoch."""
        return {"title": self.title_weight, "style": self.style_weight, "emotion": self.emotion_weight}


@dataclass(frozen=True)
class Config:
    """A whole run's configuration."""

    name: str = "dh_lif"
    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    features: FeatureConfig = field(default_factory=FeatureConfig)
    encoding: EncodingConfig = field(default_factory=EncodingConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    lif: LifConfig = field(default_factory=LifConfig)
    dendrites: DendriteConfig = field(default_factory=DendriteConfig)
    noise: NoiseConfig = field(default_factory=NoiseConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)


Section = TypeVar("Section")


def load_config(source: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Read a configuration file, or a preset by its name, and apply ``section.key=value`` overrides.

    Raises
    ------
    CallError
        No such file, not TOML, an unknown key (with a suggestion), a value of the wrong type or range.
    """
    values = read_preset(source, PRESETS, "configuration")
    for override in overrides:
        _override(values, override)
    return parse_config(values)


def parse_config(values: dict[str, Any]) -> Config:
    """Check plain values and make a configuration of them.

    Raises
    ------
    CallError
        An unknown key (with a suggestion), a value of the wrong type or range.
    """
    config = build_section(Config, values, "")
    _check(config)
    return config


def dump_config(config: Config) -> str:
    """The configuration as TOML, every key written out."""
    return tomli_w.dumps(_plain(dataclasses.asdict(config)))


def replace(config: Config, **sections: Any) -> Config:
    """A copy with whole sections or fields replaced."""
    return dataclasses.replace(config, **sections)


def section_dict(section: Any) -> dict[str, Any]:
    """A section as plain data, for keys of caches."""
    return typing.cast("dict[str, Any]", _plain(dataclasses.asdict(section)))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _override(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals:
        raise CallError(
            f"--set {override}", "not of the form section.key=value", cure="write --set training.epochs=5, say"
        )
    try:
        value = tomli.loads(f"value = {text}")["value"]
    except tomli.TOMLDecodeError:
        value = text
    *sections, last = key.strip().split(".")
    for section in sections:
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            raise CallError(f"--set {override}", f"{section} is not a section", cure="write section.key=value")
    values[last] = value


def build_section(kind: type[Section], values: dict[str, Any], prefix: str) -> Section:
    """A dataclass from a table of plain values; ``prefix`` is what stands before its keys in messages.

    Raises
    ------
    CallError
        An unknown key (with a suggestion), a value of the wrong type.
    """
    hints = typing.get_type_hints(kind)
    found: dict[str, Any] = {}
    for key, value in values.items():
        if key not in hints:
            close = difflib.get_close_matches(key, hints, n=1)
            raise CallError(
                f"configuration key {prefix}{key}",
                "unknown",
                cure=f"did you mean {prefix}{close[0]}?" if close else f"the keys here are: {', '.join(hints)}",
            )
        found[key] = _convert(hints[key], value, f"{prefix}{key}")
    return kind(**found)


def _convert(hint: Any, value: Any, key: str) -> Any:
    where = f"configuration key {key}"
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, dict):
            raise CallError(where, f"is {value!r}", allowed="a section of keys")
        return build_section(typing.cast("type[Any]", hint), value, f"{key}.")
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if typing.get_origin(hint) is tuple:
        item_type = typing.get_args(hint)[0]
        if not isinstance(value, list) or not all(type(item) is item_type for item in value):
            raise CallError(
                where, f"is {value!r}", allowed=f"a list of {'whole numbers' if item_type is int else 'words'}"
            )
        return tuple(value)
    if type(value) is not hint:
        raise CallError(where, f"is {value!r}", allowed=hint.__name__)
    return value


def _check(config: Config) -> None:
    network, features, corpus, training, lif = (
        config.network,
        config.features,
        config.corpus,
        config.training,
        config.lif,
    )
    dendrites, noise = config.dendrites, config.noise
    seeds = {"corpus": corpus.seed, "encoding": config.encoding.seed, "noise": noise.seed, "training": training.seed}
    check_choice("network.neuron", network.neuron, NEURONS)
    check_choice("encoding.name", config.encoding.name, ENCODINGS)
    check_choice("dendrites.realisation", dendrites.realisation, ("analog", "spiking"))
    check_choice("dendrites.layers", dendrites.layers, ("all", "early", "late", "none"))
    check_choice("dendrites.mask", dendrites.mask, ("random", "blocks"))
    check_choice("dendrites.soma_weights", dendrites.soma_weights, ("learned", "fixed"))
    for kind in noise.kinds:
        check_choice("noise.kinds", kind, NOISES)
    if not len(network.conv_channels) == len(network.conv_kernels) == len(network.pools):
        raise CallError(
            "configuration keys network.conv_channels, conv_kernels and pools",
            f"have {len(network.conv_channels)}, {len(network.conv_kernels)} and {len(network.pools)} entries",
            allowed="one entry a convolution in each",
        )
    bounds: tuple[tuple[str, float, float, float], ...] = (
        ("corpus.titles", corpus.titles, 4, 24),
        ("corpus.train_performances", corpus.train_performances, 1, 1000),
        ("corpus.validation_performances", corpus.validation_performances, 1, 1000),
        ("corpus.test_performances", corpus.test_performances, 1, 1000),
        ("corpus.keyboard_performances", corpus.keyboard_performances, 1, 1000),
        ("corpus.performance_s", corpus.performance_s, features.clip_s, 3600),
        ("corpus.sample_rate_hz", corpus.sample_rate_hz, 8000, 48000),
        ("features.clip_s", features.clip_s, 4 * features.hop_s, 600),
        ("features.hop_s", features.hop_s, 0.001, 1),
        ("features.window", features.window, 64, 65536),
        ("features.mfcc", features.mfcc, 0, 128),
        ("features.chroma", features.chroma, 0, 12),
        ("encoding.levels", config.encoding.levels, 1, 64),
        ("encoding.period", config.encoding.period, 2, 64),
        ("encoding.span", config.encoding.span, 0.01, 100),
        ("encoding.threshold", config.encoding.threshold, 0.001, 100),
        ("network.dropout", network.dropout, 0, 0.95),
        # vThMant is 17 bits and the threshold times 64.
        ("lif.threshold", lif.threshold, 1 / 64, 2047),
        ("lif.pool_threshold", lif.pool_threshold, 1 / 64, 2047),
        ("lif.current_decay", lif.current_decay, 1 / 4096, 1),
        ("lif.voltage_decay", lif.voltage_decay, 0, 1),
        ("lif.tau_grad", lif.tau_grad, 1e-6, 1e6),
        ("lif.scale_grad", lif.scale_grad, 1e-6, 1e6),
        ("lif.weight_std", lif.weight_std, 0, 2),
        ("lif.weight_scale", lif.weight_scale, 1e-6, 1e6),
        ("dendrites.branches", dendrites.branches, 1, 64),
        ("dendrites.mask_share", dendrites.mask_share, 0, 1000000),
        ("dendrites.tau_low", dendrites.tau_low, 1, 4096),
        ("dendrites.tau_high", dendrites.tau_high, dendrites.tau_low, 4096),
        ("dendrites.decay_learning_rate", dendrites.decay_learning_rate, 0, 10),
        ("dendrites.threshold", dendrites.threshold, 1 / 64, 2047),
        ("dendrites.branch_threshold", dendrites.branch_threshold, 1 / 64, 2047),
        ("dendrites.soma_threshold", dendrites.soma_threshold, 1 / 64, 2047),
        ("noise.share", noise.share, 0, 1),
        *(("noise.snr_db", value, -60, 120) for value in noise.snr_db),
        ("training.epochs", training.epochs, 1, 100000),
        ("training.patience", training.patience, 1, 100000),
        ("training.decay_learning_rate", training.decay_learning_rate, 0, 10),
        ("training.weight_decay", training.weight_decay, 0, 10),
        ("training.count_scale", training.count_scale, 1e-6, 1e6),
        *((f"training.{head}_weight", weight, 0, 1e6) for head, weight in training.head_weights.items()),
        ("training.batch", training.batch, 1, 100000),
        *((f"{section}.seed", seed, 0, 1_000_000) for section, seed in seeds.items()),
        ("training.learning_rate", training.learning_rate, 0, 10),
        ("training.threads", training.threads, 1, 1024),
        ("training.label_smoothing", training.label_smoothing, 0, 0.9),
    )
    for key, value, low, high in bounds:
        if not low <= value <= high:
            raise CallError(f"configuration key {key}", f"is {value:g}", allowed=f"{low:g} to {high:g}")
    if features.mfcc + features.chroma + features.rms == 0:
        raise CallError("configuration section features", "asks for no feature", cure="set mfcc, chroma or rms")
    if noise.share > 0 and not (noise.kinds and noise.snr_db):
        raise CallError("configuration section noise", "names no noise", cure="set kinds and snr_db, or share to 0")
    for name in ("conv_channels", "conv_kernels", "pools", "dense"):
        if any(size < 1 for size in getattr(network, name)):
            raise CallError(f"configuration key network.{name}", "has an entry below 1", allowed="positive sizes")


def check_choice(key: str, value: str, allowed: Sequence[str]) -> None:
    """Refuse a value that is not among the allowed ones, suggesting the nearest."""
    if value not in allowed:
        close = difflib.get_close_matches(value, allowed, n=1)
        raise CallError(
            f"configuration key {key}",
            f"is {value!r}",
            allowed=" or ".join(allowed) if len(allowed) < 3 else f"one of {', '.join(allowed)}",
            cure=f"did you mean {close[0]!r}?" if close else "",
        )
