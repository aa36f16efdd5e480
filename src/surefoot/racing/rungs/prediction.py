"""Rungs by prediction: whoever stands where none of the best ever stood leaves.

Some candidates of every recipe, the *learners*, are trained to the end first: a fiftieth of them,
and never fewer than asked for. The better half of them by the first instance trains further ones,
and those of the smallest criterion over all of these, an eighth of the learners and at least eight,
are the *references*: what a good candidate of this recipe looks like, on several draws.

With x the logarithm of a loss (or the loss, if some are not positive), a training at epoch e stands
at its *level*, the mean of x over the last quarter of its epochs, and falls by its *slope*, the
distance of that mean to the one of the quarter before. How much it still *gains* is what the five
trainings to the end gained on average that stood closest at this epoch, in level and slope: it is
predicted to end at p = level - gain. So a slow learner that falls steeply is not taken for one that
has come to rest at the same loss.

What p a good candidate may have is learnt from the references' own curves, each predicted without
those of its candidate. With their mean m, standard deviation s, number n and r references, a
further candidate as good as they are has

    p > m + t s sqrt(1 + 1/n),    t the quantile 1 - risk/K of Student's distribution, r - 1 degrees

with a probability of about risk/K (the prediction interval of a normal sample, with as many degrees
of freedom as there are candidates in it), so in all K rungs together of at most ``risk``. Whoever
has a larger one, and larger than any reference at this rung, leaves. This is a test of "as good as
the references": the risk is that of the best candidate, as far as its curve is one that they could
have had. What good candidates do at a rung that fewer than one in r of them does is not seen. The
reserve measures the risk: those nearest to the bound, who are trained on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from surefoot.racing.criteria import Criterion
from surefoot.racing.parts import LEVEL, Domain, key, number, whole
from surefoot.racing.prediction import SIZE, predict
from surefoot.racing.rungs.base import RungEvidence, RungField, Rungs, RungVerdict, after
from surefoot.racing.table import Floats, Integers

SHARES = (0.05, 0.15, 0.4)
"""Epochs of the rungs as shares of those of the shortest training, unless told otherwise."""
FIFTIETH = 50
"""Of so many candidates of a recipe one is a learner."""
CLOSEST = 5
"""Trainings to the end that say what one gains."""
FURTHER = 2
"""Instances beyond the first that the better half of the learners trains, at least."""
EPOCHS = Domain(
    tuple,
    "ascending numbers of epochs such as (5, 15, 40)",
    "",
    lambda given: (
        all(isinstance(one, int) and one > 0 for one in given) and list(given) == sorted(set(given))
    ),
)

Scale = Callable[[Floats], Floats]


@dataclass(frozen=True)
class ByCurve(Rungs):
    """Out who is predicted, from the loss so far and how fast it falls, to end worse than any of
    the best of those that were trained to the end first.

    ``epochs`` are those of the rungs; 5, 15 and 40 % of the shortest training's unless given.
    """

    risk: float = key(LEVEL, "Probability that the best leaves at a rung.", 0.05)
    learning_from: int = key(
        whole(8), "Candidates of a recipe trained to the end first, at least.", 32
    )
    reserve: int = key(whole(0), "Trained on though they were to leave, per rung.", 8)
    epochs: tuple[int, ...] | None = number(EPOCHS, None)
    name = "prediction"
    place = 0

    @property
    def words(self) -> str:
        """Who leaves at a rung."""
        return f"out who is predicted to end worse than the best, at a risk of {self.risk:g}"

    @property
    def stated_risk(self) -> float:
        """``risk``."""
        return self.risk

    def active(self, field: RungField) -> bool:
        """Say whether there are learners."""
        return bool(self.learning(field).any())

    def at(self, epochs: int) -> tuple[int, ...]:
        """Return the rungs given, or shares of the epochs, as far as they come before the end."""
        given = self.epochs or tuple(math.ceil(share * epochs) for share in SHARES)
        return tuple(epoch for epoch in dict.fromkeys(given) if epoch < epochs)

    def instances(self, criterion: Criterion) -> int:
        """Return the first instance and `FURTHER`, or as many as the criterion needs."""
        return max(1 + FURTHER, criterion.needs)

    def learning(self, field: RungField) -> Integers:
        """Return 1 for the learners of every recipe, and all for their better half, once known.

        Learners are the first by key, which is as good as by lot. A recipe of so few candidates
        that learning from some would spare nothing has none, and all of it is trained to the end.
        """
        asked = np.zeros(len(field.losses), np.int64)
        for recipe in np.unique(field.recipes):
            members = np.flatnonzero(field.recipes == recipe)
            if len(members) <= 2 * self.learning_from:
                continue
            count = max(self.learning_from, len(members) // FIFTIETH)
            chosen = members[np.argsort(field.rank[members])][:count]
            asked[chosen] = 1
            first = field.losses[chosen, 0] if field.losses.shape[1] else np.full(1, np.nan)
            if not np.isnan(first).any():
                order = np.lexsort((field.rank[chosen], first))
                asked[chosen[order[: len(chosen) // 2]]] = self.instances(field.criterion)
        return asked

    def judge(self, evidence: RungEvidence) -> RungVerdict:
        """Remove whose prediction is above the bound of its recipe's references."""
        count = evidence.curves.shape[1]
        to, back = _scale(evidence.curves[0])
        values, bound = np.full(count, np.inf), np.full(count, np.inf)
        leave = np.zeros(count, np.bool_)
        for recipe in np.unique(evidence.recipes[evidence.learners]):
            rows = np.flatnonzero(evidence.recipes == recipe)
            school = _School(evidence, rows[evidence.learners[rows]], to)
            stand = _standing(to(evidence.curves[0, rows]))
            values[rows] = school.predicted(stand)
            bound[rows] = school.bound(self.risk / len(evidence.rungs))
        first = evidence.losses[:, 0] if evidence.losses.shape[1] else np.full(count, np.nan)
        values[evidence.learners] = to(first[evidence.learners])
        judged = ~evidence.learners & ~evidence.kept
        leave = judged & (values > bound)
        reserve = np.zeros(count, np.bool_)
        doubtful = np.flatnonzero(leave & np.isfinite(values))
        nearest = doubtful[
            np.lexsort((evidence.rank[doubtful], values[doubtful] - bound[doubtful]))
        ]
        reserve[nearest[: self.reserve]] = True

        def reason(row: int) -> str:
            now = float(evidence.curves[0, row, -1])
            where = after(evidence.epoch)
            if np.isinf(now):
                return f"{where}: the first instance diverged or failed (loss inf)"
            ends, most = (float(back(np.array(x[row]))) for x in (values, bound))
            return (
                f"{where}: loss {now:.4g}, predicted to end at {ends:.4g}, where the best are "
                f"predicted to end at {most:.4g} at most (risk {self.risk:g} in all rungs)"
            )

        return RungVerdict(leave & ~reserve, reserve, np.asarray(back(values)), reason)


class _School:
    """What a rung learns from the ``learners`` of one recipe, rows of the evidence.

    ``stood`` ``[trainings, 2]`` are level and slope at the rung of all that were trained to the
    end, ``gained`` what each gained from there on, ``whose`` the row of its candidate. Those that
    diverged teach nothing.
    """

    def __init__(self, evidence: RungEvidence, learners: Integers, to: Scale) -> None:
        most = min(evidence.curves.shape[0], evidence.losses.shape[1])
        losses = evidence.losses[learners, :most]
        ended = np.isfinite(losses)
        of, instance = np.nonzero(ended)
        curves = evidence.curves[instance, learners[of]]
        stood = _standing(to(curves))
        use = np.isfinite(stood).all(axis=1)
        self.stood, self.whose = stood[use], learners[of[use]]
        self.gained = self.stood[:, 0] - to(losses[ended])[use]
        unit = self.stood.std(axis=0) if len(self.stood) else np.ones(2)
        self.unit = np.where(unit > 0.0, unit, 1.0)
        best = max(len(learners) // 8, min(8, len(learners) // 4))
        self.references = _references(evidence, learners, best)

    def predicted(self, stand: Floats, whose: Integers | None = None) -> Floats:
        """Return at what loss trainings end that stand there, on the scale; +inf if diverged.

        ``whose`` are their candidates, whose own trainings then teach nothing of them.
        """
        if len(np.unique(self.whose)) <= CLOSEST:
            return np.full(len(stand), -np.inf)
        finite = np.isfinite(stand[:, 0])
        away = (
            ((np.where(finite[:, None], stand, 0.0)[:, None] - self.stood) / self.unit) ** 2
        ).sum(axis=2)
        if whose is not None:
            away[whose[:, None] == self.whose] = np.inf
        closest = np.argsort(away, axis=1, kind="stable")[:, :CLOSEST]
        return np.where(finite, stand[:, 0] - self.gained[closest].mean(axis=1), np.inf)

    @cached_property
    def best(self) -> Floats:
        """Where the references' trainings are predicted to end, each without its candidate's."""
        own = np.isin(self.whose, self.references)
        return self.predicted(self.stood[own], self.whose[own])

    def bound(self, risk: float) -> float:
        """Return the p that a candidate as good as the references exceeds with that probability."""
        from scipy import special

        number, freedom = len(self.best), len(self.references) - 1
        if freedom < 1 or number < 2 or np.isinf(self.best).any():
            return np.inf
        width = float(self.best.std(ddof=1)) * math.sqrt(1.0 + 1.0 / number)
        normal = float(self.best.mean() + special.stdtrit(freedom, 1.0 - risk) * width)
        return max(normal, float(self.best.max()))


def _references(evidence: RungEvidence, learners: Integers, count: int) -> Integers:
    """Return the rows of the best learners by the criterion, of those with all instances."""
    losses = evidence.losses[learners]
    trained = (~np.isnan(losses)).sum(axis=1)
    whole = learners[trained == trained.max()]
    own = evidence.losses[whole, : int(trained.max())]
    counts = np.full(len(whole), own.shape[1], np.int64)
    values = predict(evidence.criterion, own, counts, SIZE)
    order = np.lexsort((evidence.rank[whole], values))
    return np.asarray(whole[order[:count]])


def _standing(curves: Floats) -> Floats:
    """Return level and slope of curves ``[n, epochs]`` on the scale of x, ``[n, 2]``.

    Both are +inf where the training diverged.
    """
    epochs = curves.shape[1]
    quarter = max(1, epochs // 4)
    level = curves[:, -quarter:].mean(axis=1)
    before = curves[:, max(0, epochs - 2 * quarter) : max(1, epochs - quarter)].mean(axis=1)
    finite = np.isfinite(level)
    slope = np.where(finite, before, np.inf) - np.where(finite, level, 0.0)
    return np.stack([np.where(finite, level, np.inf), slope], axis=1)


def _scale(curves: Floats) -> tuple[Scale, Scale]:
    """Return the functions to the scale of x and back."""
    if (curves[np.isfinite(curves)] > 0.0).all():
        return np.log, np.exp
    return np.asarray, np.asarray
