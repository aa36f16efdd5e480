"""Datasets A and B of the paper: which photons enter the calorimeter.

Dataset A: normal incidence, energy uniform in 1 … 100 GeV, impact uniform over the central cell.

Dataset B: the paper gives the ranges and shows the shapes; the numbers below were fitted to the
true photons of the shipped Geant4 sample, which follows the paper's figure 1.

- Energy: lognormal with median 19.65 GeV and σ = 0.906, cut to 1 … 100 GeV (mean 25 GeV): an
  almost exponential fall above 7 GeV.
- Polar angle θ: the quantiles of `THETA_QUANTILES`, linear in between, up to 0.33 rad; azimuth φ
  uniform; so the projected angles stay within about ±0.31 rad.
- Energy and θ are tied by a Gaussian copula with ρ = −0.5.
- x and y are those of the shower axis at a depth of 130 mm, uniform over the central cell; the
  photon enters at x − 130 tan θ cos φ, y − 130 tan θ sin φ.

Photon number i depends on the seed, the dataset and i alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from surefoot.calorimeter.detector import INNER, Shashlik
from surefoot.calorimeter.simulation.shower_kernels import fill_uniforms
from surefoot.errors import DataError, nearest
from surefoot.seeds.ledger import MAX_NUMBER, InstanceSeed, Role, Stream

Dataset = Literal["A", "B"]
Floats = NDArray[np.float64]

LOWEST, HIGHEST = 1.0, 100.0
"""Range of the photon energy, GeV."""
POSITION_DEPTH = {"A": 0.0, "B": 130.0}
"""Depth at which a photon's x and y are given, mm."""
ENERGY_MEDIAN, ENERGY_SIGMA, CORRELATION = 19.65, 0.906, -0.5
THETA_QUANTILES = (
    0.0000,
    0.0254,
    0.0325,
    0.0377,
    0.0416,
    0.0454,
    0.0490,
    0.0531,
    0.0576,
    0.0629,
    0.0680,
    0.0734,
    0.0783,
    0.0835,
    0.0889,
    0.0948,
    0.1006,
    0.1071,
    0.1143,
    0.1219,
    0.1296,
    0.1380,
    0.1478,
    0.1579,
    0.1691,
    0.1813,
    0.1950,
    0.2100,
    0.2290,
    0.2505,
    0.2732,
    0.2978,
    0.3300,
)
"""θ in rad at the levels 0, 1/32, …, 1."""

WORDS = 8
"""Random words per photon before its shower begins."""


@dataclass(frozen=True)
class Photons:
    """Photons about to enter: arrays [n] float64.

    Attributes
    ----------
    energy
        GeV.
    x, y
        mm from the centre of the central cell, at `POSITION_DEPTH` of the dataset.
    theta, phi
        Polar angle to the calorimeter's axis and azimuth, rad.
    front_x, front_y
        mm, where the photon crosses the front face.
    """

    energy: Floats
    x: Floats
    y: Floats
    theta: Floats
    phi: Floats
    front_x: Floats
    front_y: Floats


def check_dataset(dataset: str) -> Dataset:
    """Return ``dataset`` if it is "A" or "B", else raise `DataError`."""
    if dataset == "A":
        return "A"
    if dataset == "B":
        return "B"
    raise DataError(f"dataset {dataset!r} does not exist; {nearest(dataset, get_args(Dataset))}")


def shower_key(seed: int) -> tuple[int, int]:
    """Return the Philox key of event 0; event i has ``(k0, k1 + i)`` (`surefoot.seeds.ledger`)."""
    return InstanceSeed(seed, Role.SIMULATE, 0).key(Stream.DRAW)


def photons(
    dataset: str, count: int, seed: int, *, first: int = 0, detector: Shashlik = INNER
) -> Photons:
    """Return photons ``first`` … ``first + count − 1`` of a dataset.

    Raises
    ------
    DataError
        If the dataset is unknown or the numbers are negative or too large.
    """
    name = check_dataset(dataset)
    if count < 0 or first < 0 or first + count > MAX_NUMBER:
        raise DataError(f"photons {first!r} to {first + count!r} are not in 0 … 2^48")
    k0, k1 = shower_key(seed)
    u = np.empty((count, WORDS))
    fill_uniforms(np.uint64(k0), np.uint64(k1 + first), np.uint64(name == "B"), u)
    x, y = ((u[:, i] - 0.5) * detector.pitch for i in (0, 1))
    if name == "A":
        zero = np.zeros(count)
        energy = LOWEST + (HIGHEST - LOWEST) * u[:, 2]
        return Photons(energy, x, y, zero, zero, x, y)
    energy, theta = _energy_and_angle(u[:, 2], u[:, 3])
    phi = math.pi * (2.0 * u[:, 4] - 1.0)
    lever = POSITION_DEPTH["B"] * np.tan(theta)
    return Photons(energy, x, y, theta, phi, x - lever * np.cos(phi), y - lever * np.sin(phi))


def _energy_and_angle(u: Floats, v: Floats) -> tuple[Floats, Floats]:
    """Map two independent uniforms [n] to the energies (GeV) and angles (rad) of dataset B."""
    from scipy.special import ndtr, ndtri

    low, high = (ndtr(math.log(edge / ENERGY_MEDIAN) / ENERGY_SIGMA) for edge in (LOWEST, HIGHEST))
    energy = ENERGY_MEDIAN * np.exp(ENERGY_SIGMA * ndtri(low + (high - low) * u))
    score = CORRELATION * ndtri(u) + math.sqrt(1.0 - CORRELATION**2) * ndtri(v)
    levels = np.linspace(0.0, 1.0, len(THETA_QUANTILES))
    return energy, np.interp(ndtr(score), levels, np.array(THETA_QUANTILES))
