"""Rungs by prediction: of those within a tolerance of the best, one at least stays.

Some candidates of every recipe, the *learners*, are trained to the end first: a fiftieth of them,
and never fewer than asked for, the better quarter of them by several instances. At a rung
`surefoot.racing.rungs.forecast` draws, many times over, where all candidates end: the learners at
their criterion so far with its standard error, the others as learners that stood where they stand.

In every draw some candidate is the best, and some others end within ``tolerance`` of it. Ranked by
how probable each is to be one of these, so many of the first stay that they hold one in at least
1 - risk/(2 K) of the draws, K being the number of rungs: then all of them leave, at any rung, with
a probability of at most half the ``risk``, as far as the draws are right; the other half is for
what they are not. The learners, who are trained already, and the `FEWEST` most
probable ones stay anyway; of the others the most probable are the reserve, trained on to measure
the risk.

The risk is stated for the tolerance, not for the one best candidate: among thousands many differ by
less than any race can tell, and of those one is as good as the other. It holds as far as the
candidates' curves fall as the learners' did: what fewer than one in a dozen of them does is hardly
seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from surefoot.racing.criteria import Criterion
from surefoot.racing.parts import LEVEL, SHARE, Domain, key, number, whole
from surefoot.racing.prediction import SIZE, Prediction
from surefoot.racing.rungs.base import RungEvidence, RungField, Rungs, RungVerdict, after
from surefoot.racing.rungs.forecast import Draws, Forecast, Standings
from surefoot.racing.table import Booleans, Floats, Integers

SHARES = (0.05, 0.15, 0.4)
"""Epochs of the rungs as shares of those of the shortest training, unless told otherwise."""
FIFTIETH = 50
"""Of so many candidates of a recipe one is a learner."""
FURTHER = 2
"""Instances beyond the first that the better quarter of the learners trains, at least."""
FEWEST = 16
"""So many stay beside the learners, if there are so many."""
SPENT = 0.5
"""Share of the risk that is spent in the draws; the rest is left to what their model ignores."""
DRAWS = 500
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
    """Out whom the best can spare: of those that will end within ``tolerance`` of it, as predicted
    from the losses so far, one stays but for the ``risk``.

    ``epochs`` are those of the rungs; 5, 15 and 40 % of the shortest training's unless given.
    """

    risk: float = key(
        LEVEL, "Probability that all within the tolerance of the best leave at rungs.", 0.05
    )
    tolerance: float = key(SHARE, "Share above the best's criterion that is as good.", 0.02)
    learning_from: int = key(
        whole(8), "Candidates of a recipe trained to the end first, at least.", 32
    )
    reserve: int = key(whole(0), "Trained on though they were to leave, per rung.", 2)
    epochs: tuple[int, ...] | None = number(EPOCHS, None)
    seed: int = number(whole(0), 0)
    name = "prediction"
    place = 0

    @property
    def words(self) -> str:
        """Who leaves at a rung."""
        return (
            f"out whom prediction spares, so that one within {self.tolerance:.3g} of the best "
            f"stays but for a risk of {self.risk:g}"
        )

    @property
    def stated_risk(self) -> float:
        """``risk``."""
        return self.risk

    @property
    def as_good(self) -> float:
        """``tolerance``."""
        return self.tolerance

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
        """Return 1 for the learners of every recipe, and all for their better quarter, once known.

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
                asked[chosen[order[: len(chosen) // 4]]] = self.instances(field.criterion)
        return asked

    def judge(self, evidence: RungEvidence) -> RungVerdict:
        """Remove those without whom the others hold one within the tolerance."""
        values, parts, sure = self._drawn(evidence)
        best = values.min(axis=1)
        bars = best + self.tolerance * np.abs(best)
        chances = np.where(sure, np.inf, 0.0)
        for rows, drawn in parts:
            chances[rows] += drawn.below(bars)
        order = np.lexsort((evidence.rank, -chances))
        held = (values[:, order] <= bars[:, None]).argmax(axis=1)
        spare = max(0, int(SPENT * self.risk / len(evidence.rungs) * (DRAWS + 1)) - 1)
        needed = int(np.sort(held)[DRAWS - 1 - spare]) + 1
        keep = min(len(order), max(needed, int(sure.sum()) + FEWEST))
        leave = np.ones(len(order), np.bool_)
        leave[order[:keep]] = False
        ends = np.median(values, axis=0)
        doubtful = order[keep:][np.isfinite(ends[order[keep:]])]
        reserve = np.zeros(len(order), np.bool_)
        reserve[doubtful[: self.reserve]] = True
        sureness = float((held < keep).mean())

        def reason(row: int) -> str:
            now = float(evidence.curves[0, row, -1])
            where = after(evidence.epoch)
            if np.isinf(ends[row]):
                return f"{where}: the first instance diverged or failed (loss {now:.4g})"
            return (
                f"{where}: loss {now:.4g}, predicted to end at {ends[row]:.4g}; one that ends "
                f"within {100 * self.tolerance:.3g} % of the best is among the {keep:,} that stay "
                f"with probability {sureness:.3f} (risk {self.risk:g} in all rungs)"
            )

        return RungVerdict(leave & ~reserve, reserve, np.asarray(ends), reason)

    def _drawn(
        self, evidence: RungEvidence
    ) -> tuple[Floats, list[tuple[Integers, Draws]], Booleans]:
        """Return where all end in every draw, recipe by recipe, and who stays whatever is drawn.

        Of a recipe without learners, or with too few good ones, all stay.
        """
        rng = np.random.default_rng([self.seed, evidence.epoch])
        values = np.full((DRAWS, len(evidence.rank)), np.inf)
        parts, sure = list[tuple[Integers, Draws]](), evidence.kept | evidence.learners
        to = _scale(evidence.curves[0])
        broken = np.append(np.inf, np.ones(SIZE - 1))[None]
        ruined = bool(np.isinf(evidence.criterion.values(broken))[0])
        for recipe in np.unique(evidence.recipes):
            rows = np.flatnonzero(evidence.recipes == recipe)
            rows = rows[np.argsort(evidence.rank[rows])]
            learners = rows[evidence.learners[rows]]
            criteria, own = _learnt(evidence, learners, rng)
            values[:, learners] = own
            known = Forecast(*_stood(evidence, learners, to), criteria)
            if not known.enough:
                sure[rows] = True
                continue
            others = rows[~evidence.learners[rows]]
            stand = Standings.of(to(evidence.curves[0, others]))
            drawn = known.draw(stand, DRAWS, rng, ruined=ruined)
            values[:, others] = drawn.values
            parts.append((others, drawn))
        return values, parts, sure


def _learnt(
    evidence: RungEvidence, learners: Integers, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return the learners' criteria, from all their instances, and draws ``[draws, learners]``."""
    if not len(learners):
        return np.empty(0), np.empty((DRAWS, 0))
    losses = evidence.losses[learners]
    model = Prediction(losses, (~np.isnan(losses)).sum(axis=1))
    criteria = model.criterion(evidence.criterion, SIZE)
    luck = model.error * rng.standard_normal((DRAWS, len(learners)))
    return criteria, criteria * np.exp(luck) if model.logarithmic else criteria + luck


def _stood(evidence: RungEvidence, learners: Integers, to: Scale) -> tuple[Standings, Integers]:
    """Return where the learners' trainings to the end stood at the rung, and whose each is."""
    most = min(evidence.curves.shape[0], evidence.losses.shape[1])
    whose, instance = np.nonzero(~np.isnan(evidence.losses[learners, :most]))
    return Standings.of(to(evidence.curves[instance, learners[whose]])), whose


def _scale(curves: Floats) -> Scale:
    """Return the function to the scale of x."""
    return np.log if (curves[np.isfinite(curves)] > 0.0).all() else np.asarray
