"""The README's table of what an inference costs is what the committed measurements say."""

import json

import pytest

from hardware.measurement import FORMAT, quantity_of
from hardware.report.format import amount

RUNS = ("lif", "dh_lif", "dh_lif_spiking", "ann")
# Row of the README: where its number lies in measurement.json.
ROWS = {
    "title accuracy, test": ("accuracy", "sets", "test", "heads", "title", "accuracy"),
    "title accuracy, other keyboards": ("accuracy", "sets", "test_keyboards", "heads", "title", "accuracy"),
    "spikes (ANN: values not zero)": ("counters", "total", "axon_out"),
    "synaptic operations": ("counters", "total", "syn_ops"),
    "neuron updates": ("counters", "total", "dendrite_updates"),
    "state updates": ("counters", "total", "state_updates"),
    "footprint as deployed": ("counters", "total", "footprint"),
    "energy on Loihi 2 above idle": ("energy", "devices", "loihi2", "dynamic"),
    "energy on Loihi 2 in all": ("energy", "devices", "loihi2", "total"),
}


@pytest.fixture(scope="module")
def ledger(root):
    folder = root / "hardware" / "results" / "ledger"
    return {run: json.loads((folder / f"{run}.json").read_text()) for run in RUNS}


@pytest.fixture(scope="module")
def table(root):
    """Cells of the README's table by row and run."""
    lines = (root / "README.md").read_text().splitlines()
    start = next(index for index, line in enumerate(lines) if line == f"|  | {' | '.join(RUNS)} |")
    found = {}
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            return found
        head, *cells = (part.strip() for part in line.strip("|").split("|"))
        found[head] = dict(zip(RUNS, cells, strict=True))
    return found


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("row", ROWS)
def test_the_readme_says_what_was_measured(ledger, table, row, run):
    here = ledger[run]
    for key in ROWS[row]:
        here = here.get(key, {"unavailable": ""}) if isinstance(here, dict) else here
    number, cell = quantity_of(here), table[row][run]
    if isinstance(number, str):
        assert cell.startswith("unavailable (")
    else:
        assert cell.split(", ")[0] == amount(number)


@pytest.mark.parametrize("run", RUNS)
def test_times_and_what_is_not_to_be_had(ledger, table, run):
    cpu, cell = ledger[run]["baseline"]["devices"]["cpu"], table["time on the processor, batch 1"][run]
    if "unavailable" in cpu:
        assert cell.startswith("unavailable (")
    else:
        ran = cpu["networks"]["ann" if run == "ann" else "snn"]
        best = ran["variants"][ran["best"]["1"]]["batches"]["1"]["latency"]
        assert cell == amount(quantity_of(best))
    for device, name in (("cuda", "the GPU"), ("cpu", "the processor")):
        entry = ledger[run]["baseline"]["devices"][device]
        if "unavailable" in entry or "unavailable" in entry["energy_meter"]:
            cells = [row[run] for head, row in table.items() if head == f"energy on {name}, batch 1"]
            assert all(cell.startswith("unavailable (") for cell in cells)


@pytest.mark.parametrize("run", RUNS)
def test_the_measurements_are_whole_and_of_one_network(ledger, run):
    content = ledger[run]
    assert content["format"] == FORMAT
    sections = [section for name, section in content.items() if name != "format"]
    assert {json.dumps(section["identity"]) for section in sections} == {json.dumps(sections[0]["identity"])}
    for section in sections:
        assert len(section["provenance"]["commit"].split()[0]) == 40
