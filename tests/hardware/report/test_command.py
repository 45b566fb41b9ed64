"""The verb: what it writes, and what it refuses."""

import json

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


def test_the_numbers_as_a_table_for_a_readme(cli, make_run):
    spiking, ann = make_run("lif", "one"), make_run("ann", "two")
    result = cli("hardware", "report", spiking.path, ann.path, "--table")
    assert result.exit_code == 0
    assert not (spiking.path / "report.html").exists()
    lines = result.stdout.splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert {row.count("|") for row in rows} == {4}
    assert rows[1] == "| --- | --- | --- |"
    found = json.loads(spiking.measurement.read_text())
    updates = found["counters"]["total"]["dendrite_updates"]["value"]
    (row,) = (row for row in rows if row.startswith("| neuron updates"))
    assert row.split("|")[2].strip().replace("\u202f", "") == f"{updates:.0f}"
    # The ANN is on no Loihi: said so, with the reason below.
    (row,) = (row for row in rows if row.startswith("| energy on Loihi 2 in all"))
    assert row.split("|")[3].strip() == "unavailable (a)"
    assert any(line.startswith("(a) there is no estimate for a Loihi 2") for line in lines)


@pytest.mark.parametrize("option", ["--out", "--clip"])
def test_a_table_is_no_page(cli, make_run, option):
    result = cli("hardware", "report", make_run().path, "--table", option, "1")
    assert result.exit_code == 2
    assert "--table: prints a table and makes no page. Leave out --out and --clip" in result.stderr
