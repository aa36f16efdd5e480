"""Views on a page: HTML for words and tables around the places of figures, and one file of all.

`block_of` is a view as HTML, `page_of` the file, whose figures are those of `sketch`. Text comes
from journals: what goes into HTML passes `html_text`.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterable, Sequence
from importlib import resources

from surefoot.escaping import html_text
from surefoot.replacing import MARK
from surefoot.reports.sketch import HEIGHT, Sketch, bokeh
from surefoot.reports.views.chart import (
    Area,
    Band,
    Line,
    Lines,
    Mark,
    Panel,
    Points,
    Ranges,
    Rule,
    Table,
    Texts,
    Tone,
    View,
)
from surefoot.studies.text import Paragraph

LONG = 20
"""Rows of a table beyond which it scrolls within the page."""


def words_html(paragraphs: Iterable[Paragraph]) -> str:
    """Return paragraphs as HTML."""
    parts = []
    for one in paragraphs:
        head = f"<h3>{html_text(one.title)}</h3>" if one.title else ""
        if one.layout == "table":
            lines = "\n".join(html_text(line) for line in one.sentences)
            parts.append(f"{head}<pre>{lines}</pre>")
            continue
        said = [html_text(sentence) for sentence in one.sentences]
        if one.bold and said:
            said[0] = f"<strong>{said[0]}</strong>"
        parts.append(head + "".join(f"<p>{sentence}</p>" for sentence in said))
    return "\n".join(parts)


def table_html(table: Table) -> str:
    """Return a table as HTML; its columns can be sorted where the page's script runs."""
    heads = "".join(
        f'<th scope="col"{_right(column.numbers is not None)}>{html_text(column.name)}</th>'
        for column in table.columns
    )
    rows = []
    for row in range(len(table.columns[0].cells)):
        cells = []
        for column in table.columns:
            text = html_text(column.cells[row])
            if column.numbers is None:
                cells.append(f"<td>{text}</td>")
            else:
                cells.append(
                    f'<td class="number" data-value="{column.numbers[row]:.9g}">{text}</td>'
                )
        strong = ' class="strong"' if row == table.strong else ""
        rows.append(f"<tr{strong}>{''.join(cells)}</tr>")
    title = f"<caption>{html_text(table.title)}</caption>" if table.title else ""
    note = f'<p class="note">{html_text(table.note)}</p>' if table.note else ""
    body = "\n".join(rows)
    scroll = "scroll long" if len(rows) > LONG else "scroll"
    return (
        f'<div class="{scroll}"><table class="sortable">{title}<thead><tr>{heads}</tr></thead>'
        f"<tbody>\n{body}\n</tbody></table></div>{note}"
    )


def _right(number: bool) -> str:
    return ' class="number"' if number else ""


def legend_html(panel: Panel) -> str:
    """Return what the colours, shapes and dashes of a panel mean, as HTML; empty for none."""
    items = []
    for mark in panel.marks:
        label = getattr(mark, "label", "")
        if label and not (isinstance(mark, Rule) and mark.direct):
            items.append(f"<li>{_swatch(mark)}{html_text(label)}</li>")
    return f'<ul class="legend">{"".join(items)}</ul>' if items else ""


DASHED = {"solid": "", "dashed": "6 3", "dotted": "2 3", "dashdot": "6 3 2 3"}


def _swatch(mark: Mark) -> str:
    """Return a small picture of a mark."""
    assert not isinstance(mark, Texts)
    colour = mark.tone.value
    match mark:
        case Points():
            shape = _SWATCHES[mark.shape].format(colour=colour)
        case Line() | Lines() | Rule():
            dash = DASHED[mark.dash]
            shape = (
                f'<path d="M1 7H25" stroke="{colour}" stroke-width="{max(1.5, mark.width)}" '
                f'stroke-dasharray="{dash}" fill="none"/>'
            )
        case Ranges():
            shape = f'<path d="M3 7H23M3 3V11M23 3V11" stroke="{colour}" stroke-width="2"/>'
        case Band() | Area():
            shape = f'<rect x="2" y="2" width="22" height="10" fill="{colour}" opacity="0.3"/>'
        case _:
            shape = f'<rect x="4" y="2" width="18" height="10" fill="{colour}"/>'
            shape += _FILLED[getattr(mark, "hatch", "")]
    return f'<svg width="26" height="14" aria-hidden="true">{shape}</svg>'


_INK = f'stroke="{Tone.INK.value}" stroke-width="1" fill="none"'
_FILLED = {
    "": "",
    "/": f'<path d="M5 12L13 2M10 12L18 2M15 12L22 4" {_INK}/>',
    ".": f'<path d="M8 5h1M13 5h1M18 5h1M8 9h1M13 9h1M18 9h1" {_INK}/>',
    "x": f'<path d="M5 12L13 2M12 12L20 2M5 2L13 12M12 2L20 12" {_INK}/>',
    "-": f'<path d="M4 5H22M4 9H22" {_INK}/>',
    "|": f'<path d="M8 2V12M13 2V12M18 2V12" {_INK}/>',
}
_SWATCHES = {
    "circle": '<circle cx="13" cy="7" r="4.5" fill="{colour}"/>',
    "dot": '<circle cx="13" cy="7" r="2.5" fill="{colour}"/>',
    "ring": '<circle cx="13" cy="7" r="4" fill="#fff" stroke="{colour}" stroke-width="1.8"/>',
    "diamond": '<path d="M13 1L18 7L13 13L8 7Z" fill="{colour}"/>',
    "cross": '<path d="M9 3L17 11M17 3L9 11" stroke="{colour}" stroke-width="2"/>',
    "triangle": '<path d="M13 2L18 12H8Z" fill="{colour}"/>',
    "up": '<path d="M13 2L18 12H8Z" fill="{colour}"/>',
    "down": '<path d="M13 12L18 2H8Z" fill="{colour}"/>',
    "square": '<rect x="9" y="3" width="8" height="8" fill="{colour}"/>',
}


def page_of(title: str, about: str, views: Sequence[View]) -> str:
    """Return views as one HTML document that needs nothing else; ``about`` stands below its title.

    Bokeh's script is in it once, and draws a figure when it comes into sight. The browser is told
    to load nothing from anywhere and to run no other script than those of the document, known by
    their digests. Without scripts, figures are pictures.
    """
    inline = {"mode": "inline", "components": ["bokeh"], "log_level": "warn"}
    library = bokeh("resources").Resources(**inline).js_raw
    scripts = [*library, _asset("page.js"), _asset("tables.js")]
    digests = " ".join(f"'sha256-{_digest(text)}'" for text in scripts)
    policy = (
        f"default-src 'none'; script-src {digests}; style-src 'unsafe-inline'; "
        "img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'"
    )
    name = html_text(title)
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            f'<meta name="generator" content="{MARK}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            "<noscript><style>.plot { display: none }</style></noscript>",
            f"<title>{name}</title>\n<style>{_asset('page.css')}</style>\n</head>\n<body>",
            f"<header><h1>{name}</h1><p>{html_text(about)}</p>{_contents(views)}</header>\n<main>",
            *map(_section, views),
            "</main>",
            *(f"<script>{text}</script>" for text in scripts),
            "</body>\n</html>\n",
        ]
    )


def _section(view: View) -> str:
    """Return a view with all that its figures are drawn from."""
    if not view.choices:
        return block_of(view, [_place(panel) for panel in view.panels])
    # All but the first choice are templates, which cost nothing until they are chosen.
    first, *others = view.choices
    blocks = [panels_html(first.panels, [_place(panel) for panel in first.panels])]
    for choice in others:
        places = [_place(panel, static=False) for panel in choice.panels]
        blocks.append(f"<template>{panels_html(choice.panels, places)}</template>")
    names = "".join(f"<option>{html_text(choice.name)}</option>" for choice in view.choices)
    picker = f'<label class="picker" hidden>Of <select>{names}</select></label>'
    told = f'{picker}<p class="chosen">{html_text(first.name)}</p>'
    return block_of(view, figures=f'<div class="choices">{told}{"".join(blocks)}</div>')


def _place(panel: Panel, *, static: bool = True) -> str:
    """Return where a panel's figure appears: what it is drawn from, and a picture of it."""
    item = bokeh("embed").json_item(Sketch(panel).figure)
    text = json.dumps(item, separators=(",", ":")).replace("<", "\\u003c")
    height = round(HEIGHT * panel.height / 100.0)
    picture = f"<noscript>{_picture(panel)}</noscript>" if static else ""
    return (
        f'<div class="plot" style="min-height:{height}px">'
        f'<script type="application/json">{text}</script></div>{picture}'
    )


def _picture(panel: Panel) -> str:
    """Return a panel as a picture drawn by matplotlib, which holds no text of its own markup."""
    from surefoot.reports.figures import figure_of
    from surefoot.reports.files import picture

    code = b64encode(picture(figure_of([panel], bare=True))).decode()
    source, name = f"data:image/svg+xml;base64,{code}", html_text(panel.title)
    return f'<img class="static" alt="{name}" src="{source}">'


def _digest(script: str) -> str:
    """Return the SHA-256 of a script as a content policy has it."""
    return b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _asset(name: str) -> str:
    """Return a text file beside this one."""
    return resources.files("surefoot.reports").joinpath(name).read_text(encoding="utf-8")


def _contents(views: Sequence[View]) -> str:
    """Return the links to the views."""
    links = "".join(
        f'<li><a href="#{html_text(view.name)}">{html_text(view.title)}</a></li>' for view in views
    )
    return f"<nav><ul>{links}</ul></nav>"


def block_of(view: View, places: Sequence[str] = (), *, figures: str = "") -> str:
    """Return a view as HTML; ``places`` is the HTML at which each panel's figure appears.

    ``figures`` is the HTML of all its panels instead.
    """
    reading = f'<p class="reading">{html_text(view.reading)}</p>' if view.reading else ""
    tables = "".join(table_html(table) for table in view.tables)
    return (
        f'<section id="{html_text(view.name)}"><h2>{html_text(view.title)}</h2>'
        f"{_numbers_html(view)}{figures or panels_html(view.panels, places)}{reading}"
        f"{words_html(view.words)}{tables}</section>"
    )


def panels_html(panels: Sequence[Panel], places: Sequence[str]) -> str:
    """Return panels as HTML, with their titles, legends and notes; empty for none."""
    told = "".join(
        f'<figure class="panel"><figcaption>{html_text(panel.title)}</figcaption>{place}'
        f"{legend_html(panel)}"
        + (f'<p class="note">{html_text(panel.note)}</p>' if panel.note else "")
        + "</figure>"
        for panel, place in zip(panels, places, strict=True)
    )
    return f'<div class="panels">{told}</div>' if told else ""


def _numbers_html(view: View) -> str:
    """Return a view's main numbers as HTML; empty for none."""
    told = "".join(
        f"<div><dt>{html_text(one.name)}</dt><dd><b>{html_text(one.value)}</b>"
        + (f"<small>{html_text(one.note)}</small>" if one.note else "")
        + "</dd></div>"
        for one in view.figures
    )
    return f'<dl class="numbers">{told}</dl>' if told else ""
