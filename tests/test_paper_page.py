"""docs/paper.md: its table is the verdicts', its commands exist, and its words are those used."""

import re
from pathlib import Path

import pytest

from surefoot.calorimeter.paper.verdicts import CLAIMS, verdicts_of

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "paper.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d+) \| (.*?) \| \*\*(.*?)\*\* \| (.*?) \| (.*?) \|$", re.M)
WORDS = re.findall(r"^\| ([a-z ]+) \|", PAGE, re.M)


def test_every_claim_has_its_row_in_order_with_a_verdict_that_is_explained():
    verdicts_of({})
    rows = ROW.findall(PAGE)
    assert [(int(number), text) for number, text, *_ in rows] == [
        (number, claim.text) for number, claim in sorted(CLAIMS.items())
    ]
    assert {word for _, _, word, *_ in rows} <= set(WORDS)
    assert all(figures for *_, figures, _ in rows)


def test_links_lead_somewhere():
    places = re.findall(r"\]\(([^)#:]+)[)#]", PAGE)
    assert places
    assert [place for place in places if not (DOCS / place).exists()] == []


@pytest.mark.parametrize("command", re.findall(r"^    surefoot paper (\w+)", PAGE, re.M))
def test_commands_and_options_named_exist(run, command):
    code, out, _ = run("paper", command, "--help")
    assert code == 0
    named = re.findall(rf"`?surefoot paper {command}[^`\n]*?(--[a-z-]+)", PAGE)
    assert [option for option in named if option not in out] == []
