"""Learning curves: the test loss of every instance of a candidate after each epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from surefoot.instances import Outcome
from surefoot.reports.views.chart import (
    Axis,
    Choice,
    Floats,
    Line,
    Lines,
    Mark,
    Panel,
    Points,
    Rule,
    Tone,
    View,
    axis_of,
    boxes_of,
    finite,
    loss_label,
    lost_note,
)
from surefoot.seeds.ledger import Role

if TYPE_CHECKING:
    from surefoot.journal import Journal
    from surefoot.studies.select.selection import Selection

PICKED = 16
"""Candidates of the ranking whose curves a page holds."""
MANY = 64
"""Curves drawn of a candidate; of more, as many are taken at equal distances of their last loss."""
FAR = 4.0
"""The axis ends at this multiple of the interquartile range above the last losses."""
READING = (
    "Each thin line is an instance, ending in a dot at the loss that counts; the thick line is the "
    "median of those still trained. The axis shows where they end: curves that come from above it "
    "are counted below the figure."
)


def learning_curves(journal: Journal, selection: Selection) -> View | None:
    """Return the curves of the best candidates, one of them at a time, the winner's first."""
    study = selection.record.study
    label = loss_label(str(study.loss), study.unit)
    chosen = {key: selection.labels[key] for key in selection.state.ranking[:PICKED]}
    return curves_of(journal, chosen, label, selection.baseline)


def curves_of(
    journal: Journal, chosen: Mapping[str, str], label: str, baseline: float | None = None
) -> View | None:
    """Return the curves of candidates, names by key, one of them at a time; None without any."""
    choices = [
        Choice(name, curve_panels(outcomes, label, baseline))
        for key, name in chosen.items()
        if (outcomes := told_of(journal, key))
    ]
    if not choices:
        return None
    return View(
        "curves",
        "Learning curves",
        panels=choices[0].panels,
        reading=READING,
        choices=tuple(choices) if len(choices) > 1 else (),
    )


def told_of(journal: Journal, key: str) -> list[Outcome]:
    """Return a candidate's fresh instances, or its racing ones before there are any."""
    for role in (Role.CERTIFY, Role.ASSESS, Role.GRID, Role.RACE):
        if outcomes := journal.outcomes(role, key):
            return outcomes
    return []


def curve_panels(
    outcomes: Sequence[Outcome], label: str, baseline: float | None = None
) -> tuple[Panel, ...]:
    """Return the panel of the curves, and beside it one of the weights before averaging.

    Candidates without epochs have no curve: their losses are shown instead.
    """
    if all(one.epochs <= 1 for one in outcomes):
        return (_ends(outcomes, label, baseline),)
    title = "instances by epoch"
    plain = [one for one in outcomes if one.plain.size]
    if not plain:
        return (_curves(outcomes, [o.curve for o in outcomes], label, title, baseline),)
    averaged = _curves(
        outcomes, [o.curve for o in outcomes], label, "averaged weights", baseline, plain
    )
    if not any(one.plain.size > 1 for one in plain):
        return (averaged,)
    before = _curves(
        plain, [one.plain for one in plain], label, "weights before averaging", baseline
    )
    return averaged, before


def _curves(
    outcomes: Sequence[Outcome],
    told: Sequence[ArrayLike],
    label: str,
    title: str,
    baseline: float | None,
    plain: Sequence[Outcome] = (),
) -> Panel:
    curves = [np.asarray(curve, np.float64) for curve in told]
    ends = np.array([curve[-1] if curve.size else np.nan for curve in curves])
    ends[[not np.isfinite(one.loss) for one in outcomes]] = np.nan
    kept = _spread_over(ends) if len(curves) > MANY else list(range(len(curves)))
    epochs = max((curve.size for curve in curves), default=1)
    table = np.full((len(curves), epochs), np.nan)
    for row, curve in zip(table, curves, strict=True):
        row[: curve.size] = curve
    steps = np.arange(1.0, epochs + 1)
    loss_axis = _loss_axis(table, ends, label, baseline)
    hover = {
        "instance": [str(outcomes[row].instance) for row in kept],
        "loss": [f"{outcomes[row].loss:.5g}" for row in kept],
        "epochs": [str(outcomes[row].epochs) for row in kept],
    }
    marks: list[Mark] = [
        Lines(
            tuple(steps[: curves[row].size] for row in kept),
            tuple(curves[row] for row in kept),
            Tone.REST,
            width=1.0 if len(kept) <= 24 else 0.7,
            label="an instance",
            hover=hover,
        )
    ]
    if len(curves) > 1:
        seen = ~np.isnan(table).all(axis=0)
        middle = np.full(epochs, np.nan)
        middle[seen] = np.nanmedian(table[:, seen], axis=0)
        marks.append(Line(steps, middle, Tone.FOCUS, width=2.6, label="median"))
    sizes = np.array([curve.size for curve in curves], np.float64)
    counted = np.isfinite(ends)
    marks.append(
        Points(sizes[counted], ends[counted], Tone.INK, "dot", "the loss that counts", 4.5)
    )
    last = [one.plain_loss for one in plain if one.plain_loss is not None]
    if last:
        at = np.array([float(one.epochs) for one in plain])
        words = "before averaging"
        marks.append(Points(at, np.array(last), Tone.SECOND, "cross", words, 5.0))
    if baseline is not None and loss_axis.low <= baseline <= loss_axis.high:
        marks.append(Rule(baseline, "y", Tone.QUIET, "dotted", label="baseline"))
    lost = len(curves) - int(counted.sum())
    notes = [lost_note(lost)]
    above = int((np.nan_to_num(table, nan=-np.inf) > loss_axis.high).any(axis=1).sum())
    if above:
        most = float(np.nanmax(table))
        notes.append(f"{above:,} of {len(curves):,} curves begin above the axis, up to {most:.3g}")
    if len(kept) < len(curves):
        notes.append(f"{len(kept)} of {len(curves):,} curves drawn; the median is of all")
    horizontal = Axis("epoch", 1.0 - 0.03 * epochs, 1.03 * epochs, whole=True)
    return Panel(title, horizontal, loss_axis, tuple(marks), "; ".join(filter(None, notes)))


def _spread_over(ends: Floats) -> list[int]:
    """Return rows at equal distances of the order of their last losses."""
    order = np.argsort(ends, kind="stable")
    kept: list[int] = np.sort(
        order[np.linspace(0, len(order) - 1, MANY).round().astype(int)]
    ).tolist()
    return kept


def _loss_axis(table: Floats, ends: Floats, label: str, baseline: float | None) -> Axis:
    """Return an axis that shows where the curves end, whatever they come from."""
    last = finite(ends)
    if not last.size:
        return axis_of(table, label)
    first, third = np.quantile(last, [0.25, 0.75])
    spread = max(third - first, 0.05 * abs(third), 1e-12)
    highest = max(float(last.max()), third + FAR * spread)
    seen = finite(table)
    low = float(seen.min())
    highest = min(highest, float(seen.max()))
    values = [np.array([low, highest]), last]
    if baseline is not None and baseline < 2.0 * highest:
        values.append(np.array([baseline]))
    return axis_of(values, label, log=False)


def _ends(outcomes: Sequence[Outcome], label: str, baseline: float | None) -> Panel:
    """Return the losses of instances that have no epochs, sorted by number."""
    losses = np.array([one.loss for one in outcomes])
    known = np.isfinite(losses)
    numbers = np.array([float(one.instance) for one in outcomes])
    if numbers.max(initial=0.0) > 1e6:
        numbers = np.arange(len(outcomes), dtype=np.float64)
    hover = {
        "instance": [str(one.instance) for one in outcomes if np.isfinite(one.loss)],
        "loss": [f"{loss:.5g}" for loss in losses[known]],
    }
    ends = axis_of(numbers, "instance", log=False)
    width = ends.high - ends.low
    x, y, words = numbers[known], losses[known], "an instance"
    marks: list[Mark] = [
        Points(x, y, Tone.FOCUS, "circle", words, 6.0, hover=hover),
        boxes_of([losses], [ends.high + 0.05 * width], 0.05 * width, label="quartiles"),
    ]
    if baseline is not None:
        marks.append(Rule(baseline, "y", Tone.QUIET, "dotted", label="baseline"))
    more = [] if baseline is None else [baseline]
    horizontal = Axis("instance", ends.low, ends.high + 0.1 * width, whole=True)
    title = "losses of the instances, which have no epochs"
    vertical = axis_of([losses, np.array(more)], label)
    return Panel(title, horizontal, vertical, tuple(marks), lost_note(int((~known).sum())))
