"""Elimination for criteria of the tail: quantiles by order statistics, any other by swaps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from surefoot.errors import ConfigurationError, RaceError
from surefoot.racing.criteria import Criterion, Quantile
from surefoot.racing.rules.base import Contest, EliminationRule, Verdict, instances
from surefoot.racing.rules.by_test import check_level
from surefoot.racing.rules.looks import look_at
from surefoot.statistics import anytime, intervals
from surefoot.statistics.subset import swap_test

FIRST_LOOK = 10


@dataclass(frozen=True)
class ByQuantileInterval(EliminationRule):
    """Removes candidates whose quantile lies above the incumbent's for certain; distribution-free.

    Each candidate's quantile has an interval by order statistics, at the confidence
    ``1 - level / survivors / (j (j + 1))`` at the j-th look, or, with ``anytime``, a confidence
    sequence at ``1 - level / survivors`` that needs no correction for looks. Out is who lies
    wholly above the lowest upper end. So all intervals hold at all looks with probability
    ``1 - level``, and then the best candidate stays.

    It looks when the order statistics first bound the quantile on both sides (`needs`: 13
    instances for the median of 64 candidates, 82 for their 90 % quantile) and, without
    ``anytime``, whenever the instances have grown by half since.
    """

    level: float = 0.05
    anytime: bool = False
    name = "quantile"

    def __post_init__(self) -> None:
        check_level("by quantile interval", self.level)

    def refusal(self, criterion: Criterion, candidates: int) -> str | None:
        """Refuse every criterion but an inner quantile."""
        if isinstance(criterion, Quantile) and 0.0 < criterion.level < 1.0:
            return None
        return (
            f"rule '{self.name}' cannot judge '{criterion.name}'; take a criterion such as "
            "'median' or 'quantile(0.9)', or another rule"
        )

    def needs(self, criterion: Criterion, candidates: int) -> int:
        """As many as bound the quantile on both sides, at the first look's level."""
        assert isinstance(criterion, Quantile)
        share = self.level / candidates / (1.0 if self.anytime else 2.0)
        outer = max(criterion.level, 1.0 - criterion.level)
        n = max(1, int(np.ceil(np.log(share / 2.0) / np.log(outer) - 1e-9)))
        while self.anytime and not _bounded(self._ranks(n, criterion.level, share), n):
            n += 1
        return n

    def judge(self, contest: Contest) -> Verdict:
        """Remove whose interval lies above another's."""
        criterion, size = contest.criterion, len(contest)
        if not isinstance(criterion, Quantile):
            raise RaceError(str(self.refusal(criterion, size)))
        losses, share = contest.common(), self.level / size
        n = losses.shape[1]
        if not self.anytime:
            look = look_at(n, contest.past, self.needs(criterion, size))
            share = 0.0 if look is None else share / (look * (look + 1))
        ranks = self._ranks(n, criterion.level, share) if share else (0, 0)
        if not _bounded(ranks, n):
            return Verdict(np.zeros(size, np.bool_), lambda row: "")
        ordered = np.sort(losses, axis=1)
        low, high = ordered[:, ranks[0] - 1], ordered[:, ranks[1] - 1]
        rival = int(np.argmin(high))
        leave = low > high[rival]

        def reason(row: int) -> str:
            return (
                f"{criterion.name} is at least {low[row]:.4g} over {instances(n)}, "
                f"the incumbent's at most {high[rival]:.4g} (order statistics {ranks[0]} and "
                f"{ranks[1]}, each at confidence 1 - {share:.2g})"
            )

        return Verdict(leave, reason)

    def _ranks(self, n: int, level: float, share: float) -> tuple[int, int]:
        """Ranks, from 1, of the order statistics of n that bound a quantile; 0 or n + 1: none."""
        bound = anytime.quantile_sequence if self.anytime else intervals.quantile_interval
        ranks = bound(np.arange(float(n)), level, 1.0 - share).ranks
        assert ranks is not None
        return ranks


@dataclass(frozen=True)
class BySwaps(EliminationRule):
    """Removes candidates whose criterion exceeds the incumbent's by more than swaps can explain.

    A paired permutation test of any criterion: were candidate and incumbent alike, their two losses
    of an instance could be swapped. The gap of the criterion is compared with its distribution
    under swaps (`surefoot.statistics.subset.swap_test`), at ``level / (survivors - 1) /
    (j (j + 1))`` at the j-th look. It looks at ten instances and whenever they have grown by half
    since: looking more often would ask for p-values that the swaps of so few instances cannot have.
    Exact for like distributions at any n and for any criterion, which a bootstrap of the tail is
    not. Up to ``resamples`` swaps are drawn; a level they cannot reach removes nobody, so this rule
    is for up to about a hundred candidates.
    """

    level: float = 0.05
    resamples: int = 40_000
    seed: int = 0
    name = "swaps"

    def __post_init__(self) -> None:
        check_level("by swaps", self.level)
        if self.resamples < 100:
            raise ConfigurationError(f"by swaps: resamples = {self.resamples}; give 100 or more")

    def refusal(self, criterion: Criterion, candidates: int) -> str | None:
        """Refuse more candidates than the swaps could ever tell apart."""
        if self.resamples * self.level / max(1, candidates - 1) / 2.0 >= 1.0:
            return None
        return (
            f"rule '{self.name}' with {self.resamples:,} resamples can show nothing of "
            f"{candidates:,} candidates at level {self.level:g}; screen them, or take another rule"
        )

    def needs(self, criterion: Criterion, candidates: int) -> int:
        """Ten: before, not even the last two candidates can be told apart."""
        return FIRST_LOOK

    def judge(self, contest: Contest) -> Verdict:
        """Remove whose gap is too large for chance."""
        losses, size = contest.common(), len(contest)
        n = losses.shape[1]
        best = int(contest.order[0])
        look = look_at(n, contest.past, FIRST_LOOK)
        if look is None or size < 2:
            return Verdict(np.zeros(size, np.bool_), lambda row: "")
        bar = self.level / (size - 1) / (look * (look + 1))
        p, values = np.ones(size), contest.criterion.values(losses)
        if self.resamples * bar >= 1.0:
            draws = min(self.resamples, int(np.ceil(4.0 / bar)))
            swapped = partial(swap_test, contest.criterion.of, n_resamples=draws, seed=self.seed)
            for row in np.flatnonzero(values > values[best]):
                p[row] = swapped(losses[row], losses[best], bar).pvalue

        def reason(row: int) -> str:
            return (
                f"{contest.criterion.name} {values[row]:.4g} over {instances(n)} against the "
                f"incumbent's {values[best]:.4g}: paired swaps p = {p[row]:.2g} <= {bar:.2g} = "
                f"{self.level:g} corrected for {size} candidates and look {look}"
            )

        return Verdict(p <= bar, reason)


def _bounded(ranks: tuple[int, int], n: int) -> bool:
    """Whether both order statistics exist."""
    return ranks[0] >= 1 and ranks[1] <= n
