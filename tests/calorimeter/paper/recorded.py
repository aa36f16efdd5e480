"""Recorded studies made up of losses, for rules and figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from surefoot.calorimeter.paper.evidence import Recorded, Told

RNG = np.random.default_rng(4)


def losses(median: float, spread: float = 0.01, n: int = 20) -> np.ndarray:
    """Return losses around a median whose interquartile range is about that share of it."""
    around = np.linspace(-1.0, 1.0, n) + 0.05 * RNG.normal(size=n)
    return median * (1.0 + spread * around)


def told(name, size, values, *, role="compare", first=0, epochs=100, curve=()):
    return [
        Told(name, role, first + i, size, "finished" if np.isfinite(loss) else "diverged",
             float(loss), 0.98 * float(loss), epochs, 1.0,
             np.array(curve, np.float32) * np.float32(loss) if len(curve) else
             np.empty(0, np.float32))
        for i, loss in enumerate(values)
    ]  # fmt: skip


def study(
    name: str,
    rows: Mapping[tuple[str, int], Any],
    *,
    kind: str = "compare",
    curves: Mapping[str, Any] | None = None,
    more: tuple[Told, ...] = (),
    **changes: Any,
) -> Recorded:
    """Return a study whose ``rows`` are losses by candidate and size; names are their own keys."""
    every = [
        one
        for (candidate, size), values in rows.items()
        for one in told(candidate, size, values, curve=(curves or {}).get(candidate, ()))
    ]
    names = dict.fromkeys([one.candidate for one in (*every, *more)])
    fields: dict[str, Any] = {
        "study": name,
        "scale": "paper",
        "description": {
            "kind": kind,
            "population": {"name": "photons:A", "unit": ""},
            "loss": "relative_rmse",
        },
        "baseline": "",
        "winner": "",
        "complete": True,
        "progress": "",
        "names": {one: one for one in names},
        "specs": {one: {} for one in names},
        "told": (*every, *more),
    }
    return Recorded(**{**fields, **changes})
