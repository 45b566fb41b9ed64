"""Every rule has a page, and all of it can be asked for."""

import pytest

from export.chip_rules import CHIP_RULES
from export.lint import explain
from export.pages import PAGES
from export.rulebook import RULES, UNFIT
from export.schedule import schedule
from train.errors import CallError


def test_every_rule_has_a_page(cli):
    assert [rule.code for rule in CHIP_RULES] == [f"HW{number:03}" for number in range(1, len(CHIP_RULES) + 1)]
    assert set(PAGES) == {rule.code for rule in (*RULES, UNFIT, *CHIP_RULES)}
    for rule in (*RULES, UNFIT, *CHIP_RULES):
        page, text = PAGES[rule.code], explain(rule.code)
        assert text.startswith(f"{rule.code}: {rule.title} ({rule.severity})\n")
        for part in (page.what, rule.reason, page.shows, page.example, rule.cure, page.source):
            assert part in text
        assert any(word in page.source for word in ("stated", "run)", "shown", "defined", "nothing public", "estimate"))
    shown = cli("export", "lint", "--explain", "hw007")
    assert shown.exit_code == 0
    assert shown.output == explain("HW007") + "\n"


def test_the_list_of_rules(cli):
    result = cli("export", "lint", "--explain")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert [line.split()[0] for line in lines[:-2]] == [
        *sorted(rule.code for rule in (*RULES, UNFIT)),
        *(rule.code for rule in CHIP_RULES),
    ]
    assert "HW007  warning  several decays in one population" in lines
    with pytest.raises(CallError, match=r"rule HW999: unknown .expected one of NX001, .*HW011"):
        explain("HW999")
    assert cli("export", "lint", "--explain", "HW999").exit_code == 2


def test_the_example_of_the_gap_is_right():
    plan = schedule(94, 6, input_delay=2)
    assert (plan.period, plan.gap, plan.slack) == (128, 34, 14)
    assert "94 steps and 6 layers in a period of 128: a gap of 34; 14 steps off" in PAGES["HW002"].example
