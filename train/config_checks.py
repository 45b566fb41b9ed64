"""Ranges of a configuration's values, and what must go together."""

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from train.errors import CallError

if TYPE_CHECKING:
    from train.config import Config

# Heads with a weight of their own; label files may bring others.
HEADS = ("title", "style", "emotion")
SOURCES = ("corpus", "maestro", "folder")
ENCODINGS = ("delta", "level", "rate", "ttfs", "phase", "burst", "current", "change")
RECOGNITION, SEGMENTATION = "recognition", "segmentation"
TASK_SIDES = ("train", "validation", "test")
NEURONS = ("dh_lif", "lif", "ann")
# Those of the experiments; ALL_NOISES are what can be heard. A kind's place decides its random numbers: append only.
NOISES = ("white", "pink", "babble")
ALL_NOISES = (*NOISES, "brown", "hum", "folder")
# What section augment may do to a clip, in the order in which it is done.
CHANGES = ("pitch", "tempo", "reverb", "equaliser", "noise", "level")


def check_config(config: "Config") -> None:
    """Refuse values out of their range, or that do not go together.

    Raises
    ------
    CallError
        Naming the key, what was found and what is allowed.
    """
    network, features, corpus, training, lif = (
        config.network,
        config.features,
        config.corpus,
        config.training,
        config.lif,
    )
    dendrites, noise, data = config.dendrites, config.noise, config.data
    seeded: dict[str, Any] = {
        "data": data,
        "corpus": corpus,
        "encoding": config.encoding,
        "noise": noise,
        "augment": config.augment,
        "training": training,
        "task": config.task,
    }
    check_choice("network.neuron", network.neuron, NEURONS)
    check_choice("encoding.name", config.encoding.name, ENCODINGS)
    check_choice("dendrites.realisation", dendrites.realisation, ("analog", "spiking"))
    check_choice("dendrites.layers", dendrites.layers, ("all", "early", "late", "none"))
    check_choice("dendrites.mask", dendrites.mask, ("random", "blocks"))
    check_choice("dendrites.soma_weights", dendrites.soma_weights, ("learned", "fixed"))
    check_choice("data.source", data.source, SOURCES)
    check_choice("data.split", data.split, ("performances", "official", "files"))
    check_choice("data.media", data.media, ("any", "audio", "midi"))
    _check_task(config)
    for kind in noise.kinds:
        check_choice("noise.kinds", kind, ALL_NOISES)
    if not len(network.conv_channels) == len(network.conv_kernels) == len(network.pools):
        raise CallError(
            "configuration keys network.conv_channels, conv_kernels and pools",
            f"have {len(network.conv_channels)}, {len(network.conv_kernels)} and {len(network.pools)} entries",
            allowed="one entry a convolution in each",
        )
    bounds: tuple[tuple[str, float, float, float], ...] = (
        ("data.sample_rate_hz", data.sample_rate_hz, 8000, 48000),
        ("data.min_coverage", data.min_coverage, 0, 1),
        ("data.validation_share", data.validation_share, 0.01, 0.9),
        ("data.test_share", data.test_share, 0.01, 0.9),
        ("data.min_recordings", data.min_recordings, 1, 1000),
        ("data.clips", data.clips, 0, 1_000_000),
        ("corpus.titles", corpus.titles, 4, 24),
        ("corpus.train_performances", corpus.train_performances, 1, 1000),
        ("corpus.validation_performances", corpus.validation_performances, 1, 1000),
        ("corpus.test_performances", corpus.test_performances, 1, 1000),
        ("corpus.keyboard_performances", corpus.keyboard_performances, 1, 1000),
        ("corpus.performance_s", corpus.performance_s, features.clip_s if data.source == "corpus" else 1, 3600),
        ("corpus.sample_rate_hz", corpus.sample_rate_hz, 8000, 48000),
        ("features.clip_s", features.clip_s, 4 * features.hop_s, 600),
        ("features.hop_s", features.hop_s, 0.001, 1),
        ("features.window", features.window, 64, 65536),
        ("features.mfcc", features.mfcc, 0, 128),
        ("features.chroma", features.chroma, 0, 12),
        ("features.mel", features.mel, 0, 128),
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
        ("task.cut_low", config.task.cut_low, 0.01, 0.99),
        ("task.cut_high", config.task.cut_high, config.task.cut_low, 0.99),
        *((f"task.{side}_clips", getattr(config.task, f"{side}_clips"), 4, 1_000_000) for side in TASK_SIDES),
        ("task.held_out", config.task.held_out, 0, 1000),
        ("task.readout_steps", config.task.readout_steps, 1, 4096),
        *(("noise.snr_db", value, -60, 120) for value in noise.snr_db),
        ("training.epochs", training.epochs, 1, 100000),
        ("training.patience", training.patience, 1, 100000),
        ("training.decay_learning_rate", training.decay_learning_rate, 0, 10),
        ("training.weight_decay", training.weight_decay, 0, 10),
        ("training.count_scale", training.count_scale, 1e-6, 1e6),
        *((f"training.{head}_weight", training.head_weight(head), 0, 1e6) for head in (*HEADS, "other")),
        ("training.batch", training.batch, 1, 100000),
        *((f"{name}.seed", section.seed, 0, 1_000_000) for name, section in seeded.items()),
        ("training.learning_rate", training.learning_rate, 0, 10),
        ("training.threads", training.threads, 1, 1024),
        ("training.label_smoothing", training.label_smoothing, 0, 0.9),
    )
    _check_bounds(bounds)
    if features.mfcc + features.chroma + features.rms + features.mel == 0:
        raise CallError("configuration section features", "asks for no feature", cure="set mfcc, chroma, rms or mel")
    if data.source != "corpus" and not data.root:
        raise CallError("configuration key data.root", "is empty", cure=f"set it to the folder of the {data.source}")
    if data.validation_share + data.test_share > 0.9:
        shares = f"{data.validation_share:g} and {data.test_share:g}"
        raise CallError(
            "configuration keys data.validation_share and test_share", f"are {shares}", allowed="0.9 in all"
        )
    if noise.share > 0 and config.augment.share > 0:
        raise CallError(
            "configuration keys noise.share and augment.share",
            "are both above 0",
            cure="set one: noise takes fixed copies with noise, augment changes clips anew in every epoch",
        )
    if noise.share > 0 and not (noise.kinds and noise.snr_db):
        raise CallError("configuration section noise", "names no noise", cure="set kinds and snr_db, or share to 0")
    _check_augment(config)
    for name in ("conv_channels", "conv_kernels", "pools", "dense"):
        if any(size < 1 for size in getattr(network, name)):
            raise CallError(f"configuration key network.{name}", "has an entry below 1", allowed="positive sizes")


def _check_augment(config: "Config") -> None:
    augment, noise = config.augment, config.noise
    for kind in augment.kinds:
        check_choice("augment.kinds", kind, ALL_NOISES)
    _check_bounds(
        (
            ("augment.share", augment.share, 0, 1),
            *((f"augment.{name}", getattr(augment, name), 0, 1) for name in CHANGES),
            ("augment.snr_low_db", augment.snr_low_db, -60, 120),
            ("augment.snr_high_db", augment.snr_high_db, augment.snr_low_db, 120),
            # Below, a room is smaller than its reflections can be told apart; above, it is no room for a piano.
            ("augment.rt60_low_s", augment.rt60_low_s, 0.15, 3),
            ("augment.rt60_high_s", augment.rt60_high_s, augment.rt60_low_s, 3),
            ("augment.rooms", augment.rooms, 1, 1000),
            ("augment.level_db", augment.level_db, 0, 60),
            ("augment.equaliser_db", augment.equaliser_db, 0, 24),
            ("augment.pitch_semitones", augment.pitch_semitones, 0, 12),
            ("augment.tempo_share", augment.tempo_share, 0, 0.5),
            ("augment.workers", augment.workers, 0, 256),
        )
    )
    if augment.share > 0 and not any(getattr(augment, name) for name in CHANGES):
        raise CallError(
            "configuration section augment",
            f"changes {augment.share:g} of the clips by nothing",
            cure=f"set {', '.join(CHANGES[:-1])} or {CHANGES[-1]} above 0, or share to 0",
        )
    if augment.share > 0 and augment.noise > 0 and not augment.kinds:
        raise CallError("configuration section augment", "names no noise", cure="set kinds, or noise to 0")
    heard = (*(noise.kinds if noise.share else ()), *(augment.kinds if augment.share and augment.noise else ()))
    if "folder" in heard and not noise.folder:
        raise CallError("configuration key noise.folder", "is empty", cure="set it to your folder of noise")


def _check_bounds(bounds: Sequence[tuple[str, float, float, float]]) -> None:
    """Refuse values that are not between the two that follow them."""
    for key, value, low, high in bounds:
        if not low <= value <= high:
            raise CallError(f"configuration key {key}", f"is {value:g}", allowed=f"{low:g} to {high:g}")


def _check_task(config: "Config") -> None:
    task = config.task
    check_choice("task.name", task.name, (RECOGNITION, SEGMENTATION))
    check_choice("task.order", task.order, ("forward", "mixed"))
    if len(set(task.styles)) != 2 or len(task.styles) != 2:
        raise CallError("configuration key task.styles", f"is {list(task.styles)}", allowed="two different styles")
    if task.name == RECOGNITION:
        return
    if config.network.neuron == "ann":
        raise CallError(
            "configuration key network.neuron", "is 'ann', which tells whole clips alone", allowed="lif or dh_lif"
        )
    if not config.network.dense:
        raise CallError(
            "configuration key network.dense", "is empty", allowed="a layer to read, where there are no heads"
        )
    for key, share in (("noise.share", config.noise.share), ("augment.share", config.augment.share)):
        if share > 0:
            raise CallError(f"configuration key {key}", f"is {share:g}", allowed="0 where the task is segmentation")


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
