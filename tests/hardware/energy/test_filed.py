"""Counts, placement and schedule of a run, read back: whole, of this network, and damage told with its field."""

import shutil
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from export.schedule import CHIP_INPUT_DELAY, schedule
from hardware.energy.filed import filed_copies, filed_counts, filed_schedule, filed_twin, has_dendrites
from train.artifacts import RunFolder
from train.errors import MaestroError


@pytest.fixture
def folder(run):
    return lambda content: RunFolder(run(content))


def test_counts_come_back_as_they_were_filed(folder, filed_section, counts, ann):
    for found in (counts, ann):
        assert filed_counts(folder({"counters": filed_section(found)})) == found


def test_more_states_than_two_are_dendrites(counts, dendritic, ann):
    assert not has_dendrites(counts)
    assert not has_dendrites(ann)
    assert has_dendrites(dendritic)


def test_counts_of_another_network_are_not_used(folder, filed_section, ann):
    section = {"identity": {"net_sha256": None, "checkpoint_sha256": "0" * 64}, **filed_section(ann)}
    with pytest.raises(MaestroError, match=r"counters: unavailable: measured of another network: .* hardware measure "):
        filed_counts(folder({"counters": section}))


def layer(**values):
    """What changes values of the only layer."""
    return lambda section: section["layers"]["layer0"].update(values)


def number(field, **values):
    return lambda section: section["layers"]["layer0"][field].update(values)


DAMAGE = {
    "no table": (lambda section: section.clear() or section.update(layers=3), "counters.layers: is 3"),
    "no layers": (lambda section: section.pop("layers"), r"counters\.layers: is None \(expected a table\)"),
    "layers of nothing": (lambda section: section.update(layers={}), r"counters\.layers: is empty"),
    "a list for layers": (lambda section: section.update(layers=[]), r"counters\.layers: is \[\]"),
    "a layer that is none": (lambda s: s["layers"].update(layer0=None), r"layers\.layer0: is None \(expected a table"),
    "an unknown kind": (layer(kind="foo"), r"layer0\.kind: is 'foo' \(expected spiking or ann\)"),
    "a list for a kind": (layer(kind=[]), r"layer0\.kind: is \[\]"),
    "two kinds": (
        lambda s: s["layers"].update(other={**s["layers"]["layer0"], "kind": "ann"}),
        "layers: mixes spiking and ann layers",
    ),
    "no weights": (layer(weights=None), r"layer0\.weights: is None \(expected a whole number from 0 on\)"),
    "weights below nothing": (layer(weights=-1), r"layer0\.weights: is -1"),
    "weights that are true": (layer(weights=True), r"layer0\.weights: is True"),
    "half a neuron": (layer(neurons=0.5), r"layer0\.neurons: is 0\.5"),
    "more weights that are not zero": (layer(weights_nonzero=101), r"weights_nonzero: is 101 \(expected no more than"),
    "no steps": (lambda section: section.pop("steps"), r"counters\.steps: is None \(expected a whole number from 1"),
    "steps of nothing": (lambda section: section.update(steps=0), r"counters\.steps: is 0"),
    "steps below nothing": (lambda section: section.update(steps=-94), r"counters\.steps: is -94"),
    "many steps": (lambda section: section.update(steps="many"), r"counters\.steps: is 'many'"),
    "no clips": (lambda section: section.update(clips=0), r"counters\.clips: is 0"),
    "other steps": (lambda section: section.update(steps=11), r"dendrite_updates: is 100 \(expected 110, one a step\)"),
    "no states": (layer(states=0), r"states: is 0 \(expected at least a current and a voltage a neuron\)"),
    "other states": (layer(states=30), r"state_updates: is 200 \(expected 300, one a step\)"),
    "no total": (lambda section: section.update(total=[]), r"counters\.total: is \[\]"),
    "no input spikes": (lambda section: section["total"].clear(), r"total\.input_spikes: is missing"),
    "a count that is missing": (lambda s: s["layers"]["layer0"].pop("dense"), r"layer0\.dense: is missing"),
    "a file from before stored zeros": (
        lambda section: section["layers"]["layer0"].pop("syn_ops_stored"),
        r"layer0\.syn_ops_stored: is missing",
    ),
    "fewer with zeros than without": (
        number("syn_ops_stored", value=3.0, low=3.0),
        r"syn_ops_stored: is 3 \(expected no less than syn_ops\)",
    ),
    "a count that is unavailable": (layer(dense={"unavailable": "no idea"}), r"dense: unavailable: no idea"),
    "a footprint that is unavailable": (layer(footprint={"unavailable": "no"}), r"footprint: unavailable: no"),
    "a count that is no number": (layer(dense=7), r"layer0\.dense: is damaged: .*7 is no number of ours"),
    "a count that is not finite": (number("dense", value="nan"), r"layer0\.dense: is damaged: "),
    "a count outside its bounds": (number("dense", value=1e9), r"layer0\.dense: is damaged: .* outside "),
    "a count below nothing": (number("spikes_in", value=-1, low=-1), r"spikes_in: is -1 \(expected no number below 0"),
    "a count in another unit": (number("syn_ops", unit="J"), r"syn_ops: is in 'J' \(expected operations\)"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_told_with_file_and_field(folder, filed_section, counts, name):
    change, text = DAMAGE[name]
    section = filed_section(counts)
    change(section)
    with pytest.raises(MaestroError, match=text) as told:
        filed_counts(folder({"counters": section}))
    assert "run/measurement.json: counters" in str(told.value)
    assert "Make it with `python -m hardware measure" in str(told.value)


WRONG = st.sampled_from([None, [], {}, "x", -1, 0, 0.5, True, float("inf"), {"unavailable": "no"}])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damage_ends_in_a_traceback(folder, filed_section, counts, data):
    section = here = filed_section(counts)
    while True:
        key = data.draw(st.sampled_from(sorted(here)))
        if not isinstance(here[key], dict) or not here[key] or data.draw(st.booleans()):
            here[key] = data.draw(WRONG)
            break
        here = here[key]
    # Damage to a word that carries no number, as a method, passes; so does a count that may be 0 or 1.
    said, found = "measurement.json: counters", None
    with suppress(MaestroError):
        try:
            found = filed_counts(folder({"counters": section}))
        except MaestroError as error:
            said = str(error)
            raise
    assert "measurement.json: counters" in said
    assert found is None or (found.steps >= 1 and all(one.kind == "spiking" for one in found.layers.values()))


def test_a_run_without_counts_is_told_how_to_get_them(folder):
    with pytest.raises(MaestroError, match=r'has no counts \(expected a section "counters"\)'):
        filed_counts(folder({}))


def test_an_ann_has_no_schedule_and_no_twin(folder, ann):
    run = folder({})
    assert filed_schedule(run, ann) == {}
    assert filed_twin(run, ann) is None
    assert filed_copies(run) is None


def test_the_schedule_is_the_manifests(folder, counts, monkeypatch):
    manifest = SimpleNamespace(steps=10, latency_steps=6)
    monkeypatch.setattr("export.manifest.load_manifest", lambda _run: manifest)
    period = schedule(10, 6, input_delay=CHIP_INPUT_DELAY).period
    assert filed_schedule(folder({}), counts) == {"period": period, "answer_steps": 10 + 6 + 2}
    with pytest.raises(MaestroError, match=r"counters\.steps: is 11 \(expected 10, as manifest\.json has it\)"):
        filed_schedule(folder({}), replace(counts, steps=11))


def test_a_spiking_run_without_a_manifest_is_told(folder, counts):
    with pytest.raises(MaestroError, match="python -m export netx"):
        filed_schedule(folder({}), counts)


def test_a_networks_spread_is_its_placements(folder, root, tmp_path):
    from hardware.energy.published import pilotnet_folder

    try:
        net = pilotnet_folder() / "network.net"
    except MaestroError as error:
        pytest.skip(str(error))
    run = folder({})
    shutil.copy(net, run.net)
    found = filed_copies(run)
    assert found.copies["dense1"] >= 2
    assert found.cores >= 50
    assert found.chips == 1
