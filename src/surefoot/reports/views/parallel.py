"""Hyperparameters against the criterion: a line per candidate through the values that it has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.candidates.hyperparameters import hyperparameters
from surefoot.reports.views.chart import (
    Axis,
    Floats,
    Lines,
    Mark,
    Panel,
    Texts,
    Tone,
    View,
    finite,
    scattered,
)

if TYPE_CHECKING:
    from surefoot.studies.select.selection import Selection

MOST = 9
"""Hyperparameters that have room."""
SHOWN = 400
"""Candidates drawn: the best, and others evenly from the rest of the ranking."""
GOOD = 0.1
"""Share of the candidates drawn as the best."""
NAMED = 9
"""Values of a hyperparameter that have room for a name."""
READING = (
    "Each line is a candidate; it crosses every axis at its value of that hyperparameter and "
    "the last one at its criterion, best at the top. Dark lines are the best tenth: where "
    "they bundle, a hyperparameter matters."
)


def parallel(selection: Selection) -> View | None:
    """Return hyperparameters against the criterion; None where no two candidates differ in one."""
    if not selection.state.rounds:
        return None
    values = selection.state.values
    ranked = [key for key in selection.state.ranking if np.isfinite(values.get(key, np.nan))]
    if len(ranked) < 3:
        return None
    told = [hyperparameters(selection.known[key].spec) for key in ranked]
    names = _varying(told)
    if not names:
        return None
    columns = [_heights([one.get(name) for one in told]) for name in names]
    criterion = selection.record.race.criterion.name
    scores = np.array([values[key] for key in ranked])
    score, score_names = _score_heights(scores)
    heights = np.column_stack([*(column for column, _ in columns), score])
    kept = _kept(len(ranked))
    best = max(1, round(GOOD * len(ranked)))
    labels = selection.labels
    places = np.arange(float(heights.shape[1]))
    marks: list[Mark] = [
        Lines(
            tuple(np.array([place, place]) for place in places),
            tuple(np.array([0.0, 1.0]) for _ in places),
            Tone.QUIET,
            width=1.0,
        )
    ]
    groups = (
        ([row for row in kept if row >= best], Tone.REST, 0.8, 0.45, "other candidates"),
        ([row for row in kept if 0 < row < best], Tone.FOCUS, 1.2, 0.8, "the best tenth"),
        ([0], Tone.SECOND, 2.6, 1.0, _ahead(selection)),
    )
    # Candidates with equal values would hide each other: each passes a little aside.
    aside = 0.018 * scattered(len(ranked), 1.0)[:, None]
    heights[:, :-1] += aside
    for rows, tone, width, alpha, words in groups:
        if rows:
            hover = {
                "candidate": [labels[ranked[row]] for row in rows],
                criterion: [f"{scores[row]:.4g}" for row in rows],
                "rank": [str(row + 1) for row in rows],
            }
            ys = tuple(heights[row] for row in rows)
            xs = (places,) * len(rows)
            marks.append(Lines(xs, ys, tone, "solid", width, alpha, words, hover))
    for place, (_, said) in zip(places, [*columns, (score, score_names)], strict=True):
        marks.append(
            Texts(
                np.full(len(said), place),
                np.array([height for height, _ in said]),
                tuple(word for _, word in said),
                Tone.INK,
                offset=(5.0, 0.0),
            )
        )
    unit = f" / {selection.record.study.unit}" if selection.record.study.unit else ""
    horizontal = Axis(
        "",
        -0.15,
        float(places[-1]) + 0.55,
        places=tuple(places.tolist()),
        names=(*_brief(names), f"{criterion}{unit}"),
    )
    vertical = Axis("", -0.06, 1.06, places=(0.0,), names=("",))
    note = "" if len(kept) == len(ranked) else f"{len(kept)} of {len(ranked):,} candidates drawn"
    panel = Panel("a line per candidate", horizontal, vertical, tuple(marks), note, 125)
    return View("parallel", "Hyperparameters and the criterion", (), (panel,), (), READING)


def _ahead(selection: Selection) -> str:
    return "the winner" if selection.state.over else "who leads now"


def _varying(told: Sequence[dict[str, Any]]) -> list[str]:
    """Return the hyperparameters in which candidates differ, those of most values last."""
    names = dict.fromkeys(name for one in told for name in one)
    distinct = {name: len({repr(one.get(name)) for one in told}) for name in names}
    splits: dict[tuple[int, ...], str] = {}
    for name in names:
        if distinct[name] > 1:
            seen: dict[str, int] = {}
            values = (repr(one.get(name)) for one in told)
            # A hyperparameter that splits the candidates as another one does says nothing more.
            splits.setdefault(tuple(seen.setdefault(one, len(seen)) for one in values), name)
    return sorted(splits.values(), key=lambda name: distinct[name])[:MOST]


def _brief(names: Sequence[str]) -> list[str]:
    """Return names without what stands before their last dot, where that is unambiguous."""
    last = Counter(name.rpartition(".")[2] for name in names)
    ends = ((name, name.rpartition(".")[2]) for name in names)
    return [end if last[end] == 1 else name for name, end in ends]


def _heights(values: Sequence[Any]) -> tuple[Floats, list[tuple[float, str]]]:
    """Return where values stand on an axis from 0 to 1, and the names of some."""
    numbers = [one for one in values if isinstance(one, (int, float)) and not isinstance(one, bool)]
    if len(numbers) == len(values) and len(set(numbers)) > NAMED:
        array = np.array(values, np.float64)
        low, high = array.min(), array.max()
        scaled = np.log(array) if low > 0.0 and high > 20.0 * low else array
        ends = scaled.min(), scaled.max()
        return (scaled - ends[0]) / (ends[1] - ends[0]), [(0.0, f"{low:.3g}"), (1.0, f"{high:.3g}")]
    distinct = {repr(one): one for one in values}.values()
    known = sorted(distinct, key=lambda one: (one is None, type(one).__name__, _order(one)))
    step = 1.0 / max(1, len(known) - 1)
    height = {repr(one): place * step for place, one in enumerate(known)}
    said = [(height[repr(one)], _shown(one)) for one in known]
    every = max(1, int(np.ceil(len(said) / (2 * NAMED))))
    return np.array([height[repr(one)] for one in values]), said[::every]


def _order(value: Any) -> Any:
    return "" if value is None else value


def _shown(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 18 else f"{text[:16]}…"


def _score_heights(scores: Floats) -> tuple[Floats, list[tuple[float, str]]]:
    """Return the heights of criterion values, the lowest (best) on top, and some of their names."""
    seen = finite(scores)
    low, high = float(seen.min()), float(seen.max())
    log = low > 0.0 and high > 4.0 * low
    scaled = np.log(scores) if log else scores
    first, last = float(scaled.min()), float(scaled.max())
    width = (last - first) or 1.0
    said = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        value = first + share * width
        said.append((1.0 - share, f"{np.exp(value) if log else value:.3g}"))
    return 1.0 - (scaled - first) / width, said


def _kept(count: int) -> list[int]:
    """Return the places in the ranking that are drawn."""
    if count <= SHOWN:
        return list(range(count))
    half = SHOWN // 2
    rest = np.linspace(half, count - 1, SHOWN - half).round().astype(int).tolist()
    return [*range(half), *rest]
