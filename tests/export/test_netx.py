"""The file: written as SLAYER writes it, whole or not at all; read back the same, or refused with a reason."""

import errno

import h5py
import numpy as np
import pytest

from export import netx, reference
from export.graph import AverageLayer, ConvLayer, Cuba, DenseLayer, FlattenLayer, InputLayer, Network
from export.neurons import INTEGRATOR
from train.errors import MaestroError


def even(generator, *shape):
    return 2 * generator.integers(-20, 21, shape)


def assert_same(ours, theirs):
    assert type(ours) is type(theirs)
    for field in vars(ours):
        first, second = getattr(ours, field), getattr(theirs, field)
        if field == "neuron" and first is not None:
            assert_same(first, second)
        else:
            np.testing.assert_array_equal(first, second)


@pytest.fixture
def written(small_network, tmp_path):
    path = tmp_path / "model.net"
    netx.write(small_network, path)
    return path


def test_a_network_comes_back_as_it_was(small_network, written):
    again = netx.read(written)
    assert again.names == small_network.names
    for ours, theirs in zip(small_network.layers, again.layers, strict=True):
        assert_same(ours, theirs)


def test_the_same_network_gives_the_same_bytes(small_network, written, tmp_path):
    netx.write(small_network, tmp_path / "again.net")
    assert (tmp_path / "again.net").read_bytes() == written.read_bytes()


def test_names_and_types_are_those_of_slayer(tmp_path, written):
    """SLAYER's own export of like blocks has the same datasets, of the same types and number of axes."""
    torch = pytest.importorskip("torch")
    from train.neurons import slayer

    cuba = {"threshold": 1.0, "current_decay": 0.1, "voltage_decay": 0.05}
    blocks = [
        slayer.block.cuba.Input(None, delay_shift=False),
        slayer.block.cuba.Conv(cuba, 2, 4, (3, 1), padding=(1, 0)),
        slayer.block.cuba.Flatten(),
        slayer.block.cuba.Dense(cuba, 28, 6, delay=True),
    ]
    x = torch.zeros(1, 2, 7, 1, 3)
    with h5py.File(tmp_path / "slayer.net", "w") as stock, h5py.File(written) as ours:
        for index, (block, number) in enumerate(zip(blocks, (0, 1, 3, 4), strict=True)):
            x = block(x)
            group = stock.create_group(f"layer/{index}")
            block.export_hdf5(group)
            mine = ours[f"layer/{number}"]
            found, expected = {}, {}
            for node, table in ((mine, found), (group, expected)):
                node.visititems(
                    lambda key, item, table=table: (
                        table.update({key: (item.dtype.kind, item.ndim)}) if isinstance(item, h5py.Dataset) else None
                    )
                )
            if index == 1:  # one decay a channel in ours
                found["neuron/iDecay"] = expected["neuron/iDecay"]
            if index == 3:
                found["neuron/vDecay"] = expected["neuron/vDecay"]
            assert found == expected


def test_the_file_is_closed_and_can_be_written_again(small_network, written):
    netx.read(written)
    netx.write(small_network, written)
    assert netx.read(written).names == small_network.names


def test_a_full_disk_leaves_the_old_file(small_network, written, monkeypatch):
    before = written.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(MaestroError, match=r"model\.net: cannot be written: No space left on device\. Free some disk"):
        netx.write(small_network, written)
    assert written.read_bytes() == before
    assert [path.name for path in written.parent.iterdir()] == ["model.net"]


def test_missing_foreign_and_truncated_files_are_told_apart_from_networks(written, tmp_path):
    with pytest.raises(MaestroError, match=r"none\.net: no such file\. Make it with `python -m export netx RUN`"):
        netx.read(tmp_path / "none.net")
    for name, content in {"text.net": b"hello", "empty.net": b"", "cut.net": written.read_bytes()[:-100]}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(MaestroError, match=f"{name}: is not a whole HDF5 file"):
            netx.read(tmp_path / name)
    with h5py.File(tmp_path / "other.net", "w") as file:
        file["data"] = 1
    with pytest.raises(MaestroError, match=r"other\.net: has no layers"):
        netx.read(tmp_path / "other.net")


@pytest.mark.parametrize("kept", [200, 1000, 5000, 12000])
def test_a_file_cut_anywhere_is_refused(written, kept):
    content = written.read_bytes()
    assert kept < len(content)
    written.write_bytes(content[:kept])
    with pytest.raises(MaestroError, match=r"model\.net"):
        netx.read(written)


def replace(file, key, value):
    if key in file:
        del file[key]
    if value is not None:
        file.create_dataset(key, data=value)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("layer/1/type", [b"pool"], r"layer 1: is of type 'pool', which NetX cannot run .*grouped convolution"),
        ("layer/1/type", [b"convT"], r"layer 1: is of type 'convT', which NetX cannot run"),
        ("layer/1/type", [b"unpool"], r"layer 1: is of type 'unpool'"),
        (
            "layer/1/type",
            [b"average"],
            r"layer 1 \(average\): averages before layer 2 .expected an average as the last",
        ),
        ("layer/1/type", [b"kwta"], r"layer 1: is of type 'kwta', which NetX cannot run"),
        ("layer/1/type", [b"dense_comp"], r"layer 1: is of type 'dense_comp', which NetX cannot run"),
        ("layer/1/type", [b"input"], r"layer 1 \(input\): is a second input"),
        ("layer/1/type", [b"concat"], r"layer 1: is of type 'concat'"),
        ("layer/1/type", 7, r"layer 1: has a dataset 'type' that is no text"),
        ("layer/1/type", None, r"layer 1: has no dataset 'type'"),
        ("layer/1/weight", None, r"layer 1 \(conv\): has no dataset 'weight'"),
        ("layer/1/weight", np.full((4, 2, 3, 1), 0.5), r"layer 1 \(conv\): .*'weight' that is not all whole numbers"),
        ("layer/1/weight", np.full((4, 2, 3, 1), np.nan), r"'weight' that is not all whole numbers"),
        ("layer/1/weight", np.zeros(0), r"has an empty dataset 'weight'"),
        ("layer/1/stride", None, r"has no dataset 'stride'"),
        ("layer/1/stride", [1, 1, 1], r"has 3 values of 'stride'"),
        ("layer/1/groups", [1, 2], r"has 2 values of 'groups'"),
        ("layer/1/shape", [4, 7], r"layer 1 \(conv\): has shape \(4, 7\)"),
        ("layer/1/shape", [4, 9, 1], r"layer 1 \(conv\): says its output shape is \(4, 9, 1\)"),
        ("layer/1/neuron", None, r"layer 1 \(conv\): has no neuron"),
        (
            "layer/1/neuron/type",
            b"ALIF",
            r"layer 1 \(conv\), neuron: is of type 'ALIF' \(adaptive\), which this project",
        ),
        ("layer/1/neuron/type", b"SDNN", r"neuron: is of type 'SDNN' \(sigma-delta\), which this project cannot run"),
        ("layer/1/neuron/type", b"RF_PHASE", r"neuron: is of type 'RF_PHASE' \(resonate-and-fire\)"),
        ("layer/1/neuron/type", b"RF_IZHIKEVICH", r"neuron: is of type 'RF_IZHIKEVICH' \(resonate-and-fire\)"),
        ("layer/1/neuron/type", b"ADRF_PHASE", r"neuron: is of type 'ADRF_PHASE' \(adaptive resonate-and-fire\)"),
        ("layer/1/neuron/type", b"UNKNOWN", r"neuron: is of type 'UNKNOWN', which this project cannot run"),
        ("layer/4/dendrite/gain", [0], r"layer 4 \(dense\): has a group `dendrite` and neurons of type 'CUBA'"),
        ("layer/4/neuron/messageBits", 8, r"sends graded spikes \(messageBits\)"),
        ("layer/1/neuron/iDecay", [1, 2], r"has iDecay of shape \(2,\)"),
        ("layer/1/neuron/vThMant", [1, 2], r"has 2 values of 'vThMant'"),
        ("layer/1/neuron/gradedSpike", True, r"sends graded spikes \(gradedSpike\)"),
        ("layer/1/neuron/gradedSpike", b"no", r"has a dataset 'gradedSpike' that is not all whole numbers"),
        ("layer/0/shape", [2, 7], r"layer 0 \(input\): has shape \(2, 7\)"),
        ("layer/4/weight", np.zeros((6, 11)), r"layer 4 \(dense\): has weights of shape \(6, 11\)"),
        ("layer/4/weight", np.zeros((5, 12)), r"layer 4 \(dense\): has weights of shape \(5, 12\)"),
        ("layer/4/delay", np.zeros(5), r"layer 4 \(dense\): has delays of shape \(5,\)"),
        ("layer/4/delay", np.full(6, 63), r"layer 4 \(dense\): has delays of 63 to 63"),
        ("layer/5/bias", np.zeros(4), r"layer 5 \(dense\): has a bias of shape \(4,\)"),
        ("layer/6/weight_rec", None, r"layer 6 \(dense_rec\): has no dataset 'weight_rec'"),
        ("layer/6/weight_rec", np.zeros((3, 2)), r"layer 6 \(dense_rec\): has recurrent weights of shape \(3, 2\)"),
        ("layer/3", None, r"layer 3: is missing"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_layer(written, key, value, message):
    with h5py.File(written, "a") as file:
        replace(file, key, value)
    with pytest.raises(MaestroError, match=message):
        netx.read(written)


def test_an_empty_layer_is_refused_by_what_left_it(written):
    with h5py.File(written, "a") as file:
        del file["layer/6"]
        file.create_group("layer/6")
    with pytest.raises(MaestroError, match="layer 6: is empty, as SLAYER's KWTA block leaves it"):
        netx.read(written)


def test_delays_of_a_convolution_and_complex_weights_are_refused(written):
    with h5py.File(written, "a") as file:
        file["layer/1/delay"] = np.zeros(4)
    with pytest.raises(MaestroError, match=r"layer 1 \(conv\): has delays, which NetX leaves out of convolutions"):
        netx.read(written)
    with h5py.File(written, "a") as file:
        del file["layer/4/weight"], file["layer/1/delay"]
        file["layer/4/weight/real"] = np.zeros((6, 12))
    with pytest.raises(MaestroError, match="layer 4: has complex weights"):
        netx.read(written)


def test_other_ways_to_write_the_same_are_understood(written):
    """The stock loader takes flat weights, one delay for all or one an input, numbers for pairs, no input layer."""
    before = netx.read(written)
    with h5py.File(written, "a") as file:
        replace(file, "layer/4/weight", before.layers[4].weight.reshape(-1))
        replace(file, "layer/4/delay", np.arange(12))
        replace(file, "layer/5/neuron/type", [b"LOIHI"])
        replace(file, "layer/1/stride", 1)
        file["layer/5/delay"] = 2
    after = netx.read(written)
    np.testing.assert_array_equal(after.layers[4].weight, before.layers[4].weight)
    np.testing.assert_array_equal(after.layers[4].delay, np.tile(np.arange(12), (6, 1)))
    np.testing.assert_array_equal(after.layers[5].delay, np.full((5, 6), 2))
    assert after.layers[1].stride == (1, 1)


def test_layouts_of_older_exports_are_understood(written):
    """Kernels with an axis of time, flat recurrent weights, one bias for all, shapes either way, extras of Loihi 1."""
    before = netx.read(written)
    with h5py.File(written, "a") as file:
        replace(file, "layer/1/weight", before.layers[1].weight[..., np.newaxis])
        replace(file, "layer/3/shape", [1, 1, 12])
        replace(file, "layer/4/shape", [6, 1, 1])
        replace(file, "layer/5/bias", [7.0])
        replace(file, "layer/6/weight_rec", before.layers[6].recurrent.reshape(-1))
        for key, value in {"theta": 4096, "wgtExp": 0, "tauRho": 0.5, "scaleRho": 1.0}.items():
            file[f"layer/4/neuron/{key}"] = value
        replace(file, "layer/4/neuron/type", b"LOIHI")
    after = netx.read(written)
    for index in (1, 3, 4, 6):
        assert_same(after.layers[index], before.layers[index])
    np.testing.assert_array_equal(after.layers[5].bias, np.full(5, 7))


@pytest.fixture
def fed_network():
    """Input neurons with a transform, a layer whose neurons no file describes, and a readout."""
    generator = np.random.default_rng(6)
    layers = (
        InputLayer((5,), Cuba(4096, 123, 80), 76, -3),
        DenseLayer(even(generator, 6, 5), INTEGRATOR, bias=np.arange(6)),
        AverageLayer((3,)),
    )
    return Network(layers, ("in", "sum", "groups"))


def test_input_neurons_and_a_readout_come_back_as_they_were(fed_network, tmp_path):
    netx.write(fed_network, tmp_path / "fed.net")
    again = netx.read(tmp_path / "fed.net")
    assert again.names == fed_network.names
    for ours, theirs in zip(fed_network.layers, again.layers, strict=True):
        assert_same(ours, theirs)
    assert again.readout.shape == (3,)


def test_the_transform_of_input_neurons_is_read_as_slayer_and_stock_write_it(fed_network, tmp_path):
    path = tmp_path / "fed.net"
    netx.write(fed_network, path)
    with h5py.File(path, "a") as file:
        replace(file, "layer/0/weight", np.float32([36]))
        replace(file, "layer/0/bias", 34.0)
        replace(file, "layer/0/shape", [5, 1, 1])
    read = netx.read(path).input_layer
    assert (read.shape, read.weight, read.offset) == ((5,), 36, 34)
    with h5py.File(path, "a") as file:
        del file["layer/0/weight"], file["layer/0/bias"]
    read = netx.read(path).input_layer
    assert (read.weight, read.offset) == (64, 0)
    for value, message in (
        (0.5, r"layer 0 \(input\): has a dataset 'weight' that is not all whole numbers"),
        ([1, 2], r"layer 0 \(input\): has 2 values of 'weight' \(expected one"),
    ):
        with h5py.File(path, "a") as file:
            file["layer/0/weight"] = value
        with pytest.raises(MaestroError, match=message):
            netx.read(path)
        with h5py.File(path, "a") as file:
            del file["layer/0/weight"]


def test_a_dense_layer_without_neurons_is_an_integrator_that_never_fires(fed_network, tmp_path):
    path = tmp_path / "fed.net"
    netx.write(fed_network, path)
    with h5py.File(path, "a") as file:
        del file["layer/1/neuron"]
        # As far as an integrator gets: the current jumps over half its range at each step of a synapse of 2^17.
        replace(file, "layer/1/weight", np.full((6, 5), 1 << 14))
        replace(file, "layer/1/bias", np.zeros(6))
    network = netx.read(path)
    assert_same(network.layers[1], DenseLayer(np.full((6, 5), 1 << 14), INTEGRATOR, bias=np.zeros(6, np.int64)))
    inputs, sums = reference.simulate(network, np.full((5, 60), 10), probes=True)
    assert inputs.spikes.any()
    # It reaches the largest voltage there is, and stays below its threshold.
    assert sums.v.max() == (1 << 23) - 1
    assert not sums.spikes.any()


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([4, 1, 1], r"layer 2 \(average\): averages 6 neurons in groups \(4,\) .expected groups of one size"),
        ([0], r"layer 2 \(average\): averages 6 neurons in groups \(0,\)"),
        (0.5, r"layer 2 \(average\): has a dataset 'shape' that is not all whole numbers"),
        (None, r"layer 2 \(average\): has no dataset 'shape'"),
    ],
)
def test_an_average_whose_groups_do_not_fit_is_refused(fed_network, tmp_path, groups, message):
    netx.write(fed_network, tmp_path / "fed.net")
    with h5py.File(tmp_path / "fed.net", "a") as file:
        replace(file, "layer/2/shape", groups)
    with pytest.raises(MaestroError, match=message):
        netx.read(tmp_path / "fed.net")


def test_an_average_takes_a_convolution_as_it_is(small_network, tmp_path):
    network = Network((*small_network.layers[:3], AverageLayer((4,))), ("input", "conv1", "pool1", "average"))
    netx.write(network, tmp_path / "conv.net")
    output = reference.run(netx.read(tmp_path / "conv.net"), np.ones((2, 7, 1, 9), np.uint8))[-1]
    # SLAYER flattens channel first: (4, 3, 1) neurons in four groups are the channels.
    np.testing.assert_array_equal(reference.readout(network, output), output.sum(axis=(1, 2)))


def test_a_file_without_input_layer_gets_one(written, tmp_path):
    with h5py.File(written) as file, h5py.File(tmp_path / "dense.net", "w") as target:
        file.copy("layer/4", target, "layer/0")
        file.copy("layer/5", target, "layer/1")
    network = netx.read(tmp_path / "dense.net")
    assert [type(layer) for layer in network.layers] == [InputLayer, DenseLayer, DenseLayer]
    assert network.input_shape == (12,)
    assert network.names == ("input", "late", "biased")
    with h5py.File(written) as file, h5py.File(tmp_path / "conv.net", "w") as target:
        file.copy("layer/1", target, "layer/0")
    with pytest.raises(MaestroError, match=r"layer 0 \(conv\): has no input layer before it"):
        netx.read(tmp_path / "conv.net")


def test_layers_without_names_are_numbered(written):
    with h5py.File(written, "a") as file:
        for group in file["layer"].values():
            del group.attrs["name"]
    network = netx.read(written)
    assert network.names == ("input", "conv1", "conv2", "flatten1", "dense1", "dense2", "dense3")
    assert [type(layer) for layer in network.layers[1:4]] == [ConvLayer, ConvLayer, FlattenLayer]
