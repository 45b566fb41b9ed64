"""A measurement.json by its schema whose numbers are made up: a fixture, no measurement."""

import numpy as np

from train.artifacts import sha256

LAYERS = ("conv1", "pool1", "conv2", "pool2", "dense1", "heads")
# More titles than eight are drawn as a large matrix.
HEADS = {"title": 9, "style": 2, "emotion": 2}
MADE = "made up for a test"


def quantity(value, unit, low=None, high=None, evidence="measured"):
    kind = "measured" if evidence == "measured" else "estimated"
    low, high = (value if end is None else end for end in (low, high))
    return {
        "value": value,
        "unit": unit,
        "kind": kind,
        "evidence": evidence,
        "method": MADE,
        "low": low,
        "high": high,
    }


def gone(why):
    return {"unavailable": why}


def spread(value, unit, by=0.1, evidence="measured"):
    return quantity(value, unit, value * (1 - by), value * (1 + by), evidence)


def head_of(name, classes, right, clips, generator):
    confusion = np.zeros((classes, classes), int)
    for truth in range(classes):
        for _ in range(clips // classes):
            hit = generator.random() < right
            confusion[truth, truth if hit else generator.integers(classes)] += 1
    total = int(confusion.sum())
    share = 100 * np.trace(confusion) / total
    words = [f"{name} {number}: a name of the usual length, op. {number}" for number in range(classes)]
    return {
        "accuracy": quantity(share, "%", max(0.0, share - 2.1), min(100.0, share + 1.2)),
        "chance": quantity(100 / classes, "%"),
        "labels": words,
        "confusion": confusion.tolist(),
    }


def accuracy_section(seed):
    generator = np.random.default_rng(seed)
    return {
        "method": f"the exported integers, {MADE}",
        "as_trained": True,
        "sets": {
            split: {
                "clips": 576,
                "heads": {head: head_of(head, classes, right, 576, generator) for head, classes in HEADS.items()},
            }
            for split, right in (("test", 0.97), ("test_keyboards", 0.45))
        },
    }


def layer_counts(number):
    spikes = 6000.0 / (number + 1)
    return {
        "kind": "spiking",
        "neurons": 792 // (number + 1),
        "states": 1584 // (number + 1),
        "weights": 4800 * (number + 1),
        "weights_nonzero": 4600 * (number + 1),
        "spikes_in": spread(spikes * 2, "spikes", 0.02),
        "axon_out": spread(spikes, "spikes", 0.02),
        "rate": spread(0.08 / (number + 1), "spikes a neuron and step", 0.02),
        "syn_ops": spread(spikes * 110, "operations", 0.02),
        "dendrite_updates": quantity(74448 // (number + 1), "updates"),
        "state_updates": quantity(148896 // (number + 1), "updates"),
        "acs_effective": spread(spikes * 110, "operations", 0.02),
        "macs_effective": quantity(0.0, "operations"),
        "dense": quantity(4_000_000.0, "operations"),
        "footprint": quantity(5000.0 * (number + 1), "B"),
        "activation_sparsity": spread(0.92, "share", 0.01),
        "connection_sparsity": quantity(0.04, "share"),
    }


def taus(branches):
    return [
        {"steps": 2.0 * 3**b, "ms": 64.0 * 3**b, "steps_low": 1.6 * 3**b, "steps_high": 2.7 * 3**b}
        for b in range(branches)
    ]


def counters_section(neuron):
    layers = {name: layer_counts(number) for number, name in enumerate(LAYERS)}
    total = {**layer_counts(0), "input_spikes": spread(2400.0, "spikes", 0.02)}
    branches = 4 if neuron == "dh_lif" else 1
    constants = {name: {"current": taus(branches), "voltage": taus(1)} for name in LAYERS}
    return {
        "set": "test",
        "clips": 576,
        "steps": 94,
        "layers": layers,
        "total": total,
        "neurobench": {
            "footprint": quantity(150_000.0, "B"),
            "connection_sparsity": quantity(0.04, "share"),
            "activation_sparsity": spread(0.96, "share", 0.01),
            "effective_acs": spread(1.3e6, "operations", 0.02),
            "effective_macs": quantity(0.0, "operations"),
            "dense": quantity(2.4e7, "operations"),
        },
        "seed_formulas": {
            "m_ann": quantity(400_000.0, "B"),
            "m_snn": quantity(160_000.0, "B"),
            "c_ann": quantity(4.6e7, "operations"),
            "c_snn": spread(1.3e6, "operations", 0.02),
            "leave_out": f"neuron updates, which dendrites multiply ({MADE})",
        },
        "ann_twin": None if neuron == "ann" else {"dense": quantity(2.4e7, "operations")},
        "time_constants": None if neuron == "ann" else constants,
    }


def priced(title, network, scale, evidence, static=None):
    part = {"synapses": 30e-6, "updates": 15e-6, "messages": 1e-6}
    parts = {name: spread(value * scale, "J", 0.4, evidence) for name, value in part.items()}
    parts["static"] = static or gone("nobody gives a static power for this technology")
    return {
        "title": title,
        "network": network,
        "applies": f"A device of this test ({MADE}).",
        "parts": parts,
        "dynamic": spread(46e-6 * scale, "J", 0.4, evidence),
        "total": spread(46e-6 * scale + 1e-3, "J", 0.5, evidence) if static else gone("its static part is unknown"),
        "latency": quantity(0.0094, "s", evidence=evidence) if network == "snn" else gone("arithmetic alone"),
        "interval": quantity(0.009, "s", evidence=evidence) if network == "snn" else gone("arithmetic alone"),
        "notes": [MADE],
        "constants": [
            {
                "name": "synaptic operation",
                "low": 23.6e-12,
                "high": 35.5e-12,
                "unit": "J",
                "evidence": evidence,
                "source": MADE,
            }
        ],
    }


def energy_section(neuron):
    devices = {
        "loihi1": priced("Loihi 1", "snn", 1.0, "literature"),
        "loihi2": priced("Loihi 2 (Loihi 1's constants)", "snn", 1.0, "literature", spread(1e-3, "J", 0.5, "derived")),
        "digital_45nm": priced("45 nm, float", "ann", 2.0, "literature"),
    }
    if neuron == "ann":
        devices = {"digital_45nm": devices["digital_45nm"]}
    curve = [
        {"step_time_s": step, "low_j": 46e-6 + step * 5, "value_j": 46e-6 + step * 10, "high_j": 90e-6 + step * 26}
        for step in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
    ]
    return {
        "assumed": {"step_time": quantity(1e-4, "s", evidence="derived")},
        "devices": devices,
        "over_step_time": {"loihi2": curve} if "loihi2" in devices else {},
        "validation": [
            {
                "network": "PilotNet LIF",
                "quantity": "dynamic energy",
                "predicted": spread(1e-3, "J", 0.4, "literature"),
                "measured": quantity(1.094e-3, "J"),
                "ratio": {"low": 0.6, "value": 0.9, "high": 1.4},
                "inside": True,
                "explained": MADE,
            }
        ],
    }


def sweep(base, with_energy):
    def point(batch):
        latency = base * (1 + 0.2 * batch)
        energy = spread(latency * 100 / batch, "J", 0.05) if with_energy else gone("RAPL may be read by root alone")
        return {
            "latency": spread(latency, "s", 0.03),
            "per_inference": spread(latency / batch, "s", 0.03),
            "throughput": spread(batch / latency, "1/s", 0.03),
            "power": spread(100.0, "W", 0.02) if with_energy else gone("RAPL may be read by root alone"),
            "energy_total": energy,
            "energy_dynamic_bare": energy,
            "energy_dynamic_loaded": energy,
        }

    batches = (1, 4, 16, 64, 256)
    variants = {
        "eager": {"what": "torch as it comes", "batches": {str(batch): point(batch) for batch in batches}},
        "half": gone("no half precision on this device"),
    }
    return {"parameters": 95088, "variants": variants, "best": {str(batch): "eager" for batch in batches}}


def baseline_section(neuron):
    networks = {"ann": sweep(0.002, False)}
    if neuron != "ann":
        networks["snn"] = sweep(0.03, False)
    return {
        "protocol": {"trials": 5, "window_s": 5.0, "words": MADE},
        "preprocessing": {"features": spread(0.01, "s"), "encoding": spread(0.0004, "s")},
        "devices": {
            "cpu": {
                "name": "A processor",
                "threads": 2,
                "energy_meter": gone("RAPL may be read by root alone"),
                "idle": {"bare": gone("no meter"), "loaded": gone("no meter")},
                "networks": networks,
            },
            "cuda": gone("no NVIDIA GPU is here"),
        },
        "elsewhere": [
            {
                "name": "A GPU",
                "machine": {"processor": "another processor", "cores": 8, "system": "Linux"},
                "date": "2026-11-22",
                "command": "python -m hardware baseline runs/lif",
                "energy_meter": {"name": "NVML", "resolution_j": 0.001, "update_s": 0.1},
                "idle": {"bare": spread(70.0, "W", 0.02), "loaded": spread(75.0, "W", 0.02)},
                "networks": {"ann": sweep(0.0005, True)},
            }
        ],
    }


def build_measurement(run, neuron, seed=1):
    from hardware.measure.derived import derive

    identity = {
        key: sha256(path) if path.is_file() else None
        for key, path in (("net_sha256", run.net), ("checkpoint_sha256", run.checkpoint))
    }
    provenance = {
        "versions": {"torch": "2.3.1", "numpy": "1.26.4"},
        "machine": {"processor": "a processor", "cores": 2, "system": "Linux"},
        "commit": "abcd" * 10,
        "date": "2026-11-22T14:00:00+00:00",
    }
    content = {
        "network": {
            "name": neuron,
            "neuron": neuron,
            "realisation": "analog" if neuron == "dh_lif" else "none",
            "deployed": neuron != "ann",
            "layers": list(LAYERS),
            "steps": 94,
            "hop_s": 0.032,
            "clip_s": 3.0,
            "latency_steps": None if neuron == "ann" else 6,
            "parameters": 95096,
        },
        "accuracy": accuracy_section(seed),
        "counters": counters_section(neuron),
        "energy": energy_section(neuron),
        "baseline": baseline_section(neuron),
    }
    content["derived"] = derive(content)
    return {
        "format": 1,
        **{name: {"identity": identity, **part, "provenance": provenance} for name, part in content.items()},
    }
