"""Gaps: how far a candidate is behind the leader, in units of what is not yet known of the two."""

from __future__ import annotations

import numpy as np

from surefoot.racing.prediction.mixed_model import SIZE, Prediction
from surefoot.racing.schedules.base import Standing
from surefoot.racing.table import Floats, Integers


def gaps_to_leader(standing: Standing) -> tuple[int, Floats, Integers]:
    """Return the leader, everybody's gap to it and all from the smallest gap to the largest.

    The leader has the smallest predicted criterion (`mixed_model`). A gap
    ``[survivors]`` is the difference of two predictions (of their logarithms, where losses are
    positive) in units of the difference's standard error, the instances' common effect taken out:
    the transportation cost of best-arm identification (Jourdan et al. 2022), on paired losses. It
    is infinite where the prediction is, and for all while nobody has a second instance, which
    alone tells of noise; the leader's is 0. Ties go by the standing's order. While a race is only
    planned, all gaps are 0.
    """
    if standing.losses is None or standing.order is None:
        return 0, np.zeros(standing.survivors), np.arange(standing.survivors)
    rank = standing.order.argsort()
    model = Prediction(standing.losses, standing.counts)
    values = model.criterion(standing.criterion, SIZE)
    leader = int(np.lexsort((rank, values))[0])
    error = np.hypot(model.error, model.error[leader])
    if model.logarithmic and values[leader] > 0.0:
        with np.errstate(invalid="ignore"):
            behind = np.log(values / values[leader])
    else:
        behind = values - values[leader]
    behind[np.isnan(behind) | np.isinf(values)] = np.inf
    with np.errstate(divide="ignore", invalid="ignore"):
        gaps = np.where(error > 0.0, behind / error, np.where(behind > 0.0, np.inf, 0.0))
    gaps[leader] = 0.0
    return leader, gaps, np.lexsort((rank, gaps))
