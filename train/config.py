"""What a run is made of: TOML read into frozen dataclasses."""

import dataclasses
import typing
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli
import tomli_w

from train.config_build import build_section
from train.config_checks import NOISES, check_config
from train.errors import CallError
from train.presets import read_preset

PRESETS = Path(__file__).parent / "configs"


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
class DataConfig:
    """Where recordings come from, and how they are put on sides. Paths are relative to the working folder.

    ``source``: the embedded ``corpus`` (section corpus says of what), ``maestro`` in the folder ``root``, or any
    ``folder``. ``sample_rate_hz``: what the recordings of the latter two are converted to. ``heads``: those to be
    learned; all that the data set has if empty. ``labels``: CSV files with more labels, used where a head has labels
    for at least ``min_coverage`` of the recordings. ``split``: whole recordings shared out by ``performances``,
    the table's ``official`` sides, or ``files`` (train.json, val.json, test.json in the folder ``split_files``).
    ``min_recordings`` is how many performances a title needs, parts of one take counting once. ``media``: audio,
    MIDI, or whichever is there. ``table``, ``asap`` and ``eras`` are files; ``index`` is the CSV of a folder.
    ``clips``: clips taken of each recording, spread evenly, 0 for all. ``skip_bad``: leave damaged recordings out.
    """

    source: str = "corpus"
    root: str = ""
    sample_rate_hz: int = 16000
    heads: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    min_coverage: float = 0.5
    split: str = "performances"
    split_files: str = ""
    validation_share: float = 0.15
    test_share: float = 0.15
    min_recordings: int = 3
    media: str = "any"
    table: str = ""
    asap: str = ""
    eras: str = ""
    index: str = ""
    clips: int = 0
    skip_bad: bool = False
    seed: int = 1


@dataclass(frozen=True)
class FeatureConfig:
    """Short-time features of a clip. One frame is one time step of the network.

    ``mel`` is the number of mel bands whose powers are given as they are, in dB.
    """

    clip_s: float = 3.0
    hop_s: float = 0.032
    window: int = 2048
    mfcc: int = 20
    chroma: int = 12
    rms: bool = True
    mel: int = 0


@dataclass(frozen=True)
class EncodingConfig:
    """How normalised features become spikes. Which fields count depends on ``name``.

    ``threshold`` is delta's level distance and the step that change tells, in standard deviations
    (change: in natural logarithms of power, 4.34 dB); ``levels`` the size of level's population; ``span`` the largest
    feature magnitude told apart, in standard deviations;
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
    """Noise in training: a ``share`` of the clips is heard with noise of one of ``kinds`` at one of ``snr_db``.

    The copies with noise are made once and kept. ``folder`` is where noise of the kind ``folder`` comes from: sound
    files, in sub-folders too.
    """

    share: float = 0.0
    kinds: tuple[str, ...] = NOISES
    snr_db: tuple[int, ...] = (0, 5, 10, 20)
    folder: str = ""
    seed: int = 1


@dataclass(frozen=True)
class AugmentConfig:
    """Training clips changed on the fly: a ``share`` of them, drawn and changed anew in every epoch.

    ``noise``, ``reverb``, ``level``, ``equaliser``, ``pitch`` and ``tempo`` are how likely each is in a changed clip,
    which has at least one. Noise of one of ``kinds`` lies ``snr_low_db`` to ``snr_high_db`` below the music; rooms,
    ``rooms`` different ones, take ``rt60_low_s`` to ``rt60_high_s`` to decay by 60 dB; the level moves by up to
    ``level_db`` either way, each band of the equaliser by ``equaliser_db``, the pitch by ``pitch_semitones`` and
    the tempo by ``tempo_share`` of itself. ``workers``: processes, 0 for none beside training.
    """

    share: float = 0.0
    noise: float = 0.5
    kinds: tuple[str, ...] = ("white", "pink", "brown", "babble", "hum")
    snr_low_db: float = 0.0
    snr_high_db: float = 30.0
    reverb: float = 0.3
    rt60_low_s: float = 0.2
    rt60_high_s: float = 1.0
    rooms: int = 24
    level: float = 0.5
    level_db: float = 12.0
    equaliser: float = 0.3
    equaliser_db: float = 6.0
    pitch: float = 0.2
    pitch_semitones: float = 0.5
    tempo: float = 0.2
    tempo_share: float = 0.1
    workers: int = 2
    seed: int = 1


@dataclass(frozen=True)
class TaskConfig:
    """What is told: ``recognition`` tells the classes of a clip, ``segmentation`` the style of every step.

    A clip of segmentation is cut together from recordings of two ``styles``, the cut lying between ``cut_low`` and
    ``cut_high`` of it. ``order``: forward is the first style and then the second, always; mixed are both orders and
    cuts between recordings of one style, in equal shares. ``train_clips`` and the like are drawn from recordings of
    that side; ``held_out`` titles of each style are heard in a test set of their own alone. The network has no heads:
    the host weighs leaky counts of the last layer's spikes, of the time constant ``readout_steps``.
    """

    name: str = "recognition"
    styles: tuple[str, ...] = ("Baroque", "Romantic")
    order: str = "mixed"
    cut_low: float = 0.3
    cut_high: float = 0.7
    train_clips: int = 480
    validation_clips: int = 120
    test_clips: int = 240
    held_out: int = 2
    readout_steps: int = 100
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
    other_weight: float = 0.3

    def head_weight(self, head: str) -> float:
        """A head's weight in the loss and in the choice of the best epoch."""
        own = {"title": self.title_weight, "style": self.style_weight, "emotion": self.emotion_weight}
        return own.get(head, self.other_weight)


@dataclass(frozen=True)
class Config:
    """A whole run's configuration."""

    name: str = "dh_lif"
    data: DataConfig = field(default_factory=DataConfig)
    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    features: FeatureConfig = field(default_factory=FeatureConfig)
    encoding: EncodingConfig = field(default_factory=EncodingConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    lif: LifConfig = field(default_factory=LifConfig)
    dendrites: DendriteConfig = field(default_factory=DendriteConfig)
    noise: NoiseConfig = field(default_factory=NoiseConfig)
    task: TaskConfig = field(default_factory=TaskConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    @property
    def sample_rate_hz(self) -> int:
        """Rate at which recordings are heard."""
        return self.corpus.sample_rate_hz if self.data.source == "corpus" else self.data.sample_rate_hz


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
    check_config(config)
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
