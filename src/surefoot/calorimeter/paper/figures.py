"""The paper's figures again, as views, from what is recorded of its studies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from surefoot.calorimeter.paper.claims.rules import alone_of, best_of, warmup_of
from surefoot.calorimeter.paper.evidence import Recorded
from surefoot.data.population import Population
from surefoot.errors import StatisticsError
from surefoot.reports.views.bands import bands
from surefoot.reports.views.chart import (
    DASHES,
    SERIES,
    Axis,
    Line,
    Mark,
    Panel,
    View,
    axis_of,
    boxes_of,
    loss_label,
    lost_note,
)
from surefoot.reports.views.comparison import comparison
from surefoot.reports.views.criteria import by_criterion

Floats = NDArray[np.float64]
ACTIVATIONS: dict[str, Callable[[Floats], Floats]] = {
    "Sigmoid": special.expit,
    "Tanh": np.tanh,
    "ReLU": lambda x: np.maximum(x, 0.0),
    "Leaky ReLU": lambda x: np.where(x > 0.0, x, 0.01 * x),
    "PReLU, slope 0.25": lambda x: np.where(x > 0.0, x, 0.25 * x),
    "ELU": lambda x: np.where(x > 0.0, x, np.expm1(np.minimum(x, 0.0))),
    "GELU": lambda x: x * special.ndtr(x),
}
"""The seven of the paper's section 3.4; PReLU at the slope it begins with."""
BINS = 60


def paper_figures(studies: Mapping[str, Recorded]) -> Iterator[tuple[str, View]]:
    """Yield a name and the view of every figure whose study is recorded.

    Studies with too little yet are left out.
    """
    yield "fig12-activations", activation_functions()
    for number, name, draw in _FIGURES:
        if name not in studies:
            continue
        try:
            view = draw(studies[name])
        except StatisticsError:
            continue
        if view is not None:
            yield f"fig{number}-{name}", view


def activation_functions() -> View:
    """Return the graphs of the activation functions (Fig. 12)."""
    x = np.linspace(-3.0, 3.0, 301)
    marks: list[Mark] = []
    for place, (name, of) in enumerate(ACTIVATIONS.items()):
        tone, dash = SERIES[place % len(SERIES)], DASHES[place % len(DASHES)]
        marks.append(Line(x, of(x), tone, dash, label=name))
    across, up = Axis("input", -3.0, 3.0), Axis("output", -1.3, 3.1)
    panel = Panel("seven functions", across, up, tuple(marks), height=115)
    return View("activations", "Activation functions", panels=(panel,))


def cell_values(populations: Sequence[Population]) -> View:
    """Return how often each value of a cell occurs in every population (Fig. 11).

    Cells without any energy are counted in the note, since the axis is logarithmic.
    """
    seen = [one.features[one.features > 0.0] for one in populations]
    low = min(float(one.min()) for one in seen)
    high = max(float(one.max()) for one in seen)
    edges = np.geomspace(max(low, 1e-7 * high), high, BINS + 1)
    marks: list[Mark] = []
    shares, notes = [], []
    for place, (one, values) in enumerate(zip(populations, seen, strict=True)):
        counted = np.histogram(values, edges)[0] / one.features.size
        shares.append(counted[counted > 0.0])
        y = np.append(np.where(counted > 0.0, counted, np.nan), np.nan)
        tone, dash = SERIES[place], DASHES[place]
        marks.append(Line(edges, y, step=True, tone=tone, dash=dash, label=one.name))
        empty = 1.0 - values.size / one.features.size
        notes.append(f"{one.name}: {empty:.0%} of the cells are empty, the largest holds ")
        notes[-1] += f"{float(values.max()):.3g} GeV"
    across = axis_of(edges, "energy in a cell / GeV", log=True)
    up = axis_of(np.concatenate(shares), "share of all cells", log=True)
    panel = Panel("values of the cells", across, up, tuple(marks), "; ".join(notes), 115)
    return View("cells", "Values of the cells", panels=(panel,))


def _label(study: Recorded) -> str:
    return loss_label(study.loss, study.unit)


def _compared(study: Recorded) -> View:
    """Return the boxes of a comparison (Figs. 4 to 6, 8 to 10, 18)."""
    view = comparison(study.comparison(), _label(study))
    return replace(view, title=f"{study.study} on {study.population}")


def _bands(study: Recorded) -> View | None:
    """Return loss by epoch, best epoch against last (Figs. 15 to 17)."""
    told = [study.curves(name) for name in study.names.values()]
    return bands([one for one in told if one is not None], _label(study))


def _criteria(study: Recorded) -> View:
    """Return the share of candidates below a loss by criterion (Fig. 3)."""
    return by_criterion(warmup_of(study), f"criterion of the {_label(study)}")


def _sources(study: Recorded) -> View:
    """Return the losses where sample, weights or both vary (Fig. 7)."""
    alone = alone_of(study)
    places = np.arange(float(len(alone)))
    names = tuple(f"{name} varied" for name in alone)
    boxes = boxes_of(list(alone.values()), places, 0.5)
    across = Axis("", -0.6, len(alone) - 0.4, places=tuple(places.tolist()), names=names)
    lost = sum(int(np.isinf(one).sum()) for one in alone.values())
    up = axis_of([boxes.low, boxes.first, boxes.third, boxes.high], _label(study))
    panel = Panel(study.study, across, up, (boxes,), lost_note(lost), 115)
    return View("sources", "Sample or initial weights", panels=(panel,))


def _by_field(study: Recorded) -> View:
    """Return the losses of each value of the field asked about at its best (Figs. 2, 13)."""
    field = "optimizer" if study.study == "optimisers" else "activation"
    best = best_of(study, field)
    ranked = sorted(best, key=lambda one: float(best[one].mean()))
    places = np.arange(float(len(ranked)))
    boxes = boxes_of([best[one] for one in ranked], places, 0.5)
    across = Axis("", -0.6, len(ranked) - 0.4, places=tuple(places.tolist()), names=tuple(ranked))
    lost = sum(int(np.isinf(one).sum()) for one in best.values())
    up = axis_of([boxes.low, boxes.first, boxes.third, boxes.high], _label(study))
    title = f"{field} by mean, each at its best setting of the other fields"
    panel = Panel(title, across, up, (boxes,), lost_note(lost), 115)
    return View("field", study.study, panels=(panel,))


_FIGURES: tuple[tuple[int, str, Callable[[Recorded], View | None]], ...] = (
    (2, "activations", _by_field),
    (2, "activations-position", _by_field),
    (3, "selection", _criteria),
    (4, "sizes-energy-A", _compared),
    (5, "sizes-energy-B", _compared),
    (6, "energy-A", _compared),
    (6, "energy-B", _compared),
    (7, "initialisation-model_1", _sources),
    (7, "initialisation-model_2", _sources),
    (8, "sizes-position-A", _compared),
    (9, "sizes-position-B", _compared),
    (10, "position-A", _compared),
    (10, "position-B", _compared),
    (13, "optimisers", _by_field),
    (15, "sizes-energy-B", _bands),
    (16, "sizes-position-B", _bands),
    (17, "nas", _bands),
    (18, "nas", _compared),
)
"""The paper's figures: number, study and what draws it."""
