"""Where the spread comes from: variance components of a crossed design draw x init (x replicate).

The model of a loss is ``y[i, j, r] = mu + draw[i] + init[j] + interaction[i, j] + replicate[i, j,
r]`` with independent effects of mean 0 (the two-way random-effects model; Searle, Casella and
McCulloch, Variance Components, 1992, chapter 4). ``losses`` is ``[draws, inits]`` or ``[draws,
inits, replicates]``, in the unit of the loss; components are its square.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from surefoot.errors import StatisticsError
from surefoot.statistics.intervals import Interval
from surefoot.statistics.mean_squares import MeanSquare, crowded_freedom, resampled_interval

Floats = npt.NDArray[np.float64]
Number = TypeVar("Number", float, Floats)

SOURCES = ("draw", "init", "interaction", "replicate")
FEWEST = 8
"""Draws or initialisations below which the coverage of intervals was not measured."""


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


@dataclass(frozen=True, eq=False)
class Decomposition:
    """The two-way analysis of variance of losses [draws, inits, replicates].

    ``rows`` [draws], ``columns`` [inits], ``rest`` [draws, inits] and ``within`` [draws, inits,
    replicates] are the estimated effects of draw, init, interaction and replicate; ``squares`` are
    their mean squares and ``freedom`` their degrees of freedom, in the order of `SOURCES`. Without
    replicates ``within`` is zero and the last two have three entries.
    """

    mean: float
    rows: Floats
    columns: Floats
    rest: Floats
    within: Floats
    squares: tuple[float, ...]
    freedom: tuple[int, ...]


def decompose(losses: npt.ArrayLike) -> Decomposition:
    """Return effects and mean squares.

    With a draws, b inits and m replicates: MS_a = b m sum(rows**2) / (a - 1), MS_b = a m
    sum(columns**2) / (b - 1), MS_ab = m sum(rest**2) / ((a - 1)(b - 1)), MS_r = sum(within**2) /
    (a b (m - 1)). Raises `StatisticsError` for fewer than two draws or initialisations and for a
    diverged instance.
    """
    cube = as_cube(losses)
    draws, inits, repeats = cube.shape
    cells = cube.mean(axis=2)
    mean = float(cells.mean())
    rows, columns = cells.mean(axis=1) - mean, cells.mean(axis=0) - mean
    rest = cells - mean - rows[:, None] - columns
    within = cube - cells[:, :, None]
    sums = [
        inits * repeats * float((rows**2).sum()),
        draws * repeats * float((columns**2).sum()),
        repeats * float((rest**2).sum()),
    ]
    freedom = [draws - 1, inits - 1, (draws - 1) * (inits - 1)]
    if repeats > 1:
        sums.append(float((within**2).sum()))
        freedom.append(draws * inits * (repeats - 1))
    squares = tuple(one / count for one, count in zip(sums, freedom))
    return Decomposition(mean, rows, columns, rest, within, squares, tuple(freedom))


def components(losses: npt.ArrayLike) -> Components:
    """Return the method-of-moments components, truncated at zero.

    With the mean squares of `decompose` over a x b cells of m replicates: replicate = MS_r,
    interaction = (MS_ab - MS_r) / m, draw = (MS_a - MS_ab) / (b m), init = (MS_b - MS_ab) / (a m).
    Raises `StatisticsError` for fewer than two draws or initialisations and for a diverged
    instance.
    """
    table = decompose(losses)
    found = _components(table.within.shape, table.squares)
    draw, init, interaction, *replicate = (max(0.0, value) for value in found.values())
    return Components(draw, init, interaction, replicate[0] if replicate else None, table.mean)


@dataclass(frozen=True, eq=False)
class ResampledComponents:
    """Components and their resamples [n_resamples] by source, each 0 or more.

    ``warning`` tells of fewer than eight draws or initialisations.
    """

    estimate: Components
    resamples: dict[str, Floats]
    warning: str

    @property
    def totals(self) -> Floats:
        """Resamples [n_resamples] of the sum of all components."""
        return np.asarray(sum(self.resamples.values()))

    def intervals(self, confidence_level: float = 0.95) -> dict[str, Interval]:
        """Return the interval of each component, in the square of the loss's unit."""
        return {
            name: resampled_interval(
                values, getattr(self.estimate, name), confidence_level, self.warning
            )
            for name, values in self.resamples.items()
        }

    def shares(self, confidence_level: float = 0.95) -> dict[str, Interval]:
        """Return the interval of each component's share of their sum."""
        totals, shares = np.maximum(self.totals, np.finfo(float).tiny), self.estimate.shares()
        return {
            name: resampled_interval(values / totals, shares[name], confidence_level, self.warning)
            for name, values in self.resamples.items()
        }


def resampled_components(
    losses: npt.ArrayLike, *, rng: np.random.Generator, n_resamples: int = 4000
) -> ResampledComponents:
    """Return the components of losses and their resamples, by those of the mean squares.

    See `surefoot.statistics.mean_squares` for the method and how often its intervals cover. Without
    replicates there is no component for them, and the interaction holds both. Raises
    `StatisticsError` as `components` does.
    """
    table = decompose(losses)
    draws, inits, repeats = shape = table.within.shape
    of, freedom = MeanSquare.of, table.freedom
    squares = [
        of(table.rows, freedom[0], draws),
        of(table.columns, freedom[1], inits),
        of(table.rest, freedom[2], draws, inits, max_freedom=crowded_freedom(table.rest**2)),
    ]
    if repeats > 1:
        crowded = crowded_freedom((table.within**2).sum(axis=2))
        squares.append(of(table.within, freedom[3], repeats, max_freedom=crowded))
    weights = (inits * repeats, draws * repeats, repeats, 1)
    found = _components(
        shape, [weight * one.resampled(rng, n_resamples) for weight, one in zip(weights, squares)]
    )
    few = f"only {draws} draws and {inits} initialisations: the intervals are rough"
    return ResampledComponents(
        components(losses),
        {name: np.maximum(0.0, values) for name, values in found.items()},
        few if min(draws, inits) < FEWEST else "",
    )


def _components(shape: tuple[int, ...], squares: Sequence[Number]) -> dict[str, Number]:
    """Return what mean squares, or their resamples, say of the components, by source."""
    draws, inits, repeats = shape
    of_rows, of_columns, of_rest, *within = squares
    found = [
        (of_rows - of_rest) / (inits * repeats),
        (of_columns - of_rest) / (draws * repeats),
        (of_rest - (within[0] if within else 0.0)) / repeats,
        *within,
    ]
    return dict(zip(SOURCES, found))


def as_cube(losses: npt.ArrayLike) -> Floats:
    """Return losses as [draws, inits, replicates]; raises `StatisticsError` if they are none."""
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
