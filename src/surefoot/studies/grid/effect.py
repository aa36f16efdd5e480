"""The effect of a field: its values against each other, over the other fields and at their best.

Two questions are told apart. *Over the others*: how does a value do whatever else is chosen? Of
each instance the median over all settings of the other fields counts, so that a setting which
diverges is one of many. *At the best of the others*: how does it do once the others are chosen for
it? Every instance is judged at the setting that the other instances choose, so that no loss judges
a choice it took part in (a choice by all of them flatters, more so the more settings there are).

Either way each value has one loss per instance, paired between the values. They are compared with
the value of the lowest median by one-sided Wilcoxon tests, p-values adjusted by Holm for all values
of the field.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from surefoot.racing import Criterion
from surefoot.showing import Shown
from surefoot.statistics.comparison import worse_than
from surefoot.statistics.intervals import (
    Interval,
    interquartile_range,
    quantile,
    quantile_interval,
)
from surefoot.studies.grid.fields import Fields, word_of

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Contrast:
    """One loss per instance of each of k values, ``losses`` [k, n], paired; +inf where it is lost.

    ``drawn`` are the losses that its boxes are of, one array per value; ``spreads`` [k] the
    interquartile ranges of retrainings of one setting; ``words`` say which losses these are.
    """

    words: str
    names: tuple[str, ...]
    losses: Floats
    drawn: tuple[Floats, ...]
    spreads: Floats
    confidence: float

    @property
    def medians(self) -> Floats:
        """Medians over the instances [k]."""
        return quantile(self.losses, 0.5)

    @property
    def best(self) -> int:
        """Place of the value with the lowest median."""
        return int(np.argmin(self.medians))

    @cached_property
    def intervals(self) -> tuple[Interval, ...]:
        """Distribution-free intervals of the medians, one per value."""
        return tuple(quantile_interval(row, 0.5, self.confidence) for row in self.losses)

    @cached_property
    def pvalues(self) -> Floats:
        """Adjusted p-values [k] that a value loses more than the best one; 1 for that."""
        return worse_than(self.losses, self.best)

    @property
    def alike(self) -> NDArray[np.bool_]:
        """Which values no test tells from the best [k], itself included."""
        return np.asarray(self.pvalues > 1.0 - self.confidence)

    @property
    def lost(self) -> list[tuple[int, int]]:
        """How many trainings of how many diverged or failed, of each value."""
        return [(int(np.isinf(one).sum()), one.size) for one in self.drawn]

    def sentence(self, unit: str = "") -> str:
        """Return who is best, whom no test tells from it, and who is steadiest."""
        unit = f" {unit}" if unit else ""
        best, words = self.best, f"{self.words}: " if self.words else ""
        if not np.isfinite(self.medians[best]):
            return f"{words}no value has a finite median loss"
        words += f"{self.names[best]} has the lowest median loss, "
        words += f"{self.medians[best]:.4g}{unit}"
        others = [name for row, name in enumerate(self.names) if self.alike[row] and row != best]
        if others:
            words += f"; no test tells {', '.join(others)} from it"
        elif len(self.names) > 1:
            words += "; all others are worse"
        steady = int(np.argmin(self.spreads))
        if np.isfinite(self.spreads[steady]):
            words += f"; the steadiest is {self.names[steady]}, half of whose retrainings lie "
            words += f"within {self.spreads[steady]:.2g}{unit}"
        return words


@dataclass(frozen=True, eq=False, repr=False)
class Effect(Shown):
    """What a field does to the losses.

    Parameters
    ----------
    field
        Its name.
    names
        Its values in words.
    marginal, best
        Over all settings of the other fields that every value has (``shared``, or its own settings
        where there are none), and at the best of all it has.
    settings
        Numbers of candidates of each value.
    chosen
        The best setting of the other fields for each value, by all instances, in words.
    """

    field: str
    names: tuple[str, ...]
    marginal: Contrast
    best: Contrast
    settings: tuple[int, ...]
    chosen: tuple[str, ...]
    shared: int
    unit: str = ""

    @property
    def contrasts(self) -> tuple[Contrast, ...]:
        """Both comparisons; only the latter where no value has a choice of the other fields."""
        return (self.marginal, self.best) if max(self.settings) > 1 else (self.best,)

    def lines(self) -> list[str]:
        """Return the comparisons in sentences."""
        return [f"{one.sentence(self.unit)}." for one in self.contrasts]

    def overview(self) -> list[dict[str, object]]:
        """Return the figures of every value."""
        return [
            {
                self.field: name,
                "candidates": self.settings[row],
                "median": float(self.marginal.medians[row]),
                "p": float(self.marginal.pvalues[row]),
                "median at best": float(self.best.medians[row]),
                "p at best": float(self.best.pvalues[row]),
                "others at best": self.chosen[row],
            }
            for row, name in enumerate(self.names)
        ]

    def __str__(self) -> str:
        return "\n".join([f"By {self.field}:", *self.lines()])


def effect_of(
    fields: Fields,
    field: str,
    losses: Floats,
    criterion: Criterion,
    confidence: float = 0.95,
    unit: str = "",
) -> Effect:
    """Return the effect of a field on the losses ``[candidates, n]`` of a grid."""
    levels, others = fields.levels(field), fields.others(field)
    column = fields.columns[field]
    rests = list(zip(*(fields.columns[one] for one in others))) or [()] * len(column)
    rows = [[row for row, value in enumerate(column) if value == level] for level in levels]
    common = set.intersection(*({rests[row] for row in own} for own in rows))
    kept = [[row for row in own if rests[row] in common] or own for own in rows]
    names = tuple(map(word_of, levels))
    words = f"over the {len(common):,} settings of the other fields that all have"
    marginal = Contrast(
        words if common else "over its own settings of the other fields",
        names,
        np.array([quantile(losses[own].T, 0.5) for own in kept]),
        tuple(losses[own].ravel() for own in kept),
        np.array([quantile(interquartile_range(losses[own]), 0.5) for own in kept]),
        confidence,
    )
    judged = np.array([_at_best(losses[own], criterion) for own in rows])
    best = Contrast(
        "at the best setting of the other fields" if max(map(len, rows)) > 1 else "",
        names,
        judged,
        tuple(judged),
        interquartile_range(judged),
        confidence,
    )
    chosen = tuple(fields.setting(own[ranked(losses[own], criterion)[0]], others) for own in rows)
    return Effect(field, names, marginal, best, tuple(map(len, rows)), chosen, len(common), unit)


def ranked(losses: Floats, criterion: Criterion) -> list[int]:
    """Return rows of ``[candidates, n]`` by their criterion, best first; medians decide ties."""
    order: list[int] = np.lexsort((quantile(losses, 0.5), criterion.values(losses))).tolist()
    return order


def _at_best(losses: Floats, criterion: Criterion) -> Floats:
    """Return each instance's loss at the setting ``[settings, n]`` that the others choose, [n]."""
    if len(losses) == 1:
        return np.asarray(losses[0])
    numbers = range(losses.shape[1])
    chosen = [ranked(np.delete(losses, number, axis=1), criterion)[0] for number in numbers]
    return np.asarray(losses[chosen, numbers])
