"""The ladder's ends: SLAYER's own quantised forward equals Lava's simulator, every layer, streamed samples."""

import h5py
import numpy as np
import pytest

pytestmark = pytest.mark.lava


@pytest.fixture
def slayer_net(tmp_path):
    """A network of lava-dl's own blocks, exported by their own export: nothing of ours but Lava's runner."""
    import torch
    from lava.lib.dl import slayer

    torch.set_num_threads(1)
    torch.manual_seed(2)
    lif = {"threshold": 1.25, "current_decay": 0.2, "voltage_decay": 0.1}
    cuba = slayer.block.cuba
    blocks = [
        cuba.Conv(lif, 3, 6, (3, 1), padding=(1, 0), weight_scale=3, delay_shift=True),
        cuba.Conv(lif, 6, 6, (2, 1), stride=(2, 1), groups=6, weight_scale=3, delay_shift=True),
        cuba.Conv(lif, 6, 8, (3, 2), padding=(2, 1), dilation=(2, 1), weight_scale=2, delay_shift=True),
        cuba.Flatten(),
        cuba.Dense(lif, 8 * 4 * 3, 20, weight_scale=2, weight_norm=True, delay_shift=True),
        cuba.Dense(lif, 20, 10, weight_scale=3, delay_shift=True),
    ]
    for block in blocks:
        block.eval()
    generator = np.random.default_rng(3)
    spikes = (generator.random((4, 3, 8, 2, 30)) < 0.25).astype(np.uint8)
    layers = []
    with torch.no_grad():
        values = torch.from_numpy(spikes).float()
        for block in blocks:
            values = block(values)
            if not isinstance(block, cuba.Flatten):
                layers.append(values.numpy().astype(np.uint8))
    path = tmp_path / "slayer.net"
    with h5py.File(path, "w") as file:
        group = file.create_group("layer/0")
        group.create_dataset("type", (1,), "S10", [b"input"])
        group.create_dataset("shape", data=np.array([3, 8, 2]))
        for index, block in enumerate(blocks, 1):
            block.export_hdf5(file.create_group(f"layer/{index}"))
    return path, spikes, layers


def test_every_spike_of_every_layer_is_slayers(slayer_net):
    from lava_runtime.runner import make_runner

    path, spikes, expected = slayer_net
    for backend in ("reference", "lava"):
        with make_runner(backend, path, layers=True) as runner:
            found = runner.run(spikes)
        assert len(found.layers) == len(expected) == 5
        for index, (ours, slayers) in enumerate(zip(found.layers, expected, strict=True)):
            assert 0.01 < slayers.mean() < 0.9, f"layer {index} says too little"
            np.testing.assert_array_equal(ours, slayers, err_msg=f"{backend}, layer {index}")
        np.testing.assert_array_equal(found.counts.sum(0), [layer.sum() for layer in expected])
