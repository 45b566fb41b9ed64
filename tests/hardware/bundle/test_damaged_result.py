"""A result that is damaged or of something else is refused, its error names what is wrong, and nothing is filed."""

import json

import numpy as np
import pytest

PROFILE = {"steps": 6400, "sample": 0, "period": 64, "time": {"avg_time_per_step_us": 152.5}}


def change(content, key, name, value):
    return {**content, key: {**content[key], name: value}}


def without(content, name):
    return {**content, "layers": {key: value for key, value in content["layers"].items() if key != name}}


def bits(content, cut=False, **values):
    entry = {**content["layers"]["conv1"], **values}
    if cut:
        entry["bits"] = entry["bits"][: len(entry["bits"]) // 8 * 4]
    return change(content, "layers", "conv1", entry)


def shorten(content):
    import base64
    import zlib

    entry = content["layers"]["conv1"]
    shape = [*entry["shape"][:-1], 100]
    none = base64.b64encode(zlib.compress(bytes(-(-int(np.prod(shape)) // 8)))).decode()
    return change(content, "layers", "conv1", {"shape": shape, "bits": none})


DAMAGED = {
    "no JSON": (lambda _: "{", "result.json: cannot be read as JSON"),
    "a list": (lambda _: [], 'result.json: is no result of a bundle (expected "format": 1)'),
    "format": (lambda content: {**content, "format": 2}, "is no result of a bundle"),
    "keys": (lambda _: {"format": 1, "bundle_id": ""}, "lacks backend, schedule, samples, steps_run, layers"),
    "bundle": (lambda content: {**content, "bundle_id": "f" * 64}, "is of bundle ffffffff, and this is"),
    "backend": (lambda content: {**content, "backend": "gpu"}, "is of backend 'gpu' (expected loihi2 or simulator)"),
    "schedule": (
        lambda content: change(content, "schedule", "reset_offset", 9),
        "was run by the schedule steps 31, latency 5, period 64, input_delay 2, reset_offset 9 (expected",
    ),
    "no schedule": (lambda content: {**content, "schedule": None}, "says no schedule that it was run by"),
    "samples": (lambda content: {**content, "samples": 5}, "has 5 samples (expected 1 to 4)"),
    "no samples": (
        lambda content: {**content, "samples": 0, "failed": {"pass": "spikes", "error": "no board"}},
        "has 0 samples (it failed in pass spikes: no board)",
    ),
    "no layers": (lambda content: {**content, "layers": {}}, "holds no recorded layer"),
    "no output": (lambda content: without(content, "heads"), "holds no recording of layer heads"),
    "a layer less": (lambda content: without(content, "conv2"), "holds no recording of layer conv2"),
    "unknown layer": (lambda content: change(content, "layers", "conv9", {}), "records layer conv9, which the bundle"),
    "shape": (
        lambda content: bits(content, shape=[3, 3, 1, 999]),
        "layer conv1: has shape (3, 3, 1, 999) (expected (3,",
    ),
    "no bits": (
        lambda content: change(content, "layers", "conv1", {"shape": [1]}),
        "layer conv1: has no shape or no bits",
    ),
    "not base64": (lambda content: bits(content, bits="&&&&"), "layer conv1: has damaged bits"),
    "cut bits": (lambda content: bits(content, cut=True), "layer conv1: has bits that are cut short"),
    "too short": (shorten, "layer conv1: ends after 100 steps (expected at least"),
    "profile": (lambda content: {**content, "profile": {"steps": 0}}, "profile: says steps 0, period None"),
    "another period": (
        lambda content: {**content, "profile": {**PROFILE, "period": 32}},
        "profile: is of sample 0 every 32 steps (expected one of 4 samples, every 64 steps)",
    ),
    "another sample": (
        lambda content: {**content, "profile": {**PROFILE, "sample": 4}},
        "profile: is of sample 4 every 64 steps (expected one of 4 samples",
    ),
    "series": (
        lambda content: {**content, "profile": {**PROFILE, "power": {"total_w": ["x"]}}},
        "profile: power.total_w is no list of finite numbers",
    ),
    "nan": (
        lambda content: {**content, "profile": {**PROFILE, "power": {"total_w": [float("nan")]}}},
        "profile.power.total_w.0: is nan, which is no number",
    ),
    "number": (lambda content: {**content, "steps_run": 10**20}, "steps_run: is an integer of more than 64 bits"),
    "exponent": (lambda content: {**content, "states": {"a": 1e999}}, "states.a: is inf, which is no number"),
    "depth": (lambda _: "[" * 50_000 + "]" * 50_000, "result.json: is nested too deeply for a result"),
    "less depth": (lambda content: {**content, "states": deep(20)}, "states.a.a.a"),
    "text": (lambda content: {**content, "compiler_log": "\ud800"}, "compiler_log: holds text that is no Unicode"),
    "a key": (lambda content: {**content, "\udc00": 1}, "a key: holds text that is no Unicode"),
    "backend list": (lambda content: {**content, "backend": []}, "is of backend [] (expected loihi2 or simulator)"),
    "environment": (lambda content: {**content, "environment": [1]}, "has environment [1] (expected texts by name)"),
    "failed": (lambda content: {**content, "failed": 3}, "has failed 3 (expected null, or a pass and its error)"),
    "states": (lambda content: {**content, "states": "u"}, "has states 'u' (expected layers by name)"),
    "long": (
        lambda content: bits(content, shape=[*content["layers"]["conv1"]["shape"][:-1], 10**9]),
        "(expected (3, 7, 1, time), of up to 336 steps)",
    ),
    "shape of truths": (lambda content: bits(content, shape=[True] * 4), "layer conv1: has shape [True, True, True"),
    "missing": (
        lambda content: {**content, "profile": {**PROFILE, "missing": ["a"]}},
        "profile: missing does not say what is missing and why",
    ),
    "huge": (
        lambda content: {**content, "profile": {**PROFILE, "power": {"total_w": [1e300]}}},
        "profile: power.total_w is no list of finite numbers up to 1e+15",
    ),
    "core": (
        lambda content: {**content, "profile": {**PROFILE, "activity": {"core_idx": [0.5]}}},
        "profile: activity.core_idx is no list of numbers of chips or cores",
    ),
    "input": (
        lambda content: {**content, "profile": {**PROFILE, "input": ["host"]}},
        "profile: says input ['host']",
    ),
}


def deep(levels):
    value = 0
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize("what", DAMAGED)
def test_a_damaged_result_is_refused_and_nothing_is_filed(packed, run, cli, answer, tmp_path, what):
    damage, text = DAMAGED[what]
    damaged = damage(answer(packed))
    path = tmp_path / "result.json"
    path.write_text(damaged if isinstance(damaged, str) else json.dumps(damaged))
    done = cli("hardware", "bundle", run.path, "--read", path)
    assert done.exit_code == 1, done.output
    assert text in " ".join(done.output.split())
    assert not run.measurement.exists()
