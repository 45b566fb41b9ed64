"""Small exported runs with a measurement.json whose numbers are made up, and pages of them."""

import importlib.util
import json
from pathlib import Path

import pytest

from train.artifacts import write_json
from train.errors import MaestroError

# Pages made once, by name.
PAGES = {}


@pytest.fixture
def no_corpus(monkeypatch, fake_clips):
    """Clips of four titles instead of the corpus's, and no sound."""
    from lava_runtime import inputs
    from train.data import corpus

    def refuse(*_):
        raise MaestroError("corpus", "is not built in tests")

    monkeypatch.setattr(corpus, "build_corpus", refuse)
    return fake_clips(inputs)


@pytest.fixture(scope="session")
def made_up():
    """The module that makes measurements up."""
    spec = importlib.util.spec_from_file_location("made_up", Path(__file__).with_name("made_up.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def make_run(make_run, no_corpus, made_up):
    """make_run(kind, name): a measured run, its network untrained and its numbers made up."""

    def make(kind="lif", name=None):
        run = make_run("analog" if kind == "dh_lif" else kind, name or kind)
        write_json(run.metrics, {"provenance": {"versions": {"torch": "2.3.1"}}})
        write_json(run.measurement, made_up.build_measurement(run, kind))
        return run

    return make


@pytest.fixture
def change():
    """change(run, edit): edit a run's measurement.json as plain data."""

    def apply(run, edit):
        content = json.loads(run.measurement.read_text())
        edit(content)
        write_json(run.measurement, content)

    return apply


@pytest.fixture
def page(make_run):
    """page(kinds): the page of runs of some kinds, made once."""
    from hardware.report.page import render

    def make(*kinds):
        if kinds not in PAGES:
            PAGES[kinds] = render([make_run(kind, f"page-{kind}").path for kind in kinds])
        return PAGES[kinds]

    return make


@pytest.fixture
def section():
    """section(page, id): a section's HTML."""

    def cut(text, name):
        start = text.index(f'<section id="{name}"')
        return text[start : text.index("</section>", start)]

    return cut


@pytest.fixture
def made(made_up):
    """made(value, unit, low, high): a number as plain data."""
    return made_up.quantity


@pytest.fixture(scope="session")
def section_ids():
    """Ids of the page's sections, in order."""
    return (
        "verdict",
        "accuracy",
        "robustness",
        "raster",
        "rates",
        "time-constants",
        "energy",
        "baseline",
        "break-even",
        "parity",
        "limits",
        "provenance",
    )
