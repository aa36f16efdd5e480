"""The pages: the list of journals, and a journal's with its progress above its views.

Words and tables are HTML that the page's own script exchanges when they change; figures are Bokeh's
and redraw themselves. Everything that stands in a journal passes `html_text`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import quote

from surefoot.errors import require
from surefoot.escaping import html_text
from surefoot.reports.live.followed import Snapshot
from surefoot.reports.page import block_of, panels_html, table_html
from surefoot.reports.sketch import Sketch, bokeh
from surefoot.reports.views.chart import Column, Panel, Table, View, numbers

PROGRESS = "progress"
"""Name of the block above the views."""
SHOWN, CHOSEN = "shown", "chosen"
"""Names of the sources by which the page's script gets its HTML and tells what was chosen."""


@cache
def asset(name: str) -> str:
    """Return a style sheet or script of the report or of this package."""
    for package in ("surefoot.reports.live", "surefoot.reports"):
        file = resources.files(package).joinpath(name)
        if file.is_file():
            return file.read_text(encoding="utf-8")
    raise FileNotFoundError(name)


def progress_html(snapshot: Snapshot, now: datetime | None = None) -> str:
    """Return how far a journal is as HTML: its state, a bar, the round and the latest outcomes."""
    now = now or datetime.now(UTC)
    state, progress = snapshot.state(now), snapshot.progress
    about = f'<p class="about">{html_text(snapshot.about)}</p>' if snapshot.about else ""
    parts = [f'{about}<p class="state"><strong>{html_text(state)}</strong>']
    if progress is not None:
        said = [f"{progress.count()} instances"]
        said += filter(None, (progress.remaining(now), snapshot.standing))
        parts.append(" · " + " · ".join(map(html_text, said)) + "</p>")
        if progress.total:
            parts.append(
                f'<progress max="{progress.total}" value="{progress.done}">'
                f"{progress.done / progress.total:.0%}</progress>"
            )
    else:
        parts.append("</p>")
    if snapshot.trouble:
        parts.append(f'<p class="trouble">{html_text(snapshot.trouble)}</p>')
    if snapshot.latest:
        parts.append(table_html(_latest_outcomes(snapshot)))
    inner = "".join(parts)
    return f'<section id="{PROGRESS}"><h2>Progress</h2>{inner}</section>'


def _latest_outcomes(snapshot: Snapshot) -> Table:
    """Return the latest outcomes as a table, the last one first."""
    shown = snapshot.latest[::-1]
    outcomes = [one for _, one in shown]
    losses = [one.loss if math.isfinite(one.loss) else math.inf for one in outcomes]
    return Table(
        (
            Column("recorded", tuple(f"{when.astimezone():%H:%M:%S}" for when, _ in shown)),
            Column("candidate", tuple(snapshot.labels.get(o.candidate, "") for o in outcomes)),
            Column("for", tuple(o.role.name.lower() for o in outcomes)),
            Column("instance", tuple(str(o.instance) for o in outcomes)),
            numbers("loss", losses),
            Column("ended", tuple(str(o.status) for o in outcomes)),
            numbers("seconds", [o.seconds for o in outcomes]),
        ),
        title="Latest outcomes",
    )


def list_rows(snapshots: Sequence[Snapshot]) -> str:
    """Return the rows of the list of journals as HTML."""
    now, rows = datetime.now(UTC), []
    for one in snapshots:
        progress, bar, left = one.progress, "", ""
        if progress is not None:
            left = progress.remaining(now)
            if progress.total:
                bar = f'<progress max="{progress.total}" value="{progress.done}"></progress> '
            bar += html_text(progress.count())
        link = f'<a href="journal?name={quote(one.name, safe="")}">{html_text(one.name)}</a>'
        cells = (link, html_text(one.title), html_text(one.state(now)), bar, html_text(left))
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return "\n".join(rows)


def list_page(title: str, snapshots: Sequence[Snapshot]) -> str:
    """Return the page that lists journals; its script asks for new rows every two seconds."""
    heads = "".join(
        f'<th scope="col">{name}</th>'
        for name in ("journal", "study", "state", "instances", "remaining")
    )
    body = (
        f'<main><section><div class="scroll"><table><thead><tr>{heads}</tr></thead>'
        f'<tbody id="journals">{list_rows(snapshots)}</tbody></table></div></section></main>'
    )
    return _page(title, body, ["list.js"])


def _page(title: str, body: str, scripts: Sequence[str]) -> str:
    """Return a page; nothing in it runs but the scripts named."""
    name = html_text(title)
    loaded = "".join(f'<script src="{html_text(one)}" defer></script>' for one in scripts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{name}</title>\n<style>{asset('page.css')}\n{asset('live.css')}</style>\n{loaded}"
        f'</head>\n<body><header><p id="lost" role="status" hidden></p><h1>{name}</h1></header>'
        f"\n{body}\n</body>\n</html>\n"
    )


class JournalPage:
    """A journal's page in one browser: a Bokeh document and the HTML around its figures.

    What a browser sends is which choice of a view it wants to see, and changes this page alone.

    Parameters
    ----------
    document
        The Bokeh document, which this fills.
    snapshot
        What is known of the journal by now.
    """

    def __init__(self, document: Any, snapshot: Snapshot) -> None:
        models = bokeh("models")
        self._document, self._newest, self._waiting = document, snapshot, False
        self._sketches: dict[str, Sketch] = {}
        self._columns: dict[str, Any] = {}
        self._chosen: dict[str, str] = {}
        chosen = models.ColumnDataSource(data={"view": [], "choice": []}, name=CHOSEN)
        chosen.on_change("data", self._choose)
        self._shown = models.ColumnDataSource(data={"name": [], "html": []}, name=SHOWN)
        document.add_root(chosen)
        document.add_root(self._shown)
        self._show()
        document.template = require("jinja2", extra="web").Template("{{ page(docs) }}")
        document.template_variables["page"] = self._render

    def take(self, snapshot: Snapshot) -> None:
        """Show a new snapshot; called from any thread. Of many that wait the last is shown."""
        self._newest = snapshot
        if not self._waiting:
            self._waiting = True
            self._document.add_next_tick_callback(self._show)

    def _choose(self, attribute: str, old: Any, new: Any) -> None:
        self._chosen = dict(zip(map(str, new["view"]), map(str, new["choice"])))
        self._show()

    def _show(self) -> None:
        self._waiting = False
        views = self._views()
        new = dict([(PROGRESS, progress_html(self._newest)), *((v.name, _block(v)) for v in views)])
        with self._document.models.freeze():
            self._draw(views)
            self._document.title = self._newest.title or self._newest.name
            old = self._shown.data
            if old["name"] != list(new):
                self._shown.data = {"name": list(new), "html": list(new.values())}
                return
            pairs = zip(new.values(), old["html"], strict=True)
            changed = [(at, one) for at, (one, before) in enumerate(pairs) if one != before]
            if changed:
                self._shown.patch({"html": changed})

    def _draw(self, views: Iterable[View]) -> None:
        """Bring the figures up to date; the page's script puts each in its place."""
        for name, panel in _panels(views):
            if name in self._sketches and self._sketches[name].update(panel):
                continue
            self._sketches[name] = Sketch(panel)
            children = [self._sketches[name].figure]
            if name in self._columns:
                self._columns[name].children = children
            else:
                self._columns[name] = bokeh("models").Column(
                    children=children, sizing_mode="stretch_width", name=name
                )
                self._shown.tags = [*self._columns.values()]

    def _views(self) -> list[View]:
        """Return the views of the newest snapshot, each with the panels that were chosen."""
        views = []
        for view in self._newest.views:
            found = {one.name: one for one in view.choices}.get(self._chosen.get(view.name, ""))
            if found is not None:
                others = tuple(one for one in view.choices if one is not found)
                view = replace(view, panels=found.panels, choices=(found, *others))
            views.append(view)
        return views

    def _render(self, items: Sequence[Any]) -> str:
        """Return the page of a session; its script finds what to embed in an inert element."""
        (item,) = items
        embed = f'<div id="embed" hidden data-embed="{html_text(json.dumps(item.to_json()))}">'
        roots = "".join(f'<div id="{html_text(root.elementid)}"></div>' for root in item.roots)
        main = "".join(self._shown.data["html"])
        scripts = ["static/js/bokeh.min.js", "tables.js", "live.js"]
        body = f"<main>{main}</main>{embed}{roots}</div>"
        return _page(self._document.title, body, scripts)


def _panels(views: Iterable[View]) -> Iterator[tuple[str, Panel]]:
    """Yield the panels of views, each with the name of its figure."""
    for view in views:
        for place, panel in enumerate(view.panels):
            yield f"{view.name}-{place}", panel


def _block(view: View) -> str:
    places = [
        f'<div class="live" data-figure="{html_text(name)}"></div>' for name, _ in _panels([view])
    ]
    if not view.choices:
        return block_of(view, places)
    names = sorted(one.name for one in view.choices)
    options = "".join(
        f"<option{' selected' * (name == view.choices[0].name)}>{html_text(name)}</option>"
        for name in names
    )
    select = f'<select data-view="{html_text(view.name)}">{options}</select>'
    panels = panels_html(view.panels, places)
    picker = f'<div class="choices"><label class="picker">Of {select}</label>{panels}</div>'
    return block_of(view, figures=picker)
