"""The whole ledger of a small run, with every probe and with none."""

import json
import time

import numpy as np
import pytest

from hardware.baseline import command as baseline_command
from hardware.baseline import measure as measure_module
from hardware.baseline import preprocessing
from hardware.baseline.measure import measure_baseline
from hardware.baseline.protocol import Protocol, protocol_of
from hardware.doctor.probe import Probe
from hardware.measurement import quantity_of

QUICK = Protocol(
    batches=(1, 2),
    trials=6,
    window_s=0.002,
    warm_s=0.0,
    energy_window_s=0.02,
    energy_warm_s=0.0,
    idle_s=0.05,
    burst_s=0.002,
    clips=4,
    check_clips=2,
)
_ZONE = "/sys/class/powercap/intel-rapl:0"


class TenWatts(Probe):
    """A machine whose processor takes 10 W, as its counter says."""

    def paths(self, pattern):
        return [_ZONE] if "intel-rapl" in pattern else super().paths(pattern)

    def read(self, path):
        if not str(path).startswith(_ZONE):
            return super().read(path)
        rest = str(path).removeprefix(_ZONE)
        return {"/name": "package-0", "/max_energy_range_uj": str(2**60)}.get(rest) or str(int(time.monotonic() * 1e7))


class Nothing(Probe):
    """A machine that has no counter."""

    def paths(self, pattern):
        return []


@pytest.fixture
def probed(monkeypatch):
    """probed(probe): from here on the baseline is measured quickly, without compilers, and asks this probe."""
    every = measure_module.variants_of

    def quick_variants(subject, device):
        return {name: every(subject, device)[name] for name in every(subject, device) if name in ("eager", "engine")}

    monkeypatch.setattr(measure_module, "variants_of", quick_variants)
    noise = np.random.default_rng(0).normal(size=(3, 16_000)).astype(np.float32)
    monkeypatch.setattr(preprocessing, "test_sounds", lambda _config: list(0.1 * noise))

    def install(probe):
        def quick(run, device, again, protocol):
            return measure_baseline(run, device, again, protocol=QUICK, probe=probe)

        monkeypatch.setattr(baseline_command, "measure_baseline", quick)

    return install


def leaves(value, path=()):
    """Path and entry of everything that is a number or the reason for none."""
    if isinstance(value, dict) and ("unavailable" in value or {"value", "unit"} <= value.keys()):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["lif", "ann"])
def test_without_a_counter_every_energy_says_why_and_nothing_else_changes(make_run, probed, cli, kind):
    found = {}
    for probe in (TenWatts(), Nothing()):
        # A run of its own: what was metered of a run is kept when its counter goes.
        run = make_run(kind, type(probe).__name__)
        probed(probe)
        assert cli("hardware", "measure", run.path).exit_code == 0
        found[type(probe)] = json.loads(run.measurement.read_text())
    verdicts = [one["derived"].pop("break_even") for one in found.values()]
    with_counter, without = (dict(leaves(found[kind])) for kind in (TenWatts, Nothing))
    # What describes the meter and how it drifted is no number of the run's.
    of_meter = {path for path in set(with_counter) ^ set(without) if {"energy_meter", "drift"} & set(path)}
    assert set(with_counter) ^ set(without) == of_meter
    with_counter, without = ({p: e for p, e in each.items() if p not in of_meter} for each in (with_counter, without))
    metered = [path for path, entry in with_counter.items() if path[0] == "baseline" and entry.get("unit") == "J"]
    assert metered
    for path, entry in without.items():
        quantity_of(entry)
        if "unavailable" in entry:
            assert len(entry["unavailable"]) > 10
        clocked = path[0] in ("baseline", "derived")
        if not clocked:
            assert entry == with_counter[path], path
    for path in metered:
        assert "RAPL" in without[path]["unavailable"], path
    # What follows from them says the same.
    product = without["derived", "energy_delay_product", "cpu ann"]
    assert "RAPL" in product["unavailable"]
    assert with_counter["derived", "energy_delay_product", "cpu ann"]["unit"] == "J s"
    assert "unavailable" in without["baseline", "devices", "cuda"]
    for crossings in ("batch", "firing_rate"):
        for metered_one, other in zip(*(one[crossings] for one in verdicts), strict=True):
            of_energy = "energy" in other.get("measure", "") or other.get("ann", "").startswith("cpu")
            if of_energy and "unavailable" not in metered_one:
                assert "RAPL" in other["unavailable"]
            assert ("unavailable" in other) or ("verdict" in other)


@pytest.mark.slow
def test_a_small_run_is_measured_and_told(make_run, probed, cli):
    run = make_run("lif")
    probed(Nothing())
    done = cli("hardware", "measure", run.path)
    assert done.exit_code == 0
    for words in ("accuracy (95 % interval)", "counted, means an inference of 12 clips (test)", "loihi2", "cpu ann"):
        assert words in done.stdout
    assert f"wrote {run.measurement}" in done.stderr
    assert "unavailable (" in done.stderr
    found = json.loads(run.measurement.read_text())
    assert list(found) == ["format", "network", "accuracy", "counters", "energy", "baseline", "derived"]
    for name, section in found.items():
        if name != "format":
            assert section["identity"] == found["network"]["identity"]
            assert section["provenance"]["versions"]["torch"]
    # Counted by two: the engine's own tally of the same clips.
    from lava_runtime.engine.engine import Engine
    from lava_runtime.inputs import run_clips

    clips = run_clips(run)
    tally = Engine.from_file(run.net).run(clips.spikes(clips.all_of("test"))).tally
    assert found["counters"]["total"]["syn_ops"]["value"] == pytest.approx(tally.syn_ops / 12)
    # Measured before: what stays when the baseline is left out.
    kept = cli("hardware", "measure", run.path, "--no-baseline", "--json")
    assert kept.exit_code == 0
    assert json.loads(kept.stdout)["baseline"] == found["baseline"]


def test_without_a_baseline_its_fields_say_so(make_run, cli):
    run = make_run("ann")
    done = cli("hardware", "measure", run.path, "--no-baseline", "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert "baseline" not in found
    assert found["derived"]["throughput"]["cpu ann, batch 1"] == {"unavailable": "the baseline was not measured"}


@pytest.mark.parametrize("batches", ["2,4", "1,x", "0,1", "", "1,-2"])
@pytest.mark.parametrize("verb", ["measure", "baseline"])
def test_a_sweep_has_batch_1_and_whole_numbers(make_run, cli, verb, batches):
    run = make_run("ann")
    done = cli("hardware", verb, run.path, "--batches", batches)
    assert done.exit_code == 2
    assert (
        f"--batches {batches}: no such sweep (expected whole numbers with commas between, 1 among them" in done.stderr
    )
    assert not run.measurement.exists()


def test_a_sweep_is_sorted():
    assert protocol_of("8, 1,8").batches == (1, 8)
    assert protocol_of(None).batches[-1] == 256


def test_the_baselines_verb_works_out_anew_what_follows(make_run, probed, cli):
    run = make_run("ann")
    assert cli("hardware", "measure", run.path, "--no-baseline").exit_code == 0
    probed(Nothing())
    assert cli("hardware", "baseline", run.path).exit_code == 0
    found = json.loads(run.measurement.read_text())
    assert found["derived"]["throughput"]["cpu ann, batch 1"]["unit"] == "1/s"


def test_a_damaged_file_is_told_before_anything_is_measured(make_run, cli):
    run = make_run("lif")
    run.measurement.write_text("{")
    done = cli("hardware", "measure", run.path)
    assert done.exit_code == 1
    assert "measurement.json: cannot be read as JSON" in done.stderr
    assert "accuracy" not in done.stderr
    assert run.measurement.read_text() == "{"


@pytest.mark.parametrize(
    "section",
    [
        None,
        3,
        {"devices": 3},
        {"devices": {"cpu": None}},
        {"devices": {"cpu": {"networks": {"ann": {"best": {"1": "x"}, "variants": {}}}}}},
    ],
)
def test_a_damaged_section_is_told_and_nothing_filed(make_run, cli, section):
    run = make_run("ann")
    assert cli("hardware", "measure", run.path, "--no-baseline").exit_code == 0
    content = json.loads(run.measurement.read_text())
    filed = content["derived"]
    content["baseline"] = section
    run.measurement.write_text(json.dumps(content))
    done = cli("hardware", "measure", run.path, "--no-baseline")
    assert done.exit_code == 1
    assert "measurement.json: a section is damaged (" in done.stderr
    assert done.stderr.rstrip().endswith("Delete it and measure again")
    assert json.loads(run.measurement.read_text())["derived"] == filed


def test_a_run_that_is_not_there_or_not_exported(make_run, cli, tmp_path):
    done = cli("hardware", "measure", tmp_path / "none")
    assert done.exit_code == 1
    assert "none: no such run folder. Make it with `python -m train fit" in done.stderr
    run = make_run("lif")
    run.net.unlink()
    done = cli("hardware", "measure", run.path)
    assert done.exit_code == 1
    assert "model.net: missing from the run. Make it with `python -m export netx" in done.stderr
    assert not run.measurement.exists()
