"""The screen: after one instance, candidates worse than baseline + tolerance leave.

The baseline is assessed on the same draws, so the bar of an instance is the baseline's loss on
that instance's draw times ``1 + tolerance``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.errors import RaceError
from surefoot.racing.parts import LEVEL, Domain, Part, number, one_of, trainings, whole
from surefoot.racing.rules.base import Verdict
from surefoot.racing.table import Floats, Integers


@dataclass(frozen=True)
class Screen(Part):
    """Removes candidates whose first loss exceeds the bar.

    ``margin="none"`` is the paper's single shot (section 3.10): the bar is baseline x (1 +
    tolerance), and a candidate exactly as good as the baseline leaves whenever its noise exceeds
    the tolerance (23 % of the time for noise of 0.25 in the log of the loss).

    ``margin="noise"`` raises the bar by what noise can do at ``level``: a candidate whose typical
    loss is exactly baseline x (1 + tolerance) leaves with a probability of about ``level``, a
    better one with less. On the logarithm of loss / baseline, the bar is raised by t(1 - level)
    times the noise's standard deviation. That deviation is ``noise`` when given; else it is
    measured where the decision falls: the ``pilot`` candidates whose first loss is nearest to the
    bar train ``extra`` more instances, and their pooled deviation over these alone (the first one
    chose them) is used, with as many degrees of freedom in t. The instances are not lost: the race
    uses them later. If all of the pilot diverges, only diverged candidates leave.
    """

    tolerance: float = number(
        Domain(float, "a share above -1 such as 0.2", "TOLERANCE", lambda x: -1.0 < x < np.inf),
        0.20,
    )
    margin: str = number(one_of("none", "noise"), "none")
    level: float = number(LEVEL, 0.02)
    noise: float | None = number(
        Domain(float, "a standard deviation, 0 or more", "N", lambda x: 0.0 <= x < np.inf), None
    )
    pilot: int = number(whole(), 24)
    extra: int = number(trainings(2), 4)
    name = "screen"

    @property
    def measures_noise(self) -> bool:
        """Whether a pilot is trained."""
        return self.margin == "noise" and self.noise is None

    def pilot_rows(self, first: Floats, baseline: Floats, key_rank: Integers) -> Integers:
        """Return the rows of the pilot: finite first losses, nearest to the bar, ties by key."""
        if not self.measures_noise:
            return np.empty(0, np.int64)
        with np.errstate(divide="ignore"):
            distance = np.abs(np.log(first) - np.log(baseline * (1.0 + self.tolerance)))
        order = np.lexsort((key_rank, distance))
        return np.asarray(order[np.isfinite(distance[order])][: self.pilot], np.int64)

    def factor(self, log_ratios: Floats | None = None) -> float:
        """Return by how much noise raises the bar, as a factor >= 1.

        ``log_ratios`` ``[pilot, extra]`` is log(loss / baseline) of the pilot's extra instances.
        """
        if self.margin == "none":
            return 1.0
        from scipy import special

        if self.noise is not None:
            return float(np.exp(special.ndtri(1.0 - self.level) * self.noise))
        if log_ratios is None:
            return float("inf")
        usable = log_ratios[np.isfinite(log_ratios).all(axis=1)]
        if len(usable) == 0:
            return float("inf")
        freedom = usable.shape[0] * (usable.shape[1] - 1)
        sd = float(np.sqrt(usable.var(axis=1, ddof=1).mean()))
        return float(np.exp(special.stdtrit(freedom, 1.0 - self.level) * sd))

    def judge(self, first: Floats, baseline: Floats, factor: float = 1.0) -> Verdict:
        """Return who leaves and the reasons, from the first losses and the baseline's.

        ``first`` and ``baseline`` are ``[candidates]``, in the unit of the loss. Raises
        `RaceError` when the baseline is not positive and finite, and when every candidate leaves,
        saying by how much the best one missed the bar.
        """
        bar = baseline * (1.0 + self.tolerance) * factor
        leave = ~((first <= bar) & np.isfinite(first))
        noise = "" if factor == 1.0 else f" x {factor:.3g} for noise"

        def bar_of(row: int) -> str:
            times = f"{baseline[row]:.4g} x {1.0 + self.tolerance:.2f}{noise}"
            return f"the bar {bar[row]:.4g} = baseline {times}"

        def reason(row: int) -> str:
            if np.isinf(first[row]):
                return "the first instance diverged or failed (loss inf)"
            return f"loss {first[row]:.4g} exceeds {bar_of(row)}"

        if leave.all():
            best = int(np.argmin(first / bar))
            why = "the first instance of each diverged or failed"
            if np.isfinite(first[best]):
                why = (
                    f"the best has loss {first[best]:.4g}, {first[best] / bar[best] - 1.0:.1%} "
                    f"above {bar_of(best)}; a larger tolerance or another space "
                    "takes a journal of its own"
                )
            everyone = f"every one of the {len(first)} candidates"
            raise RaceError(f"{everyone} was screened out: {why}")
        return Verdict(leave, reason)


def check_baseline(baseline: Floats) -> None:
    """Raise `RaceError` unless every baseline loss known (not NaN) is positive and finite."""
    known = baseline[~np.isnan(baseline)]
    bad = known[~(np.isfinite(known) & (known > 0.0))]
    if bad.size:
        raise RaceError(f"the baseline has loss {bad[0]:g}; a screen needs a positive, finite one")
