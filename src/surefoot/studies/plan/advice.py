"""What a plan advises: the races that nothing beats in both price and outcome, and one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from surefoot.studies.plan.study import PlanRow

WISH = 0.005
"""Regret that is accepted unless told otherwise: less than certificates of a few dozen can see."""


@dataclass(frozen=True)
class Advice:
    """The race to take and why, in words."""

    row: PlanRow
    reason: str

    @property
    def lines(self) -> tuple[str, ...]:
        """What the study file's ``[race]`` should say; none if it says so already."""
        return self.row.choice.changes


def risk(row: PlanRow) -> float:
    """Return the probability that a race ends without a winner that never diverges."""
    return row.forecast.lost + row.forecast.unstable


def efficient(rows: Sequence[PlanRow]) -> list[PlanRow]:
    """Return the rows than which no other costs less, regrets less and risks less."""

    def price(row: PlanRow) -> tuple[float, float, float]:
        regret = row.forecast.regret
        return row.seconds, np.inf if np.isnan(regret) else regret, risk(row)

    prices = np.array([price(row) for row in rows])
    return [
        row
        for row, one in zip(rows, prices, strict=True)
        if not ((prices <= one).all(axis=1) & (prices < one).any(axis=1)).any()
    ]


def advise(rows: Sequence[PlanRow], wish: float = WISH) -> Advice:
    """Return the cheapest race whose expected regret is at most ``wish``.

    Of those within 2 % of the least risk; its regret plus one standard error counts. If no race
    gets as far, it is the one of the least regret.
    """
    least = min(risk(row) for row in rows)
    safe = [row for row in efficient(rows) if risk(row) <= least + 0.02]
    good = [row for row in safe if row.forecast.regret + _error(row) <= wish]
    if good:
        row = min(good, key=lambda one: one.seconds)
        return Advice(row, f"the cheapest whose expected regret stays below {_percent(wish)}")
    row = min(safe, key=lambda one: (one.forecast.regret, one.seconds))
    return Advice(row, f"the one that regrets least; none stays below {_percent(wish)}")


def _percent(share: float) -> str:
    return f"{100.0 * share:.3g} %"


def _error(row: PlanRow) -> float:
    error = row.forecast.regret_error
    return 0.0 if np.isnan(error) else error
