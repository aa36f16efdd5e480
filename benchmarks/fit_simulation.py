"""Fit the `Tuning` of the fast simulation to Geant4 photons, from its present values on.

    python benchmarks/fit_simulation.py REFERENCE_A.npz REFERENCE_B.npz [-n 7000] [--iterations 3]

The references are those of `validate_simulation.py`. Every second of their photons is fitted to,
the others are left to judge by; the first N of them in each data set are simulated anew, the very
same photons. Gauss-Newton with numerical derivatives in the logarithms of the
parameters, on figures of the images: response, its spread, the share that leaks, mean and spread
of shape features, their correlations with the response and with one another, and the barycentre's
spread, each in bins of energy; the S-curve, the barycentre's shift with the slope and the scaled
sum's error. A difference counts in units of the statistical error and a floor, the least
difference worth a parametrisation's while. Prints χ² by kind of figure and the parameters.
"""

import argparse
from collections import defaultdict
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from validate_simulation import load

from surefoot.calorimeter.detector import INNER
from surefoot.calorimeter.simulation import validation as v
from surefoot.calorimeter.simulation.chunks import PhotonChunk
from surefoot.calorimeter.simulation.gun import POSITION_DEPTH
from surefoot.calorimeter.simulation.shape_gain import shape_features
from surefoot.calorimeter.simulation.shower import Tuning, medium_of
from surefoot.calorimeter.simulation.shower_kernels import fill_deposits

EDGES = (1.0, 5.0, 10.0, 20.0, 35.0, 60.0, 100.0)
FEATURES = {"1x1": 0.002, "3x3": 0.015, "5x5": 0.02, "9x9": 0.04, "width": 0.01}
"""Floors of the means of `shape_features` number 1 to 5: a share, and logarithms."""
TOGETHER = (("3x3", "5x5"), ("1x1", "5x5"))
S_CURVE = (0.0, 5.0, 9.0, 12.0, 15.0, 18.0, 20.2)
"""Edges in the distance from the cell's centre, mm."""
SLOPES = (0.0, 0.12, 0.31)
STEPS = {
    "visible": 0.02,
    "length": 0.05,
    "core": 0.1,
    "core_power": 0.12,
    "tail": 0.1,
    "tail_power": 0.12,
}
"""Steps of the numerical derivatives; 0.3 for fluctuations and spots, which tell less."""
DAMPING = (0.1, 0.1, 1.0)
LARGEST_STEP = 0.4
"""Of a parameter's logarithm."""


class Figure(NamedTuple):
    """One figure of a sample: its name, value, statistical error and floor."""

    name: str
    value: float
    error: float
    floor: float


def again(sample, tuning, seed=7):
    """Simulate the photons of a sample anew."""
    n = len(sample)
    energy, x, y, theta, phi = (
        np.asarray(getattr(sample, name), np.float64)
        for name in ("energy", "x", "y", "theta", "phi")
    )
    lever = POSITION_DEPTH["B"] * np.tan(theta)
    deposits, outside = np.empty_like(sample.deposits), np.empty(n, np.float32)
    fill_deposits(
        np.uint64(seed), np.uint64(0), energy, x - lever * np.cos(phi), y - lever * np.sin(phi),
        theta, phi, medium_of(INNER), tuning, deposits, outside,
    )  # fmt: skip
    return PhotonChunk(deposits, *(getattr(sample, f.name) for f in fields(sample)[1:7]), outside)


def spread(values):
    low, high = np.percentile(values, (15.865, 84.135))
    return 0.5 * (high - low)


def without(values, terms):
    """What least squares on ``terms`` leave of ``values``."""
    return values - terms @ np.linalg.lstsq(terms, values)[0]


def in_bin(name, energy, response, shapes, slope2):
    """Yield the figures of a bin of energy: response, shapes, and how they go together."""
    n, log_e = len(energy), np.log(energy)
    log_r = np.log(response)
    middle, sigma = np.median(log_r), spread(log_r)
    low = log_r < middle - 3 * sigma
    yield Figure(f"{name} response", response.mean(), response.std() / n**0.5, 1e-4)
    yield Figure(f"{name} resolution", sigma, 0.96 * sigma / n**0.5, 0.02 * sigma)
    few = max(low.sum(), 4)
    yield Figure(f"{name} leaking", low.mean(), few**0.5 / n, 0.1 * few / n)
    # Shapes depend on place, energy and slope; what counts is what is left to them.
    place, place4 = shapes[:, 6], shapes[:, 7]
    known = [np.ones(n), place, place**2, place4, log_e, log_e**2]
    known = np.stack(known + [slope2, slope2**2] * bool(slope2.any()), axis=1)
    clipped = without(np.clip(log_r, middle - 3 * sigma, middle + 3 * sigma), known)
    own = {}
    for column, (feature, floor) in enumerate(FEATURES.items(), start=1):
        values = shapes[:, column]
        left = without(np.clip(values, *np.percentile(values, (0.3, 99.7))), known)
        own[feature] = left
        yield Figure(f"{name} mean {feature}", values.mean(), left.std() / n**0.5, floor)
        yield Figure(f"{name} spread {feature}", np.log(left.std()), 0.8 / n**0.5, 0.03)
        if feature != "9x9":
            found = np.corrcoef(left, clipped)[0, 1]
            yield Figure(f"{name} response with {feature}", found, n**-0.5, 0.01)
    for one, other in TOGETHER:
        found = np.corrcoef(own[one], own[other])[0, 1]
        yield Figure(f"{name} {one} with {other}", found, n**-0.5, 0.03)


def figures(name, sample):
    """Yield the figures of a sample of dataset ``name``."""
    energy, shapes = sample.energy.astype(float), shape_features(sample.deposits)
    response, slope = v.visible(sample) / energy, np.tan(sample.theta.astype(float))
    slopes = slope * np.cos(sample.phi), slope * np.sin(sample.phi)
    place, centre = (sample.x, sample.y), v.barycentre(sample)
    for low, high in pairwise(EDGES):
        chosen = (energy >= low) & (energy < high)
        label, n = f"{name}{low:g}", chosen.sum()
        yield from in_bin(
            label, energy[chosen], response[chosen], shapes[chosen], slope[chosen] ** 2
        )
        off = []
        for p, c, s in zip(place, centre, slopes):
            p, c, s = p[chosen], c[chosen], s[chosen]
            tilted = [s, s**3, s * p**2, s**2 * p] * bool(s.any())
            off.append(without(c, np.stack([p, p**3, p**5, *tilted], axis=1)))
        yield Figure(f"{label} barycentre", np.log(spread(np.concatenate(off))), 0.7 / n**0.5, 0.05)
    scaled = np.log(v.scaled_sum_error(sample))
    yield Figure(f"{name} scaled sum", scaled, 1.2 / (2 * len(sample)) ** 0.5, 0.003)
    x, pulled = (
        np.abs(np.concatenate(place)),
        np.concatenate([c * np.sign(p) for c, p in zip(centre, place)]),
    )
    for low, high in pairwise(S_CURVE):
        near = (x >= low) & (x < high)
        shift = pulled[near] - x[near]
        yield Figure(f"{name}{low:g} S-curve", shift.mean(), shift.std() / near.sum() ** 0.5, 0.1)
    if slope.any():
        s, shift = np.concatenate(slopes), np.concatenate([c - p for c, p in zip(centre, place)])
        for low, high in pairwise(SLOPES):
            near = (np.abs(s) >= low) & (np.abs(s) < high)
            square = np.square(s[near]).sum()
            depth = (s[near] * shift[near]).sum() / square
            yield Figure(f"{name}{low:g} depth", depth, shift[near].std() / square**0.5, 1.0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reference_a", type=Path)
    parser.add_argument("reference_b", type=Path)
    parser.add_argument("-n", type=int, default=7_000, help="photons of each data set simulated")
    parser.add_argument("--iterations", type=int, default=3)
    options = parser.parse_args()
    half = slice(0, 2 * options.n, 2)
    references = {
        name: v.rows(load(path), half)
        for name, path in (("A", options.reference_a), ("B", options.reference_b))
    }
    target = [one for name, sample in references.items() for one in figures(name, sample)]
    wanted = np.array([one.value for one in target])
    scale = np.array([np.hypot(2**0.5 * one.error, one.floor) for one in target])

    def residuals(tuning):
        found = [
            one.value
            for name, sample in references.items()
            for one in figures(name, again(sample, tuning))
        ]
        return (np.array(found) - wanted) / scale

    def moved(tuning, steps):
        return Tuning(*(float(value * np.exp(step)) for value, step in zip(tuning, steps)))

    best = Tuning(*map(float, Tuning()))
    left = residuals(best)
    report(best, left, target)
    for _ in range(options.iterations):
        steps = [STEPS.get(name, 0.3) for name in Tuning._fields]
        derivative = np.stack(
            [(residuals(moved(best, row)) - left) / row.sum() for row in np.diag(steps)], axis=1
        )
        curvature = derivative.T @ derivative
        for damping in DAMPING:
            damped = curvature + damping * np.diag(np.diag(curvature))
            step = -np.linalg.solve(damped, derivative.T @ left)
            tried = moved(best, np.clip(step, -LARGEST_STEP, LARGEST_STEP))
            found = residuals(tried)
            if np.square(found).sum() < np.square(left).sum():
                best, left = tried, found
        report(best, left, target)


def report(tuning, left, target):
    kinds = defaultdict(list)
    for one, residual in zip(target, left):
        kinds[one.name.split(" ", 1)[1]].append(residual)
    print(f"χ² {np.square(left).sum():.0f} of {len(left)} figures")
    for kind, found in kinds.items():
        print(f"  {kind}: " + " ".join(f"{residual:+.1f}" for residual in found))
    print(
        "  " + ", ".join(f"{name}={value:.4g}" for name, value in tuning._asdict().items()),
        flush=True,
    )


if __name__ == "__main__":
    main()
