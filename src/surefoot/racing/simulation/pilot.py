"""What a pilot says about a population of candidates, and simulated populations like it.

The model is on the logarithm of the loss. Instance i of candidate c loses

    log x[c, i] = m[c] + s[c] (sqrt(r) z[i] + sqrt(1 - r) e[c, i])

with the candidate's location m and noise deviation s, the luck z of the instance's draw, which all
candidates share when they are paired, and own luck e; it diverges (x = inf) with probability p[c].
A pilot of some candidates with a few paired instances each gives all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from surefoot.errors import DataError
from surefoot.racing.simulation.best_tail import BestTail, fit, leading_group, location
from surefoot.racing.table import Floats, Integers, LossTable

FEWEST_CANDIDATES, FEWEST_INSTANCES = 8, 3
NEIGHBOURS = 0.08
"""Noise and costs of a simulated candidate are those of a pilot candidate of about its rank: the
rank's standard deviation, as a share of the pilot."""


@dataclass(frozen=True, eq=False)
class Falls:
    """How the losses of a pilot fell: ``logs`` ``[pilot, instances, epochs]`` are the logarithms of
    the losses after each epoch as shares of the last one, ``ends`` ``[pilot, instances]`` those of
    the last ones as shares of the candidate's location. NaN where there is no such instance.
    """

    ends: Floats
    logs: Floats

    def like(self, rows: Integers, ends: Floats) -> Floats:
        """Return the ``logs`` of a row's instance that ended nearest to ``ends``, for each."""
        known = self.ends[rows]
        away = np.where(np.isnan(known), np.inf, np.abs(known - ends[:, None]))
        return np.asarray(self.logs[rows, away.argmin(axis=1)])


@dataclass(frozen=True, eq=False)
class Pilot:
    """A population of candidates as a pilot shows it; all arrays are by location, best first.

    ``locations``, ``deviations`` and ``divergence`` ``[pilot]`` are m, s and p. The locations'
    spread is shrunk by what noise alone adds to it, the deviations' likewise, so that both scatter
    as much as the true ones. The first ``group`` are all, or stand apart from the rest; ``tail``
    says how the best of many of them lie, ``trend`` is the slope of log s against the normal score
    of m. ``residuals`` are standardised e, ``shared`` is r. ``costs``
    ``[pilot]`` hold the mean cost of an instance by the name of its unit. ``baseline`` is the
    location and deviation of the baseline, if the pilot has any.
    """

    locations: Floats
    deviations: Floats
    divergence: Floats
    group: int
    tail: BestTail
    trend: float
    residuals: Floats
    shared: float
    costs: dict[str, Floats] = field(default_factory=dict)
    baseline: tuple[float, float] | None = None
    falls: Falls | None = None

    @classmethod
    def of(
        cls,
        table: LossTable,
        *,
        costs: dict[str, Floats] | None = None,
        baseline: Floats | None = None,
        curves: Floats | None = None,
    ) -> Pilot:
        """Estimate from the losses of a few candidates: NaN where not trained, +inf where diverged.

        ``costs`` are the mean costs of an instance of every candidate of the table, by the name of
        the unit, ``baseline`` the baseline's losses, ``curves`` ``[candidates, instances, epochs]``
        the losses after each epoch, for rungs. Raises `DataError` for fewer than eight
        candidates with three finite losses, or a loss that is not positive.
        """
        losses = table.losses
        finite = np.isfinite(losses)
        if (losses[finite] <= 0.0).any():
            raise DataError("the planner simulates the logarithm of losses; they must be positive")
        counts = finite.sum(axis=1)
        usable = counts >= FEWEST_INSTANCES
        if usable.sum() < FEWEST_CANDIDATES:
            raise DataError(
                f"the pilot has {int(usable.sum())} candidates with {FEWEST_INSTANCES} finite "
                f"losses or more; planning takes at least {FEWEST_CANDIDATES}"
            )
        logs = np.log(np.where(finite, losses, np.nan))
        trained = (~np.isnan(losses)).sum(axis=1)
        rows = np.flatnonzero(trained)
        deviations = np.full(len(losses), np.nan)
        deviations[usable] = steadier(np.nanstd(logs[usable], axis=1, ddof=1), counts[usable])
        # Who has too few finite losses to show its noise has the others' typical one.
        deviations[~usable] = np.exp(np.log(np.maximum(deviations[usable], 1e-12)).mean())
        residuals, shared = _noise(logs[usable], deviations[usable])
        means = np.full(len(losses), -np.inf)
        seen = counts > 0
        means[seen] = np.nanmean(logs[seen], axis=1)
        own = (1.0 - shared) * deviations**2 / np.maximum(counts, 1)
        means[~seen] = means[seen].max()
        order = rows[np.argsort(means[rows], kind="stable")]
        group = leading_group(means[order], own[order])
        best = order[:group]
        noise = float(np.median(deviations[best]))
        base = None
        if baseline is not None and np.isfinite(baseline).any():
            known = np.log(baseline[np.isfinite(baseline)])
            base = (float(known.mean()), float(known.std(ddof=1)) if len(known) > 1 else 0.0)
        return cls(
            _shrunk(means[order], float(own[order].mean())),
            deviations[order],
            np.asarray(np.isposinf(losses).sum(axis=1)[order] / trained[order], np.float64),
            group,
            fit(means[best], own[best], noise if group < len(order) else None),
            _trend(deviations[best]),
            residuals,
            shared,
            {unit: np.asarray(each, np.float64)[order] for unit, each in (costs or {}).items()},
            base,
            None if curves is None else _falls(logs[order], means[order], curves[order]),
        )

    def draw(self, candidates: int, rng: np.random.Generator) -> tuple[Floats, Floats, Integers]:
        """Return locations and deviations of new candidates, and the pilot's rows they are like.

        A candidate has a normal score z within the leading group. Below the median its location is
        that of the posterior's tail; above it, unless the group stands apart, the pilot's own at
        that score. Noise and costs are those of a pilot candidate of about its rank, the deviation
        moved along its trend from that one's score to z. Those outside a group that stands apart
        are like the pilot's others.
        """
        from scipy import special

        pilots, group = len(self.locations), self.group
        share = 1.0 if group == pilots else float(rng.beta(group + 0.5, pilots - group + 0.5))
        levels = rng.random(candidates)
        inside = levels < share
        ranks = np.where(
            inside,
            levels / share * group,
            group + (levels - share) / max(1.0 - share, 1e-9) * (pilots - group),
        )
        rows = _near(ranks, np.where(inside, 0, group), np.where(inside, group, pilots), rng)
        scores = special.ndtri(np.clip(levels / share, 1e-12, 1.0 - 1e-12))
        parameters = self.tail.draw(rng)
        locations = location(scores, *parameters)
        if group == pilots:
            # Above the median the pilot's own locations go on where the tail ends.
            own = np.interp(ranks - 0.5, np.arange(pilots), self.locations)
            locations = np.where(
                scores < 0.0, locations, own + parameters[0] - np.median(self.locations)
            )
        else:
            rest = np.arange(group, pilots)
            others = np.interp(ranks - 0.5, rest, self.locations[group:])
            locations = np.where(inside, np.minimum(locations, self.locations[group]), others)
        steps = np.where(inside, scores - normal_scores(pilots, group)[rows], 0.0)
        return locations, self.deviations[rows] * np.exp(self.trend * steps), rows


def _near(ranks: Floats, low: Integers, high: Integers, rng: np.random.Generator) -> Integers:
    """Return rows of about these ranks, from ``low`` to below ``high``, reflected at the ends."""
    near = np.floor(ranks + NEIGHBOURS * (high - low) * rng.standard_normal(len(ranks)))
    near = np.where(near < low, 2 * low - 1 - near, near)
    near = np.where(near >= high, 2 * high - 1 - near, near)
    return np.clip(near, low, high - 1).astype(np.int64)


def normal_scores(count: int, first: int | None = None) -> Floats:
    """Return the expected normal scores of ``count`` ordered values (Blom 1958), ascending.

    With ``first``, those of the first so many by themselves; the others have 0.
    """
    from scipy import special

    scores = np.zeros(count)
    size = count if first is None else first
    scores[:size] = special.ndtri((np.arange(size) + 0.625) / (size + 0.25))
    return scores


def _shrunk(values: Floats, noise: float) -> Floats:
    """Return noisy values shrunk to the mean so that they scatter as the true ones (Louis 1984).

    ``noise`` is the variance that noise adds.
    """
    apart = float(values.var(ddof=1)) if len(values) > 1 else 0.0
    shrink = np.sqrt(max(apart - noise, 0.0) / apart) if apart > 0.0 else 0.0
    return np.asarray(values.mean() + shrink * (values - values.mean()))


def _trend(deviations: Floats) -> float:
    """Return the slope of log s against the normal score of the location, shrunk by its error."""
    positive = deviations > 0.0
    if positive.sum() < FEWEST_CANDIDATES:
        return 0.0
    x, y = normal_scores(len(deviations))[positive], np.log(deviations[positive])
    x, y = x - x.mean(), y - y.mean()
    slope = float(x @ y / (x @ x))
    error = float(((y - slope * x) ** 2).sum() / (len(x) - 2) / (x @ x))
    return slope * max(0.0, 1.0 - error / slope**2) if slope else 0.0


def _falls(logs: Floats, means: Floats, curves: Floats) -> Falls:
    """Return how losses fell; where no instance of a candidate ended, they never did."""
    with np.errstate(invalid="ignore"):
        fell = np.log(curves) - logs[:, :, None]
    ends = logs - means[:, None]
    none = np.isnan(ends).all(axis=1)
    ends[none], fell[none] = 0.0, 0.0
    return Falls(ends, np.where(np.isnan(fell), 0.0, fell))


def _noise(logs: Floats, deviations: Floats) -> tuple[Floats, float]:
    """Return standardised own residuals and the share r of the noise that the draws explain.

    r is an intraclass correlation: the variance of an instance's mean over candidates, less what
    independent noise gives it. At least eight candidates must have an instance for it to count.
    """
    scale = np.where(deviations > 0.0, deviations, 1.0)
    units = (logs - np.nanmean(logs, axis=1)[:, None]) / scale[:, None]
    seen = np.isfinite(units)
    freedom = float((seen.sum(axis=1) - 1).sum())
    total = float(np.nansum(units**2)) / freedom
    if total <= 0.0:
        return np.zeros(1), 0.0
    columns = seen.sum(axis=0) >= FEWEST_CANDIDATES
    shared = 0.0
    if columns.sum() >= FEWEST_INSTANCES:
        means = np.nanmean(units[:, columns], axis=0)
        alone = total / float(seen[:, columns].sum(axis=0).mean())
        shared = float(np.clip((means.var(ddof=1) - alone) / (total - alone), 0.0, 0.95))
        units[:, columns] -= means
    residuals = units[seen]
    residuals = residuals - residuals.mean()
    return residuals / residuals.std(), shared


def steadier(deviations: Floats, counts: npt.NDArray[np.int64]) -> Floats:
    """Return noisy standard deviations, unbiased in the logarithm and shrunk to their true scatter.

    For Gaussian noise log s^2 of n values is off by psi((n - 1) / 2) - log((n - 1) / 2) and has
    the variance psi'((n - 1) / 2), with the digamma function psi.
    """
    from scipy import special

    positive = deviations > 0.0
    if not positive.any():
        return deviations
    freedom = (counts[positive] - 1) / 2.0
    logs = np.log(deviations[positive]) - (special.digamma(freedom) - np.log(freedom)) / 2.0
    found = deviations.copy()
    found[positive] = np.exp(_shrunk(logs, float(special.polygamma(1, freedom).mean()) / 4.0))
    return found
