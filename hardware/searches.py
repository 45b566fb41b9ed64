"""Checks of every configuration that an experiment can come to, before anything is trained."""

from collections.abc import Sequence

from hardware.experiment import Experiment, search_cells
from hardware.fairness import require_alike, require_buildable
from train.config import Config
from train.errors import CallError


def check_searches(experiment: Experiment) -> None:
    """Refuse searches that are not equal in budget, and cells that cannot be run or would not compare like with like.

    Every configuration that the experiment can come to is looked at, before anything is trained. Needs torch.

    Raises
    ------
    CallError
        Says which.
    """
    cells = {model: search_cells(experiment, experiment.source(model) or model) for model in experiment.models}
    # Without a grid there is one cell, which is no search.
    sizes = {
        model: len(cells[model]) if experiment.models[model].grid else 0
        for model in experiment.models
        if experiment.source(model) in ("", model)
    }
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{model} {size}" for model, size in sizes.items())
        raise CallError(
            "searches",
            f"have unequal numbers of cells: {found}",
            allowed="the same budget for every model",
            cure="give each a grid, or tuned_as",
        )
    for model in experiment.models:
        _check_cells(experiment, model, cells[model])


def _check_cells(experiment: Experiment, model: str, cells: Sequence[tuple[str, ...]]) -> None:
    """Check a model as it is with each cell of the search it takes its settings from."""
    seen: dict[Config, str] = {}
    neuron = experiment.config(experiment.source(model) or model, experiment.first_seed).network.neuron
    for cell in cells:
        words = " ".join(cell)
        where = f"model {model}, {words}" if cell else f"model {model}"
        if experiment.source(model) == model:
            experiment.tuning_config(model, cell)
        config = experiment.config(model, experiment.first_seed, cell)
        require_alike(where, config, next(iter(experiment.models)), experiment.shared_config())
        if config.network.neuron != neuron:
            raise CallError(
                where,
                f"has network.neuron {config.network.neuron}",
                allowed=f"{neuron}, as the model that is searched",
                cure="make it a model of its own, with a grid",
            )
        require_buildable(where, config)
        if config in seen:
            raise CallError(
                where, f"is the same as {seen[config]}", allowed="cells that differ", cure="mend the model's grid"
            )
        seen[config] = words
