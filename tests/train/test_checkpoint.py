import pickle
import re

import pytest
import torch

from train.checkpoint import load_checkpoint, save_checkpoint
from train.errors import MaestroError


class Hostile:
    """What a foreign pickle may do: run code when it is read."""

    def __reduce__(self):
        return (print, ("this must never run",))


def test_round_trip(tmp_path):
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, {"state": {"w": torch.arange(3.0)}, "labels": {"title": ["a"]}})
    values = load_checkpoint(path)
    assert torch.equal(values["state"]["w"], torch.arange(3.0))
    assert values["labels"] == {"title": ["a"]}


def test_missing_checkpoint(tmp_path):
    with pytest.raises(MaestroError, match=re.escape("no such checkpoint. Make it with `python -m train fit`")):
        load_checkpoint(tmp_path / "none.pt")


@pytest.mark.parametrize("keep", [0.0, 0.2, 0.6, 0.99])
def test_truncated_checkpoint(tmp_path, keep):
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, {"state": {"w": torch.randn(1000)}})
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole))])
    with pytest.raises(MaestroError, match=r"whole checkpoint file|is damaged"):
        load_checkpoint(path)


@pytest.mark.parametrize("with_torch", [False, True])
def test_foreign_pickle_is_refused_and_not_run(tmp_path, capsys, with_torch):
    path = tmp_path / "checkpoint.pt"
    if with_torch:
        torch.save({"format": 1, "state": Hostile()}, path)
    else:
        path.write_bytes(pickle.dumps(Hostile()))
    with pytest.raises(MaestroError, match=r"holds more than tensors and plain data, or is damaged; it was not loaded"):
        load_checkpoint(path)
    assert "never" not in capsys.readouterr().out


def test_other_programs_checkpoint_is_refused(tmp_path):
    path = tmp_path / "checkpoint.pt"
    torch.save({"model": torch.zeros(2)}, path)
    with pytest.raises(MaestroError, match="is not a checkpoint of this project"):
        load_checkpoint(path)
