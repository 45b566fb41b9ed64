"""The page in a real browser: seen, readable, and without a word to a network."""

import itertools
import os
import shutil
from pathlib import Path

import pytest

from hardware.report.page import render
from train.artifacts import write_json

# Least contrast to the page of its texts, of texts in pictures, and of the colours of pictures (WCAG 2.2, relative
# luminance). Numbers on a full cell of a confusion matrix have the page's colour, and are left out.
CONTRAST = """() => {
    const parse = text => text.match(/[0-9.]+/g).slice(0, 3).map(Number);
    const light = rgb => {
        const [r, g, b] = rgb.map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const paper = light(parse(getComputedStyle(document.body).backgroundColor));
    const ratio = colour => {
        const value = light(parse(colour));
        return (Math.max(value, paper) + 0.05) / (Math.min(value, paper) + 0.05);
    };
    const least = values => Math.min(...new Set(values));
    const all = names => [...document.querySelectorAll(names)].map(e => getComputedStyle(e));
    const style = getComputedStyle(document.documentElement);
    const series = [1, 2, 3, 4, 5, 6].map(n => style.getPropertyValue(`--series-${n}`).trim())
        .map(hex => [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16)).join(", "));
    return {
        paper,
        text: least(all("p, td, th, figcaption, li, h2, a").map(e => ratio(e.color))),
        drawn: least(all("svg text").map(e => ratio(e.fill)).filter(value => value > 1.05)),
        series: least(series.map(ratio)),
    };
}"""


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
        own = playwright.chromium.executable_path
        path = next((path for path in found if path), own if Path(own).is_file() else None)
        if path is None:
            if os.environ.get("CI"):
                pytest.fail("no browser here, and CI must have one: install chromium")
            pytest.skip("no chromium or chrome is installed")
        # Chromium refuses its sandbox to root.
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def opened(browser, page, tmp_path):
    """opened(width, scheme): the page of three runs, with all it asked for and all it complained of."""
    file = tmp_path / "report.html"
    file.write_text(page("lif", "dh_lif", "ann"), encoding="utf-8")
    contexts = []

    def open_page(width=1280, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        tab = context.new_page()
        tab.asked, tab.complaints = [], []

        def answer(route):
            if route.request.url.startswith("file:"):
                route.continue_()
            else:
                tab.asked.append(route.request.url)
                route.abort()

        tab.route("**/*", answer)
        tab.on("console", lambda message: tab.complaints.append(message.text))
        tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
        tab.goto(file.as_uri())
        return tab

    yield open_page
    for context in contexts:
        context.close()


def test_every_section_is_seen_and_nothing_is_asked_of_a_network(opened, section_ids):
    tab = opened()
    for name in section_ids:
        assert tab.locator(f"section#{name} h2").is_visible(), name
        assert tab.locator(f"section#{name}").bounding_box()["height"] > 60, name
    assert tab.asked == []
    assert tab.complaints == []


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_does_not_scroll_sideways(opened, width):
    tab = opened(width)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    # What is wider scrolls in a box of its own, which the keyboard reaches.
    boxes = tab.evaluate(
        "[...document.querySelectorAll('.scroll')].filter(box => box.scrollWidth > box.clientWidth)"
        ".map(box => [getComputedStyle(box).overflowX, box.tabIndex])"
    )
    assert boxes
    assert all(box == ["auto", 0] for box in boxes)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_drawings_stand_out_in_light_and_dark(opened, scheme):
    found = opened(scheme=scheme).evaluate(CONTRAST)
    assert (found["paper"] < 0.05) == (scheme == "dark")
    # WCAG 2.2, 1.4.3 and 1.4.11.
    assert found["text"] >= 4.5
    assert found["drawn"] >= 4.5
    assert found["series"] >= 3


def test_print_makes_light_pages_that_show_what_is_folded(opened):
    tab = opened()
    assert tab.pdf(format="A4").startswith(b"%PDF")
    tab.emulate_media(media="print", color_scheme="dark")
    assert tab.evaluate(CONTRAST)["paper"] > 0.95
    folded = tab.locator("details:not([open])").first
    assert folded.locator("p, li, table, figure").first.bounding_box()["height"] > 0


def test_words_of_tables_stay_whole_in_print(opened):
    # As wide as A4 between its margins.
    tab = opened(688)
    tab.emulate_media(media="print")
    tables = tab.evaluate(
        "[...document.querySelectorAll('table')].map(table => ({width: table.getBoundingClientRect().width,"
        " head: Math.min(...[...table.querySelectorAll('tbody th:not([colspan])')].map(h => h.clientWidth)),"
        " row: Math.max(...[...table.tBodies[0].rows].map(row => row.clientHeight))}))"
    )
    assert tables
    assert min(table["head"] for table in tables) >= 60
    # No row is a column of letters, and none runs off the page.
    assert max(table["row"] for table in tables) < 150
    assert max(table["width"] for table in tables) <= 690


def test_a_long_name_of_a_run_is_broken_and_its_backticks_are_no_code(browser, make_run, tmp_path):
    run = make_run("lif", "a`b`" + "long" * 49)
    file = tmp_path / "long.html"
    text = render([run.path], only=["verdict", "accuracy", "energy", "baseline", "break-even", "limits"])
    file.write_text(text, encoding="utf-8")
    assert "<code>b</code>" not in text
    tab = browser.new_page(viewport={"width": 360, "height": 800})
    tab.goto(file.as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    tab.close()


def test_a_screen_reader_finds_its_way(opened):
    tab = opened()
    tags = tab.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map(heading => heading.tagName)")
    levels = [int(tag[1]) for tag in tags]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert tab.evaluate("document.documentElement.lang") == "en"
    assert tab.title().startswith("Measured: ")
    assert [tab.locator(name).count() for name in ("main", "nav[aria-label]", "header")] == [1, 1, 1]
    unnamed = "[...document.querySelectorAll('img, svg')].filter(e => !e.getAttribute('aria-label') && !e.alt).length"
    assert tab.evaluate(unnamed) == 0
    silent = "[...document.querySelectorAll('figure')].filter(e => !e.querySelector('figcaption').textContent).length"
    assert tab.evaluate(silent) == 0
    bare = (
        "[...document.querySelectorAll('table')].filter(t => !t.caption || !t.tHead"
        " || [...t.querySelectorAll('th')].some(h => !h.scope || !h.textContent)"
        " || [...t.tBodies[0].rows].some(row => !row.querySelector('th'))).length"
    )
    assert tab.evaluate(bare) == 0
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"


def test_a_page_without_numbers_is_readable_too(browser, make_run, tmp_path, section_ids):
    run = make_run()
    write_json(run.measurement, {"format": 1})
    file = tmp_path / "empty.html"
    file.write_text(render([run.path]), encoding="utf-8")
    tab = browser.new_page(viewport={"width": 360, "height": 800})
    tab.goto(file.as_uri())
    assert all(tab.locator(f"section#{name} h2").is_visible() for name in section_ids)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    tab.close()
