"""Where trainings end that stand somewhere now, drawn from what the learners of a recipe did.

With x the logarithm of a loss (or the loss, if some are not positive), a training at epoch e stands
at its *level*, the mean of x over the last quarter of its epochs, and falls by its *slope*, the
distance of that mean to the one of the quarter before.

A learner is *good* when its criterion is in the group that stands apart from the rest, or in the
better two thirds if none does. A candidate is good as often as the `NEIGHBOURS` trainings to the
end that stood closest to it, with the share of all learners as one more observation, under weights
of the Bayesian bootstrap (Rubin 1981): this is how those that die, diverge or wake up count.

The criterion C of a good one is a Gaussian process of level and slope, on the logarithm of what it
lies above a floor (Rasmussen and Williams 2006, chapter 2):

    log(C - a) = f(level, slope) + s e,    e normal,

with f constant, linear in one or both, or that and a smooth function on one of two scales, and a
floor of none or up to 0.98 of the best learner's. The variance s^2 has its conjugate prior, so that
a new C has Student's distribution, and each of these models is drawn as often as the learners'
criteria make it probable. So losses that only luck or the end of the training tell apart keep their
spread; curves that cross and slow starters are learnt as they are; who stands further from the
learners is less certain; and where early losses say nothing all good ones are alike. The error is
that of one training for the criterion over several, as the learners had it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from surefoot.racing.table import Booleans, Floats, Integers

NEIGHBOURS = 8
FLOORS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98)
"""The floors of the models as shares of the best learner's criterion."""
NO_FLOOR = 3.0
"""Prior weight of none, when each of the others has 1."""
KERNELS: tuple[tuple[int, float], ...] = ((0, 0.0), (1, 0.0), (2, 0.0), (2, 1.0), (2, 0.5))
"""How many of level and slope the process is linear in, and the scale of a smooth part, if any."""
SMOOTH = 3.0
"""Variance of the smooth part in units of s^2; that of the linear parts is 1, of a constant 100."""
CLIP = 3.0
"""Levels and slopes further out count as so many standard deviations."""
GOOD = 2.0 / 3.0
TRUNCATED = 1.4
"""A normal distribution's standard deviation over that of its lower two thirds."""
FEWEST = 6
"""Good learners without whom nothing is foretold."""


@dataclass(frozen=True)
class Standings:
    """Level and slope ``[trainings, 2]``, on the scale of x; ``broken`` are those that diverged."""

    values: Floats
    broken: Booleans

    @classmethod
    def of(cls, curves: Floats) -> Standings:
        """Return those of curves ``[trainings, epochs]`` on the scale of x."""
        epochs = curves.shape[1]
        quarter = max(1, epochs // 4)
        level = curves[:, -quarter:].mean(axis=1)
        before = curves[:, max(0, epochs - 2 * quarter) : max(1, epochs - quarter)].mean(axis=1)
        broken = ~np.isfinite(level) | ~np.isfinite(before)
        safe = np.where(broken, 0.0, level)
        return cls(np.stack([safe, np.where(broken, 0.0, before) - safe], axis=1), broken)


@dataclass(frozen=True, eq=False)
class Draws:
    """Criteria at the end, drawn: ``values`` ``[draws, candidates]``, and how they came about.

    A value is good with probability ``good`` ``[draws, candidates]``. Then it is ``floor``
    ``[draws]`` plus the exponential of a normal number with ``location`` and ``scale`` ``[draws,
    candidates]``; where criteria are not positive, ``floor`` is NaN and it is that number itself.
    """

    values: Floats
    good: Floats
    floor: Floats
    location: Floats
    scale: Floats

    def below(self, bars: Floats) -> Floats:
        """Return how probable each is to end below the ``bars`` ``[draws]``, ``[candidates]``."""
        from scipy import special

        plain = np.isnan(self.floor)
        above = bars - np.where(plain, 0.0, self.floor)
        with np.errstate(divide="ignore"):
            bar = np.where(plain, above, np.log(np.maximum(above, 0.0)))
        return np.asarray(
            (self.good * special.ndtr((bar[:, None] - self.location) / self.scale)).mean(axis=0)
        )


@dataclass(frozen=True, eq=False)
class _Model:
    """A process given its kernel and floor: the posterior, for trainings of weights ``root``^2.

    Its mean is ``middle`` plus kernel times ``root`` times ``weights``, its variance follows from
    ``inverse`` in units of s^2, which is inverse gamma (``shape``, ``rate``). ``evidence`` is the
    logarithm of its probability but for a constant.
    """

    kernel: tuple[int, float]
    floor: float
    middle: float
    weights: Floats
    inverse: Floats
    shape: float
    rate: float
    evidence: float


class Forecast:
    """What the learners of one recipe tell of others at a rung.

    Parameters
    ----------
    stood
        Where their trainings to the end stood at this rung.
    whose
        The learner of each, from 0, ``[trainings]``.
    criteria
        The learners' criteria, ``[learners]``.

    It has nothing to tell unless there are ``enough`` good learners.
    """

    def __init__(self, stood: Standings, whose: Integers, criteria: Floats) -> None:
        self._stood, self._whose, self._learners = stood, whose, len(criteria)
        self._share = 1.0 / np.bincount(whose, minlength=len(criteria))[whose]
        bar, self._widen = _good(criteria)
        good = criteria <= bar
        self._good = good[whose]
        rest = criteria[~good & np.isfinite(criteria)]
        self._worse = float(np.median(rest)) if len(rest) else float(bar)
        use = self._good & ~stood.broken
        self.enough = len(np.unique(whose[use])) >= FEWEST
        if not self.enough:
            return
        share = self._share[use]
        where, total = stood.values[use], float(share.sum())
        self._middle = share @ where / total
        self._unit = np.sqrt(share @ (where - self._middle) ** 2 / total) + 1e-6
        self._where, self._root = self._scaled(where), np.sqrt(share)
        values = criteria[whose[use]]
        low = float(values.min())
        floors = [height * low for height in FLOORS] if low > 0.0 else [np.nan]
        self._models = [
            one for kernel in KERNELS for one in self._fitted(values, total, kernel, floors)
        ]

    def _scaled(self, stand: Floats) -> Floats:
        return np.asarray(np.clip((stand - self._middle) / self._unit, -CLIP, CLIP))

    def _kernel(self, scaled: Floats, kernel: tuple[int, float]) -> Floats:
        """Return the prior covariance with the learners' trainings, ``[trainings, learners']``."""
        linear, scale = kernel
        found = 100.0 + scaled[:, :linear] @ self._where[:, :linear].T
        if scale:
            away = ((scaled[:, None] - self._where) ** 2).sum(axis=2)
            found += SMOOTH * np.exp(-0.5 * away / scale**2)
        return np.asarray(found)

    def _fitted(
        self, values: Floats, number: float, kernel: tuple[int, float], floors: list[float]
    ) -> Iterator[_Model]:
        """Yield the processes of a kernel; a learner has a weight of 1 in all, ``number`` together.

        1/s^2 has the gamma distribution with shape 1 and as rate half the variance of the values.
        """
        root, count = self._root, len(values)
        covariance = np.eye(count) + root[:, None] * self._kernel(self._where, kernel) * root
        inverse = np.asarray(np.linalg.inv(covariance), np.float64)
        size = float(np.linalg.slogdet(covariance)[1])
        for floor in floors:
            plain = np.isnan(floor)
            target = values if plain else np.log(values - floor)
            middle = float(root**2 @ target) / number
            away = root * (target - middle)
            start = 0.5 * float(away @ away) / number + 1e-12
            weights = inverse @ away
            shape, rate = 1.0 + number / 2.0, start + 0.5 * float(away @ weights)
            evidence = np.log(start) - shape * np.log(rate) - 0.5 * size
            if not plain:
                evidence -= float(root**2 @ np.log((values - floor) / values))
                evidence += np.log(NO_FLOOR) if floor == 0.0 else 0.0
            yield _Model(kernel, floor, middle, weights, inverse, shape, rate, float(evidence))

    def draw(
        self, stand: Standings, count: int, rng: np.random.Generator, *, ruined: bool
    ) -> Draws:
        """Return ``count`` draws of the criteria of candidates that stand so.

        ``ruined`` says that an instance that diverged makes the criterion +inf.
        """
        number = len(stand.broken)
        evidence = np.array([one.evidence for one in self._models])
        chances = np.exp(evidence - evidence.max())
        chosen = rng.choice(len(self._models), size=count, p=chances / chances.sum())
        floor = np.array([one.floor for one in self._models])[chosen]
        location, spread = np.empty((count, number)), np.empty((count, number))
        scaled = self._scaled(np.where(stand.broken[:, None], self._middle, stand.values))
        for kernel in KERNELS:
            near = self._kernel(scaled, kernel) * self._root
            own = 100.0 + (scaled[:, : kernel[0]] ** 2).sum(axis=1) + SMOOTH * bool(kernel[1])
            for place in np.unique(chosen):
                model = self._models[place]
                if model.kernel != kernel:
                    continue
                draws = np.flatnonzero(chosen == place)
                variance = 1.0 + own - ((near @ model.inverse) * near).sum(axis=1)
                deviation = np.sqrt(model.rate / rng.gamma(model.shape, size=len(draws)))
                location[draws] = model.middle + near @ model.weights
                spread[draws] = deviation[:, None] * np.sqrt(np.maximum(variance, 1.0))
        spread *= self._widen
        good = self._chances(stand, count, rng)
        good[:, stand.broken & ruined] = 0.0
        values = location + spread * rng.standard_normal((count, number))
        if not np.isnan(floor[0]):
            values = floor[:, None] + np.exp(values)
        values = np.where(rng.random((count, number)) < good, values, self._worse)
        values[:, stand.broken & ruined] = np.inf
        return Draws(values, good, floor, location, spread)

    def _chances(self, stand: Standings, count: int, rng: np.random.Generator) -> Floats:
        """Return how probable each candidate is to be good in every draw, ``[draws, candidates]``.

        Who diverged is compared with those that did.
        """
        stood, number = self._stood, len(self._whose)
        unit = stood.values[~stood.broken].std(axis=0)
        unit = np.where(unit > 0.0, unit, 1.0)
        near = np.zeros((len(stand.broken), number))
        for start in range(0, len(near), 1024):
            some = slice(start, start + 1024)
            away = (((stand.values[some, None] - stood.values) / unit) ** 2).sum(axis=2)
            away[stand.broken[some, None] != stood.broken] = np.inf
            closest = np.argsort(away, axis=1, kind="stable")[:, :NEIGHBOURS]
            known = np.isfinite(np.take_along_axis(away, closest, axis=1))
            np.put_along_axis(near[some], closest, known * self._share[closest], axis=1)
        weights = rng.exponential(size=(count, self._learners))[:, self._whose]
        prior = rng.exponential(size=count)
        own = weights * self._share
        share = (own @ self._good) / own.sum(axis=1)
        found = weights @ (near * self._good).T + (prior * share)[:, None]
        return np.asarray(found / (weights @ near.T + prior[:, None]))


def _good(criteria: Floats) -> tuple[float, float]:
    """Return the largest criterion of a good learner, and by how much its spread is too small.

    Who stands apart: below the widest gap, if that is half as wide as all below it lie apart.
    """
    known = np.sort(criteria[np.isfinite(criteria)])
    if len(known) == 0:
        return -np.inf, 1.0
    scaled = np.log(known) if known[0] > 0.0 else known
    least, gaps = max(FEWEST, len(criteria) // 8), np.diff(scaled)
    if len(known) > least:
        last = least - 1 + int(gaps[least - 1 :].argmax())
        if gaps[last] > 0.5 * (scaled[last] - scaled[0]):
            return float(known[last]), 1.0
    return float(known[min(len(known), int(np.ceil(GOOD * len(criteria)))) - 1]), TRUNCATED
