"""The script's parts: what it says and keeps when something is not as it should be."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

LIF = "lif"


def test_parts(script_module, tmp_path):
    plan = {"steps": 25, "period": 64, "input_delay": 2, "slack": 17}
    assert list(script_module.delays(plan)) == list(range(22))
    (tmp_path / "SHA256SUMS").write_text("what\n")
    with pytest.raises(script_module.FailedError, match="line 1 is none of sha256sum's"):
        script_module.checked(tmp_path)


def test_samples_come_in_lavas_order_or_flat_in_slayers(script_module, tmp_path):
    inputs = np.arange(2 * 2 * 3 * 1 * 4).reshape(2, 2, 3, 1, 4)
    np.save(tmp_path / "inputs.npy", inputs)
    job = {"folder": str(tmp_path), "plan": {"period": 8, "steps": 4}, "pass": "spikes", "samples": 2, "steps": 16}
    turned = script_module.stream(job, (1, 3, 2))
    assert turned.shape == (1, 3, 2, 16)
    np.testing.assert_array_equal(turned[..., 8:12], inputs[1].transpose(2, 1, 0, 3))
    assert not turned[..., 4:8].any()
    flat = script_module.stream(job, (6,))
    np.testing.assert_array_equal(flat[:, 8:12], inputs[1].reshape(6, 4))


def test_an_older_result_is_set_aside(script_module, tmp_path, capsys):
    path = tmp_path / "result.json"
    path.write_text("of the chip")
    (tmp_path / "result.1.json").write_text("older")
    output = script_module.Output(path)
    assert path.read_text() == "of the chip"
    output.write({"pass": 1})
    output.write({"pass": 2})
    assert json.loads(path.read_text()) == {"pass": 2}
    assert (tmp_path / "result.1.json").read_text() == "older"
    assert (tmp_path / "result.2.json").read_text() == "of the chip"
    assert capsys.readouterr().err == "an older result.json is result.2.json now\n"
    assert len(list(tmp_path.iterdir())) == 3


def test_where_nothing_can_be_written_is_said_before_a_board_is_asked_for(bundle_of, script_module, script, tmp_path):
    for path, text in (
        (tmp_path, "is a folder, expected the name of a file"),
        (tmp_path / "none" / "result.json", "cannot be written: No such file or directory"),
    ):
        with pytest.raises(script_module.FailedError, match=f"--out {path}: {text}"):
            script_module.Output(path)
    (tmp_path / "file").write_text("")
    code, said, _ = script(bundle_of(LIF), "--sim", "--out", tmp_path / "file" / "result.json")
    assert code == 1
    assert said.strip() == f"error: --out {tmp_path}/file/result.json: cannot be written: Not a directory"


def test_a_disk_that_is_full_by_then_costs_no_result(script_module, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(script_module.tempfile, "tempdir", str(tmp_path / "spare"))
    (tmp_path / "spare").mkdir()
    (tmp_path / "there").mkdir()
    output = script_module.Output(tmp_path / "there" / "result.json")
    (tmp_path / "there").rename(tmp_path / "gone")
    output.write({"pass": 1})
    assert output.path.parent == tmp_path / "spare"
    assert json.loads(output.path.read_text()) == {"pass": 1}
    said = capsys.readouterr().err
    assert f"cannot be written: No such file or directory; it lies in {output.path} instead" in said
    (tmp_path / "spare").rename(tmp_path / "gone" / "spare")
    with pytest.raises(script_module.FailedError, match="cannot be written: No such file or directory"):
        output.write({"pass": 2})


def test_no_space_for_a_pass_is_one_line(script_module, monkeypatch, capsys):
    def full(_options):
        raise OSError(28, "No space left on device", "/tmp/on-chip-1/job.json")

    monkeypatch.setattr(script_module.signal, "signal", lambda *_: None)
    monkeypatch.setitem(script_module.__dict__, "_run", full)
    assert script_module.main(["--sim"]) == 1
    said = capsys.readouterr().err
    assert said == "error: /tmp/on-chip-1/job.json: No space left on device. Free some space, or set TMPDIR\n"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"board": "ncl-kp-01"}, {"BOARD": "ncl-kp-01", "SLURM": "1"}),
        ({"partition": "kp"}, {"PARTITION": "kp", "SLURM": "1"}),
        ({"board": "a", "partition": "b"}, {"BOARD": "a", "PARTITION": "b", "SLURM": "1"}),
        ({}, {"NXSDKHOST": "10.0.0.1", "BOARD": "old", "PARTITION": "old", "NOSLURM": "1"}),
    ],
)
def test_a_board_that_is_named_is_the_only_one(script_module, monkeypatch, given, found):
    environment = {"NXSDKHOST": "10.0.0.1", "BOARD": "old", "PARTITION": "old"}
    monkeypatch.setattr(script_module.os, "environ", environment)
    options = script_module._parser().parse_args([f"--{key}={value}" for key, value in given.items()])
    script_module.choose_board(options)
    assert environment == {**found, "LOIHI_GEN": "N3B3"}


def test_older_pythons_and_a_missing_numpy_are_said_in_a_line(bundle_of, tmp_path):
    text = (bundle_of(LIF) / "run_on_loihi.py").read_text()
    head = text.index("if sys.version_info")
    assert "import" not in text[text.index('"""', 30) + 3 : head].replace("import sys", "")
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy" / "__init__.py").write_text("raise ImportError")
    command = [sys.executable, str(bundle_of(LIF) / "run_on_loihi.py"), "--sim"]
    done = subprocess.run(command, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"error: numpy is not installed for {sys.executable}. Use the Python that has Lava\n"


def test_the_joined_script_stands_alone(bundle_of):
    text = (bundle_of(LIF) / "run_on_loihi.py").read_text()
    assert text.startswith("#!/usr/bin/env python3")
    assert not re.search(r"^\s*(from|import) (hardware|lava_runtime|export|train)\b", text, re.MULTILINE)
    assert text.count('if __name__ == "__main__":') == 1
    compile(text, "run_on_loihi.py", "exec")
