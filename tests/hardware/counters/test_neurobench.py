"""NeuroBench's names, and what stands behind each."""

import torch

from hardware.counters.neurobench import DEFINITIONS, module_bytes, neurobench
from hardware.measurement import exact, unavailable


def test_a_module_takes_its_parameters_and_buffers_in_their_own_widths():
    module = torch.nn.Linear(3, 2, dtype=torch.float16)
    assert module_bytes(module) == 2 * (6 + 2)
    module.register_buffer("steps", torch.zeros(5, dtype=torch.int64))
    assert module_bytes(module) == 2 * (6 + 2) + 8 * 5
    # batch norm: two parameters a channel, two running means, and a counter.
    assert module_bytes(torch.nn.BatchNorm1d(4)) == 4 * (8 + 8) + 8


def test_every_total_goes_by_its_name_with_its_definition():
    total = {ours: exact(number, "B", f"way {number}").as_dict() for number, ours in enumerate(DEFINITIONS)}
    found = neurobench(total, None)
    says = {
        "footprint": "of what has to be buffered",
        "connection_sparsity": "weights that are zero over all weights",
        "activation_sparsity": "outputs that are zero over all outputs",
        "effective_acs": "whose input is 0, 1 or -1",
        "effective_macs": "whose input is anything else",
        "dense": "whatever is zero",
    }
    assert list(found) == list(says)
    for number, (theirs, words) in enumerate(says.items()):
        assert found[theirs]["value"] == number
        assert words in found[theirs]["method"]
        assert found[theirs]["method"].endswith(f". Here way {number}")
    assert {ours: entry["method"] for ours, entry in total.items()} == {
        o: f"way {n}" for n, o in enumerate(DEFINITIONS)
    }


def test_the_modules_bytes_stand_for_the_ann_and_reasons_stay():
    total = {ours: unavailable("there is none") for ours in DEFINITIONS}
    assert set(map(str, neurobench(total, None).values())) == {"{'unavailable': 'there is none'}"}
    found = neurobench(total, 44)
    assert (found["footprint"]["value"], found["footprint"]["unit"]) == (44, "B")
    assert found["dense"] == {"unavailable": "there is none"}
