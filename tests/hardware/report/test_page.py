"""The page from made-up measurements: every section, whatever is missing."""

import json
import re

import pytest

from hardware.report.blocks import Cell, Row, Table
from hardware.report.page import prose, render
from hardware.report.sections.verdict import floored
from train.artifacts import sha256, write_json

ALL = ("lif", "dh_lif", "ann")


def test_every_section_is_there_and_in_order(page, section_ids):
    text = page(*ALL)
    assert tuple(re.findall(r'<section id="([^"]+)"', text)) == section_ids
    assert "cannot be read" not in text
    assert len(text) < 3e6


def test_nothing_is_loaded_from_elsewhere(page):
    text = page(*ALL)
    assert "<script" not in text
    links = re.findall(r'(?:href|src)="([^"]*)"', text)
    assert all(link.startswith(("#", "data:")) for link in links)
    assert not re.findall(r"url\((?!#)", text)


def test_ids_are_unique(page):
    ids = re.findall(r'\bid="([^"]+)"', page(*ALL))
    assert len(ids) == len(set(ids))


def test_the_verdict_tells_accuracy_and_energy_with_their_bounds(page, section):
    text = section(page(*ALL), "verdict").replace("\u202f", " ").replace("\u00a0", " ")
    share = r"\d\d\.\d % \(\d\d\.\d to \d\d\.\d\)"
    assert re.search(rf"names the title of a 1 s clip right in {share} of 576 clips", text)
    assert "An inference takes 0.52 to 1.57 mJ by estimate (Loihi 2" in text
    assert "no silicon has checked" in text
    assert text.count("as if analog") == 1


def test_runs_side_by_side_are_held_against_the_ann(page, section):
    text = section(page(*ALL), "verdict")
    assert "Title accuracy against page-ann" in text
    assert "as if analog dendrites could be realised there" in text
    # Both were given the same made-up confusions: nothing tells them apart.
    assert "no: the interval holds zero" in text


def test_overlapping_energies_are_not_told_apart(make_run, change, section):
    def closer(content):
        cell = content["baseline"]["elsewhere"][0]["networks"]["ann"]["variants"]["eager"]["batches"]["1"]
        cell["energy_total"] |= {"value": 1e-3, "low": 0.9e-3, "high": 1.1e-3}

    run = make_run()
    change(run, closer)
    assert "which takes less is not decided" in render([run.path], only=["verdict"])


def test_the_verdict_compares_bounds_and_says_of_what(make_run, change, section):
    def set_energies(content):
        cell = content["baseline"]["elsewhere"][0]["networks"]["ann"]["variants"]["eager"]["batches"]["1"]
        cell["energy_total"] |= {"value": 1.75e-3, "low": 1.7e-3, "high": 1.8e-3}
        content["energy"]["devices"]["loihi2"]["total"] |= {"value": 0.8e-3, "low": 0.5e-3, "high": 1e-3}

    run = make_run()
    change(run, set_energies)
    text = section(render([run.path], only=["verdict"]), "verdict")
    # 1.7 by 1; the chip's value would make it 2.1.
    assert (
        "by these bounds the GPU&#39;s whole board, as measured with its idle, takes at least 1.7 times as much as the "
        "chip alone, without board, by estimate" in text
    )
    # The break-even that is filed beside it.
    assert re.search(r"Over the batch, the ANN on A GPU \(another machine\) takes less energy", text)
    change(run, lambda content: content.pop("derived"))
    assert "takes less is not known (measurement.json has no section derived)" in render([run.path], only=["verdict"])


@pytest.mark.parametrize(("factor", "text"), [(1.999, "1.9"), (2.0, "2.0"), (43.99, "43"), (1299.0, "1 200")])
def test_a_least_factor_is_never_rounded_up(factor, text):
    assert floored(factor).replace("\u202f", " ") == text


def test_the_best_variant_is_named_and_a_busy_machine_is_told(make_run, change, section, made):
    def wait(content):
        ann = content["baseline"]["devices"]["cpu"]["networks"]["ann"]["variants"]["eager"]
        ann["threads"] = 1
        ann["batches"]["1"]["waited"] = made(0.38, "share")
        ann["batches"]["4"]["waited"] = made(0.02, "share")

    run = make_run()
    text = section(render([run.path], only=["baseline"]), "baseline")
    assert text.count("Best means the variant with most inferences a second at that batch.") == 2
    assert "eager: torch as it comes." in text
    assert "waited for a core" not in text
    change(run, wait)
    text = render([run.path], only=["verdict", "baseline"]).replace("\u202f", " ")
    busy = "the machine was busy: measurements waited up to 38 % of their time for a core"
    assert busy in section(text, "verdict")
    assert section(text, "baseline").count(busy) == 2
    table = text[text.index("best variant at each batch</span>") :]
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr><th.*?</tr>", table, re.S)]
    assert [row[:3] for row in rows if row][:2] == [["eager", "1", "38.0 %"], ["eager", "1", ""]]


def test_a_meter_is_told_in_words(page, section):
    text = section(page(*ALL), "baseline").replace("\u202f", " ")
    assert "NVML, resolution 1.00 mJ, a new reading every 100 ms" in text


def test_the_delay_and_the_energy_of_a_product_are_of_different_calls(page, section):
    assert "the delay is of synchronised single calls, the energy of calls made" in section(page(*ALL), "break-even")


def test_agreement_by_construction_is_not_counted(make_run, change, section):
    def more(content):
        rows = content["energy"]["validation"]
        rows.append({**rows[0], "profile": "published", "test": False, "explained": "no test of ours"})
        rows.append({**rows[0], "explained": "its static power is of it: no test of that part"})
        rows.append({**rows[0], "ratio": {"unavailable": "not installed"}, "test": False, "explained": ""})

    run = make_run()
    change(run, more)
    text = section(render([run.path], only=["energy"]), "energy")
    assert "Of 1 that are a test, 1 has the measurement" in text
    assert "Not counted: 2 marked" in text
    assert text.count("<td>yes, by construction</td>") == 2
    assert "not installed" in text


def test_branches_are_shown_of_runs_that_have_them(page, section):
    text = section(page(*ALL), "time-constants")
    assert "page-dh_lif: time constants" in text
    assert "No branches: page-lif, page-ann." in text


def test_what_is_measured_and_what_estimated_look_different(page, section):
    text = section(page(*ALL), "energy")
    assert "<pattern" in text
    assert "estimated, literature" in text
    assert ">measured<" in text


def test_predictions_stand_beside_what_silicon_measured(page, section):
    text = section(page(*ALL), "energy").replace("\u202f", " ").replace("\u00a0", " ")
    assert "Of 1 that are a test, 1 has the measurement" in text
    row = text[text.index('<th scope="row">PilotNet LIF</th>') :]
    for part in ("1.00 mJ (0.60 to 1.40)", "1.09 mJ", "0.900 (0.600 to 1.400)"):
        assert part in re.sub(r"</?span[^>]*>", "", row[: row.index("</tr>")])


def test_a_prediction_that_misses_says_why(make_run, change):
    def miss(content):
        content["energy"]["validation"][0].update(inside=False, explained="its input was never counted")

    run = make_run()
    change(run, miss)
    text = render([run.path], only=["energy"])
    assert "Of 1 that are a test, 0 have the measurement" in text
    assert "lies outside the band:" in text
    assert "its input was never counted" in text


def test_measurements_of_other_machines_are_marked(page, section):
    assert "A GPU (another machine)" in section(page(*ALL), "baseline")


def test_a_page_is_made_where_everything_is_unavailable(make_run, change, section, section_ids):
    run = make_run()

    def empty(content):
        for name in list(content):
            if name != "format":
                content[name] = {"unavailable": f"no {name} today"}

    change(run, empty)
    text = render([run.path])
    assert tuple(re.findall(r'<section id="([^"]+)"', text)) == section_ids
    for name, part in (("accuracy", "accuracy"), ("energy", "energy"), ("baseline", "baseline"), ("rates", "counters")):
        assert f"no {part} today" in section(text, name)


def test_a_page_is_made_where_sections_are_missing(make_run, section):
    run = make_run()
    write_json(run.measurement, {"format": 1})
    text = render([run.path])
    assert "measurement.json has no section accuracy" in section(text, "accuracy")
    assert f"python -m hardware measure {run.path}" in section(text, "accuracy")
    assert f"python -m hardware baseline {run.path}" in section(text, "baseline")


def test_numbers_that_are_unavailable_say_why(make_run, change, section):
    def gone(entry):
        for key, value in entry.items():
            if isinstance(value, dict) and {"value", "unit"} <= value.keys():
                entry[key] = {"unavailable": "the probe is gone"}
            else:
                for each in value if isinstance(value, list) else [value]:
                    if isinstance(each, dict):
                        gone(each)

    run = make_run("dh_lif")
    change(run, gone)
    text = render([run.path])
    assert "cannot be read" not in text
    for name in ("verdict", "accuracy", "rates", "energy", "break-even", "limits"):
        assert "the probe is gone" in section(text, name), name


@pytest.mark.parametrize("key", ["net_sha256", "checkpoint_sha256"])
def test_what_was_measured_of_another_network_is_not_shown(make_run, change, section, key):
    run = make_run()
    change(run, lambda content: content["accuracy"]["identity"].update({key: "0" * 64}))
    text = render([run.path], only=["accuracy"])
    assert "section accuracy was measured on another" in text
    assert f"python -m hardware measure {run.path}" in text
    assert "Accuracy by head" not in text


def test_parity_of_another_network_is_not_shown(make_run, section):
    run = make_run()
    write_json(run.parity, {"net_sha256": "0" * 64})
    assert "parity.json was made of another model.net" in render([run.path], only=["parity"])


@pytest.mark.parametrize(
    ("total", "text"), [(0, "3 clips compared, every one of 1 234 spikes as expected"), (2, "2 spikes differ, 0 came")]
)
def test_what_the_chip_answered_is_told(make_run, change, total, text):
    comparison = {
        "samples": 3,
        "expected": {"conv1": 1000, "heads": 234},
        "differing": {"conv1": total, "heads": 0},
        "spurious": {"conv1": 0, "heads": 0},
        "total": total,
        "faults": total,
        "vacuous": False,
    }
    run = make_run()
    change(run, lambda content: content.update(loihi2={"net_sha256": sha256(run.net), "comparison": comparison}))
    assert text in render([run.path], only=["parity"]).replace("\u202f", " ").replace("\u00a0", " ")


def test_energy_that_silicon_measured_comes_first(make_run, change, section, made):
    run = make_run()
    energies = {"total": made(2e-3, "J", 1.9e-3, 2.1e-3), "dynamic": made(1e-3, "J")}
    change(run, lambda content: content.update(loihi2={"net_sha256": sha256(run.net), "energy": energies}))
    text = render([run.path], only=["verdict", "energy"]).replace("\u202f", " ").replace("\u00a0", " ")
    assert "An inference takes 1.90 to 2.10 mJ, measured on Loihi 2" in section(text, "verdict")
    assert "Loihi 2, silicon" in section(text, "energy")


def test_a_damaged_section_says_so_and_the_rest_is_shown(make_run, change, section):
    run, whole = make_run(), make_run("ann")
    change(run, lambda content: content["accuracy"].update(sets={"test": {"clips": "many"}}))
    text = render([run.path, whole.path], only=["verdict", "accuracy", "rates"])
    why = f"section accuracy of {run.measurement} cannot be read"
    assert why in section(text, "accuracy")
    assert f"python -m hardware measure {run.path}" in section(text, "accuracy")
    assert "Accuracy by head" in section(text, "accuracy")
    assert f"lif (LIF): accuracy unavailable: {why}" in section(text, "verdict")
    assert "An inference takes" in section(text, "verdict")
    assert "cannot be read" not in section(text, "rates")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), None, "much"])
def test_a_bad_number_costs_a_section_of_a_run(make_run, change, section, bad):
    def spoil(content):
        content["energy"]["devices"]["loihi2"]["total"]["value"] = bad

    run, whole = make_run(), make_run("ann")
    # Python's JSON writes NaN and Infinity, which our own writer refuses.
    content = json.loads(run.measurement.read_text())
    spoil(content)
    run.measurement.write_text(json.dumps(content))
    text = render([run.path, whole.path], only=["verdict", "energy", "accuracy", "limits"])
    assert f"section energy of {run.measurement} is damaged: devices.loihi2.total" in section(text, "energy")
    assert f"python -m hardware measure {run.path}" in section(text, "energy")
    assert "ann: energy of an inference, estimated" in section(text, "energy")
    assert "lif (LIF) names the title" in section(text, "verdict")
    assert "Accuracy by head" in section(text, "accuracy")
    assert "cannot be read" not in text


def test_a_number_that_is_none_outside_a_quantity_is_damage(make_run, section):
    run = make_run()
    content = json.loads(run.measurement.read_text())
    content["energy"]["over_step_time"]["loihi2"][1]["value_j"] = float("inf")
    run.measurement.write_text(json.dumps(content))
    assert "over_step_time.loihi2[1].value_j is inf" in render([run.path], only=["energy"])


def test_names_from_files_are_escaped(make_run, change):
    odd = "<script>alert('$x$')</script> & `code"

    def rename(content):
        head = content["accuracy"]["sets"]["test"]["heads"]["title"]
        head["labels"][0] = odd
        head["confusion"][0][1] = 99
        content["baseline"]["elsewhere"][0]["name"] = odd
        content["energy"]["devices"]["loihi2"]["title"] = odd

    run = make_run("lif", "<b>run")
    change(run, rename)
    text = render([run.path], only=["verdict", "accuracy", "energy", "baseline", "break-even"])
    assert "<script" not in text
    assert "<b>run" not in text
    assert "&lt;script&gt;alert(" in text


def test_runs_of_one_name_are_told_apart(make_run):
    one, other = make_run("lif", "here/lif"), make_run("lif", "there/lif")
    text = render([one.path, other.path], only=["verdict"])
    assert str(one.path) in text
    assert str(other.path) in text


def test_text_between_backticks_is_code():
    assert prose("run `a <b>` now") == "run <code>a &lt;b&gt;</code> now"
    assert prose("a ` alone") == "a ` alone"


def test_rows_without_any_number_become_one_line():
    rows = (
        Row("a", (Cell("1"),)),
        Row("b", (Cell("x", missing="no meter"),)),
        Row("c", (Cell("x", missing="no meter"),)),
    )
    table = Table("t", ("", "run"), rows, "Note.").lean()
    assert [row.head for row in table.rows] == ["a"]
    assert table.note == "Note. Unavailable: b, c (no meter)."
    # A table of nothing else stays, with the reasons below.
    assert Table("t", ("", "run"), rows[1:]).lean().rows == rows[1:]
