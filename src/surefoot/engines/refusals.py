"""Why a candidate does not fit a population: checks that engines share."""

from __future__ import annotations

import math

from surefoot.candidates.base import Candidate
from surefoot.errors import DataError
from surefoot.instances import Setting
from surefoot.learning.losses.base import Loss


def data_refusal(candidate: Candidate, setting: Setting, loss: Loss | None) -> str | None:
    """Return one sentence that says why a candidate does not fit the setting's data, else None.

    Of its fields ``input_shape``, ``outputs`` and ``side`` (a number, or True for all there are)
    those it has are checked; ``loss`` is one that is computed on the targets.
    """
    population, label = setting.halves.population, candidate.label
    shape, columns = getattr(candidate, "input_shape", None), population.features.shape[1]
    if shape is not None and math.prod(shape) != columns:
        return (
            f"{label} takes {math.prod(shape)} features ({'×'.join(map(str, shape))}) but "
            f"{population.name} has {columns}: set input_shape"
        )
    outputs = getattr(candidate, "outputs", population.outputs)
    if outputs != population.outputs:
        return (
            f"{label} has {outputs} outputs but {population.name} has {population.outputs} "
            "targets: they must agree"
        )
    side = getattr(candidate, "side", 0)
    sides = 0 if population.side is None else population.side.shape[1]
    if side is True and not sides:
        return f"{label} takes side features but {population.name} has none"
    if side is not True and side not in (0, sides):
        return (
            f"{label} takes {side} side features but {population.name} has {sides}: "
            f"use side = {sides}"
        )
    try:
        if loss is not None:
            population.check_loss(loss)
    except DataError as error:
        return f"{label} cannot be trained: {error}"
    return None
