"""A promise, such as "95 % of retrainings lose at most L", tested instance by instance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from surefoot.errors import StatisticsError
from surefoot.statistics.tolerance import needed, rate_bound

Answer = Literal["kept", "broken", "open"]


@dataclass(frozen=True)
class Judgement:
    """The answer so far, how many instances it still takes at most, and the reason in words."""

    answer: Answer
    needs: int
    reason: str


@dataclass(frozen=True)
class Promise:
    """At least ``content`` of retrainings lose at most ``limit``.

    It is kept when at most ``allowed`` of n fresh losses exceed the limit, n the number Wilks'
    bound of that order needs (59 for 95 % at 95 % with none allowed): a candidate that does not
    keep it passes with a probability of at most 1 - confidence. The test is curtailed: with one
    excess more than allowed the answer can no longer change, so a bad candidate fails early and
    the level is untouched.
    """

    limit: float
    content: float = 0.95
    confidence: float = 0.95
    allowed: int = 0

    def __post_init__(self) -> None:
        if not np.isfinite(self.limit):
            raise StatisticsError(f"a promise needs a finite limit, not {self.limit:g}")
        if self.allowed < 0:
            raise StatisticsError(
                f"allowed = {self.allowed} losses above the limit; give 0 or more"
            )
        _ = self.instances

    @property
    def instances(self) -> int:
        """Number of fresh instances after which the promise is kept."""
        return needed(self.content, self.confidence, self.allowed + 1)

    def judge(self, losses: npt.ArrayLike) -> Judgement:
        """Return the answer on the fresh losses ``[n]`` so far, in the order of their instances."""
        values = np.asarray(losses, dtype=np.float64)
        if values.ndim != 1 or not (values > -np.inf).all():
            raise StatisticsError("a promise is judged on losses [n], finite or +inf")
        plan = self.instances
        exceeds = np.flatnonzero(values[:plan] > self.limit)
        if len(exceeds) > self.allowed:
            last = int(exceeds[self.allowed])
            return Judgement(
                "broken",
                0,
                f"instance {last + 1} of {plan} lost {values[last]:.4g} > {self.limit:.4g}, "
                f"excess number {self.allowed + 1} where {self.allowed} may be",
            )
        if len(values) < plan:
            return Judgement(
                "open",
                plan - len(values),
                f"{len(exceeds)} of {len(values)} losses exceed {self.limit:.4g}; "
                f"{plan - len(values)} more instances decide",
            )
        bound = rate_bound(len(exceeds), plan, self.confidence)
        return Judgement(
            "kept",
            0,
            f"{len(exceeds)} of {plan} losses exceed {self.limit:.4g}: at most "
            f"{bound:.1%} of retrainings do, with {self.confidence:.0%} confidence",
        )
