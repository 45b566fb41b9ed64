"""The verb: what it writes, and what it refuses."""

import pytest


def test_a_page_is_written_beside_the_run(cli, make_run):
    run = make_run("ann")
    result = cli("hardware", "report", run.path)
    assert result.exit_code == 0, result.output
    assert (run.path / "report.html").read_text().lstrip().startswith("<!DOCTYPE html>")
    assert [path.name for path in run.path.iterdir() if path.name.startswith(".")] == []


def test_a_run_that_was_never_measured_names_the_command(cli, make_run):
    run = make_run()
    run.measurement.unlink()
    result = cli("hardware", "report", run.path)
    assert result.exit_code == 1
    assert "measurement.json: missing from the run" in result.output
    assert f"`python -m hardware measure {run.path}`" in result.output


def test_a_run_that_is_not_there_is_refused(cli, tmp_path):
    result = cli("hardware", "report", tmp_path / "none")
    assert result.exit_code == 1
    assert "no such run folder" in result.output


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 7}'])
def test_a_damaged_measurement_is_refused_and_the_old_page_kept(cli, make_run, content):
    run = make_run()
    (run.path / "report.html").write_text("old")
    run.measurement.write_text(content)
    result = cli("hardware", "report", run.path)
    assert result.exit_code == 1
    assert "elete it and measure again" in result.output
    assert (run.path / "report.html").read_text() == "old"


def test_a_clip_that_is_not_there_is_refused(cli, make_run):
    run = make_run()
    result = cli("hardware", "report", run.path, "--clip", 12)
    assert result.exit_code == 2
    assert "--clip: is 12 (expected 0 to 11, the test set's clips)" in result.output
    assert not (run.path / "report.html").exists()


def test_a_folder_is_no_page(cli, make_run, tmp_path):
    result = cli("hardware", "report", make_run().path, "--out", tmp_path)
    assert result.exit_code == 2
    assert f"--out: {tmp_path} is a folder" in result.output


def test_a_chosen_clip_is_shown(cli, make_run, tmp_path):
    run, out = make_run(), tmp_path / "page.html"
    assert cli("hardware", "report", run.path, "--clip", 5, "--out", out).exit_code == 0
    assert "Clip 5 of 12 of the test set" in out.read_text()
