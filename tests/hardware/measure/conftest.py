"""Measurements made up by hand, small enough to work out on paper."""

import copy

import pytest


def number(value, unit, low=None, high=None, evidence="measured"):
    kind = "measured" if evidence == "measured" else "estimated"
    low, high = value if low is None else low, value if high is None else high
    plain = {"value": value, "unit": unit, "kind": kind, "evidence": evidence, "method": "by hand"}
    return {**plain, "low": low, "high": high}


def cell(latency, batch, joules):
    each = latency / batch
    found = {
        "latency": number(latency, "s"),
        "per_inference": number(each, "s"),
        "throughput": number(1 / each, "1/s", 0.9 / each, 1.1 / each),
    }
    energies = ("energy_total", "energy_dynamic_bare", "energy_dynamic_loaded")
    none = {"unavailable": "no counter"}
    return found | {
        key: none if joules is None else number(joules, "J", 0.8 * joules, 1.2 * joules) for key in energies
    }


def swept(joules):
    """A network that takes 10 ms and 1 ms a clip more; ``joules`` an inference by batch, or None."""
    batches = {str(b): cell(0.009 + 0.001 * b, b, None if joules is None else joules[b]) for b in (1, 4, 16)}
    slow = {batch: cell(1.0, int(batch), None) for batch in batches}
    variants = {"eager": {"what": "slow", "batches": slow}, "graph": {"what": "quick", "batches": batches}}
    return {"variants": variants, "best": dict.fromkeys(batches, "graph")}


CHIP = {
    "network": "snn",
    "parts": {
        "synapses": number(2e-3, "J", 1e-3, 3e-3, "literature"),
        "updates": number(1e-3, "J", 0.5e-3, 2e-3, "literature"),
        "messages": number(0.5e-3, "J", 0.1e-3, 1e-3, "literature"),
        "static": number(4e-3, "J", 2e-3, 8e-3, "literature"),
    },
    "dynamic": number(3.5e-3, "J", 1.6e-3, 6e-3, "literature"),
    "total": number(7.5e-3, "J", 3.6e-3, 14e-3, "literature"),
    "latency": number(0.015, "s", 0.0075, 0.03, "literature"),
    "interval": number(0.02, "s", 0.01, 0.04, "literature"),
}
DIGITAL = {
    "network": "ann",
    "parts": {
        "synapses": number(10e-3, "J", 5e-3, 20e-3, "literature"),
        "updates": number(0.0, "J", evidence="literature"),
        "messages": {"unavailable": "arithmetic alone"},
        "static": {"unavailable": "arithmetic alone"},
    },
    "dynamic": number(10e-3, "J", 5e-3, 20e-3, "literature"),
    "total": {"unavailable": "arithmetic alone"},
    "latency": {"unavailable": "arithmetic alone"},
    "interval": {"unavailable": "arithmetic alone"},
}


@pytest.fixture
def measured():
    """Sections of a run: a chip, a digital device, a processor without a counter and a GPU with one."""
    energies = {1: 40e-3, 4: 10e-3, 16: 3e-3}
    return copy.deepcopy(
        {
            "format": 1,
            "counters": {
                "layers": {
                    # A population that the input drives has no synapses.
                    "input": {"syn_ops": number(0, "operations"), "spikes_in": number(0, "spikes")},
                    "first": {"syn_ops": number(100, "operations"), "spikes_in": number(10, "spikes")},
                    "second": {"syn_ops": number(300, "operations"), "spikes_in": number(90, "spikes")},
                },
                "total": {"rate": number(0.04, "spikes a neuron and step", 0.03, 0.05)},
            },
            "energy": {"devices": {"chip": CHIP, "digital": DIGITAL}},
            "baseline": {
                "devices": {
                    "cpu": {"networks": {"ann": swept(None), "snn": {"unavailable": "not exported"}}},
                    "cuda": {"networks": {"ann": swept(energies), "snn": swept(energies)}},
                },
                "elsewhere": [],
            },
        }
    )


@pytest.fixture
def quantity():
    """quantity(value, unit, low, high, evidence): a plain number."""
    return number
