"""How the best of many candidates lie, from the noisy losses of a few.

A race is decided among the best hundredth of its candidates, of whom a pilot holds hardly one. So
their locations are extrapolated: below the pilot's median, the location at normal score z is

    m(z) = a + b (exp(k z) - 1) / k

a three-parameter log-normal distribution (Hosking and Wallis 1997, appendix A.8), normal for k = 0;
for k > 0 no candidate lies below a - b / k, as where a loss cannot fall below what the data allow.
The pilot's means are these locations with noise of known variance. Their likelihood, with the upper
third known only to be above the rest, gives the posterior of (a, b, k) on a grid; every simulated
population has parameters of its own from it, so forecasts hold what the pilot does not know.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.racing.table import Floats

SKEW, SKEW_SCATTER = 0.3, 0.6
"""Prior mean and standard deviation of k: populations of models mostly have a floor."""
SHARE = 2.0 / 3.0
"""Share of the pilot, from the best on, whose locations count."""
FLATTEST = -0.2
"""Least k: losses have a floor, so the best of thousands do not run away from the rest."""
APART = 1.5
"""A gap in the pilot counts from so many standard deviations of those beyond it on."""
GRID = 15
MOST = 200
"""So many of these are enough: of more, evenly spaced ones are taken."""


@dataclass(frozen=True, eq=False)
class BestTail:
    """The posterior: parameters (a, b, k) ``[points, 3]``, their cells and probabilities."""

    parameters: Floats
    cells: Floats
    weights: Floats

    def draw(self, rng: np.random.Generator) -> tuple[float, float, float]:
        """Return parameters (a, b, k) from the posterior."""
        place = int(rng.choice(len(self.weights), p=self.weights))
        a, log_b, k = self.parameters[place] + self.cells * (rng.random(3) - 0.5)
        return float(a), float(np.exp(log_b)), float(k)


def location(scores: Floats, a: float, b: float, k: float) -> Floats:
    """Return m(z)."""
    if abs(k) < 1e-6:
        return a + b * scores
    return np.asarray(a + b * np.expm1(k * scores) / k)


def leading_group(means: Floats, variances: Floats) -> int:
    """Return how many of the ascending means stand apart from the rest; all if none do.

    Where some learn what others never do, a distribution through both says nothing of the best. A
    group is two or more, up to half, before a gap that exceeds `APART` standard deviations of those
    who come next and four standard errors of its own.
    """
    count = len(means)
    for size in range(2, count // 2 + 1):
        after = means[size : max(size + 3, round(SHARE * count))]
        gap = float(means[size] - means[size - 1])
        error = float(np.sqrt(variances[:size].max()))
        inside = float(means[size - 1] - means[0])
        if gap > max(APART * float(after.std()), 4.0 * error, inside):
            return size
    return count


def fit(means: Floats, variances: Floats, noise_scale: float | None = None) -> BestTail:
    """Return the posterior, given ascending means and the variance of each by noise.

    For a group that stands apart, of which all belong together however few, ``noise_scale`` is the
    deviation of its noise: its locations are taken to differ by about as much, within a factor of
    e (a log-normal prior of b).
    """
    from scipy import special

    count = len(means)
    good = count if noise_scale else round(count * SHARE)
    cut = float(means[good - 1 : good + 1].mean())
    below = np.arange(good)
    if good > MOST:
        below = np.linspace(0, good - 1, MOST).round().astype(np.int64)
    seen, noise = means[below], variances[below]
    above = (count - good) * len(below) / good
    middle, low = np.quantile(means[:count], [0.5, 0.16]).tolist()
    spread = max(middle - low, noise_scale or 0.0, 1e-9 + 1e-6 * abs(middle))
    reach = 4.0 * 1.4 * spread / np.sqrt(len(below) + above)
    places = middle + np.linspace(-reach, reach, GRID)
    scales = np.log(spread) + np.linspace(-2.3, 1.0, GRID)
    skews = np.linspace(FLATTEST, SKEW + 2.5 * SKEW_SCATTER, GRID)
    nodes = np.linspace(-4.5, 4.5, 101)
    weights = np.exp(-(nodes**2) / 2.0)
    weights /= weights.sum()
    width = nodes[1] - nodes[0]
    typical = float(noise.mean())
    found = np.empty((GRID, GRID, GRID))
    for third, k in enumerate(skews):
        shape = location(nodes, 0.0, 1.0, float(k))
        slope = np.exp(k * nodes)
        for second, b in enumerate(np.exp(scales)):
            # True locations [places, nodes], with a kernel that bridges the gaps between nodes.
            true = places[:, None] + b * shape
            bridge = (width * b * slope) ** 2
            scatter = noise[:, None] + bridge
            gap = seen[None, :, None] - true[:, None, :]
            density = np.exp(-(gap**2) / (2.0 * scatter)) / np.sqrt(scatter)
            logs = np.log(density @ weights + 1e-300).sum(axis=1)
            if above:
                beyond = special.ndtr((true - cut) / np.sqrt(typical + bridge))
                logs += above * np.log(beyond @ weights + 1e-300)
            if noise_scale:
                logs -= np.log(b / noise_scale) ** 2 / 2.0
            found[:, second, third] = logs - ((k - SKEW) / SKEW_SCATTER) ** 2 / 2.0
    found = np.exp(found - found.max())
    grid = np.stack(np.meshgrid(places, scales, skews, indexing="ij"), axis=-1).reshape(-1, 3)
    cells = np.array([axis[1] - axis[0] for axis in (places, scales, skews)])
    flat = found.ravel() / found.sum()
    likely = flat > 1e-6
    return BestTail(grid[likely], cells, flat[likely] / flat[likely].sum())
