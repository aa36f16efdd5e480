"""What one winner's name does not say: who is as good, who may win next, who is steadier.

All of it rests on racing losses, which flatter the winner: so the shortlist is, if anything, too
short and the probability that the winner wins again too high.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surefoot.racing.state import RaceState
from surefoot.racing.table import LossTable
from surefoot.statistics.comparison import holm, pareto, wilcoxon, wins_next
from surefoot.statistics.tolerance import Interval

Floats = NDArray[np.float64]

FEWEST = 5
"""Instances shared with the winner below which no test can tell a candidate from it."""
SHOWN = 5


@dataclass(frozen=True, eq=False)
class Honesty:
    """The winner among its rivals.

    Parameters
    ----------
    winner
        Key of the winner, or of the leader while the race goes on.
    compared
        Keys of the candidates with at least five instances the winner has too, best first, the
        winner among them.
    shortlist
        Those of them that no test can tell from the winner, the winner first.
    untested
        Number of candidates that left with fewer instances.
    runner_up, beats
        Key of the next in the ranking, and the probability that the winner loses less than it on
        the next retraining; None without a shared instance.
    location, spread
        Mean and standard deviation of the racing losses of `compared`; +inf after a divergence.
    front
        Those of them that no other beats in both.
    level
        Of the tests, corrected for their number.
    """

    winner: str
    compared: tuple[str, ...]
    shortlist: tuple[str, ...]
    untested: int
    runner_up: str | None
    beats: Interval | None
    location: Floats
    spread: Floats
    front: tuple[str, ...]
    level: float

    def lines(self, labels: Mapping[str, str]) -> list[str]:
        """Return it in sentences; ``labels`` names candidates by key."""
        return [*self._shortlist(labels), *self._next(labels), *self._front(labels)]

    def _shortlist(self, labels: Mapping[str, str]) -> list[str]:
        rivals = len(self.compared) - 1
        untested = ""
        if self.untested:
            untested = (
                f"; {self.untested:,} left with fewer than {FEWEST} instances, which no test can "
                "tell from it"
            )
        if rivals < 1:
            return [f"No other candidate shares {FEWEST} instances with it{untested}."]
        alike = self.shortlist[1:]
        tested = f"{rivals:,} candidate{'s' if rivals > 1 else ''} with {FEWEST} instances or more"
        if not alike:
            return [f"Better than each of the {tested} (paired Wilcoxon, Holm's correction, "
                    f"level {self.level:g}){untested}."]  # fmt: skip
        names = "; ".join(labels[key] for key in alike[:SHOWN])
        more = f"; and {len(alike) - SHOWN:,} more" if len(alike) > SHOWN else ""
        return [
            f"{len(alike):,} of the {tested} cannot be told from it (paired Wilcoxon, Holm's "
            f"correction, level {self.level:g}): {names}{more}{untested}."
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
            return ["It has both the lowest mean and the lowest spread of them."]
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


def honesty(table: LossTable, state: RaceState, level: float = 0.05) -> Honesty:
    """Return what racing losses say of the winner's rivals.

    Losses are paired by instance number; a candidate is compared on the instances it shares with
    the winner. Unpaired races are compared by number too, which is valid but sees less.
    """
    winner = state.ranking[0]
    own = table.row(winner)
    seen = ~np.isnan(own)
    rows = {key: table.row(key) for key in state.ranking}
    shared = {key: seen & ~np.isnan(row) for key, row in rows.items()}
    compared = tuple(key for key in state.ranking if key == winner or shared[key].sum() >= FEWEST)
    rivals = [key for key in compared if key != winner]
    p = np.array([wilcoxon(rows[key][shared[key]], own[shared[key]]).p for key in rivals])
    keep = holm(p) > level if len(rivals) else np.zeros(0, np.bool_)
    runner_up = state.ranking[1] if len(state.ranking) > 1 else None
    beats = None
    if runner_up is not None and shared[runner_up].any():
        mask = shared[runner_up]
        beats = wins_next(own[mask], rows[runner_up][mask])
    location = np.array([_mean(rows[key]) for key in compared])
    spread = np.array([_sd(rows[key]) for key in compared])
    on_front = pareto(location, spread)
    return Honesty(
        winner,
        compared,
        (winner, *(key for key, kept in zip(rivals, keep, strict=True) if kept)),
        len(state.ranking) - len(compared),
        runner_up,
        beats,
        location,
        spread,
        tuple(key for key, one in zip(compared, on_front, strict=True) if one),
        level,
    )


def _mean(row: Floats) -> float:
    return float(row[~np.isnan(row)].mean())


def _sd(row: Floats) -> float:
    known = row[~np.isnan(row)]
    if known.size < 2 or np.isinf(known).any():
        return float("inf")
    return float(known.std(ddof=1))
