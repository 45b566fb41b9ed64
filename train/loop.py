"""The training loop, to be read from top to bottom."""

import copy
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import tomli
import torch
from numpy.typing import NDArray

from train.artifacts import RunFolder, atomic_write, provenance, write_json
from train.checkpoint import load_checkpoint, save_checkpoint
from train.config import Config, dump_config, parse_config
from train.config_checks import SEGMENTATION
from train.console import progress, say
from train.data.augment.batches import heard_batches
from train.data.clips import ClipSet, data_clips, join_clips
from train.data.dataset import TRAIN, DataSet
from train.data.heard import keep_heard
from train.data.noisy import training_variants
from train.data.recordings import dataset_key, heard_dataset
from train.encoding import Encoder, make_encoder
from train.errors import CallError, DivergedError, MaestroError
from train.features import Normaliser
from train.loss import multi_head_loss
from train.metrics import HeadSlices, accuracy, decide, head_slices, percent
from train.model import new_network
from train.topology import AnnNetwork, SpikingNetwork, counts

_EVALUATION_BATCH = 64
# Decibels in a natural logarithm of power.
_DB = 10 / np.log(10)
# Surrogate gradients shrink by about a thousand a layer: with Adam's usual 1e-8 the first layers would stand still,
# the more the deeper the network, and neurons could not be compared. Far below any gradient met, and above 0.
_ADAM_EPS = 1e-18


def fit(config: Config, run: RunFolder, *, resume: bool = False, overwrite: bool = False) -> dict[str, Any]:
    """Train a network and leave its configuration, best checkpoint and metrics in the run folder.

    Parameters
    ----------
    config
        What to train.
    run
        Where to. Files are replaced whole or not at all; a kill loses at most the epoch under way.
    resume
        Go on from the last whole epoch, with the result an uninterrupted run would have had.
    overwrite
        Start again in a folder that holds a run.

    Returns
    -------
    dict
        What ``metrics.json`` holds.

    Raises
    ------
    CallError
        The folder holds another run, or a half-trained one, and neither flag says what to do.
    MaestroError
        The loss stopped being a number.
    """
    _check_claim(config, run, resume, overwrite)
    torch.set_num_threads(config.training.threads)
    # oneDNN rounds weight gradients differently from call to call; the same seed must give the same checkpoint.
    torch.backends.mkldnn.set_flags(False)  # type: ignore[no-untyped-call]
    data = heard_dataset(config)
    for remark in data.remarks:
        say(f"data: {remark}")
    clips, labels = data_clips(config, data)
    training = join_clips([clips["train"], *training_variants(config)])
    heads = head_slices(labels)
    encoder = make_encoder(config.encoding)
    normaliser = _normaliser(config, clips["train"])
    network = new_network(config, encoder, sum(map(len, labels.values())))
    optimiser = torch.optim.AdamW(
        _parameter_groups(network, config), eps=_ADAM_EPS, weight_decay=config.training.weight_decay
    )
    # Only now, when nothing in the configuration can fail any more, may an older run go.
    _claim(config, run, overwrite)
    if config.task.name != SEGMENTATION:
        # Splices are drawn from titles that are held out by name.
        keep_heard(run, clips[TRAIN])
    state = _State(network, optimiser, dataset_key(data))
    if resume and run.resume.is_file():
        state.load(run)
        say(f"resumed after epoch {state.epoch} of {config.training.epochs}")
    _describe(network, clips, config)

    while state.epoch < config.training.epochs and state.since_best < config.training.patience:
        started = time.monotonic()
        for group in optimiser.param_groups:
            group["lr"] = group["base"] * _cosine(state.epoch, config.training.epochs)
        loss = _train_epoch(network, optimiser, data, training, encoder, normaliser, heads, config, state.epoch)
        validation, rates = evaluate(network, clips["validation"], encoder, normaliser, heads)
        state.epoch_done(loss, validation, rates, validation_score(validation, config), time.monotonic() - started)
        if state.since_best == 0:
            save_checkpoint(run.checkpoint, _checkpoint(config, state, normaliser, labels))
        state.save(run)
        _report(state, config)

    network.load_state_dict(state.best)
    # Written again so that a run killed between its last two writes ends with the right file.
    save_checkpoint(run.checkpoint, _checkpoint(config, state, normaliser, labels))
    final = {split: evaluate(network, clips[split], encoder, normaliser, heads)[0] for split in clips if split != TRAIN}
    metrics = {
        "epochs": state.history,
        "best_epoch": state.best_epoch,
        "seconds": sum(entry["seconds"] for entry in state.history),
        "parameters": sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad),
        "final": final,
        "provenance": provenance(),
    }
    write_json(run.metrics, metrics)
    run.resume.unlink(missing_ok=True)
    return metrics


def evaluate(
    network: SpikingNetwork | AnnNetwork, clips: ClipSet, encoder: Encoder, normaliser: Normaliser, heads: HeadSlices
) -> tuple[dict[str, dict[str, float | int]], dict[str, float]]:
    """Accuracy per head on a set of clips, and each spiking layer's mean rate (spikes a neuron and step)."""
    network.eval()
    scores: list[NDArray[Any]] = []
    spikes: list[list[float]] = []
    with torch.no_grad():
        for first in range(0, len(clips), _EVALUATION_BATCH):
            indices = np.arange(first, min(first + _EVALUATION_BATCH, len(clips)))
            inputs = _inputs(clips.features(indices), encoder, normaliser)
            if isinstance(network, SpikingNetwork):
                layers = network.layers(inputs)
                # As the host reads the deployed network's spikes.
                steps = None if network.readout is None else network.readout.plain()
                scores.append(counts(layers[-1]).numpy() if steps is None else steps.scores(layers[-1].numpy()))
                spikes.append([float(layer.mean()) * len(indices) for layer in layers])
            else:
                scores.append(network.scores(inputs).numpy())
    rates: dict[str, float] = {}
    if isinstance(network, SpikingNetwork):
        mean = np.sum(spikes, axis=0) / len(clips)
        rates = dict(zip(network.layer_names, map(float, mean), strict=True))
    return accuracy(decide(np.concatenate(scores), heads), clips.labels), rates


def _normaliser(config: Config, clips: ClipSet) -> Normaliser:
    """The training recordings' statistics; or natural logarithms, where changes are told by one threshold for all."""
    if config.encoding.name != "change":
        return Normaliser.fit(list(clips.sequences))
    size = clips.sequences[0].shape[0]
    return Normaliser(np.zeros(size, np.float32), np.full(size, _DB, np.float32))


class _State:
    """All that ``--resume`` needs: weights, optimiser, random state, best epoch, history; and the data set's key."""

    def __init__(self, network: torch.nn.Module, optimiser: torch.optim.Optimizer, data: str) -> None:
        self.network, self.optimiser, self.data = network, optimiser, data
        self.epoch = self.best_epoch = self.since_best = 0
        self.best_score = -1.0
        self.best: dict[str, Any] = copy.deepcopy(network.state_dict())
        self.history: list[dict[str, Any]] = []

    def epoch_done(
        self, loss: float, validation: dict[str, Any], rates: dict[str, float], score: float, seconds: float
    ) -> None:
        self.epoch += 1
        self.since_best += 1
        if score > self.best_score:
            self.best_score, self.best_epoch, self.since_best = score, self.epoch, 0
            self.best = copy.deepcopy(self.network.state_dict())
        entry = {"epoch": self.epoch, "loss": loss, "validation": validation, "rates": rates, "seconds": seconds}
        self.history.append(entry)

    def save(self, run: RunFolder) -> None:
        values = {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "random": torch.get_rng_state(),
            "epoch": self.epoch,
            "best_epoch": self.best_epoch,
            "best_score": self.best_score,
            "since_best": self.since_best,
            "best": self.best,
            "history": self.history,
            "data": self.data,
        }
        save_checkpoint(run.resume, values)

    def load(self, run: RunFolder) -> None:
        values = load_checkpoint(run.resume)
        try:
            self.network.load_state_dict(values["network"])
            self.optimiser.load_state_dict(values["optimiser"])
            torch.set_rng_state(values["random"])
            self.epoch, self.best_epoch = values["epoch"], values["best_epoch"]
            self.best_score, self.since_best = values["best_score"], values["since_best"]
            self.best, self.history = values["best"], values["history"]
            data = values["data"]
        except (KeyError, AttributeError, TypeError, ValueError, RuntimeError) as error:
            raise MaestroError(
                str(run.resume),
                f"does not fit this run: {str(error).splitlines()[0]}",
                cure="--overwrite trains from the start",
            ) from error
        if data != self.data:
            raise MaestroError(
                str(run.resume),
                "its epochs heard other recordings, sides or labels than there are now",
                cure="bring the files back that were changed; --overwrite trains from the start",
            )


def _check_claim(config: Config, run: RunFolder, resume: bool, overwrite: bool) -> None:
    """Say why the run folder cannot be had for this configuration, if so."""
    if not _is_held(run) or overwrite:
        return
    if not _is_of(config, run):
        raise CallError(
            str(run.path),
            "holds a run of another configuration",
            cure="give another --run, or --overwrite to replace it",
        )
    if run.metrics.is_file():
        raise CallError(str(run.path), "is trained already", cure="use it, or --overwrite to train it again")
    if not resume:
        raise CallError(
            str(run.path), "holds a half-trained run", cure="--resume goes on with it, --overwrite starts again"
        )


def _is_held(run: RunFolder) -> bool:
    return run.config.is_file() and (run.checkpoint.is_file() or run.resume.is_file())


def _claim(config: Config, run: RunFolder, overwrite: bool) -> None:
    """Take the run folder for this configuration."""
    if _is_held(run) and not overwrite:
        return
    # What later stages made of the old checkpoint must not stand beside the new one.
    for path in (run.metrics, run.manifest, run.net, run.parity, run.resume, run.checkpoint, run.recordings):
        path.unlink(missing_ok=True)
    with atomic_write(run.config) as temporary:
        temporary.write_text(dump_config(config))


def is_done(config: Config, run: RunFolder) -> bool:
    """Whether the folder holds this configuration, trained to its end."""
    files = (run.config, run.checkpoint, run.metrics)
    return all(path.is_file() for path in files) and _is_of(config, run)


def _is_of(config: Config, run: RunFolder) -> bool:
    """Whether a run's configuration is this one; keys that came later have their defaults in it."""
    try:
        return parse_config(tomli.loads(run.config.read_text())) == config
    except (CallError, ValueError):
        return False


def _parameter_groups(network: torch.nn.Module, config: Config) -> list[dict[str, Any]]:
    """Weights at one rate; decays, which are register values 0..4096, at a rate relative to their size."""
    groups: list[dict[str, Any]] = [{"params": [], "base": config.training.learning_rate}]
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        if "_decay" in name:
            size = float(parameter.detach().abs().mean())
            of_branch = "branch_decay" in name
            rate = config.dendrites.decay_learning_rate if of_branch else config.training.decay_learning_rate
            groups.append({"params": [parameter], "base": rate * size, "weight_decay": 0.0})
        else:
            groups[0]["params"].append(parameter)
    return groups


def _cosine(epoch: int, epochs: int) -> float:
    """Cosine schedule without restarts (Loshchilov and Hutter 2017, eq. 5), down to a hundredth."""
    return float(0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * epoch / epochs)))


def _copies(config: Config) -> int:
    """How many versions of each training clip there are: the clean one and, with noise, one a kind."""
    return 1 + (len(config.noise.kinds) if config.noise.share > 0 else 0)


def _batches(clips: ClipSet, config: Config, epoch: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Shuffled clip numbers and start offsets of one epoch, from the seed and the epoch alone.

    ``clips`` holds the clean clips and then each noisy copy of all of them; one version of every clip is taken.
    """
    count = len(clips) // _copies(config)
    generator = np.random.default_rng((config.training.seed, epoch))
    order = generator.permutation(count)
    heard = order + count * _versions(config, epoch, count)[order]
    half = clips.steps // 2
    for first in range(0, count, config.training.batch):
        indices = heard[first : first + config.training.batch]
        yield indices, generator.integers(-half, half + 1, size=len(indices))


def _versions(config: Config, epoch: int, count: int) -> NDArray[np.int64]:
    """Which version of each clip an epoch hears, 0 for the clean one; order and offsets do not depend on it."""
    # A third number gives another stream than the two that order and offsets are drawn from.
    generator = np.random.default_rng((config.training.seed, epoch, 1))
    noisy = generator.random(count) < config.noise.share
    kind = generator.integers(max(1, _copies(config) - 1), size=count)
    return np.where(noisy, 1 + kind, 0)


def _inputs(features: NDArray[np.float32], encoder: Encoder, normaliser: Normaliser) -> torch.Tensor:
    """Spikes of clips' features, shape (sample, channel, height, width, time), as floats for SLAYER."""
    return torch.from_numpy(encoder.encode(normaliser.apply(features))).float()


def _train_epoch(
    network: SpikingNetwork | AnnNetwork,
    optimiser: torch.optim.Optimizer,
    data: DataSet,
    clips: ClipSet,
    encoder: Encoder,
    normaliser: Normaliser,
    heads: HeadSlices,
    config: Config,
    epoch: int,
) -> float:
    """One pass over the training clips, each in one of its versions; returns the mean loss."""
    network.train()
    scale = config.training.count_scale if isinstance(network, SpikingNetwork) else 1.0
    total, count = 0.0, len(clips) // _copies(config)
    batches = list(_batches(clips, config, epoch))
    label = f"epoch {epoch + 1}/{config.training.epochs}"
    # Processes that change clips begin before the progress bar's thread, and end with the epoch, however it ends.
    with (
        closing(heard_batches(config, data, clips, batches, epoch)) as heard,
        progress(label, count, "clips", quiet_end=True) as meter,
    ):
        for (indices, _), features in zip(batches, heard, strict=True):
            inputs = _inputs(features, encoder, normaliser)
            labels = {head: torch.from_numpy(values[indices]) for head, values in clips.labels.items()}
            loss = multi_head_loss(network.scores(inputs), labels, heads, config.training, scale)
            if not bool(torch.isfinite(loss)):
                raise DivergedError(
                    f"epoch {epoch + 1}",
                    f"the loss became {float(loss.detach())}",
                    cure="lower training.learning_rate; the last whole epoch is kept, --resume goes on from it",
                )
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            total += float(loss.detach()) * len(indices)
            meter.advance(len(indices), f"loss {float(loss.detach()):.3f}")
    return total / count


def validation_score(validation: dict[str, Any], config: Config) -> float:
    """The heads' accuracies, weighted as in the loss: what the best epoch, and a search, is decided by."""
    return float(sum(config.training.head_weight(head) * entry["accuracy"] for head, entry in validation.items()))


def _checkpoint(
    config: Config, state: _State, normaliser: Normaliser, labels: dict[str, tuple[str, ...]]
) -> dict[str, Any]:
    return {
        "config": dump_config(config),
        "state": state.best,
        "normaliser": normaliser.to_dict(),
        "labels": {head: list(names) for head, names in labels.items()},
        "epoch": state.best_epoch,
    }


def _describe(network: torch.nn.Module, clips: dict[str, ClipSet], config: Config) -> None:
    parameters = sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
    sizes = ", ".join(f"{len(part)} {split}" for split, part in clips.items())
    share = f"; noise in {config.noise.share:.0%} of the training clips" if config.noise.share > 0 else ""
    if config.augment.share > 0:
        share = f"; {config.augment.share:.0%} of the training clips are changed, anew in every epoch"
    say(f"network: {parameters} parameters; clips: {sizes}{share}")


def _report(state: _State, config: Config) -> None:
    entry = state.history[-1]
    heads = ", ".join(f"{head} {percent(part)}" for head, part in entry["validation"].items())
    rates = " ".join(f"{name} {100 * rate:.1f}" for name, rate in entry["rates"].items())
    left = np.mean([past["seconds"] for past in state.history]) * (config.training.epochs - state.epoch)
    say(
        f"epoch {state.epoch}/{config.training.epochs}: loss {entry['loss']:.3f}; validation {heads}"
        + (f"; firing % {rates}" if rates else "")
        + f"; {entry['seconds']:.1f} s, at most {left:.0f} s left"
    )
