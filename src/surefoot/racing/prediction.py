"""Prediction: what a candidate's criterion will be after more instances, from all losses so far.

The maximum of eight losses says little about the maximum of sixty, and its luck is large. The
losses of the other candidates help: they tell how noise is shaped, how large it commonly is and
which instances were hard for everybody. So the losses a candidate will have are predicted by
``m_i + s_i q`` on the logarithm (or as they are, if some are not positive), where q runs over the
quantiles of the standardised noise of all candidates together, and the criterion is taken over
those it has and those predicted. Instances that others have trained on and it has not are
predicted as hard as they were for the others. What was seen keeps its full weight: a loss that
exploded stays.
"""

from __future__ import annotations

import numpy as np

from surefoot.racing.criteria import Criterion
from surefoot.racing.table import Booleans, Floats, Integers

SIZE = 64
"""Instances after which the criterion is predicted, unless told otherwise."""
SWEEPS = 5
PRIOR = 6.0
"""Degrees of freedom with which the common noise variance stands against a candidate's own."""


class Prediction:
    """A location-scale model of some candidates' losses, with a common effect per instance.

    ``location`` and ``deviation`` ``[candidates]`` and ``effect`` ``[instances]`` are on the scale
    of the model (logarithms when ``logarithmic``); ``error`` is the location's standard error
    relative to the other candidates, the instances' common effect taken out. ``broken`` is the
    share of its instances that diverged.
    """

    def __init__(self, losses: Floats, counts: Integers) -> None:
        """Fit to ``losses`` ``[candidates, instances]``, read up to ``counts``; +inf is skipped."""
        self.losses, self.counts = losses, counts
        trained = np.arange(losses.shape[1]) < counts[:, None]
        seen = trained & np.isfinite(losses)
        self.broken = 1.0 - seen.sum(axis=1) / counts
        self.logarithmic = bool((losses[seen] > 0.0).all())
        filled = np.where(seen, losses, 1.0)
        scaled = np.where(seen, np.log(filled) if self.logarithmic else filled, 0.0)
        number = np.maximum(seen.sum(axis=1), 1)
        own = scaled.sum(axis=1) / number
        freedom = number - 1
        noise = np.where(seen, scaled - own[:, None], 0.0)
        self.deviation = np.sqrt(_steadied((noise**2).sum(axis=1), freedom))
        self.location, self.effect, residual = _additive(scaled, seen, own)
        self.error = np.sqrt(_steadied((residual**2).sum(axis=1), freedom) / number)
        size = self.deviation * np.sqrt(np.maximum(freedom, 1) / number)
        use = seen & (freedom > 0)[:, None] & (size > 0.0)[:, None]
        shape = (noise / np.where(size > 0.0, size, 1.0)[:, None])[use]
        self.shape = np.sort(shape - shape.mean()) if len(shape) else np.zeros(1)
        scatter = float(self.shape.std())
        if scatter > 0.0:
            self.shape = self.shape / scatter

    def criterion(self, criterion: Criterion, size: int) -> Floats:
        """Return the criterion of ``size`` losses of each: those seen, the rest predicted.

        +inf where the losses seen make it so.
        """
        values = np.empty(len(self.losses))
        ahead_of = self.effect.sum() - np.concatenate([[0.0], self.effect.cumsum()])
        for count in np.unique(self.counts):
            rows = np.flatnonzero(self.counts == count)
            known = self.losses[rows, :count]
            rest = max(0, size - int(count))
            ease = ahead_of[count] / max(rest, len(self.effect) - int(count), 1)
            levels = (np.arange(rest) + 0.5) / max(rest, 1)
            places = levels * (len(self.shape) - 1)
            noise = np.interp(places, np.arange(len(self.shape)), self.shape)
            spread = self.deviation[rows, None] * noise
            ahead = self.location[rows, None] + ease + spread
            if self.logarithmic:
                ahead = np.exp(ahead)
            ahead[levels > 1.0 - self.broken[rows, None]] = np.inf
            values[rows] = criterion.values(np.concatenate([known, ahead], axis=1))
        return values


def predict(criterion: Criterion, losses: Floats, counts: Integers, size: int) -> Floats:
    """Return the predicted criterion of ``size`` losses of every candidate, ``[candidates]``.

    With one instance each there is no noise to learn from: then it is the criterion itself.
    """
    if int(counts.max()) < 2:
        return criterion.values(losses, counts)
    return Prediction(losses, counts).criterion(criterion, size)


def _steadied(squares: Floats, freedom: Integers) -> Floats:
    """Return variances drawn towards the common one, with `PRIOR` degrees of freedom."""
    total = float(freedom.sum())
    common = float(squares.sum()) / total if total else 0.0
    return np.asarray((PRIOR * common + squares) / (PRIOR + freedom))


def _additive(scaled: Floats, seen: Booleans, own: Floats) -> tuple[Floats, Floats, Floats]:
    """Fit candidate + instance effects; return both and the residuals.

    The instances' effects are random, so that one that few have seen is drawn towards zero: the
    mixed model equations (Henderson 1975), with the ratio of the variances by expectation
    maximisation.
    """
    known = seen.astype(np.float64)
    rows, columns = np.maximum(known.sum(axis=1), 1.0), known.sum(axis=0)
    used = max(1, int((columns > 0.0).sum()))
    freedom, ratio = known.sum() - len(own), 1.0
    for _ in range(SWEEPS):
        effect, trace = _instance_effects(scaled, known, rows, columns, own, ratio)
        location = own - known @ effect / rows
        residual = np.where(seen, scaled - location[:, None] - effect, 0.0)
        trace -= (len(columns) - used) / ratio
        within = float((residual**2).sum()) / max(1.0, freedom - used + ratio * trace)
        between = (float((effect**2).sum()) + within * trace) / used
        ratio = float(np.clip(within / between, 0.05, 50.0)) if between > 0.0 else 50.0
    return location, effect, residual


def _instance_effects(
    scaled: Floats, known: Floats, rows: Floats, columns: Floats, own: Floats, ratio: float
) -> tuple[Floats, float]:
    """Solve the mixed model equations for the instances' effects at a ratio of the variances.

    Also returns the trace of the inverse of their matrix, the candidates' effects eliminated. The
    smaller of the two systems is solved, that of the instances or that of the candidates.
    """
    sums = scaled.sum(axis=0)
    if len(columns) <= len(rows):
        matrix = np.diag(columns + ratio) - known.T @ (known / rows[:, None])
        inverse = np.linalg.inv(matrix)
        return inverse @ (sums - own @ known), float(inverse.trace())
    weight = 1.0 / (columns + ratio)
    inverse = np.linalg.inv(np.diag(rows) - (known * weight) @ known.T)
    location = inverse @ (rows * own - known @ (weight * sums))
    spread = (known * weight**2) @ known.T
    return weight * (sums - location @ known), float(weight.sum() + (inverse * spread).sum())
