"""What must be equal between the models compared, and what every one of their configurations must meet."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from train.config import Config
from train.errors import CallError
from train.plan import plan_dendrites, plan_layers

# The neurons' own sections, which may differ, and the name.
_OWN = ("name", "lif", "dendrites")
# Keys of other sections in which models and cells of a search may differ.
_FREE = {"network": {"neuron", "dropout"}, "training": {"learning_rate", "decay_learning_rate", "seed"}}
# Any will do: layers have as many inputs whatever the number of titles.
_OUTPUTS = 32


def require_alike(where: str, config: Config, first: str, reference: Config) -> None:
    """Refuse a configuration that differs from the first model's in more than the neuron and its training's rates.

    Parameters
    ----------
    where
        Whose configuration it is, for the message.
    config
        A model's, or a search's cell's as it would be compared.
    first, reference
        The experiment's first model and its configuration.

    Raises
    ------
    CallError
        Names the key.
    """
    for key, ours, theirs in _differing(config, reference):
        raise CallError(
            where,
            f"has {key} {_plain(ours)} where {first} has {_plain(theirs)}",
            allowed="the same for every model and cell",
            cure="set it under shared",
        )


def require_buildable(where: str, config: Config) -> None:
    """Refuse sizes that make no network: more branches than inputs, a pool larger than what it pools.

    Raises
    ------
    CallError
        As :func:`train.plan.plan_dendrites`, with ``where`` before it.
    """
    from train.encoding import make_encoder
    from train.features import feature_names

    channels, features = make_encoder(config.encoding).channels, len(feature_names(config.features))
    try:
        plan_dendrites(config, plan_layers(config.network, channels, features, _OUTPUTS))
    except CallError as error:
        raise CallError(f"{where}: {error.where}", error.found, allowed=error.allowed, cure=error.cure) from error


def _differing(config: Config, reference: Config) -> Iterator[tuple[str, Any, Any]]:
    for section in (field.name for field in dataclasses.fields(config) if field.name not in _OWN):
        ours, theirs, free = getattr(config, section), getattr(reference, section), _FREE.get(section, set())
        for field in dataclasses.fields(ours):
            pair = getattr(ours, field.name), getattr(theirs, field.name)
            if field.name not in free and pair[0] != pair[1]:
                yield f"{section}.{field.name}", *pair


def _plain(value: Any) -> str:
    return str(list(value)) if isinstance(value, tuple) else str(value)
