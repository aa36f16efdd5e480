"""What one winner's name does not say: who is as good, who may win next, who is steadier.

All of it rests on racing losses, which flatter the winner: so the shortlist is, if anything, too
short and the probability that the winner wins again too high.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surefoot.racing.by_interval import swap_p
from surefoot.racing.by_test import ByTest
from surefoot.racing.criteria import Criterion, Mean, Sd
from surefoot.racing.prediction import Prediction
from surefoot.racing.state import RaceState
from surefoot.racing.table import LossTable
from surefoot.statistics.comparison import (
    fewest_pairs,
    holm,
    pareto,
    wilcoxon,
    wins_next,
    within_reach,
)
from surefoot.statistics.tolerance import Interval

Floats = NDArray[np.float64]

FEWEST = 5
"""Instances shared with the winner below which a mean and a spread are not compared with its."""
MOST_SWAPPED = 64
"""Rivals tested by swaps, the best in the ranking: more take seconds."""
SHOWN = 5


@dataclass(frozen=True, eq=False)
class Honesty:
    """The winner among its rivals.

    Parameters
    ----------
    winner
        Key of the winner, or of the leader while the race goes on.
    tested
        Keys of the rivals with instances enough for a test to tell them from the winner.
    shortlist
        The winner, and those of them that the test does not find worse.
    untested
        Number of the other rivals.
    test, level
        The test's name, and its level, corrected for the number tested.
    runner_up, beats
        Key of the next in the ranking, and the probability that the winner loses less than it on
        the next retraining; None without a shared instance.
    compared
        Keys of the candidates with at least five instances the winner has too, best first, the
        winner among them.
    location, spread
        Their mean and standard deviation after as many instances as the most trained of them has:
        of the racing losses, and predicted where some are missing; +inf after a divergence.
    front
        Those of them that no other beats in both.
    """

    winner: str
    tested: tuple[str, ...]
    shortlist: tuple[str, ...]
    untested: int
    test: str
    level: float
    runner_up: str | None
    beats: Interval | None
    compared: tuple[str, ...]
    location: Floats
    spread: Floats
    front: tuple[str, ...]

    def lines(self, labels: Mapping[str, str]) -> list[str]:
        """Return it in sentences; ``labels`` names candidates by key."""
        return [
            *self._shortlist(labels),
            *self._untested(),
            *self._next(labels),
            *self._front(labels),
        ]

    def _shortlist(self, labels: Mapping[str, str]) -> list[str]:
        rivals = len(self.tested)
        if not rivals:
            return []
        alike = self.shortlist[1:]
        how = f"{self.test}, Holm's correction, level {self.level:g}"
        if not alike:
            whom = "the one rival" if rivals == 1 else f"each of the {rivals:,} rivals"
            return [f"Better than {whom} with enough instances for a test ({how})."]
        names = "; ".join(labels[key] for key in alike[:SHOWN])
        more = f"; and {len(alike) - SHOWN:,} more" if len(alike) > SHOWN else ""
        if rivals == 1:
            return [
                "The one rival with enough instances for a test cannot be told from it "
                f"({how}): {names}."
            ]
        share = "None of them" if len(alike) == rivals else f"{len(alike):,} of them"
        verb = "can" if len(alike) == rivals else "cannot"
        return [
            f"{rivals:,} rivals have enough instances for a test ({how}). {share} {verb} be told "
            f"from it: {names}{more}."
        ]

    def _untested(self) -> list[str]:
        if not self.untested:
            return []
        need = fewest_pairs(len(self.tested) + 1, self.level)
        other = "other " if self.tested else ""
        whom = (
            f"The {other}rival shares"
            if self.untested == 1
            else f"The {self.untested:,} {other}rivals share"
        )
        return [
            f"{whom} too few instances with it to be told apart, whatever the losses; that takes "
            f"{need} or more."
        ]

    def _next(self, labels: Mapping[str, str]) -> list[str]:
        if self.runner_up is None or self.beats is None:
            return []
        one = self.beats
        return [
            f"On the next retraining it beats the runner-up, {labels[self.runner_up]}, with a "
            f"probability of about {one.estimate:.0%} ({one.low:.0%} to {one.high:.0%}), judged by "
            "racing losses, which flatter the winner."
        ]

    def _front(self, labels: Mapping[str, str]) -> list[str]:
        steadier = [key for key in self.front if key != self.winner]
        if len(self.compared) < 2:
            return []
        if not steadier:
            return [
                f"It has both the lowest mean and the lowest spread of the {len(self.compared):,} "
                f"with {FEWEST} instances or more."
            ]
        place = {key: row for row, key in enumerate(self.compared)}
        names = "; ".join(
            f"{labels[key]} ({self.location[place[key]]:.4g} ± {self.spread[place[key]]:.2g})"
            for key in steadier[:SHOWN]
        )
        own = place[self.winner]
        verb = "Its" if self.winner in self.front else "Beaten in both mean and spread; its"
        return [
            f"{verb} mean and spread are {self.location[own]:.4g} ± {self.spread[own]:.2g}; "
            f"others on the front of both: {names}."
        ]


def honesty(
    table: LossTable, state: RaceState, criterion: Criterion, level: float = 0.05
) -> Honesty:
    """Return what racing losses say of the winner's rivals.

    Losses are paired by instance number; a candidate is compared on the instances it shares with
    the winner. Unpaired races are compared by number too, which is valid but sees less.

    A rival is tested one-sidedly for being worse: by Wilcoxon's signed ranks where the criterion
    is the mean or the median, by swaps of the paired losses (`surefoot.racing.by_interval`) where
    it looks at the tail or the spread. Of the largest loss swaps see only how many of the rival's
    losses exceed the winner's largest: k of them have p = 2^-k. Who shares too few instances for
    any losses to be significant is not tested and takes no level from the others
    (`surefoot.statistics.comparison.within_reach`).
    """
    winner, *rivals = state.ranking
    rows = {key: _known(table.row(key)) for key in state.ranking}
    own = rows[winner]
    pairs = {key: min(len(own), len(rows[key])) for key in rivals}
    typical = ByTest().refusal(criterion, len(rivals)) is None
    enough = within_reach([pairs[key] for key in rivals], level)
    tested = [key for key, one in zip(rivals, enough, strict=True) if one]
    if not typical:
        tested = tested[:MOST_SWAPPED]
    gaps = [(rows[key][: pairs[key]], own[: pairs[key]]) for key in tested]
    if typical:
        name, p = "paired Wilcoxon", [wilcoxon(*gap).p for gap in gaps]
    else:
        name, p = f"paired swaps of {criterion.name}", _by_swaps(criterion, gaps, level)
    keep = holm(p) > level
    runner_up = rivals[0] if rivals else None
    beats = None
    if runner_up is not None and pairs[runner_up]:
        beats = wins_next(own[: pairs[runner_up]], rows[runner_up][: pairs[runner_up]])
    compared = (winner, *(key for key in rivals if pairs[key] >= FEWEST))
    location, spread = _location_and_spread([rows[key] for key in compared])
    return Honesty(
        winner=winner,
        tested=tuple(tested),
        shortlist=(winner, *(key for key, one in zip(tested, keep, strict=True) if one)),
        untested=len(rivals) - len(tested),
        test=name,
        level=level,
        runner_up=runner_up,
        beats=beats,
        compared=compared,
        location=location,
        spread=spread,
        front=tuple(
            key for key, one in zip(compared, pareto(location, spread), strict=True) if one
        ),
    )


def _by_swaps(criterion: Criterion, gaps: list[tuple[Floats, Floats]], level: float) -> list[float]:
    """Return the p-values of the swap test, with swaps enough for Holm's smallest level."""
    bar = level / max(1, len(gaps))
    draws = int(np.ceil(10.0 / bar))
    return [
        swap_p(criterion, losses.tobytes(), reference.tobytes(), 0, draws, bar)
        for losses, reference in gaps
    ]


def _location_and_spread(rows: list[Floats]) -> tuple[Floats, Floats]:
    """Return mean and standard deviation after as many instances as anybody has."""
    counts = np.array([len(row) for row in rows])
    most = int(counts.max())
    if most < 2:
        return np.concatenate(rows), np.full(len(rows), np.inf)
    losses = np.full((len(rows), most), np.nan)
    for place, row in enumerate(rows):
        losses[place, : len(row)] = row
    model = Prediction(losses, counts)
    return model.criterion(Mean(), most), model.criterion(Sd(), most)


def _known(row: Floats) -> Floats:
    """Return the losses before the first that is missing."""
    missing = np.flatnonzero(np.isnan(row))
    return row[: missing[0]] if len(missing) else row
