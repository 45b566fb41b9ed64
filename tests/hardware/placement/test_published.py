"""The rules held against what Intel's compiler printed."""

import json

import pytest

from hardware.placement.check import compare, placed, summary
from hardware.placement.dense import list_words
from hardware.placement.limits import WORD_BITS
from hardware.placement.plan import place_file
from hardware.placement.published import MNIST, OXFORD, PILOTNET, TABLES, YOLO


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_published_rows_cores_are_exact(table):
    rows = compare(table)
    assert [row.foretold["Cores"].value for row in rows] == [row.printed["Cores"] for row in rows]
    assert all(row.holds("Cores") for row in rows)


@pytest.mark.parametrize("table", [OXFORD, MNIST, PILOTNET], ids=lambda table: table.name)
def test_synaptic_memory_is_within_two_per_cent(table):
    errors = {row.layer: row.error("Synapses") for row in compare(table)}
    print({layer: f"{error:+.2%}" for layer, error in errors.items()})
    assert max(map(abs, errors.values())) < 0.02
    assert all(row.holds("Synapses") for row in compare(table))


def test_pilotnet_is_exact_in_all_columns_but_axonmem_whose_bounds_hold():
    for row in compare(PILOTNET):
        for column in ("AxonIn", "NeuronGr", "Neurons", "Synapses", "AxonMap", "Cores"):
            assert row.foretold[column].value == row.printed[column], (row.layer, column)
        assert row.holds("AxonMem"), row.layer
    cores = placed(PILOTNET).cores
    assert (cores.value, cores.low, cores.high, cores.evidence) == (74, 51, 79, "estimate")


def test_yolo_takes_574_cores_and_every_axon_column_holds():
    cores = placed(YOLO).cores
    assert (cores.value, cores.low, cores.high) == (574, 500, 574)
    for row in compare(YOLO):
        assert row.holds("AxonMem"), row.layer
        assert row.foretold["AxonMap"].value == row.printed["AxonMap"], row.layer
        assert row.foretold["NeuronGr"].value == row.printed["NeuronGr"], row.layer


@pytest.mark.parametrize(("neurons", "axons", "printed"), [(200, 256, 14592), (256, 200, 14600), (128, 256, 9472)])
def test_an_older_compiler_of_2022_is_the_same_formula_with_ten_bits(neurons, axons, printed):
    # lava-dl tutorials netx/oxford/runLoihi.ipynb, whose limit is 8184: allocation=14592, 14600 and 9472.
    assert axons * list_words(neurons, 8, 10) == printed


@pytest.mark.parametrize(("words", "neurons", "bits"), [(61440, 100, 3), (66560, 100, 4), (12800, 17, 3)])
def test_pilotnets_log_lines_are_the_formulas(words, neurons, bits):
    # lava-dl tutorials netx/pilotnet_snn and pilotnet_sdnn/benchmark.ipynb: allocation=61440, 66560, 12800.
    assert 2560 * list_words(neurons, bits, 12) == words
    assert WORD_BITS == 64


@pytest.mark.parametrize(("name", "compiler", "cores"), [("oxford", "2022", [3, 2]), ("mnist", "newer", [3, 1, 1])])
def test_the_files_themselves_give_the_published_cores(shared, name, compiler, cores):
    net = shared / "netx" / f"{name}.net"
    if not net.is_file():
        pytest.skip(f"{name}.net is absent")
    placement = place_file(net, compiler=compiler)
    assert [row.cores.value for row in placement.rows] == cores
    published = {"oxford": OXFORD, "mnist": MNIST}[name]
    for row, printed in zip(placement.rows, published.rows, strict=True):
        assert row.columns["AxonIn"].value == printed[0]
        assert abs(row.columns["Synapses"].value / printed[3] - 1) < 0.05


def test_pilotnets_file_gives_the_published_table(pilotnet):
    placement = place_file(pilotnet, compiler="2022")
    columns = ("AxonIn", "NeuronGr", "Neurons", "Synapses", "AxonMap")
    found = [(*(row.columns[name].value for name in columns), row.cores.value) for row in placement.rows]
    assert found == [(*row[:5], row[6]) for row in PILOTNET.rows]
    assert placement.fits
    assert placement.binds == "Neurons"


def test_the_readme_has_the_errors_as_they_are(root):
    text = (root / "hardware/placement/README.md").read_text()
    for line in summary():
        assert line in text


def test_check_prints_both_and_the_error(cli):
    result = cli("hardware", "place", "--check")
    assert result.exit_code == 0
    assert "PilotNet LIF, compiler 2022: 74 cores printed, 74 foretold (51..79)" in result.output
    assert "2016, 2048 +1.6%" in result.output
    assert "93 in 73..222e" in result.output


def test_check_as_json(cli):
    tables = json.loads(cli("hardware", "place", "--check", "--json").output)
    assert [table["cores"]["printed"] for table in tables] == [5, 5, 74, 574]
    row = tables[0]["rows"][1]
    assert row["columns"]["Synapses"]["printed"] == 8064
    assert row["columns"]["Synapses"]["within"] is True
