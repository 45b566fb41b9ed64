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
    # Without static power: (10 - 1) / (2 + 0.5); least (5 - 2) / (3 + 1), most (20 - 0.5) / (1 + 0.1).
    assert entry["compared"] == "dynamic"
    assert [entry["scale"][key] for key in ("low", "value", "high")] == pytest.approx([0.75, 3.6, 19.5 / 1.1])
    assert [entry["rate"][key] for key in ("low", "value", "high")] == pytest.approx([0.0225, 0.144, 19.5 / 1.1 * 0.05])
    assert entry["rate"]["evidence"] == "literature"
    assert entry["verdict"] == "undecided within the bands: they meet at 3.6 (0.75 to 17.7) times the spikes counted"


def test_a_measured_energy_stands_against_all_of_the_chips(measured):
    entry = pick(rate_break_even(measured), snn="chip", ann="cuda, batch 1")
    # (40 - 1 - 4) / 2.5; least (32 - 2 - 8) / 4, most (48 - 0.5 - 2) / 1.1.
    assert entry["compared"] == "total"
    assert [entry["scale"][key] for key in ("low", "value", "high")] == pytest.approx([5.5, 14, 45.5 / 1.1])
    assert entry["verdict"] == "the spiking network takes less; the ANN would from 14 (5.5 to 41.4) times its spikes"
    entry = pick(rate_break_even(measured), snn="chip", ann="cuda, batch 16")
    # (3 - 5) is less than nothing: updates and static power alone take more; at most (3.6 - 2.5) / 1.1.
    assert [entry["scale"][key] for key in ("low", "value", "high")] == pytest.approx([0, 0, 1])
    entry = pick(rate_break_even(measured), snn="chip", ann="cpu, batch 1")
    assert entry["unavailable"] == "no counter"


@pytest.mark.parametrize(
    ("joules", "verdict"),
    [
        (1e-6, "the ANN takes less even than a network that never fires"),
        (3.5e-3, "undecided within the bands: they meet at 1 (0.375 to 2.73) times the spikes counted"),
        (1.0, "the spiking network takes less even if every neuron fires at every step"),
    ],
)
def test_verdicts_over_rates(measured, quantity, joules, verdict):
    measured["energy"]["devices"]["digital"]["dynamic"] = quantity(joules, "J", evidence="literature")
    assert pick(rate_break_even(measured), snn="chip", ann="digital")["verdict"] == verdict


def test_the_ann_wins_where_its_most_is_less(measured, quantity):
    measured["energy"]["devices"]["digital"]["dynamic"] = quantity(1.5e-3, "J", evidence="literature")
    entry = pick(rate_break_even(measured), snn="chip", ann="digital")
    assert entry["verdict"] == "the ANN takes less; the spiking network would below 0.2 (0 to 0.909) times its spikes"


def test_a_part_within_another_is_not_missed(measured, quantity):
    chip = measured["energy"]["devices"]["chip"]
    chip["parts"]["messages"] = chip["parts"]["updates"] = {"unavailable": "within the energy of an operation"}
    entry = pick(rate_break_even(measured), snn="chip", ann="digital")
    # What is filed as dynamic has more in it than the synapses.
    assert entry["unavailable"] == "within the energy of an operation"
    chip["dynamic"] = quantity(2e-3, "J", 1e-3, 3e-3, "literature")
    entry = pick(rate_break_even(measured), snn="chip", ann="digital")
    assert [entry["scale"][key] for key in ("low", "value", "high")] == pytest.approx([5 / 3, 5, 20])


def test_spikes_that_may_cost_nothing_decide_nothing(measured, quantity):
    chip = measured["energy"]["devices"]["chip"]
    for part in ("synapses", "messages"):
        chip["parts"][part] = quantity(1e-3, "J", 0.0, 2e-3, "literature")
    chip["dynamic"] = quantity(3e-3, "J", 0.5e-3, 6e-3, "literature")
    entry = pick(rate_break_even(measured), snn="chip", ann="digital")
    assert entry["unavailable"] == "what its spikes take may be nothing, so no number of them is too many"
