import base64
import hashlib
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from surefoot.reports.page import legend_html, page_of, table_html, words_html
from surefoot.reports.views.chart import (
    Axis,
    Choice,
    Column,
    Figure,
    Line,
    Panel,
    Points,
    Rule,
    Table,
    View,
    boxes_of,
)
from surefoot.studies.text import Paragraph

EVIL = "</script><script>alert('1')</script>\x1b[2J\u202e"
X = np.array([1.0, 2.0, 3.0])


def panel(label="points"):
    marks = (
        Points(X, X, label=label, hover={"name": ["a", "b", EVIL]}),
        Line(X, X * 2.0, step=True),
        boxes_of([X], [2.0], 0.5),
        Rule(1.5, "x", label="bound 0"),
    )
    return Panel("a panel", Axis("x", 0.0, 4.0), Axis("y", 0.0, 8.0), marks)


def table(*cells):
    numbers = np.arange(float(len(cells)))
    return Table((Column("name", cells), Column("n", cells, numbers)), "a table", 0, "a note")


def evil_view():
    return View(
        EVIL,
        EVIL,
        (Paragraph(EVIL, (EVIL,), bold=True), Paragraph("", (EVIL,), layout="table")),
        (panel(label=EVIL),),
        (Table((Column(EVIL, (EVIL,)),), EVIL, note=EVIL),),
        EVIL,
        (Figure(EVIL, EVIL, EVIL),),
        (Choice(EVIL, (panel(label=EVIL),)), Choice(EVIL, (panel(label=EVIL),))),
    )


class Elements(HTMLParser):
    """Counts the scripts of a page and gathers what may load something."""

    def __init__(self):
        super().__init__()
        self.scripts, self.loads = 0, []

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        self.scripts += tag == "script" and told.get("type") != "application/json"
        self.loads += [told[name] for name in ("src", "href", "data") if name in told]


def test_nothing_of_a_journal_becomes_markup_or_drives_anything():
    html = page_of(EVIL, EVIL, [evil_view()])
    found = Elements()
    found.feed(html)
    # Bokeh, the level of its messages, and two of the page itself.
    assert found.scripts == 4
    assert "<script>alert" not in html
    assert "\x1b[2J" not in html
    assert "\u202e" not in html


def test_a_page_loads_nothing_and_runs_its_own_scripts_alone():
    html = page_of("a", "b", [View("v", "V", panels=(panel(),), tables=(table("one", "two"),))])
    found = Elements()
    found.feed(html)
    assert all(one.startswith(("#", "data:image/svg+xml;base64,")) for one in found.loads)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1]
    assert policy.startswith("default-src 'none';")
    assert "unsafe-eval" not in policy
    scripts = re.findall(r"<script>(.*?)</script>", html, re.S)
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
    assert re.findall(r"'sha256-([^']+)'", policy) == digests
    assert len(re.findall(r"Bokeh\.set_log_level|bokeh\.min\.js", html)) < 10
    assert len(html) < 1_600_000


def test_a_page_without_scripts_has_words_tables_and_pictures():
    view = View("v", "V", (Paragraph("Title", ("A sentence.",)),), (panel(),), (table("one"),))
    html = page_of("a", "b", [view])
    (picture,) = re.findall(r'<noscript><img class="static" alt="a panel" src="([^"]*)"', html)
    assert b"<svg" in base64.b64decode(picture.partition(",")[2])
    assert "<p>A sentence.</p>" in html
    assert "<td>one</td>" in html


def test_the_same_views_make_the_same_pictures():
    view = View("v", "V", panels=(panel(),))
    first, second = (re.findall(r"base64,[^\"]*", page_of("a", "b", [view])) for _ in range(2))
    assert first == second


def test_words_keep_their_titles_and_layouts():
    html = words_html(
        [Paragraph("T", ("one", "two"), bold=True), Paragraph("", ("a  b",), layout="table")]
    )
    assert html == "<h3>T</h3><p><strong>one</strong></p><p>two</p>\n<pre>a  b</pre>"


def test_a_table_tells_numbers_from_words():
    html = table_html(table("one", "two"))
    assert '<th scope="col" class="number">n</th>' in html
    assert '<td class="number" data-value="1">two</td>' in html
    assert html.count('class="strong"') == 1


@pytest.mark.parametrize("label", ["points", ""])
def test_a_legend_names_what_has_a_name(label):
    html = legend_html(panel(label=label))
    assert html.count("<li>") == bool(label)
    assert "bound" not in html
