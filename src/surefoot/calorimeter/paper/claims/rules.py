"""What the rules of the claims have in common.

Medians are compared by their ratio with a bootstrap interval of 95 %, spreads (interquartile
ranges) likewise; instances of one number are paired, since they share their draws.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from surefoot.calorimeter.paper.evidence import Recorded
from surefoot.calorimeter.paper.verdicts import (
    FEWEST,
    NOT_SEEN,
    REVERSED,
    SEEN,
    Found,
)
from surefoot.errors import StatisticsError
from surefoot.seeds.ledger import FactorLevels
from surefoot.statistics.intervals import Interval
from surefoot.statistics.plateau import flat_from

Floats = NDArray[np.float64]
M1, M2, M3, M4 = "model 1", "model 2", "model 3", "model 4"
SUM, BARYCENTRE, TREES = "scaled sum", "barycentre, S-curve", "XGBoost, paper's features"
STEADY = 1.10
"""A candidate is robust if its largest loss is at most this multiple of its median."""
CONVERGED = 0.10
"""A median curve has converged from where it stays within this share of its last value."""


def below(ratio: Interval, at: float = 1.0) -> Found:
    """Seen if a ratio's whole interval is below a value, reversed if above."""
    return SEEN if ratio.high < at else REVERSED if ratio.low > at else NOT_SEEN


def above(ratio: Interval, at: float = 1.0) -> Found:
    """Seen if a ratio's whole interval is above a value, reversed if below."""
    return SEEN if ratio.low > at else REVERSED if ratio.high < at else NOT_SEEN


def all_of(found: Sequence[Found]) -> Found:
    """Seen if all are; reversed if one is and none is seen; else not seen."""
    if all(one == SEEN for one in found):
        return SEEN
    return REVERSED if REVERSED in found and SEEN not in found else NOT_SEEN


def best_of(study: Recorded, field: str) -> dict[str, Floats]:
    """Return the losses of the candidate of lowest mean for each value of a field.

    Raises `StatisticsError` unless all candidates have equally many instances.
    """
    counts = Counter(one.candidate for one in study.told)
    if len({counts[key] for key in study.specs if key != study.baseline}) > 1:
        raise StatisticsError(f"{study.study} is not complete yet")
    best: dict[str, Floats] = {}
    for key, spec in study.specs.items():
        if field in spec and any(one.candidate == key for one in study.told):
            losses, value = study.losses(key), str(spec[field])
            if value not in best or losses.mean() < best[value].mean():
                best[value] = losses
    if len(best) < 2:
        raise StatisticsError(f"the study {study.study} has fewer than two values of {field}")
    return best


def converged(study: Recorded, name: str) -> int:
    """Return the epoch from which the median curve stays within `CONVERGED` of its last value."""
    curves = study.curves(name)
    if curves is None:
        raise StatisticsError(f"the study {study.study} has no curves of {name}")
    return flat_from(curves.quantiles([0.5])[0], CONVERGED) + 1


def alone_of(study: Recorded) -> dict[str, list[float]]:
    """Return the losses where the sample, the initial weights, or both vary.

    Raises `StatisticsError` for too few.
    """
    alone: dict[str, list[float]] = {"sample": [], "weights": [], "both": []}
    for one in study.told:
        levels = FactorLevels.numbered(one.instance)
        if levels.order or levels.test:
            continue
        # The first instance belongs to all three experiments.
        if not levels.init:
            alone["sample"].append(one.loss)
        if not levels.draw:
            alone["weights"].append(one.loss)
        if levels.draw == levels.init:
            alone["both"].append(one.loss)
    if min(map(len, alone.values())) < FEWEST:
        raise StatisticsError(f"{study.study} has fewer than {FEWEST} instances of a source yet")
    return alone


def warmup_of(study: Recorded) -> Floats:
    """Return the first five losses of every candidate that has so many in the race."""
    raced: dict[str, list[float]] = {}
    for one in sorted(study.told, key=lambda one: one.instance):
        if one.role == "race" and one.candidate != study.baseline:
            raced.setdefault(one.candidate, []).append(one.loss)
    kept = [losses[:5] for losses in raced.values() if len(losses) >= 5]
    if len(kept) < 2:
        raise StatisticsError(f"no two candidates of {study.study} have five instances yet")
    return np.array(kept)
