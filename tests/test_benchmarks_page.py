"""The page of benchmarks is what its JSON gives, and nothing in the JSON says whose machine it was."""

import json
import os
import re
import subprocess
import sys

import pytest

SPREAD = {"median": 0.002, "low": 0.001, "high": 0.004, "rounds": 5}


def spread(value):
    return {**SPREAD, "median": value, "low": value * 0.9, "high": value * 1.2}


def run_page(root, *options):
    script = root / "tests" / "benchmarks" / "page.py"
    return subprocess.run(
        [sys.executable, str(script), *map(str, options)], capture_output=True, text=True, check=False
    )


@pytest.fixture
def result():
    """A small JSON with an engine section, a failed part and peers of which one is unavailable."""
    lava = {
        "clips": 4,
        "start_and_first_clip_s": 3.0,
        "clip_s": spread(2.0),
        "clips_per_s": 0.5,
    }
    engine = {
        "section": "engine",
        "preset": "lif",
        "origin": {"weights": "initial, seed 0", "clips": "random spikes, seed 0"},
        "clips": 576,
        "steps": 94,
        "threads": 2,
        "batch_s": spread(0.288),
        "clips_per_s": 2000.0,
        "one_clip_s": spread(0.002),
        "lava": {"stock": lava},
        "ratios": {"stock": {"throughput": 4000.0, "latency": 99.0, "latency_with_start": 1500.0}},
        "goals": {"throughput": 2000.0, "latency": 100.0},
        "rates": {"conv1": 0.066},
        "input_rate": 0.1,
    }
    rounds = [{"forward_s": 0.01, "backward_s": 0.02}] * 3
    form = {"library": "maestro-loihi", "version": "0.1.0", "form": "Neuron", "states": 2, "compiled": ""}
    missing = {**form, "library": "norse", "version": "", "rounds": [], "error": "its environment could not be made"}
    peers = {
        "section": "peers",
        "batch": 32,
        "neurons": 1024,
        "steps": 100,
        "threads": 2,
        "goal": 4.0,
        "fastest": None,
        "ratio": None,
        "forms": {"ours": {**form, "rounds": rounds, "median_s": 0.03}, "norse_lif": missing},
    }
    return {
        "machine_info": {
            "cpu": "A processor",
            "architecture": "x86_64",
            "cores": 2,
            "memory_gib": 23.5,
            "threads": 2,
            "system": "Linux",
            "versions": {"python": "3.10.1"},
        },
        "commit_info": {"id": "0123456789abcdef", "dirty": False},
        "datetime": "2026-11-22T09:00:00+00:00",
        "version": "5.0.1",
        "parts": {
            "engine": {"failure": "", "seconds": 10.0, "load": [0.1, 0.2, 0.3], "commit": "0123456789abcdef"},
            "growth": {"failure": "took longer than 400 s", "seconds": 400.0},
            "peers": {"failure": "", "seconds": 10.0, "load": [0.4, 0.2, 0.3], "commit": "fedcba98", "dirty": True},
        },
        "benchmarks": [
            {"part": "engine", "name": "test_engine", "extra_info": engine},
            {"part": "peers", "name": "test_peers", "extra_info": peers},
        ],
    }


def test_the_committed_page_is_what_the_committed_json_gives(root):
    if not (root / "tests" / "benchmarks" / "results" / "bench.json").is_file():
        pytest.skip("no benchmark has been committed")
    done = run_page(root, "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_committed_json_names_no_machine(root):
    path = root / "tests" / "benchmarks" / "results" / "bench.json"
    if not path.is_file():
        pytest.skip("no benchmark has been committed")
    text = path.read_text()
    assert "node" not in json.loads(text)["machine_info"]
    assert os.uname().nodename not in text
    assert re.findall(r"/(?:home|root|work|tmp|Users)/", text) == []


def test_a_page_says_values_goals_and_what_is_missing(root, result, tmp_path):
    (tmp_path / "bench.json").write_text(json.dumps(result))
    options = ("--json", tmp_path / "bench.json", "--page", tmp_path / "PAGE.md")
    done = run_page(root, *options)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "PAGE.md").read_text()
    assert "| clips a second, times stock Lava's: lif | 2 000 | 4 000 | reached |" in page
    assert "| one clip, times shorter: lif | 100 | 99.0 | **missed** |" in page
    assert "| lif: Lava, stock, 3 clips | 0.500 | 2 000 (1 800 to 2 400) | 3.00 | 4 000 | 99.0 (1 500) |" in page
    assert "and its commit: engine 0.1 (0123456789), peers 0.4 (fedcba98 and changes)." in page
    assert "Incomplete: took longer than 400 s." in page
    assert "Incomplete: it was not run." in page
    assert "unavailable: its environment could not be made" in page
    assert "![The engine against Lava: engine](engine.svg)" in page
    assert (tmp_path / "engine.svg").read_text().startswith("<?xml")
    assert not (tmp_path / "growth.svg").exists()
    assert run_page(root, *options, "--check").returncode == 0


def test_a_page_changed_by_hand_is_found_out(root, result, tmp_path):
    (tmp_path / "bench.json").write_text(json.dumps(result))
    options = ("--json", tmp_path / "bench.json", "--page", tmp_path / "PAGE.md")
    run_page(root, *options)
    page = tmp_path / "PAGE.md"
    page.write_text(page.read_text().replace("99.0", "101"))
    done = run_page(root, *options, "--check")
    assert done.returncode == 1
    assert done.stdout == "PAGE.md is not what the JSON gives\n"
