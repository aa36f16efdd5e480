"""How much the shape of a shower tells of its energy beyond the sum: what there is to be learnt.

Leakage behind the module and the sampling of a wide or a narrow shower leave their mark on the
image, so that an estimate Ê = Σe · q(z) of the energy by a polynomial q of shape features z is
better than the scaled sum. By how much is what a network can gain at best from such features; a
simulation by which networks are judged must offer the same gain as Geant4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from surefoot.calorimeter import features as cells
from surefoot.calorimeter.simulation.chunks import PhotonChunk
from surefoot.errors import DataError

Floats = NDArray[np.float64]

FEWEST = 1_000
"""Fewer showers do not determine the polynomial."""
FOLDS = 10
LEAST_SHARE = 1e-4
"""Added to the shares of energy whose logarithm is taken: a share may be 0."""
CLIP = 3.0
"""Standardised features are cut here, in σ, so that no rare shower rules the fit."""
RIDGE = 1.0
"""Penalty on a coefficient, in showers: as if so many more had shown that it is 0."""


def shape_features(deposits: NDArray[np.float32]) -> Floats:
    """Return what images [n, cells²] tell of energy, width and place of their showers [n, 8].

    In order: ln Σe; the central cell's share; ln(10⁻⁴ + the share outside of) the central 3 × 3,
    5 × 5 and 9 × 9 cells; ln of the second moment about the barycentre; with the barycentre x̄, ȳ
    in cells, x̄² + ȳ² and x̄⁴ + ȳ⁴.

    Raises
    ------
    DataError
        If the window has fewer than 9 × 9 cells, or the deposits of an image have no positive sum.
    """
    side = cells.window(deposits)
    if side < 9:
        raise DataError(f"shape features need a window of 9 × 9 cells or more, not {side} × {side}")
    total = cells.deposit_sum(deposits)
    shares = (deposits / total[:, None]).reshape(-1, side, side)
    middle = side // 2
    central = [
        shares[:, middle - h : middle + h + 1, middle - h : middle + h + 1].sum(axis=(1, 2))
        for h in (0, 1, 2, 4)
    ]
    along = np.arange(side) - middle
    columns, rows = shares.sum(axis=1), shares.sum(axis=2)
    x, y = cells.barycentre(deposits, pitch=1.0).T
    width = columns @ along**2 + rows @ along**2 - x**2 - y**2
    outside = [np.log(LEAST_SHARE + np.maximum(1.0 - share, 0.0)) for share in central[1:]]
    return np.stack(
        [
            np.log(total),
            central[0],
            *outside,
            np.log(LEAST_SHARE + np.maximum(width, 0.0)),
            x**2 + y**2,
            x**4 + y**4,
        ],
        axis=1,
    )


def relative_errors(sample: PhotonChunk) -> tuple[Floats, Floats]:
    """Return (Ê − E)/E of the scaled sum and of the regression on shape features, each [n].

    Both minimise Σ ((Ê − E)/E)², the paper's energy loss, on nine tenths of the showers and are
    evaluated on the tenth left out; the regression is Ê = Σe q(z) with a polynomial q of degree 2,
    its coefficients under a small ridge, in the features less their median over half of their
    central 68 %, cut at ±`CLIP`.

    Raises
    ------
    DataError
        If there are fewer than `FEWEST` showers.
    """
    if len(sample) < FEWEST:
        raise DataError(f"a gain by shape needs {FEWEST} showers or more, not {len(sample)}")
    ratio = cells.deposit_sum(sample.deposits) / sample.energy
    terms = _quadratic(_standardised(shape_features(sample.deposits))) * ratio[:, None]
    products, total = terms.T @ terms, terms.sum(axis=0)
    penalty = np.diag(np.r_[0.0, np.full(len(total) - 1, RIDGE * np.square(ratio).mean())])
    by_sum, by_shape = np.empty(len(sample)), np.empty(len(sample))
    for fold in range(FOLDS):
        out = slice(fold, None, FOLDS)
        left, rest = terms[out], np.delete(ratio, out)
        by_sum[out] = ratio[out] * rest.mean() / np.square(rest).mean() - 1.0
        fitted = np.linalg.solve(products - left.T @ left + penalty, total - left.sum(axis=0))
        by_shape[out] = left @ fitted - 1.0
    return by_sum, by_shape


def shape_gain(sample: PhotonChunk) -> float:
    """Return the share of the scaled sum's relative RMSE that the regression on shapes removes.

    Out of sample, so that it is about 0, or a little below, where shapes tell nothing. Errors are
    those of `relative_errors`.
    """
    by_sum, by_shape = (np.square(errors).mean() for errors in relative_errors(sample))
    return float(1.0 - np.sqrt(by_shape / by_sum))


def _standardised(features: Floats) -> Floats:
    low, middle, high = np.percentile(features, (15.865, 50.0, 84.135), axis=0)
    spread = 0.5 * (high - low)
    spread[spread <= 0.0] = np.inf
    return np.asarray(np.clip((features - middle) / spread, -CLIP, CLIP))


def _quadratic(z: Floats) -> Floats:
    """Return 1, z and all products of two of z [n, 1 + k + k (k + 1) / 2]."""
    k = z.shape[1]
    products = [z[:, i] * z[:, j] for i in range(k) for j in range(i, k)]
    return np.stack([np.ones(len(z)), *z.T, *products], axis=1)
