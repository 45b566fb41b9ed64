import pytest

from hardware.measure.break_even import SILICON, batch_break_even, chips, rate_break_even


def pick(found, **keys):
    (entry,) = (entry for entry in found if all(entry[key] == value for key, value in keys.items()))
    return entry


def test_the_gpu_wins_from_the_batch_where_it_takes_less(measured):
    entry = pick(batch_break_even(measured), device="cuda", network="ann", measure="energy_total")
    # The chip takes 3.6 to 14 mJ, about 7.5; the GPU 40, 10 and 3 mJ, each by a fifth less or more.
    assert entry["chip_value"]["value"] == 7.5e-3
    assert [point["batch"] for point in entry["points"]] == [1, 4, 16]
    assert (entry["may_win_from"], entry["wins_from"], entry["surely_wins_from"]) == (4, 16, None)
    assert entry["verdict"] == (
        "takes less energy from batch 16 by the middle of the bands; perhaps from batch 4, surely at no batch up to 16"
    )
    assert "unavailable" not in entry


def test_above_idle_stands_beside_the_chips_dynamic_energy(measured):
    entry = pick(batch_break_even(measured), device="cuda", network="ann", measure="energy_dynamic_bare")
    assert entry["chip_value"]["value"] == 3.5e-3
    assert (entry["may_win_from"], entry["wins_from"]) == (16, 16)


def test_throughput_counts_the_best_variant(measured):
    entry = pick(batch_break_even(measured), device="cpu", network="ann", measure="throughput")
    # 20 ms an inference: 50 a second, 25 to 100; the processor gives 100, 308 and 640.
    assert entry["chip_value"]["value"] == pytest.approx(50)
    assert entry["points"][1]["value"] == pytest.approx(4 / 0.013)
    assert (entry["may_win_from"], entry["wins_from"], entry["surely_wins_from"]) == (1, 1, 4)
    assert entry["verdict"].startswith("gives more inferences a second from batch 1 by the middle of the bands")


def test_from_means_from_there_on(measured, quantity):
    batches = measured["baseline"]["devices"]["cuda"]["networks"]["ann"]["variants"]["graph"]["batches"]
    for batch, joules in (("1", 1e-3), ("4", 50e-3), ("16", 50e-3)):
        batches[batch]["energy_total"] = quantity(joules, "J")
    entry = pick(batch_break_even(measured), device="cuda", network="ann", measure="energy_total")
    assert entry["wins_from"] is None
    assert entry["verdict"] == "takes less energy at no batch up to 16"


def test_nothing_is_said_of_what_was_not_measured(measured):
    found = batch_break_even(measured)
    assert pick(found, device="cpu", network="ann", measure="energy_total")["unavailable"] == "no counter"
    assert pick(found, device="cpu", network="snn", measure="throughput")["unavailable"] == "not exported"
    measured["baseline"]["devices"]["cuda"] = {"unavailable": "no GPU"}
    assert (
        pick(batch_break_even(measured), device="cuda", network="snn", measure="throughput")["unavailable"] == "no GPU"
    )
    for section, reason in (({}, "the baseline was not measured"), ({"unavailable": "old"}, "old")):
        measured["baseline"] = section
        assert {entry["unavailable"] for entry in batch_break_even(measured)} == {reason}
        assert {entry["device"] for entry in batch_break_even(measured)} == {"cpu", "cuda"}


def test_measurements_of_another_machine_are_marked(measured):
    gpu = measured["baseline"]["devices"]["cuda"]
    measured["baseline"]["devices"]["cuda"] = {"unavailable": "no GPU"}
    measured["baseline"]["elsewhere"] = [{"name": "H200", **gpu}]
    entry = pick(batch_break_even(measured), device="H200 (another machine)", network="ann", measure="energy_total")
    assert entry["wins_from"] == 16


def test_silicon_stands_beside_the_estimates(measured, quantity):
    assert chips(measured) == ["chip"]
    measured["loihi2"] = {
        "energy": {"total": quantity(2e-3, "J"), "dynamic": {"unavailable": "below the resolution"}},
        "time": {"inference": quantity(0.005, "s")},
    }
    assert chips(measured) == ["chip", SILICON]
    found = batch_break_even(measured)
    assert pick(found, chip=SILICON, device="cuda", network="ann", measure="energy_total")["wins_from"] is None
    entry = pick(found, chip=SILICON, device="cuda", network="ann", measure="throughput")
    assert entry["chip_value"]["value"] == pytest.approx(200)
    entry = pick(found, chip=SILICON, device="cuda", network="ann", measure="energy_dynamic_bare")
    assert entry["unavailable"] == "below the resolution"


def test_a_line_over_activity_meets_the_anns_energy(measured):
    entry = pick(rate_break_even(measured), snn="chip", ann="digital")
    # A quarter of the synapses' energy and a tenth of the messages' is the input's. 0.84 to 3.15, about 1.95 mJ grow
    # with the spikes; without static power 0.76 to 2.85, about 1.55, stay. So (10 - 1.55) / 1.95, and its bounds:
    assert entry["compared"] == "dynamic"
    assert [entry["scale"][key] for key in ("low", "value", "high")] == pytest.approx(
        [2.15 / 3.15, 8.45 / 1.95, 19.24 / 0.84]
    )
    assert [entry["rate"][key] for key in ("low", "value", "high")] == pytest.approx(
        [0.03 * 2.15 / 3.15, 0.04 * 8.45 / 1.95, 1]
    )
    assert entry["rate"]["evidence"] == "literature"
    assert entry["verdict"] == "undecided within the bands: they meet at 4.33 (0.683 to 22.9) times the spikes counted"


def test_a_measured_energy_stands_against_all_of_the_chips(measured):
    entry = pick(rate_break_even(measured), snn="chip", ann="cuda, batch 1")
    # With the static 2 to 8, about 4 mJ.
    assert entry["compared"] == "total"
    assert [entry["scale"][key] for key in ("low", "value", "high")] == pytest.approx(
        [21.15 / 3.15, 34.45 / 1.95, 45.24 / 0.84]
    )
    assert entry["verdict"] == "the spiking network takes less; the ANN would from 17.7 (6.71 to 53.9) times its spikes"
    entry = pick(rate_break_even(measured), snn="chip", ann="cuda, batch 16")
    # 3 mJ is less than what stays without a spike; at most (3.6 - 2.76) / 0.84.
    assert [entry["scale"][key] for key in ("low", "value", "high")] == pytest.approx([0, 0, 1])
    entry = pick(rate_break_even(measured), snn="chip", ann="cpu, batch 1")
    assert entry["unavailable"] == "no counter"


@pytest.mark.parametrize(
    ("joules", "verdict"),
    [
        (1e-6, "the ANN takes less even than a network that never fires"),
        (3.5e-3, "undecided within the bands: they meet at 1 (0.206 to 3.26) times the spikes counted"),
        (1.0, "the spiking network takes less even if every neuron fires at every step"),
    ],
)
def test_verdicts_over_rates(measured, quantity, joules, verdict):
    measured["energy"]["devices"]["digital"]["dynamic"] = quantity(joules, "J", evidence="literature")
    assert pick(rate_break_even(measured), snn="chip", ann="digital")["verdict"] == verdict


def test_the_ann_wins_where_its_most_is_less(measured, quantity):
    measured["energy"]["devices"]["digital"]["dynamic"] = quantity(1.5e-3, "J", evidence="literature")
    entry = pick(rate_break_even(measured), snn="chip", ann="digital")
    assert entry["verdict"] == "the ANN takes less; the spiking network would below 0 (0 to 0.881) times its spikes"


def test_a_part_within_another_is_not_missed(measured, quantity):
    chip = measured["energy"]["devices"]["chip"]
    chip["parts"]["messages"] = {"unavailable": "within the energy of an operation"}
    entry = pick(rate_break_even(measured), snn="chip", ann="digital")
    # What is filed as dynamic has more in it than synapses and updates.
    assert entry["unavailable"] == "within the energy of an operation"
    chip["dynamic"] = quantity(3e-3, "J", 1.5e-3, 5e-3, "literature")
    entry = pick(rate_break_even(measured), snn="chip", ann="digital")
    assert [entry["scale"][key] for key in ("low", "value", "high")] == pytest.approx([1, 8.5 / 1.5, 19.25 / 0.75])


def test_of_a_network_whose_updates_are_not_priced_nothing_is_said(measured, quantity):
    chip = measured["energy"]["devices"]["chip"]
    chip["parts"]["updates"] = {"unavailable": "within the energy of an operation"}
    chip["dynamic"] = quantity(2.5e-3, "J", 1.1e-3, 4e-3, "literature")
    entry = pick(rate_break_even(measured), snn="chip", ann="digital")
    assert entry["unavailable"] == "within the energy of an operation"


def test_an_ann_with_a_static_part_stands_against_all_of_the_chips(measured, quantity):
    digital = measured["energy"]["devices"]["digital"]
    digital["parts"]["static"] = quantity(1e-3, "J", evidence="literature")
    digital["total"] = quantity(11e-3, "J", evidence="literature")
    entry = pick(rate_break_even(measured), snn="chip", ann="digital")
    assert entry["compared"] == "total"
    assert entry["scale"]["value"] == pytest.approx((11 - 5.55) / 1.95)


def test_only_the_least_rate_decides_that_no_spikes_are_too_many(measured, quantity):
    # Spikes of 10 times as many in the middle, and of a rate above 1; at the least fewer.
    measured["counters"]["total"]["rate"] = quantity(0.9, "spikes a neuron and step", 0.01, 0.95)
    entry = pick(rate_break_even(measured), snn="chip", ann="cuda, batch 1")
    assert entry["rate"]["value"] == entry["rate"]["high"] == 1
    assert entry["verdict"].startswith("the spiking network takes less; the ANN would from 17.7")


def test_an_uncounted_network_has_no_level(measured):
    measured["counters"] = {"unavailable": "old"}
    assert {entry["unavailable"] for entry in rate_break_even(measured) if entry["ann"] == "digital"} == {"old"}


def test_spikes_that_may_cost_nothing_decide_nothing(measured, quantity):
    chip = measured["energy"]["devices"]["chip"]
    for part in ("synapses", "messages"):
        chip["parts"][part] = quantity(1e-3, "J", 0.0, 2e-3, "literature")
    chip["dynamic"] = quantity(3e-3, "J", 0.5e-3, 6e-3, "literature")
    entry = pick(rate_break_even(measured), snn="chip", ann="digital")
    assert entry["unavailable"] == "what its spikes take may be nothing, so no number of them is too many"


def test_factors_are_written_out():
    from hardware.measure.break_even import _times
    from hardware.measurement import Quantity

    factor = Quantity(14100.0, "times", "estimated", "made up", 2.5e-7, 1234567.0)
    assert _times(factor).replace("\u202f", " ") == "14 100 (under 0.001 to 1 230 000) times"
