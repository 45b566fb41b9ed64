import re

import pytest

from hardware import experiment as module
from hardware.experiment import choose_models, load_experiment, parse_experiment, search_cells
from hardware.searches import check_searches
from train.errors import CallError


def set_at(values, path, value):
    *sections, last = path.split(".")
    for section in sections:
        values = values[section]
    values[last] = value


def test_the_committed_experiment_is_fair():
    experiment = load_experiment("compare")
    assert experiment.seeds >= 5
    check_searches(experiment)
    searched = experiment.searched(experiment.models)
    assert set(searched) == {"ann", "lif", "dh_all", "dh_early", "dh_late", "dh_spiking"}
    assert len({len(search_cells(experiment, model)) for model in searched}) == 1
    configs = {model: experiment.config(model, 1) for model in experiment.models}
    shared = configs["lif"]
    for config in configs.values():
        assert (config.corpus, config.features, config.encoding) == (shared.corpus, shared.features, shared.encoding)
        assert config.noise == shared.noise
        assert config.network.conv_channels == shared.network.conv_channels
        assert config.network.dense == shared.network.dense
        assert config.training.epochs == shared.training.epochs
        assert config.training.threads == 1
    dendrites = {
        model: (c.dendrites.realisation, c.dendrites.layers, c.dendrites.branches) for model, c in configs.items()
    }
    assert dendrites["dh_all"] == ("analog", "all", 4)
    assert dendrites["dh_early"] == ("analog", "early", 4)
    assert dendrites["dh_late"] == ("analog", "late", 4)
    assert dendrites["dh_spiking"] == ("spiking", "all", 4)
    assert [dendrites[f"dh_all_b{count}"][2] for count in (1, 2, 8)] == [1, 2, 8]
    assert set(experiment.evaluation.noises) == {"white", "pink", "babble"}
    assert experiment.evaluation.splits == ("test", "test_keyboards")


def test_what_a_search_chose_is_every_seeds_and_every_heirs(experiment):
    assert experiment.source("dh_all_b2") == "dh_all"
    assert experiment.searched(["dh_all_b2", "lif"]) == ("lif", "dh_all")
    config = experiment.config("dh_all_b2", 2, ["dendrites.threshold=2"])
    assert config.dendrites.threshold == 2
    assert config.dendrites.branches == 2
    assert config.training.seed == 2
    cell = experiment.tuning_config("lif", ["lif.threshold=4"])
    assert cell.training.epochs == 1
    assert cell.training.seed == experiment.tuning.seed
    assert cell.lif.threshold == 4


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("seed", 3, "configuration key seed: unknown. Did you mean seeds?"),
        ("seeds", 0, "configuration key seeds: is 0 (expected 1 to 1000)"),
        ("seeds", "five", "configuration key seeds: is 'five' (expected int)"),
        ("head", "tittle", "configuration key head: is 'tittle' (expected one of title, style, emotion). Did you mean"),
        ("shared", ["training.epoch=3"], "configuration key training.epoch: unknown. Did you mean training.epochs?"),
        ("baselines", ["lof"], "configuration key baselines: names 'lof', which is no model here (expected one of ann"),
        ("tuning.epoch", 3, "configuration key tuning.epoch: unknown. Did you mean tuning.epochs?"),
        (
            "tuning.seed",
            2,
            "configuration key tuning.seed: is 2, one of the seeds compared (expected a seed that",
        ),
        ("evaluation.splits", ["train"], "configuration key evaluation.splits: is 'train' (expected test or test_keyb"),
        ("evaluation.splits", [], "configuration key evaluation.splits: is empty (expected at least one test set)"),
        ("evaluation.noises", ["pinc"], "configuration key evaluation.noises: is 'pinc' (expected one of white, pink"),
        ("evaluation.snr_db", [200], "configuration key evaluation.snr_db: is 200 (expected -60 to 120)"),
        ("models", {}, "configuration section models: names no model. Add a table [models.NAME]"),
        ("models.lif", 3, "configuration key models.lif: is 3 (expected a section of keys)"),
        ("models.lif.pre_set", "lif", "configuration key models.lif.pre_set: unknown. Did you mean models.lif.preset?"),
        ("models.lif.preset", "lof", "lof: no such configuration. Give a TOML file or one of: ann"),
        ("models.dh_all_b2.tuned_as", "dh_al", "models.dh_all_b2.tuned_as: names 'dh_al', which is no model here"),
        ("models.dh_all_b2.tuned_as", "dh_all_b2", "is 'dh_all_b2' (expected a model with a grid, by one without)"),
        (
            "models.lif.overrides",
            ["corpus.titles=5"],
            "model lif: has corpus.titles 5 where ann has 24 (expected the same",
        ),
        (
            "models.lif.overrides",
            ["training.epochs=5"],
            "model lif: has training.epochs 5 where ann has 2 (expected the",
        ),
        ("models.lif.overrides", ["network.dense=[9]"], "model lif: has network.dense [9] where ann has [8] (expected"),
        (
            "models.lif.overrides",
            ["training.batch=9"],
            "model lif: has training.batch 9 where ann has 12 (expected the",
        ),
        ("models.lif.overrides", ["training.patience=9"], "model lif: has training.patience 9 where ann has 8"),
        ("models.lif.overrides", ["training.style_weight=1"], "model lif: has training.style_weight 1.0 where ann"),
        ("models.lif.overrides", ["training.weight_decay=1"], "model lif: has training.weight_decay 1.0 where ann"),
        ("models.lif.overrides", ["noise.share=0.5"], "has noise.share 0.5 where ann has 0.0 (expected the same for"),
        ("models.l/f", {"preset": "lif"}, "configuration section models.l/f: is named 'l/f' (expected a letter follow"),
        ("models.2b", {"preset": "lif"}, "configuration section models.2b: is named '2b' (expected a letter followed"),
        (
            "name",
            "../up",
            "configuration key name: is named '../up' (expected a letter followed by letters, digits and",
        ),
        ("baselines", ["lif", "lif"], "configuration key baselines: names lif twice (expected each once)"),
        ("evaluation.splits", ["test"] * 2, "configuration key evaluation.splits: names test twice (expected each"),
        ("evaluation.noises", ["pink"] * 2, "configuration key evaluation.noises: names pink twice (expected each"),
        ("evaluation.snr_db", [10, 0, 10], "configuration key evaluation.snr_db: names 10 twice (expected each once)"),
    ],
)
def test_wrong_experiments_are_named(values, path, value, message):
    set_at(values, path, value)
    with pytest.raises(CallError, match=re.escape(message)):
        parse_experiment(values)


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        (["lif.threshold=2,4,8"], "searches: have unequal numbers of cells: ann 2, lif 3, dh_all 2 (expected the same"),
        (["lif.treshold=2,4"], "configuration key lif.treshold: unknown. Did you mean lif.threshold?"),
        (["lif.threshold"], "--grid lif.threshold: not of the form key=value,value"),
        (["training.epochs=2,50"], "model lif, training.epochs=50: has training.epochs 50 where ann has 2 (expected"),
        (["noise.share=0,0.5"], "model lif, noise.share=0.5: has noise.share 0.5 where ann has 0.0 (expected the same"),
        (["features.hop_s=0.032,0.064"], "model lif, features.hop_s=0.064: has features.hop_s 0.064 where ann has"),
        (["corpus.titles=24,12"], "model lif, corpus.titles=12: has corpus.titles 12 where ann has 24 (expected the"),
        (["network.neuron=lif,ann"], "model lif, network.neuron=ann: has network.neuron ann (expected lif, as the"),
        (["training.seed=4,5"], "model lif, training.seed=5: is the same as training.seed=4 (expected cells that dif"),
        ([], "searches: have unequal numbers of cells: ann 2, lif 0, dh_all 2 (expected the same budget for every"),
    ],
)
def test_unfair_and_impossible_searches_are_found_before_anything_is_trained(values, grid, message):
    values["models"]["lif"]["grid"] = grid
    with pytest.raises(CallError, match=re.escape(message)):
        check_searches(parse_experiment(values))


@pytest.mark.parametrize(
    ("model", "key", "value", "message"),
    [
        # Three places of each of four channels meet a convolution's neuron.
        ("dh_all", "overrides", ["dendrites.branches=13"], "model dh_all, dendrites.threshold=1:"),
        ("dh_all", "grid", ["dendrites.branches=2,13"], "model dh_all, dendrites.branches=13:"),
        ("dh_all_b2", "overrides", ["dendrites.branches=13"], "model dh_all_b2, dendrites.threshold=1:"),
    ],
)
def test_branches_that_do_not_fit_are_found_before_anything_is_trained(values, model, key, value, message):
    values["models"][model][key] = value
    found = (
        "configuration key dendrites.branches: is 13 where a neuron of layer conv1 has 12 inputs (expected at most 12)"
    )
    with pytest.raises(CallError, match=re.escape(f"{message} {found}")):
        check_searches(parse_experiment(values))


def test_a_model_takes_the_settings_of_its_own_kind_alone(values):
    values["models"]["dh_all_b2"] = {"preset": "lif", "tuned_as": "dh_all"}
    message = r"model dh_all_b2, dendrites.threshold=1: has network.neuron lif \(expected dh_lif, as the model that is"
    with pytest.raises(CallError, match=message):
        check_searches(parse_experiment(values))


def test_an_experiment_without_any_search_will_do(values):
    for model in values["models"].values():
        model.pop("grid", None)
        model.pop("tuned_as", None)
    check_searches(parse_experiment(values))


def test_models_are_chosen_by_name(experiment):
    assert choose_models(experiment, []) == ("ann", "lif", "dh_all", "dh_all_b2")
    assert choose_models(experiment, ["lif", "ann"]) == ("ann", "lif")
    with pytest.raises(CallError, match=r"--models: names 'liff', which is no model here .*Did you mean 'lif'\?"):
        choose_models(experiment, ["liff"])


def test_missing_and_broken_files_are_named(tmp_path, monkeypatch):
    with pytest.raises(CallError, match=r"nowhere: no such experiment. Give a TOML file or one of: compare"):
        load_experiment("nowhere")
    broken = tmp_path / "broken.toml"
    broken.write_text("seeds = ")
    with pytest.raises(CallError, match=r"broken.toml: not valid TOML"):
        load_experiment(broken)
    monkeypatch.setattr(module.Path, "read_text", lambda _: (_ for _ in ()).throw(PermissionError(13, "denied")))
    with pytest.raises(CallError, match=r"broken.toml: cannot be read: denied. Mend its permissions"):
        load_experiment(broken)


def test_the_command_line_tells_a_wrong_call_in_one_line(cli, tmp_path):
    result = cli("hardware", "compare", "nowhere")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: nowhere: no such experiment")
    result = cli("hardware", "compare", "--models", "lof")
    assert result.exit_code == 2
    assert "is no model here" in result.stderr
