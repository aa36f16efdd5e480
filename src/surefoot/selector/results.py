"""The table of a selection in the form of scikit-learn's ``cv_results_``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.journal import Journal
from surefoot.seeds.ledger import Role
from surefoot.studies.select.selection import Selection


def results_of(selection: Selection, journal: Journal) -> dict[str, Any]:
    """Return a dict of arrays [candidates], in the order of the study's candidates.

    Scores are minus the losses of the racing instances, NaN where a candidate has none because it
    was eliminated before; a diverged or failed instance scores −∞, and so does its mean.
    """
    keys = selection.table.keys
    losses = [selection.losses(key) for key in keys]
    scores = np.full((len(losses), max(map(len, losses))), np.nan)
    for row, known in zip(scores, losses, strict=True):
        row[: len(known)] = -known
    seconds: dict[str, list[float]] = {}
    for outcome in journal.measures(Role.RACE):
        seconds.setdefault(outcome.candidate, []).append(outcome.seconds)
    place = {key: rank for rank, key in enumerate(selection.state.ranking, start=1)}
    return {
        "params": [selection.known[key].label for key in keys],
        "mean_fit_time": np.array([np.mean(seconds[key]) for key in keys]),
        **{f"split{i}_test_score": scores[:, i] for i in range(scores.shape[1])},
        "mean_test_score": np.array([float(np.mean(-known)) for known in losses]),
        "std_test_score": np.array([_spread(known) for known in losses]),
        "rank_test_score": np.array([place[key] for key in keys], dtype=np.int32),
    }


def _spread(losses: NDArray[np.float64]) -> float:
    return float(np.std(losses)) if np.isfinite(losses).all() else float("nan")
