"""A trained run, read back whole."""

from dataclasses import dataclass

import tomli
import torch

from train.artifacts import RunFolder
from train.checkpoint import load_checkpoint
from train.config import Config, parse_config
from train.encoding import Encoder, make_encoder
from train.errors import MaestroError
from train.features import Normaliser, feature_names
from train.metrics import head_slices
from train.topology import AnnNetwork, SpikingNetwork, build_network


@dataclass(frozen=True)
class TrainedRun:
    """A network with all that must travel with it."""

    config: Config
    network: SpikingNetwork | AnnNetwork
    normaliser: Normaliser
    labels: dict[str, tuple[str, ...]]
    encoder: Encoder

    @property
    def heads(self) -> dict[str, tuple[int, int]]:
        """First and one-past-last neuron of each head."""
        return head_slices(self.labels)


def new_network(config: Config, encoder: Encoder, outputs: int) -> SpikingNetwork | AnnNetwork:
    """The configuration's network, freshly initialised from its seed."""
    torch.manual_seed(config.training.seed)
    return build_network(config, encoder.channels, len(feature_names(config.features)), outputs)


def load_run(run: RunFolder) -> TrainedRun:
    """Read a finished run.

    Raises
    ------
    MaestroError
        The run is missing, half trained or damaged.
    """
    made_by = f"python -m train fit --run {run.path}"
    values = load_checkpoint(run.require(run.checkpoint, made_by))
    run.require(run.metrics, f"{made_by} --resume")
    try:
        config = parse_config(tomli.loads(values["config"]))
        labels = {head: tuple(names) for head, names in values["labels"].items()}
        encoder = make_encoder(config.encoding)
        network = new_network(config, encoder, sum(map(len, labels.values())))
        network.load_state_dict(values["state"])
        normaliser = Normaliser.from_dict(values["normaliser"])
    except (MaestroError, KeyError, AttributeError, TypeError, ValueError, RuntimeError) as error:
        raise MaestroError(
            str(run.checkpoint),
            f"does not fit its own configuration: {str(error).splitlines()[0]}",
            cure="train again",
        ) from error
    network.eval()
    return TrainedRun(config, network, normaliser, labels, encoder)
