"""Top-two sampling for the last handful, and the schedule surefoot uses unless told otherwise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.errors import RaceError
from surefoot.racing.schedule import Chain, FlatBudget, Schedule, Standing, Step
from surefoot.racing.table import Floats


@dataclass(frozen=True)
class TopTwo(Schedule):
    """Trains the leader and its closest challenger, until the leader is clear or both are full.

    The challenger has the smallest gap to the leader in units of the gap's standard error,
    ``(value_j - value_leader) / (sd(x_j - x_leader) / sqrt(n))`` over the n instances both have:
    the empirical-best leader with the transportation-cost challenger (Russo 2016; Jourdan et al.
    2022), on paired losses. Whichever of the two has fewer instances gets ``per_round`` more, both
    when they are equal; candidates that come in untrained get ``per_round`` each first. It ends,
    leaving one, when both have ``cap`` instances, or when the smallest gap exceeds ``separation``
    standard errors. A criterion that moves with n (maximum, quantiles) is never taken as
    separated: optimism about the less trained evens the numbers out.
    """

    cap: int
    per_round: int = 8
    separation: float = 4.0

    def __post_init__(self) -> None:
        if self.cap < 1 or self.per_round < 1 or not self.separation > 0.0:
            raise RaceError(
                f"top two: cap = {self.cap}, per_round = {self.per_round} and separation = "
                f"{self.separation:g} must be positive"
            )

    def step(self, standing: Standing) -> Step | None:
        """Return the next round; None once one candidate is left."""
        survivors = standing.survivors
        if survivors == 1:
            return None
        counts = standing.counts
        if standing.instances == 0:
            return Step(min(self.per_round, self.cap), survivors)
        if standing.order is None or standing.losses is None or standing.values is None:
            leader, challenger, clear = 0, 1, False
        else:
            leader = int(standing.order[0])
            gaps = _gaps(standing.losses, standing.values, counts, leader)
            challenger = int(np.lexsort((standing.order.argsort(), gaps))[0])
            clear = not standing.criterion.sized and bool(gaps[challenger] > self.separation)
        pair = np.array([leader, challenger])
        fewest = int(counts[pair].min())
        if clear or fewest >= self.cap:
            return Step(counts, 1)
        upto = counts.copy()
        behind = pair[counts[pair] == fewest]
        upto[behind] = min(fewest + self.per_round, self.cap)
        return Step(upto, survivors)


def _gaps(losses: Floats, values: Floats, counts: np.ndarray, leader: int) -> Floats:
    """Gap of every candidate to the leader in standard errors; +inf for the leader itself."""
    gaps = np.full(len(values), np.inf)
    for row in range(len(values)):
        common = int(min(counts[row], counts[leader]))
        if row == leader or np.isinf(values[row]):
            continue
        gap = values[row] - values[leader]
        difference = losses[row, :common] - losses[leader, :common]
        difference = difference[np.isfinite(difference)]
        error = np.inf
        if len(difference) > 1:
            error = float(difference.std(ddof=1)) / np.sqrt(len(difference))
        gaps[row] = gap / error if error > 0.0 else (np.inf if gap > 0.0 else 0.0)
    return gaps


def default_schedule(candidates: int) -> Schedule:
    """Return the schedule for this many candidates: a flat budget, then top two for the last six.

    Rounds of about an eighth of the candidates' number (at least 48 instances), of which 40 %
    stay, then up to an instance per 13 candidates (48 to 512) for the two in question. In
    simulated worlds of 6,912 candidates this takes 37 % of the trainings of the paper's schedule
    with five warm-up instances.
    """
    if candidates < 1:
        raise RaceError(f"a schedule for {candidates} candidates is none; give at least 1")
    flat = FlatBudget(max(48.0, candidates / 8), cap=64, keep=0.4, finalists=6)
    return Chain((flat, TopTwo(cap=min(512, max(48, candidates // 13)))))
