"""Where the spread comes from: variance components of a crossed design draw x init (x replicate).

The model of a loss is ``y[i, j, r] = mu + draw[i] + init[j] + interaction[i, j] + replicate[i, j,
r]`` with independent effects of mean 0 (the two-way random-effects model; Searle, Casella and
McCulloch, Variance Components, 1992, chapter 4). ``losses`` is ``[draws, inits]`` or ``[draws,
inits, replicates]``, in the unit of the loss; components are its square.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefoot.errors import StatisticsError
from surefoot.statistics.tolerance import Interval

Floats = npt.NDArray[np.float64]

SOURCES = ("draw", "init", "interaction", "replicate")


@dataclass(frozen=True)
class Components:
    """Variance by source, each 0 or more, in the square of the loss's unit.

    ``replicate`` is the variance between trainings with the same draw and initialisation (batch
    order, dropout, the machine); without replicates it cannot be told from the interaction: then
    it is None and ``interaction`` holds both.
    """

    draw: float
    init: float
    interaction: float
    replicate: float | None
    mean: float

    @property
    def total(self) -> float:
        """Variance of one retraining with everything drawn anew: the sum."""
        return self.draw + self.init + self.interaction + (self.replicate or 0.0)

    def shares(self) -> dict[str, float]:
        """Return each source's share of the total; all 0 when there is no variance."""
        parts = {name: getattr(self, name) for name in SOURCES if getattr(self, name) is not None}
        total = self.total
        return {name: (part / total if total > 0.0 else 0.0) for name, part in parts.items()}


def components(losses: npt.ArrayLike) -> Components:
    """Return the method-of-moments components, truncated at zero.

    With mean squares MS over a x b cells of m replicates: replicate = MS_r, interaction = (MS_ab -
    MS_r) / m, draw = (MS_a - MS_ab) / (b m), init = (MS_b - MS_ab) / (a m). Raises
    `StatisticsError` for fewer than two draws or initialisations and for a diverged instance.
    """
    cube = _cube(losses)
    draws, inits, repeats = cube.shape
    mean = float(cube.mean())
    cells = cube.mean(axis=2)
    rows, columns = cells.mean(axis=1), cells.mean(axis=0)
    of_rows = inits * repeats * float(((rows - mean) ** 2).sum()) / (draws - 1)
    of_columns = draws * repeats * float(((columns - mean) ** 2).sum()) / (inits - 1)
    rest = cells - rows[:, None] - columns + mean
    of_rest = repeats * float((rest**2).sum()) / ((draws - 1) * (inits - 1))
    within: float | None = None
    if repeats > 1:
        squares = float(((cube - cells[:, :, None]) ** 2).sum())
        within = squares / (draws * inits * (repeats - 1))
    return Components(
        max(0.0, (of_rows - of_rest) / (inits * repeats)),
        max(0.0, (of_columns - of_rest) / (draws * repeats)),
        max(0.0, (of_rest - (within or 0.0)) / repeats),
        within,
        mean,
    )


def component_intervals(
    losses: npt.ArrayLike,
    confidence: float = 0.95,
    *,
    rng: np.random.Generator,
    resamples: int = 2000,
) -> dict[str, Interval]:
    """Return bootstrap percentile intervals of each component.

    Draws (rows) and initialisations (columns) are resampled independently, whole (the pigeonhole
    bootstrap, Owen 2007). Components of a resample come from differences between distinct rows and
    columns only, so that one drawn twice is not mistaken for two alike. Below ten rows or columns
    the interval is rough, and ``warning`` says so.
    """
    cube = _cube(losses)
    draws, inits, _ = cube.shape
    if not 0.0 < confidence < 1.0:
        raise StatisticsError(f"confidence = {confidence:g} must lie between 0 and 1")
    estimate = components(cube)
    found: dict[str, list[float]] = {name: [] for name in SOURCES}
    for _ in range(resamples):
        rows = np.bincount(rng.integers(0, draws, draws), minlength=draws)
        columns = np.bincount(rng.integers(0, inits, inits), minlength=inits)
        if np.count_nonzero(rows) < 2 or np.count_nonzero(columns) < 2:
            continue
        drawn = weighted_components(cube, rows, columns)
        for name in SOURCES:
            part = getattr(drawn, name)
            if part is not None:
                found[name].append(part)
    warning = ""
    if min(draws, inits) < 10:
        warning = f"only {draws} draws and {inits} initialisations: the interval is rough"
    tails = [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0]
    intervals = {}
    for name, values in found.items():
        if values:
            low, high = np.quantile(values, tails)
            centre = float(getattr(estimate, name))
            intervals[name] = Interval(float(low), float(high), centre, confidence, None, warning)
    return intervals


def weighted_components(
    losses: npt.ArrayLike, row_weights: npt.ArrayLike, column_weights: npt.ArrayLike
) -> Components:
    """Return the components when each draw and initialisation counts as often as its weight.

    Half the mean squared difference of two cells' means estimates, over distinct rows and columns:
    D_row = init + interaction + replicate / m in the same row, D_column = draw + interaction +
    replicate / m in the same column, D_both = the sum of all in neither. With weights of 1 this
    is `components`, exactly.
    """
    cube = _cube(losses)
    repeats = cube.shape[2]
    cells = cube.mean(axis=2)
    r, c = np.asarray(row_weights, np.float64), np.asarray(column_weights, np.float64)
    r_sum, c_sum, r_square, c_square = r.sum(), c.sum(), (r**2).sum(), (c**2).sum()
    square = cells**2
    total = float(r @ cells @ c)
    # Squared differences over ordered pairs: sum w w (y - y')^2 = 2 (W sum w y^2 - (sum w y)^2).
    anywhere = r_sum * c_sum * float(r @ square @ c) - total**2
    same_row = float(r**2 @ (c_sum * (square @ c) - (cells @ c) ** 2))
    same_column = float((r_sum * (r @ square) - (r @ cells) ** 2) @ c**2)
    in_row, in_column, in_cell = r_square * c_sum**2, r_sum**2 * c_square, r_square * c_square
    d_row = same_row / float(in_row - in_cell)
    d_column = same_column / float(in_column - in_cell)
    neither = float((r_sum * c_sum) ** 2 - in_row - in_column + in_cell)
    d_both = (anywhere - same_row - same_column) / neither
    within: float | None = None
    if repeats > 1:
        spread = ((cube - cells[:, :, None]) ** 2).sum(axis=2) / (repeats - 1)
        within = float(r @ spread @ c / (r_sum * c_sum))
    return Components(
        max(0.0, d_both - d_row),
        max(0.0, d_both - d_column),
        max(0.0, d_row + d_column - d_both - (within or 0.0) / repeats),
        within,
        total / float(r_sum * c_sum),
    )


def _cube(losses: npt.ArrayLike) -> Floats:
    cube = np.asarray(losses, dtype=np.float64)
    if cube.ndim == 2:
        cube = cube[:, :, None]
    if cube.ndim != 3 or cube.shape[0] < 2 or cube.shape[1] < 2 or cube.shape[2] < 1:
        raise StatisticsError(
            "variance components need losses [draws, inits] or [draws, inits, replicates] with at "
            f"least 2 draws and 2 initialisations, not {list(np.shape(losses))}"
        )
    if not np.isfinite(cube).all():
        bad = int((~np.isfinite(cube)).sum())
        raise StatisticsError(
            f"{bad} of {cube.size} instances diverged or failed; a variance needs finite losses "
            "(report the divergence rate, or leave whole draws out)"
        )
    return cube
