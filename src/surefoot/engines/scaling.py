"""Standardised features and targets: every engine scales the same draw alike.

A network that scales sees (x − mean)/deviation of each feature, and each of its outputs z predicts
mean + deviation · z, means and standard deviations (of n, not n − 1) being those of the training
sample. So nothing that is trained depends on the units of a table: neither on those of its
features nor, as what is trained is divided by the deviation of the target to the power in which it
holds its unit, on that of the target. The loss that is measured is that of the predictions. A
feature or target that is constant in the sample is shifted alone, and classes are not scaled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.convnet.network import ConvNet
from surefoot.data.population import Matrix, Population, Rows
from surefoot.learning.losses import Loss

Scaling = Mapping[str, Matrix]
"""``scale.mean`` and ``scale.deviation`` [features], of ``scale.side_`` [side] and
``scale.target_`` [outputs] the same, as they stand among the weights; empty without scaling."""

ROWS = 8192
"""Rows of a sample that are gathered at once: bounds memory."""
_MOMENTS = ("mean", "deviation")


def scaling_names(net: ConvNet) -> dict[str, int]:
    """Return the names of a network's `Scaling` and their lengths; none unless it scales."""
    if not net.scale:
        return {}
    return {f"scale.{w}{name}": n for w, n in _columns(net).items() for name in _MOMENTS}


def _columns(net: ConvNet) -> dict[str, int]:
    """Return how many columns of each kind there are."""
    columns = {"": math.prod(net.input_shape), "side_": net.side, "target_": net.outputs}
    return {what: length for what, length in columns.items() if length}


def scaling_of(net: ConvNet, population: Population, rows: Rows) -> Scaling:
    """Return how a network scales a training sample; empty unless it does."""
    if not net.scale:
        return {}
    shifted = {"": population.features}
    if net.side and population.side is not None:
        shifted["side_"] = population.side
    if population.classes is None:
        shifted["target_"] = population.target
    result = dict[str, Matrix]()
    for what, length in _columns(net).items():
        moments = np.zeros(length), np.ones(length)
        if what in shifted:
            moments = _moments(shifted[what], rows)
        for name, values in zip(_MOMENTS, moments, strict=True):
            result[f"scale.{what}{name}"] = values.astype(np.float32)
    return result


def _moments(values: Matrix, rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return means and standard deviations of columns; 1 for one that is 0 in single precision."""
    mean, square = np.zeros((2, values.shape[1]))
    parts = [rows[first : first + ROWS] for first in range(0, rows.size, ROWS)]
    for part in parts:
        mean += values[part].sum(axis=0, dtype=np.float64) / rows.size
    for part in parts:
        square += np.square(values[part] - mean).sum(axis=0) / rows.size
    deviation = np.sqrt(square)
    return mean, np.where(deviation.astype(np.float32) > 0, deviation, 1.0)


def loss_share(loss: Loss, scaling: Scaling) -> float:
    """Return by what a trained loss is multiplied to be free of the target's unit, 1 unscaled.

    The unit is the deviation of the target, of several the root of their mean square.
    """
    if not scaling:
        return 1.0
    deviation = scaling["scale.target_deviation"].astype(np.float64)
    return float(np.sqrt(np.square(deviation).mean()) ** -loss.power)
