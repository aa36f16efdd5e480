"""Curves: how far the first instances of every candidate have come, and their losses on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefoot.racing.table import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One training: its test losses ``[epochs]`` so far, and what these cost in the race's unit.

    ``last`` is the loss it ended with, +inf if it diverged or failed, None while it has not ended.
    """

    losses: npt.NDArray[np.float32]
    price: float
    last: float | None = None


@dataclass(frozen=True, eq=False)
class CurveTable:
    """The curves of the first few instances of all candidates.

    ``losses`` ``[instances, candidates, epochs]`` are NaN from where a training has not come to
    yet; one that has ended keeps its last loss from there on. ``prices`` ``[candidates]`` are what
    an epoch of the first instance costs, in the unit of the race.
    """

    losses: Floats
    prices: Floats

    @classmethod
    def of(
        cls,
        keys: tuple[str, ...],
        curves: Mapping[tuple[str, int], Curve],
        instances: int,
        width: int,
    ) -> CurveTable:
        """Return the curves given by key and instance, in the order of ``keys``.

        Of so many instances, up to ``width`` epochs.
        """
        place = {key: row for row, key in enumerate(keys)}
        losses = np.full((instances, len(keys), width), np.nan)
        prices = np.zeros(len(keys))
        for (key, instance), one in curves.items():
            if key not in place or instance >= instances:
                continue
            row, known = place[key], min(width, one.losses.size)
            losses[instance, row, :known] = one.losses[:known]
            if one.last is not None:
                losses[instance, row, known:] = one.last
            if instance == 0:
                prices[row] = one.price / max(1, one.losses.size)
        return cls(losses, prices)
