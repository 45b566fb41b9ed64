"""Spikes are checked before anything runs with them, in memory and in files."""

import numpy as np
import pytest

from export.graph import Cuba, DenseLayer, FlattenLayer, InputLayer, Network
from lava_runtime.spikes import CheckedSpikes, SpikeFile, check_spikes
from train.errors import MaestroError

GOOD = np.zeros((4, 2, 3, 1, 5), np.uint8)


def network(shape, **driven):
    """A network that takes ``shape``; its input has neurons where they are given."""
    size = int(np.prod(shape))
    dense = DenseLayer(np.full((2, size), 8), Cuba(4096, 0, 64))
    layers = (InputLayer(shape, **driven), *([FlattenLayer((size,))] if len(shape) > 1 else []), dense)
    return Network(layers, tuple(f"l{index}" for index in range(len(layers))))


IMAGES = network((2, 3, 1))
DRIVEN = network((2, 3, 1), neuron=Cuba(4096, 100, 64), weight=2, offset=-1)


def odd(value, dtype=np.int64):
    """Good but for one value, in sample 2 at step 3."""
    spikes = GOOD.astype(dtype)
    spikes[2, 1, 0, 0, 3] = value
    return spikes


@pytest.mark.parametrize(
    ("spikes", "text"),
    [
        (GOOD[0], r"x: has 4 axes, shape \(2, 3, 1, 5\).*here \(sample, 2, 3, 1, time\)"),
        (GOOD.transpose(0, 2, 1, 3, 4), r"has shape \(4, 3, 2, 1, 5\) \(expected \(sample, 2, 3, 1, time\)\)"),
        (GOOD.reshape(4, 6, 5), r"has shape \(4, 6, 5\) \(expected \(sample, 2, 3, 1, time\)\)"),
        (GOOD[:0], "has no sample"),
        (GOOD[..., :0], "has no time step"),
        (odd(np.nan, float), r"holds NaN or infinity in sample 2, step 3 \(expected 0 and 1\)"),
        (odd(0.5, float), r"holds fractions in sample 2, step 3 \(expected 0 and 1, as integers\)"),
        (odd(2), r"holds 2 in sample 2, step 3 \(expected 0 and 1"),
        (odd(2, np.uint8), "holds 2 in sample 2, step 3"),
        (odd(-1, np.int8), "holds -1 in sample 2"),
        (odd(3.0, float), "holds 3 in sample 2"),
        (np.full(GOOD.shape, "1"), "holds <U1"),
        (np.full(GOOD.shape, 1j), r"holds complex128 \(expected integers\)"),
    ],
)
def test_bad_spikes_are_refused(spikes, text):
    with pytest.raises(MaestroError, match=text):
        check_spikes("x", spikes, IMAGES)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32])
def test_any_kind_of_0_and_1_is_taken(dtype):
    found = check_spikes("x", np.ones(GOOD.shape, dtype), IMAGES)
    assert found.dtype == np.uint8
    assert found.all()


def test_images_are_flattened_for_a_network_of_neurons():
    spikes = np.arange(24).reshape(1, 2, 3, 2, 2) % 2
    np.testing.assert_array_equal(check_spikes("x", spikes, network((12,))), spikes.reshape(1, 12, 2))


def test_input_neurons_take_any_whole_numbers_that_their_bias_holds():
    spikes = odd(-700) + odd(900)
    np.testing.assert_array_equal(check_spikes("x", spikes.astype(np.float32), DRIVEN), spikes)
    with pytest.raises(
        MaestroError, match=r"holds fractions in sample 2, step 3 \(expected whole numbers, as integers"
    ):
        check_spikes("x", odd(0.5, float), DRIVEN)
    for value in (40_000, 2**63, 1e30):
        with pytest.raises(MaestroError, match="gives its neurons biases of -1 to"):
            check_spikes("x", odd(value, type(value) if value != 2**63 else np.uint64), DRIVEN)


def test_values_are_checked_as_they_are_taken(tmp_path):
    np.save(tmp_path / "x.npy", odd(2))
    checked = CheckedSpikes("x", SpikeFile(tmp_path / "x.npy"), IMAGES)
    assert len(checked) == 4
    assert checked[0:2].shape == (2, 2, 3, 1, 5)
    assert checked[3:9].shape == (1, 2, 3, 1, 5)
    with pytest.raises(MaestroError, match="holds 2 in sample 2, step 3"):
        checked[1:3]


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_file_is_read_slice_by_slice(tmp_path, order):
    spikes = np.random.default_rng(0).integers(0, 2, GOOD.shape)
    np.save(tmp_path / "x.npy", np.array(spikes, order=order))
    file = SpikeFile(tmp_path / "x.npy")
    assert (file.shape, file.dtype, len(file)) == (spikes.shape, spikes.dtype, 4)
    np.testing.assert_array_equal(file[1:3], spikes[1:3])


def test_bad_files_are_refused(tmp_path):
    with pytest.raises(MaestroError, match=r"x\.npy: no such file.*numpy\.save"):
        SpikeFile(tmp_path / "x.npy")
    for name, data in (("text.npy", b"1 0 1"), ("empty.npy", b"")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(MaestroError, match=r"is not a whole \.npy file"):
            SpikeFile(tmp_path / name)
    np.save(tmp_path / "cut.npy", GOOD)
    whole = (tmp_path / "cut.npy").read_bytes()
    (tmp_path / "cut.npy").write_bytes(whole[:-7])
    with pytest.raises(MaestroError, match=r"is not a whole \.npy file"):
        SpikeFile(tmp_path / "cut.npy")
    (tmp_path / "zip.npy").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(MaestroError, match=r"is not a whole \.npy file"):
        SpikeFile(tmp_path / "zip.npy")
    with pytest.raises(MaestroError, match=r"is a folder .expected a \.npy file.*numpy\.save"):
        SpikeFile(tmp_path)
    # 2^54 bytes, of which the file has but few.
    (tmp_path / "huge.npy").write_bytes(whole.replace(b"(4, 2, 3, 1, 5), }", b"(2, 9007199254740992), }"))
    with pytest.raises(MaestroError, match=r"huge\.npy: is not a whole \.npy file"):
        SpikeFile(tmp_path / "huge.npy")
    np.savez(tmp_path / "many.npz", GOOD)
    with pytest.raises(MaestroError, match="holds several arrays"):
        SpikeFile(tmp_path / "many.npz")
    np.save(tmp_path / "number.npy", np.array(1))
    with pytest.raises(MaestroError, match=r"has 0 axes, shape \(\)"):
        CheckedSpikes("x", SpikeFile(tmp_path / "number.npy"), IMAGES)


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("the pickle was run",))


def test_a_pickle_is_never_run(tmp_path):
    np.save(tmp_path / "bomb.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    with pytest.raises(MaestroError, match="holds Python objects"):
        SpikeFile(tmp_path / "bomb.npy")
