"""Elimination for criteria of the tail: quantiles by order statistics, any other by swaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.errors import RaceError
from surefoot.racing.by_test import FEWEST, check_level
from surefoot.racing.criteria import Criterion, Quantile
from surefoot.racing.elimination import Booleans, Contest, EliminationRule, Verdict, instances
from surefoot.racing.table import Floats
from surefoot.statistics import anytime, tolerance
from surefoot.statistics.comparison import differences


@dataclass(frozen=True)
class ByQuantileInterval(EliminationRule):
    """Removes candidates whose quantile lies above the incumbent's for certain; distribution-free.

    Each candidate's quantile has an interval by order statistics, at the confidence
    ``1 - level / survivors / (j (j + 1))`` at the j-th look, or, with ``anytime``, a confidence
    sequence at ``1 - level / survivors`` that needs no correction for looks. Out is who lies
    wholly above the lowest upper end. So all intervals hold at all looks with probability
    ``1 - level``, and then the best candidate stays.
    """

    level: float = 0.05
    anytime: bool = False

    def __post_init__(self) -> None:
        check_level("by quantile interval", self.level)

    def judge(self, contest: Contest) -> Verdict:
        """Remove whose interval lies above another's."""
        criterion = contest.criterion
        if not isinstance(criterion, Quantile) or not 0.0 < criterion.level < 1.0:
            raise RaceError(
                f"a quantile interval cannot judge '{criterion.name}'; use a criterion such as "
                "'median' or 'quantile(0.9)', or another rule"
            )
        losses, look, size = contest.common(), 1 + len(contest.past), len(contest)
        share = self.level / size
        if self.anytime:
            ranks = anytime.quantile_sequence(losses[0], criterion.level, 1.0 - share).ranks
        else:
            share /= look * (look + 1)
            ranks = tolerance.quantile_interval(losses[0], criterion.level, 1.0 - share).ranks
        assert ranks is not None
        padded = np.pad(np.sort(losses, axis=1), ((0, 0), (1, 1)), constant_values=np.inf)
        low = padded[:, ranks[0]] if ranks[0] > 0 else np.full(size, -np.inf)
        high = padded[:, ranks[1]]
        rival = int(np.argmin(high))
        leave = low > high[rival]

        def reason(row: int) -> str:
            return (
                f"{criterion.name} is at least {low[row]:.4g} over {instances(losses.shape[1])}, "
                f"the incumbent's at most {high[rival]:.4g} (order statistics {ranks[0]} and "
                f"{ranks[1]}, each at confidence 1 - {share:.2g})"
            )

        return Verdict(leave, reason)


@dataclass(frozen=True)
class BySwaps(EliminationRule):
    """Removes candidates whose criterion exceeds the incumbent's by more than swaps can explain.

    A paired permutation test of any criterion: were candidate and incumbent alike, their two losses
    of an instance could be swapped. The gap of the criterion is compared with its distribution
    under random swaps, p = (1 + as large) / (1 + resamples) (Phipson and Smyth 2010), at
    ``level / (survivors - 1) / (j (j + 1))`` at the j-th look with five instances or more. Exact
    for like distributions at any n and for any criterion, which a bootstrap of the tail is not.
    Up to ``resamples`` swaps are drawn; a level they cannot reach removes nobody, so this rule is
    for the last few dozen.
    """

    level: float = 0.05
    resamples: int = 20_000
    seed: int = 0

    def __post_init__(self) -> None:
        check_level("by swaps", self.level)
        if self.resamples < 100:
            raise RaceError(f"by swaps: resamples = {self.resamples}; give 100 or more")

    def judge(self, contest: Contest) -> Verdict:
        """Remove whose gap is too large for chance."""
        losses, size = contest.common(), len(contest)
        n = losses.shape[1]
        best = int(contest.order[0])
        if n < FEWEST or size < 2:
            return Verdict(np.zeros(size, np.bool_), lambda row: "")
        look = 1 + sum(count >= FEWEST for count in contest.past)
        bar = self.level / (size - 1) / (look * (look + 1))
        p = np.ones(size)
        if 1.0 / (1.0 + self.resamples) <= bar:
            draws = min(self.resamples, int(np.ceil(4.0 / bar)))
            swap = np.random.default_rng([self.seed, n]).random((draws, n)) < 0.5
            values = contest.criterion.values(losses)
            for row in np.flatnonzero(values > values[best]):
                p[row] = _swap_p(contest.criterion, losses[row], losses[best], swap, bar)

        def reason(row: int) -> str:
            values = contest.values
            return (
                f"{contest.criterion.name} {values[row]:.4g} over {instances(n)} against the "
                f"incumbent's {values[best]:.4g}: paired swaps p = {p[row]:.2g} <= {bar:.2g} = "
                f"{self.level:g} corrected for {size} candidates and look {look}"
            )

        return Verdict(p <= bar, reason)


def _swap_p(
    criterion: Criterion, losses: Floats, reference: Floats, swap: Booleans, bar: float
) -> float:
    """Share of swaps whose gap is as large; stops early once it is sure to exceed ``bar``."""

    def gaps(mask: Booleans) -> Floats:
        one = criterion.values(np.where(mask, reference, losses))
        return differences(one, criterion.values(np.where(mask, losses, reference)))

    observed = float(gaps(np.zeros((1, swap.shape[1]), np.bool_))[0])
    slack = 1e-12 * abs(observed) if np.isfinite(observed) else 0.0
    early = int((gaps(swap[:200]) >= observed - slack).sum())
    if (1.0 + early) / (1.0 + len(swap)) > bar:
        return (1.0 + early) / 201.0
    return (1.0 + float((gaps(swap) >= observed - slack).sum())) / (1.0 + len(swap))
