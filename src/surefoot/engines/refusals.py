"""Why a network cannot be trained on a population: checks that engines share."""

from __future__ import annotations

import math

from surefoot.candidates.convnet.network import ConvNet
from surefoot.errors import DataError
from surefoot.instances import Setting


def data_refusal(net: ConvNet, setting: Setting) -> str | None:
    """Return one sentence that says why ``net`` does not fit the setting's data, else None."""
    population = setting.halves.population
    cells, columns = math.prod(net.input_shape), population.features.shape[1]
    if cells != columns:
        shape = "×".join(map(str, net.input_shape))
        return (
            f"{net.label} takes {cells} features ({shape}) but {population.name} has {columns}: "
            f"set input_shape"
        )
    if net.outputs != population.outputs:
        return (
            f"{net.label} has {net.outputs} outputs but {population.name} has "
            f"{population.outputs} targets: they must agree"
        )
    sides = 0 if population.side is None else population.side.shape[1]
    if net.side and net.side != sides:
        return (
            f"{net.label} takes {net.side} side features but {population.name} has {sides}: "
            f"use side = {sides}"
        )
    if net.loss is not None:
        try:
            population.check_loss(net.loss)
        except DataError as error:
            return f"{net.label} cannot be trained: {error}"
    return None
