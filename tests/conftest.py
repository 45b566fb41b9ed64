"""Fixtures that every room's tests share."""

import contextlib
import dataclasses
import importlib.util
import multiprocessing
import os
import re
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from jaxtyping import install_import_hook

os.environ.setdefault("MPLBACKEND", "Agg")
# A shell's background job ignores Ctrl-C, and so would all that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]

# Modules with shapes in their signatures, which are checked in this process alone: every call, of tests and of the
# modules among themselves. It must be said before they are imported; processes that tests start do not check.
SHAPED = tuple(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for floor in ("train", "export", "lava_runtime", "hardware")
    for path in sorted((ROOT / floor).rglob("*.py"))
    if "from jaxtyping import" in path.read_text()
)
# An int may stand for a float, as it may for mypy.
install_import_hook(SHAPED, "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))")


def pytest_collection_modifyitems(items):
    """Files with slow tests first, so that no worker begins a long one when the others are done."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def no_process_left():
    """Assert at the end that no process is left of those that the test started."""
    before = set(multiprocessing.active_children())
    yield
    assert not set(multiprocessing.active_children()) - before


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shaped() -> tuple[str, ...]:
    """Names of the modules whose shapes are checked under tests."""
    return SHAPED


@pytest.fixture(scope="session")
def shared() -> Path:
    """Reference data that lies beside the checkout on the project's own machines."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the reference data beside the checkout is absent")
    return folder


@pytest.fixture(scope="session")
def drawn():
    """Random networks with input: ``data.draw(drawn.cases())`` in a test that is given ``st.data()``."""
    spec = importlib.util.spec_from_file_location("drawn", ROOT / "tests" / "drawn.py")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def cli():
    """Call a stage's command line in this process: cli('train', 'fit', ...) -> result."""

    def call(stage: str, *arguments: str):
        main = importlib.import_module(f"{stage}.__main__").main
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    return call


@pytest.fixture
def fake_clips(monkeypatch):
    """Stand in for the corpus where a test is about training: 4 titles told apart by which features ring."""
    from train.config_checks import HEADS
    from train.data import clips as module
    from train.data import noisy
    from train.data.dataset import DataSet
    from train.features import clip_steps, feature_names

    def build(config, _data=None):
        steps, size = clip_steps(config.features), len(feature_names(config.features))
        labels = {"title": ("a", "b", "c", "d"), "style": ("s", "t"), "emotion": ("e", "f")}
        sets = {}
        for number, (split, recordings) in enumerate(
            {"train": 8, "validation": 4, "test": 4, "test_keyboards": 4}.items()
        ):
            generator = np.random.default_rng(number)
            titles = np.arange(recordings) % 4
            sequences = []
            for title in titles:
                features = generator.normal(size=(size, 3 * steps)).astype(np.float32)
                features[title::4] += 1.5
                sequences.append(features)
            recording = np.repeat(np.arange(recordings), 3)
            values = {"title": titles, "style": titles // 2, "emotion": titles % 2}
            sets[split] = module.ClipSet(
                sequences=tuple(sequences),
                recording=recording,
                start=np.tile(np.arange(3) * steps, recordings),
                labels={head: values[head][recording].astype(np.int64) for head in HEADS},
                steps=steps,
                names=tuple(f"{split}{index}" for index in range(recordings)),
            )
        return sets, labels

    def variants(config):
        if config.noise.share == 0:
            return ()
        clean, generator = build(config)[0]["train"], np.random.default_rng(99)
        return tuple(
            dataclasses.replace(
                clean,
                sequences=tuple(
                    sequence + generator.normal(size=sequence.shape).astype(np.float32) for sequence in clean.sequences
                ),
            )
            for _ in config.noise.kinds
        )

    def install(*modules):
        for target in (module, *modules):
            monkeypatch.setattr(target, "data_clips", build)
        for target in (noisy, *modules):
            if hasattr(target, "training_variants"):
                monkeypatch.setattr(target, "training_variants", variants)
        for target in modules:
            for name in ("open_dataset", "heard_dataset"):
                if hasattr(target, name):
                    monkeypatch.setattr(target, name, lambda _: DataSet("the stand-in", Path(), (), {}))
        return build

    return install


@pytest.fixture(scope="session")
def stock_twin():
    """Build a spiking network's twin of lava-dl's own parts, with the same weights and (frozen) decays of branches."""
    import torch

    from train.neurons import slayer

    stock = slayer.block.cuba

    def params(neuron):
        return {
            "threshold": neuron.threshold,
            "current_decay": neuron.current_decay.item() / 4096,
            "voltage_decay": neuron.voltage_decay.item() / 4096,
            "tau_grad": neuron.tau_rho / neuron.threshold,
            "scale_grad": neuron.scale_rho,
            "requires_grad": neuron.requires_grad,
        }

    class Dendrites(torch.nn.Module):
        """Analog dendrites as one writes them with lava-dl: a masked synapse, a leaky_integrator a branch, a spike."""

        def __init__(self, layer, block):
            super().__init__()
            self.branches, neuron = layer.branches, block.neuron
            outputs = self.branches * layer.channels_out
            if layer.kind == "conv":
                padding = (layer.kernel // 2, 0)
                self.synapse = slayer.synapse.Conv(layer.channels_in, outputs, (layer.kernel, 1), padding=padding)
            else:
                self.synapse = slayer.synapse.Dense(layer.channels_in, outputs)
            weight = block.synapse.weight.data
            self.synapse.weight.data.copy_(block.expanded(weight).flatten(0, 1))
            self.mask = block.expanded(torch.ones_like(weight)).flatten(0, 1)
            self.synapse.pre_hook_fx = neuron.quantize_8bit
            self.neuron, self.gains = neuron, [2.0 ** -int(gain) for gain in neuron.gain]
            self.decays = [decay.detach().clone() for decay in neuron.branch_decay]
            self.voltage_decay = neuron.voltage_decay.detach().clone()

        def forward(self, x):
            self.synapse.weight.data *= self.mask
            sums = self.synapse(x)
            sums = sums.view(len(x), self.branches, -1, *sums.shape[2:])
            integrate, quantize, scale = slayer.leaky_integrator.dynamics, slayer.utils.quantize, self.neuron.s_scale
            rest = torch.zeros(sums.shape[:1] + sums.shape[2:-1])
            current = 0.0
            for branch, (gain, decay) in enumerate(zip(self.gains, self.decays, strict=True)):
                current = current + integrate(sums[:, branch] * gain, quantize(decay), rest, scale)
            limit = self.neuron.threshold + self.neuron.threshold_eps
            voltage = integrate(current, quantize(self.voltage_decay), rest, scale, limit)
            self.neuron.voltage_state = torch.zeros(1)
            return slayer.step_delay(self, self.neuron.spike(voltage))

    def twin(layer, block):
        if layer.branches:
            return Dendrites(layer, block)
        if layer.kind == "flatten":
            return stock.Flatten()
        if layer.kind == "pool":
            made = stock.Pool(params(block.neuron), (layer.kernel, 1))
        elif layer.kind == "conv":
            padding = (layer.kernel // 2, 0)
            sizes = (layer.channels_in, layer.channels_out, (layer.kernel, 1))
            made = stock.Conv(params(block.neuron), *sizes, padding=padding)
        else:
            made = stock.Dense(params(block.neuron), layer.channels_in, layer.channels_out)
        made.synapse.weight.data.copy_(block.synapse.weight.data)
        return made

    def build(network):
        return torch.nn.ModuleList(map(twin, network.plan, network.blocks))

    return build


@pytest.fixture
def shared_memory():
    """shared_memory(group): files of the shared memory that a group's processes hold; others have theirs."""
    from lava_runtime.network import alive

    def held(group):
        found = set()
        for process in alive(group):
            with contextlib.suppress(OSError):
                found.update(re.findall(r"/dev/shm/psm_\w+", Path(f"/proc/{process}/maps").read_text()))
        return {Path(name) for name in found}

    return held
