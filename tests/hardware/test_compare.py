import json
import re
import sys

import pytest

from hardware import compare as module
from hardware import figures
from hardware.cells import run_cell
from hardware.compare import Report, choose, compare, tuning_jobs
from hardware.experiment import parse_experiment
from hardware.figures import PICTURES, draw
from hardware.result import NOISE
from hardware.statistics import paired
from hardware.summary import emit, searches_in_words, sentences, write_summary
from train.errors import CallError, MaestroError

MODELS = ("ann", "lif", "dh_all", "dh_all_b2")


def contents(folder):
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def test_everything_is_done_once_and_made_into_a_result(experiment, fake_cell, in_this_process, tmp_path):
    ran = in_this_process(fake_cell)
    result = compare(experiment, MODELS, tmp_path, 2)
    searches = [f"{model}-search{number}" for model in ("ann", "lif", "dh_all") for number in (1, 2)]
    assert ran == searches + [f"{model}-seed{seed}" for seed in (1, 2) for model in MODELS]
    assert json.loads((tmp_path / "compare.json").read_text()) == result
    before = contents(tmp_path / "cells")
    again = compare(experiment, MODELS, tmp_path, 2)
    assert len(ran) == 14
    assert contents(tmp_path / "cells") == before
    assert again["accuracy"] == result["accuracy"]
    assert result["budget"] == {
        "cells_a_search": 2,
        "epochs_a_cell": 1,
        "chosen_by": "validation accuracy of the heads, weighted as in the loss",
        "epochs": 2,
        "seeds": [1, 2],
    }
    assert result["clips"] == {"test": 12, "test_keyboards": 12}
    seconds = {"last_attempts_wall": 14 * 2, "last_attempts_cpu": 14 * 1.5, "all_epochs_wall": 14}
    assert {key: result["seconds"][key] for key in seconds} == seconds
    assert result["models"]["dh_all_b2"]["branches"] == 2
    assert result["models"]["lif"]["branches"] == 0


def test_means_and_differences_are_of_the_cells(experiment, fake_cell, in_this_process, tmp_path):
    in_this_process(fake_cell)
    result = compare(experiment, MODELS, tmp_path, 2)

    def seeds(model, split, condition):
        return [cell["accuracy"][split][condition]["title"] for cell in result["models"][model]["cells"]]

    for condition in ("clean", "pink_0", NOISE):
        ours, lif = seeds("dh_all", "test", condition), seeds("lif", "test", condition)
        assert result["accuracy"]["title"]["test"][condition]["dh_all"]["mean"] == pytest.approx(sum(ours) / 2)
        assert result["differences"]["lif"]["test"][condition]["dh_all"] == paired(ours, lif)
    heard = result["models"]["lif"]["cells"][0]["accuracy"]["test"]
    assert heard[NOISE]["title"] == pytest.approx((heard["pink_10"]["title"] + heard["pink_0"]["title"]) / 2)
    assert set(result["differences"]) == {"lif", "ann"}
    assert "lif" not in result["differences"]["lif"]["test"]["clean"]


def test_the_best_of_a_search_is_every_seeds_and_its_heirs(experiment, fake_cell, in_this_process, tmp_path):
    scores = {"dh_all-search1": 0.25, "dh_all-search2": 0.5, "lif-search1": 0.5, "lif-search2": 0.5}
    in_this_process(lambda job: fake_cell(job, scores.get(job.name)))
    result = compare(experiment, MODELS, tmp_path, 2)
    assert result["searches"]["dh_all"]["chosen"] == ["dendrites.threshold=2"]
    assert [cell["score"] for cell in result["searches"]["dh_all"]["cells"]] == [0.25, 0.5]
    # The first of equals.
    assert result["searches"]["lif"]["chosen"] == ["lif.threshold=2"]
    for model in ("dh_all", "dh_all_b2"):
        assert result["models"][model]["config"]["dendrites"]["threshold"] == 2
    assert result["models"]["dh_all_b2"]["config"]["dendrites"]["branches"] == 2
    assert [cell["seed"] for cell in result["models"]["lif"]["cells"]] == [1, 2]


def test_some_models_alone_bring_their_search_with_them(experiment, fake_cell, in_this_process, tmp_path):
    ran = in_this_process(fake_cell)
    result = compare(experiment, ("lif", "dh_all_b2"), tmp_path, 1)
    assert ran[:4] == ["lif-search1", "lif-search2", "dh_all-search1", "dh_all-search2"]
    assert set(result["models"]) == {"lif", "dh_all_b2"}
    assert set(result["differences"]) == {"lif"}


def test_more_seeds_run_only_what_is_new(values, fake_cell, in_this_process, tmp_path):
    ran = in_this_process(fake_cell)
    compare(parse_experiment(values), MODELS, tmp_path, 2)
    ran.clear()
    compare(parse_experiment({**values, "seeds": 3}), MODELS, tmp_path, 2)
    assert ran == [f"{model}-seed3" for model in MODELS]


def test_a_failed_cell_is_named_the_others_run_and_a_further_call_goes_on(
    experiment, fake_cell, in_this_process, tmp_path, capsys
):
    def fails(job):
        if job.name == "lif-seed1":
            raise MaestroError("layer x", "is wrong")
        fake_cell(job)

    in_this_process(fails)
    message = r"cell lif-seed1: failed: layer x: is wrong\. Its log is .*lif-compare-\w+\.log; the same command goes on"
    with pytest.raises(MaestroError, match=message):
        compare(experiment, MODELS, tmp_path, 2)
    said = capsys.readouterr().err
    assert "lif-seed1: failed: layer x: is wrong; its log is" in said
    assert "cell 14/14 dh_all_b2-seed2: test title" in said
    assert "min left" in said
    before = contents(tmp_path / "cells")
    assert len(before) == 13
    assert not (tmp_path / "compare.json").exists()
    ran = in_this_process(fake_cell)
    compare(experiment, MODELS, tmp_path, 2)
    assert ran == ["lif-seed1"]
    after = contents(tmp_path / "cells")
    assert {name: after[name] for name in before} == before


def test_a_broken_cell_stops_before_anything_is_run(experiment, fake_cell, in_this_process, tmp_path):
    ran = in_this_process(fake_cell)
    compare(experiment, MODELS, tmp_path, 2)
    ran.clear()
    broken = next((tmp_path / "cells").glob("ann-tune-*"))
    broken.write_text("{")
    with pytest.raises(MaestroError, match=r"ann-tune.*cannot be read as JSON.*Delete it; the cell is then run"):
        compare(experiment, MODELS, tmp_path, 2)
    assert ran == []


def test_a_search_that_never_trains_is_an_error(experiment, fake_cell, tmp_path):
    from train.artifacts import write_json

    jobs = tuning_jobs(experiment, "lif", tmp_path)
    for job in jobs:
        fake_cell(job)
        cell = {**json.loads(job.file.read_text()), "failed": "epoch 1: the loss became nan", "score": 0.0}
        write_json(job.file, cell)
    with pytest.raises(MaestroError, match="search of lif: no cell could be trained: epoch 1: the loss became nan"):
        choose(experiment, "lif", jobs)
    report = Report({job.name: 1 for job in jobs}, 1)
    report.done(jobs[0])


def test_two_calls_do_not_share_a_folder(experiment, fake_cell, in_this_process, tmp_path):
    def second(job):
        with pytest.raises(CallError, match=r"another compare is at work in it\. Wait for it to end, or give another"):
            compare(experiment, MODELS, tmp_path, 2)
        fake_cell(job)

    in_this_process(second)
    compare(experiment, ("ann",), tmp_path, 2)
    (tmp_path / "file").write_text("")
    with pytest.raises(MaestroError, match=r"file: cannot be written: .*Give another --out"):
        compare(experiment, MODELS, tmp_path / "file", 2)


# What a process does in a cell's place: it is killed in the middle of one, once.
WORK = """
import os, signal
from pathlib import Path

from train.artifacts import write_json

def run_cell(job):
    mark = job.out / "killed"
    if job.name == "lif-search2" and not mark.exists():
        mark.write_text("")
        os.kill(os.getpid(), signal.SIGKILL)
    seconds = {"wall": 1.0, "cpu": 1.0}
    write_json(job.file, {"name": job.name, "key": job.key, "kind": job.kind, "model": job.model, "seed": 1,
                          "score": 0.5, "validation": {}, "epochs": 1, "seconds": seconds})
"""


def test_a_killed_process_loses_its_cell_alone(experiment, tmp_path, monkeypatch):
    (tmp_path / "cell_work.py").write_text(WORK)
    monkeypatch.syspath_prepend(str(tmp_path))
    out = tmp_path / "out"
    jobs = [job for model in ("ann", "lif") for job in tuning_jobs(experiment, model, out)]
    out.mkdir()
    weights = {job.name: 1 for job in jobs}
    with pytest.raises(MaestroError, match=r"cell lif-search2: failed: its process was killed \(SIGKILL\)"):
        module.do_jobs("searches", jobs, 2, Report(weights, 2), "cell_work:run_cell")
    before = contents(out / "cells")
    assert set(before) == {job.file.name for job in jobs if job.name != "lif-search2"}
    module.do_jobs("searches", jobs, 2, Report(weights, 2), "cell_work:run_cell")
    after = contents(out / "cells")
    assert len(after) == 4
    assert {name: after[name] for name in before} == before
    sys.modules.pop("cell_work", None)


def test_pictures_and_words(experiment, fake_cell, in_this_process, tmp_path, capsys, monkeypatch):
    in_this_process(fake_cell)
    result = compare(experiment, MODELS, tmp_path, 2)
    pictures = draw(result, tmp_path)
    assert [path.stem for path in pictures] == list(PICTURES)
    for path in pictures:
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.with_suffix(".svg").read_text().startswith("<?xml")
    # The same result gives the same picture, so that a committed one changes only with the data.
    again = tmp_path / "again"
    again.mkdir()
    monkeypatch.setattr(figures, "PICTURES", {"accuracy_over_branches": PICTURES["accuracy_over_branches"]})
    (picture,) = (path.with_suffix(".svg") for path in draw(result, again))
    assert picture.read_bytes() == (tmp_path / picture.name).read_bytes()

    write_summary(result, tmp_path / "summary.md", pictures)
    text = (tmp_path / "summary.md").read_text()
    assert "2 seeds a model, 2 epochs each. Clips: 12 test, 12 test_keyboards." in text
    assert "- Searched with 2 cells of 1 epochs each, chosen by validation accuracy" in text
    assert ": ANN on `training.learning_rate`; LIF on `lif.threshold`; dh_all on `dendrites.threshold`.\n" in text
    assert "- Not searched, taking what was found for dh_all: dh_all_b2.\n" in text
    assert "was run through the engine on every clip of every condition. On 2 clean clips of the test sets" in text
    assert "| LIF | 40 | 30 | 8 | 16 | 1 |\n" in text
    assert "| LIF | 0.0 | 0.1 | 0.4 | - | - |\n" in text
    assert "gone on with is not in them. Commits abcdabcdabcd with local changes." in text
    assert "- new performances, clean, against LIF: " in text
    assert "Of 24 intervals of 95 %, about 1 would leave zero out by chance if nothing differed." in text
    assert "![paired differences](paired_differences.png)" in text
    emit(result)
    assert "title, points above LIF (95 % interval, paired)" in capsys.readouterr().out


def test_a_search_that_ends_at_an_edge_says_so(values, fake_cell, in_this_process, tmp_path):
    values["models"] = {
        "lif": {"label": "LIF", "preset": "lif", "grid": ["lif.threshold=4,2,8", "lif.current_decay=0.1,0.2"]},
        "dh_all": {"preset": "dh_lif", "grid": ["dendrites.threshold=1,2,3", "dendrites.mask=random,blocks"]},
    }
    values["baselines"] = ["lif"]
    best = ("lif-search6", "dh_all-search3")
    in_this_process(lambda job: fake_cell(job, 0.5 if job.name in best else 0.25))
    result = compare(parse_experiment(values), ("lif", "dh_all"), tmp_path, 1)
    assert result["searches"]["lif"]["at_edge"] == [
        {"axis": "lif.threshold", "value": "8", "end": "largest", "values": 3},
        {"axis": "lif.current_decay", "value": "0.2", "end": "largest", "values": 2},
    ]
    assert result["searches"]["dh_all"]["at_edge"] == []
    assert searches_in_words(result)[1:] == [
        "Best at the end of an axis, so that a wider search might find better: LIF `lif.threshold=8`, largest of 3.",
        "Of two values one is always an end: LIF `lif.current_decay=0.2`, largest of 2.",
    ]


def test_branches_are_drawn_only_where_nothing_else_differs(values, fake_cell, in_this_process, tmp_path):
    values["models"]["dh_all_early"] = {
        "preset": "dh_lif",
        "overrides": ["dendrites.branches=3", "dendrites.layers=early"],
        "tuned_as": "dh_all",
    }
    values["models"]["first"] = values["models"].pop("lif")
    values["baselines"] = ["ann", "first"]
    in_this_process(fake_cell)
    result = compare(parse_experiment(values), (*values["models"],), tmp_path, 1)
    assert figures._branch_series(result) == [(2, "dh_all_b2"), (4, "dh_all")]
    assert figures._lif_baseline(result) == "first"


def test_words_follow_the_interval(experiment, fake_cell, in_this_process, tmp_path):
    in_this_process(fake_cell)
    result = compare(experiment, MODELS, tmp_path, 2)
    clean = result["differences"]["lif"]["test"]["clean"]
    clean["ann"] = {"mean": 0.03, "sd": 0.01, "low": 0.01, "high": 0.05, "includes_zero": False}
    clean["dh_all"] = {"mean": -0.03, "sd": 0.01, "low": -0.05, "high": -0.01, "includes_zero": False}
    clean["dh_all_b2"] = {"mean": 0.03, "sd": 0.01, "low": -0.01, "high": 0.07, "includes_zero": True}
    assert sentences(result)[0] == (
        "new performances, clean, against LIF: better: ANN +3.0 (+1.0 to +5.0); worse: dh_all -3.0 (-5.0 to -1.0); "
        "not told apart (the interval includes zero): dh_all_b2 +3.0 (-1.0 to +7.0)."
    )


def test_one_seed_and_no_noise_are_drawn_and_worded_too(values, fake_cell, in_this_process, tmp_path):
    values |= {"seeds": 1, "evaluation": {"noises": []}}
    in_this_process(fake_cell)
    result = compare(parse_experiment(values), ("lif", "ann"), tmp_path, 1)
    pictures = draw(result, tmp_path)
    assert [path.stem for path in pictures] == ["paired_differences", "accuracy_over_cost"]
    write_summary(result, tmp_path / "summary.md", pictures)
    assert "one seed, so no interval: LIF" in (tmp_path / "summary.md").read_text()


def test_the_command_does_it_all(values, fake_corpus, in_this_process, tmp_path, cli):
    import tomli_w

    in_this_process(run_cell)
    file = tmp_path / "small.toml"
    file.write_text(tomli_w.dumps({**values, "name": "small"}))
    out = tmp_path / "out"
    result = cli("hardware", "compare", file, "--models", "lif,ann", "--seeds", "2", "--out", out, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found == json.loads((out / "compare.json").read_text())
    assert list(found["models"]) == ["ann", "lif"]
    assert found["models"]["lif"]["cells"][0]["gate"]["differing"] == 0
    assert re.search(r"cell 8/8 \w+-seed2: test title", result.stderr)
    again = cli("hardware", "compare", file, "--models", "lif,ann", "--seeds", "2", "--out", out)
    assert again.exit_code == 0
    assert "comparison: 4 cells, 4 of them done already" in again.stderr
    assert "work an inference, in thousands" in again.stdout
