"""Results show themselves: one line among others, their words and a table in a notebook."""

from __future__ import annotations

from html import unescape

import pytest
from playwright.sync_api import Page

from surefoot.journal import Verified
from surefoot.showing import LONGEST, Shown, table_html, words_html
from surefoot.statistics.certificate import Certificate
from surefoot.statistics.promise import PromiseResult
from surefoot.studies.assess.study import Assessment
from surefoot.studies.plan.plan import RacePlan
from surefoot.studies.replay import Checked, Replayed
from surefoot.studies.select.cost import SelectionCost
from surefoot.studies.select.rerace import Rerace
from surefoot.studies.select.selection import Selection
from surefoot.studies.sizes.compare import Comparison
from surefoot.studies.sizes.sample_size import SampleSizeResult
from surefoot.studies.sizes.transfer import Transfer
from surefoot.studies.variance.analysis import VarianceResult
from tests.fakes import Fake
from tests.studies.races import CANDIDATES, run, study

RESULTS = (
    Assessment,
    Certificate,
    Checked,
    Comparison,
    PromiseResult,
    RacePlan,
    Replayed,
    Rerace,
    SampleSizeResult,
    Selection,
    SelectionCost,
    Transfer,
    VarianceResult,
    Verified,
)


@pytest.mark.parametrize("result", RESULTS)
def test_every_result_shows_itself(result: type) -> None:
    assert issubclass(result, Shown)
    assert result.__repr__ is Shown.__repr__
    assert result._repr_html_ is Shown._repr_html_
    assert result.__str__ is not object.__str__


@pytest.fixture(scope="module")
def selection() -> Selection:
    evil = Fake(quality=0.5, fate="<script>alert(1)</script>\n\x1b[2J")
    return run(study(candidates=(*CANDIDATES[:6], evil)))


def test_a_selection_is_one_line_among_others(selection: Selection) -> None:
    assert repr(selection).startswith("<Selection: Winner fake 0.5<script>alert(1)</script>")
    assert len(repr(selection)) <= LONGEST + len("<Selection: >")
    assert "\n" not in repr([selection, selection.certificate])
    assert repr(selection.certificate).startswith("<Certificate: With 90 % confidence")


def test_a_notebook_shows_the_terminal_s_words_and_the_best(selection: Selection) -> None:
    html = selection._repr_html_()
    words, _, table = html.partition("<table>")
    assert unescape(words).partition(">")[2] == f"{selection}</pre>"
    assert table.count("<tr>") == 8
    assert "<script" not in html
    assert "\x1b" not in html


def test_what_stands_in_a_result_stays_text_in_a_browser(page: Page, selection: Selection) -> None:
    page.set_content(selection._repr_html_())
    assert str(selection) in page.locator("pre").inner_text() + "\n"
    assert "<script>alert(1)</script>" in page.locator("table").inner_text()
    assert page.locator("script").count() == 0


def test_cells_are_text_and_numbers_stand_to_the_right() -> None:
    html = table_html([{"a<": 1234, "b": 0.5, "c": float("nan"), "d": None, "e": "x&y"}])
    assert html == (
        "<table><tr><th>a&lt;</th><th>b</th><th>c</th><th>d</th><th>e</th></tr>"
        '<tr><td style="text-align: right">1,234</td><td style="text-align: right">0.5</td>'
        '<td style="text-align: right"></td><td></td><td>x&amp;y</td></tr></table>'
    )
    assert table_html([]) == ""
    assert words_html("") == '<pre style="white-space: pre-wrap"></pre>'


def test_a_result_without_words_is_its_name() -> None:
    class Quiet(Shown):
        def __str__(self) -> str:
            return "\n  \n"

    assert repr(Quiet()) == "<Quiet: >"
