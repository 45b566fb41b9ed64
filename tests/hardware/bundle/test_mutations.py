"""Whatever a result.json holds: it is read, or refused in one line, and what is read can be filed and shown."""

import json
import random
import warnings
from functools import cache

import pytest

from hardware.bundle import command
from hardware.bundle import read as module
from hardware.bundle.check import unpacked
from train.errors import MaestroError

# What any value of a result is replaced with.
ODD = (
    None, True, -1, 0, 0.5, 7, 10**18, 10**400, 1e308, -1e308, 1e15, 5e-324, float("inf"), float("nan"), "", "x",
    "\ud800", "\n\x00\x1b[2J", [], {}, [None], [[]], [1, "x"], [0, 1e15], {"a": 1}, {"\udfff": None}, {"\n": "\n"},
    ["x"] * 50, "9" * 500, "1 " * 5000,
)  # fmt: skip
TABLE = """| AxonIn |NeuronGr| Neurons|Synapses| AxonMap| AxonMem|  Cores |
|     256|       1|     100|    8064|     100|       0|       2|
| Total                                               |       2|
"""
PROFILE = {
    "steps": 6400,
    "sample": 0,
    "period": 64,
    "input": "host",
    "time": {"time_per_step": [150.0, 155.0, 152.0, 153.0], "avg_time_per_step_us": 152.5},
    "power": {"total_w": [0.70, 0.66, 0.68, 0.67, 0.69], "vdd_w": [0.3], "static_total_w": 0.232},
    "activity": {"chip_idx": [0, 0], "core_idx": [3, 4], "syn_ops": [500.0, 700.0], "spikes_in": [100.0, 200.0]},
    "memory": {"core_idx": [3, 4], "total_mpds": [0.25, 0.5]},
    "missing": {"activity.axon_out": "AttributeError: no such thing"},
}


def places(value, path=()):
    """Every place in plain data; of a list the first."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*path, key))


def replaced(value, path, other):
    """Plain data with another value at a place."""
    if not path:
        return other
    changed = value.copy()
    changed[path[0]] = replaced(value[path[0]], path[1:], other)
    return changed


def without(value, path):
    """Plain data without what is at a place."""
    changed = value.copy()
    if path[1:]:
        changed[path[0]] = without(value[path[0]], path[1:])
    else:
        del changed[path[0]]
    return changed


@pytest.fixture
def whole(packed, answer):
    """A result that has everything a result can have."""
    failed = {"pass": "states", "error": "none"}
    more = {"profile": PROFILE, "compiler_log": TABLE, "states": {"conv1": {}}, "failed": failed}
    return {**answer(packed), **more}


@pytest.fixture
def read(packed, run, write, monkeypatch, capsys):
    """read(content): whether it was accepted; an error has to be ours, of one line and not too long."""
    # What is the network's, whatever the result holds, is read and counted once; how a table looks is not the matter.
    monkeypatch.setattr(module.netx, "read", cache(module.netx.read))
    tallies, tally = {}, module.tally_of_period

    def once(network, sample, plan):
        key = sample.tobytes()
        if key not in tallies:
            tallies[key] = tally(network, sample, plan)
        return tallies[key]

    monkeypatch.setattr(module, "tally_of_period", once)
    monkeypatch.setattr(command, "emit_table", lambda *texts: str(texts).encode())
    monkeypatch.setattr(module, "file_section", lambda run, section, content: json.dumps(content, allow_nan=False))

    def attempt(content):
        path = write(content)
        error = None
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                reading = module.file_of(run, bundle, path)
            except MaestroError as raised:
                error = raised
            else:
                command.show_reading(reading, run)
        capsys.readouterr()
        if error is None:
            return True
        text = str(error)
        assert str(path) in text
        assert text.isprintable()
        assert len(text) < 600
        assert error.exit_code == 1
        text.encode()
        return False

    with unpacked(packed.path) as bundle:
        yield attempt


def test_every_place_with_every_odd_value_and_without_any(whole, read):
    assert read(whole)
    accepted = 0
    for path in places(whole):
        # Of the layers, the first and the last will do.
        if set(path) & {"pool1", "conv2", "dense1"}:
            continue
        for odd in ODD:
            try:
                accepted += read(replaced(whole, path, odd))
            except Exception as error:
                raise AssertionError(f"{path}: {odd!r:.40}") from error
        if path:
            read(without(whole, path))
    assert accepted > 50


def test_several_places_at_once(whole, read):
    """Odd values may be harmless alone: very large powers and times give an energy that is none."""
    chosen = random.Random(5)
    inside = [path for path in places(whole["profile"]) if path]
    for _ in range(300):
        profile = whole["profile"]
        for path in chosen.sample(inside, 3):
            # One that an earlier one took away is left alone.
            try:
                profile = replaced(profile, path, chosen.choice(ODD))
            except (TypeError, KeyError, IndexError, AttributeError):
                continue
        read({**whole, "profile": profile})


def test_digits_without_end_in_a_table(whole, read):
    for digits in ("9" * 400, "9" * 5000, "0.%s" % ("9" * 400)):
        read({**whole, "compiler_log": TABLE.replace("8064", digits)})
        read({**whole, "compiler_log": TABLE.replace("       2|", f"{digits}|")})


def test_a_file_cut_short_anywhere(packed, run, whole, tmp_path):
    path, text = tmp_path / "cut.json", json.dumps(whole)
    with unpacked(packed.path) as bundle:
        for place in range(0, len(text), len(text) // 100):
            path.write_text(text[:place])
            with pytest.raises(MaestroError, match="cannot be read as JSON"):
                module.file_of(run, bundle, path)
        for content in (b"\xff\xfe", b"\x00" * 9, b"[" * 100_000, b'{"a":' * 100_000):
            path.write_bytes(content)
            with pytest.raises(MaestroError, match=r"cut\.json"):
                module.file_of(run, bundle, path)
