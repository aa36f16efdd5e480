"""Loss against the epoch as bands over the instances, and the best epoch against the last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from surefoot.reports.views.chart import (
    HATCHES,
    SERIES,
    Area,
    Axis,
    Floats,
    Line,
    Mark,
    Panel,
    Rule,
    Tone,
    View,
    axis_of,
    boxes_of,
    finite,
    lost_note,
)
from surefoot.statistics.plateau import flat_from
from surefoot.studies.text import Paragraph

if TYPE_CHECKING:
    from surefoot.instances import Outcome

FLAT = 0.05
"""The median curve has converged from the epoch on from which it is this near its last value."""
MOST = 4
"""Candidates that have room."""
READING = (
    "Bands hold the middle half and the middle 90 % of the instances' losses after an epoch, the "
    "line is their median; all still trained count. On the right, the lowest loss of any epoch "
    "beside the one that counts, that of the last."
)


@dataclass(frozen=True, eq=False)
class Curves:
    """The test losses of a candidate's instances after each epoch.

    ``table`` is ``[n, epochs]``, NaN after an instance ended; ``last`` ``[n]`` are the losses that
    count, +inf of those that diverged or failed.
    """

    name: str
    table: Floats
    last: Floats

    @classmethod
    def of(cls, name: str, curves: Iterable[ArrayLike], last: Iterable[float]) -> Curves | None:
        """Return those of instances ``curves``; None where none has an epoch beside its last."""
        told = [np.asarray(one, np.float64) for one in curves]
        epochs = max((one.size for one in told), default=0)
        if epochs < 2:
            return None
        table = np.full((len(told), epochs), np.nan)
        for row, one in zip(table, told, strict=True):
            row[: one.size] = np.where(np.isfinite(one), one, np.inf)
        return cls(name, table, np.array([*last]))

    @cached_property
    def best(self) -> Floats:
        """The lowest loss of every instance ``[n]``; +inf of those that diverged or failed."""
        return np.where(np.isfinite(self.last), np.nanmin(self.table, axis=1), np.inf)

    def quantiles(self, levels: Sequence[float]) -> Floats:
        """Return quantiles over the instances still trained ``[levels, epochs]``."""
        found: Floats = np.nanquantile(self.table, levels, axis=0, method="inverted_cdf")
        return found

    @cached_property
    def converged(self) -> int:
        """The epoch, counted from 1, from which on the median is within `FLAT` of its last."""
        return flat_from(self.quantiles([0.5])[0], FLAT) + 1


def curves_of(name: str, outcomes: Sequence[Outcome]) -> Curves | None:
    """Return the curves of outcomes; None where they have no epochs."""
    return Curves.of(name, [one.curve for one in outcomes], [one.loss for one in outcomes])


def bands(found: Sequence[Curves], label: str) -> View | None:
    """Return the bands of candidates, and their best epochs beside the last; None without any."""
    if not found:
        return None
    shown = found[:MOST]
    panels = [*(_bands(one, label) for one in shown), _ends(shown, label)]
    words = (Paragraph("Convergence", tuple(map(_sentence, shown))),)
    title = "Losses by epoch, best epoch against last"
    return View("bands", title, words, tuple(panels), (), READING)


def _sentence(one: Curves) -> str:
    epochs = one.table.shape[1]
    words = f"{one.name}: the median is within {FLAT:.0%} of its last value from epoch "
    words += f"{one.converged} of {epochs} on"
    if np.isfinite(one.last).sum() < 4:
        return f"{words}."
    best, last = _spread(one.best), _spread(one.last)
    return f"{words}; half of the best epochs lie within {best:.2g}, of the last within {last:.2g}."


def _spread(losses: Floats) -> float:
    first, third = np.quantile(finite(losses), [0.25, 0.75])
    return float(third - first)


def _bands(one: Curves, label: str) -> Panel:
    found = one.quantiles([0.05, 0.25, 0.5, 0.75, 0.95])
    epochs = np.arange(1.0, found.shape[1] + 1)
    top = 2.0 * float(np.max(finite(one.last), initial=0.0)) or np.inf
    vertical = axis_of([found[found <= top], finite(one.last)], label)
    low, first, middle, third, high = np.minimum(found, vertical.high)
    marks: tuple[Mark, ...] = (
        Area(epochs, low, high, Tone.REST, 0.35, "90 % of the instances"),
        Area(epochs, first, third, Tone.FOCUS, 0.3, "half of them"),
        Line(epochs, np.where(middle < vertical.high, middle, np.nan), Tone.FOCUS, label="median"),
        Rule(
            float(one.converged),
            "x",
            Tone.SECOND,
            "dotted",
            2.0,
            f"within {FLAT:.0%} of its last value from epoch {one.converged} on",
            False,
        ),
    )
    horizontal = Axis("epoch", 0.0, 1.02 * len(epochs), whole=True)
    above = int((np.nan_to_num(one.table, nan=-np.inf) > vertical.high).any(axis=1).sum())
    notes = [lost_note(int(np.isinf(one.last).sum()))]
    if above:
        notes.append(f"{above:,} of {len(one.last):,} instances leave the axis at some epoch")
    return Panel(one.name, horizontal, vertical, marks, "; ".join(filter(None, notes)), 115)


def _ends(found: Sequence[Curves], label: str) -> Panel:
    places = np.arange(float(len(found)))
    marks = [
        boxes_of(
            [getattr(one, which) for one in found],
            places + aside,
            0.32,
            tone=SERIES[at],
            hatch=HATCHES[at],
            label=words,
        )
        for at, (which, aside, words) in enumerate(
            (("best", -0.19, "best epoch"), ("last", 0.19, "last epoch, which counts"))
        )
    ]
    names = tuple(one.name for one in found)
    horizontal = Axis("", -0.6, len(found) - 0.4, places=tuple(places.tolist()), names=names)
    reached = [(mark.low, mark.first, mark.third, mark.high) for mark in marks]
    vertical = axis_of(np.array(reached), label)
    lost = sum(int(np.isinf(one.last).sum()) for one in found)
    title = "best epoch against last"
    return Panel(title, horizontal, vertical, tuple(marks), lost_note(lost), 115)
