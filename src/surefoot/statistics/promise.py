"""A promise, such as "95 % of retrainings lose at most L", tested instance by instance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from surefoot.checks import MOST, count, is_number, short
from surefoot.errors import ConfigurationError, StatisticsError
from surefoot.showing import Shown
from surefoot.statistics.certificate import needed, percent, rate_bound

Answer = Literal["kept", "broken", "open"]


@dataclass(frozen=True, repr=False)
class PromiseResult(Shown):
    """The answer so far, with ``reason`` in words, and the instances it ``needs`` still at most.

    ``used`` is the number of losses that the answer rests on; those after them are not looked at.
    ``statement`` says what follows for the retrainings, empty while the answer is open.
    """

    answer: Answer
    needs: int
    reason: str
    used: int
    statement: str = ""

    def __str__(self) -> str:
        return "; ".join(one for one in (self.answer, self.reason, self.statement) if one)


@dataclass(frozen=True)
class Promise:
    """At least ``content`` of retrainings lose at most ``limit``.

    It is kept when at most ``max_exceedances`` of n fresh losses exceed the limit, n the number
    that Wilks' bound of that order needs (59 for 95 % at 95 % with none): a candidate that does not
    keep it passes with a probability of at most 1 - confidence. The test is curtailed: with one
    excess more the answer can no longer change, so a bad candidate fails early and the level is
    untouched.

    A promise is kept only after all n losses, a number fixed beforehand: the usual bounds hold. It
    is broken at a number of losses that the losses themselves decide. Then no certificate is
    stated, but what holds for such a stop (inverse binomial sampling): the r-th excess comes
    within the first k losses exactly when k losses have r excesses or more, so that
    Clopper-Pearson's lower bound of r in k holds for the rate of excesses. A broken promise is no
    proof of a false one: a candidate that keeps its promise by little breaks it as a rule.
    """

    limit: float
    content: float = 0.95
    confidence: float = 0.95
    max_exceedances: int = 0

    def __post_init__(self) -> None:
        if not is_number(self.limit) or not np.isfinite(float(self.limit)):
            raise ConfigurationError(f"a promise needs a finite limit, not {short(self.limit)}")
        count(0, most=MOST // 100, max_exceedances=self.max_exceedances)
        _ = self.instances

    @property
    def instances(self) -> int:
        """Number of fresh instances after which the promise is kept."""
        return needed(self.content, self.confidence, self.max_exceedances + 1)

    def test(self, losses: npt.ArrayLike) -> PromiseResult:
        """Return the answer on the fresh losses ``[n]`` so far, in the order of their instances."""
        values = np.asarray(losses, dtype=np.float64)
        if values.ndim != 1 or not (values > -np.inf).all():
            raise StatisticsError("a promise is tested on losses [n], finite or +inf")
        plan = self.instances
        exceeds = np.flatnonzero(values[:plan] > self.limit)
        if len(exceeds) > self.max_exceedances:
            last = int(exceeds[self.max_exceedances])
            return PromiseResult(
                "broken",
                0,
                f"instance {last + 1} of {plan} lost {values[last]:.4g} > {self.limit:.4g}, "
                f"excess number {self.max_exceedances + 1} where {self.max_exceedances} may be",
                last + 1,
                self._broken(last + 1),
            )
        if len(values) < plan:
            used, left = len(values), plan - len(values)
            reason = f"{len(exceeds)} of {used} losses exceed {self.limit:.4g}; "
            return PromiseResult("open", left, f"{reason}{left} more instances decide", used)
        most = percent(rate_bound(len(exceeds), plan, self.confidence), 2, up=True)
        return PromiseResult(
            "kept",
            0,
            f"{len(exceeds)} of {plan} losses exceed {self.limit:.4g}, {self.max_exceedances} may",
            plan,
            f"With {100.0 * self.confidence:.4g} % confidence, at most {most} of retrainings lose "
            f"more than {self.limit:.4g}.",
        )

    def _broken(self, used: int) -> str:
        """Return what a stop at the excess too many, the loss number ``used``, says of the rate."""
        least = 1.0 - rate_bound(used - self.max_exceedances - 1, used, self.confidence)
        trust = f"With {100.0 * self.confidence:.4g} % confidence, at least"
        said = f"{trust} {percent(least, 2)} of retrainings lose more than {self.limit:.4g}"
        if least > 1.0 - self.content:
            return f"{said}: the promise is false."
        return (
            f"{said}. That does not prove the promise false, but this test cannot confirm it any "
            "more."
        )
