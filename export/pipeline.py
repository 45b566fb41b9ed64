"""From a trained run to ``model.net`` and ``manifest.json``, through lint and gate, or not at all."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from export import netx
from export.dendrites import realisation
from export.gate import CLIPS, Spikes, clip_features, gate_clips, run_gate
from export.lint import require_clean
from export.manifest import Head, Manifest, save_manifest
from export.one_group import one_group
from train.artifacts import RunFolder, atomic_write, sha256, versions
from train.errors import MaestroError

if TYPE_CHECKING:
    from train.data.clips import ClipSet
    from train.model import TrainedRun

Encode = Callable[[Sequence[tuple[str, int]]], Spikes]


def export_run(run: RunFolder, limit: int = CLIPS, *, ungrouped: bool = False) -> Manifest:
    """Export a run's network and say what it needs to be used.

    The file is written under a temporary name, judged by the lint, read back and run through the gate; only
    then it takes its place, and the manifest follows with its hash. A network that does not pass takes an
    older export away with it, so that no file is left that might be taken for the checkpoint's. A write that
    fails leaves the older files; ``load_manifest`` refuses a pair that does not belong together.

    Parameters
    ----------
    run
        A finished run.
    limit
        Clips that the gate compares.
    ungrouped
        Write convolutions in groups as such of one group (:mod:`export.one_group`).

    Raises
    ------
    MaestroError
        The run is missing, damaged or an ANN's; the network breaks a rule of the lint; a spike differs; the
        disk is full.
    """
    run.require(run.checkpoint, f"python -m train fit --run {run.path}")
    from export.convert import from_slayer
    from train.data.clips import data_clips
    from train.features import feature_names
    from train.model import load_run
    from train.topology import SpikingNetwork

    trained = load_run(run)
    if not isinstance(trained.network, SpikingNetwork):
        raise MaestroError(
            str(run.path), "holds an ANN, which does not run on the chip", cure="train a spiking network: `fit lif`"
        )
    checkpoint = sha256(run.checkpoint)
    sets, _ = data_clips(trained.config)
    clips = gate_clips(sets, limit)
    steps = sets[clips[0][0]].steps
    shape = (trained.encoder.channels, len(feature_names(trained.config.features)), 1)

    with _or_nothing(run):
        network = from_slayer(trained.network, shape)
        if ungrouped:
            network = one_group(network)
    with atomic_write(run.net) as candidate:
        candidate.write_bytes(netx.to_bytes(network))
        with _or_nothing(run):
            require_clean(candidate, steps)
            network = netx.read(candidate)
            record = run_gate(trained, network, clips, _encoder(trained, sets))
    manifest = Manifest(
        name=trained.config.name,
        net_sha256=sha256(run.net),
        checkpoint_sha256=checkpoint,
        layers=network.spiking_names,
        realisation=realisation(network.dendritic_names),
        input_shape=network.input_shape,
        latency_steps=network.latency,
        steps=steps,
        sample_rate_hz=trained.config.sample_rate_hz,
        features=trained.config.features,
        encoding=trained.config.encoding,
        normaliser=trained.normaliser.to_dict(),
        heads={head: Head(start, stop, trained.labels[head]) for head, (start, stop) in trained.heads.items()},
        count_scale=trained.config.training.count_scale,
        gate=record,
        versions=versions(),
        readout=None if trained.network.readout is None else trained.network.readout.plain().to_dict(),
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
    )
    save_manifest(run, manifest)
    return manifest


@contextmanager
def _or_nothing(run: RunFolder) -> Iterator[None]:
    """Take an older export away when the checkpoint's does not pass."""
    try:
        yield
    except MaestroError:
        run.manifest.unlink(missing_ok=True)
        run.net.unlink(missing_ok=True)
        raise


def _encoder(trained: "TrainedRun", sets: Mapping[str, "ClipSet"]) -> Encode:
    """Input spikes of some clips, shape (sample, channel, feature, 1, time), as training made them."""

    def encode(clips: Sequence[tuple[str, int]]) -> Spikes:
        return trained.encoder.encode(trained.normaliser.apply(clip_features(sets, clips)))

    return encode
