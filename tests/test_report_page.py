"""docs/report.md and the report it explains: views, links, size."""

import html
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "report.md").read_text(encoding="utf-8")
REPORT = DOCS / "reports" / "energy.html"


def test_every_view_of_the_report_is_explained_in_its_order():
    titles = re.findall(r"<h2>(.*?)</h2>", REPORT.read_text(encoding="utf-8"))
    explained = re.findall(r"^\| ([A-Z][^|]*?) \|", PAGE, re.M)
    assert [html.unescape(title) for title in titles] == explained


def test_links_and_pictures_lead_somewhere():
    places = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert len(places) > 3
    assert [place for place in places if not (DOCS / place).exists()] == []


def test_the_report_is_small_and_names_no_folder_of_a_machine():
    assert REPORT.stat().st_size < 3_000_000
    text = REPORT.read_text(encoding="utf-8")
    assert "written by surefoot" in text
    assert not re.search(r"[\" ]/(?:home|root|work|tmp|Users)/", text)


@pytest.mark.parametrize("option", ["--what", "--output"])
def test_options_named_exist(run, option):
    command = "plot" if option == "--what" else "report"
    _, out, _ = run(command, "--help")
    assert option in out
