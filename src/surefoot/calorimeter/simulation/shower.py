"""Mean shape and fluctuations of an electromagnetic shower in a sampling calorimeter.

Grindhammer and Peters, "The parameterized simulation of electromagnetic showers in homogeneous
and sampling calorimeters", hep-ex/0001020, sections 3 and 4 with the sampling corrections; every
function below is one formula of it, compiled for `shower_kernels`. Depths t
are in X0 from the shower's start, radii in Molière radii RM, energies in GeV, y = E/Ec.

`Tuning` holds what was adjusted to the shipped Geant4 sample.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from numba import njit

from surefoot.calorimeter.detector import Shashlik

LOWEST_LOG_Y = 1.9
"""Showers below y = e^1.9 (64 MeV) keep the shape they have there; the formulas end near it."""


LEAST_ALPHA = 1.5
"""Fluctuations of soft showers may not take α below this: β would vanish and the shower not end."""


class Medium(NamedTuple):
    """What the compiled formulas need of a detector."""

    radiation_length: float
    """mm."""
    moliere_radius: float
    """mm."""
    critical_energy: float
    """GeV."""
    z: float
    sampling_frequency: float
    electron_to_muon: float
    depth: float
    """mm."""
    pitch: float
    """mm."""
    cells: float


class Tuning(NamedTuple):
    """What was adjusted to the shipped Geant4 sample, docs/calorimeter.md says how.

    Gauss-Newton on figures of every second photon of A and B (`benchmarks/fit_simulation.py`):
    mean and spread of response, shape and barycentre, and how they go together, in bins of
    energy; rounded, and then set on the figures of validation. The published parametrisation has
    1 in the factors and ½ in the powers.
    """

    visible: float = 0.1758
    """Share of a contained shower's energy that the scintillator sees."""
    core_sampling: float = 0.07
    """c of the sampling fluctuations c/√E of the core's energy, GeV^½."""
    tail_sampling: float = 0.102
    """c of those of the tail's: soft photons far from the axis make fewer and larger deposits."""
    length: float = 1.043
    """Factor on the depth of the maximum."""
    length_spread: float = 0.66
    """Factor on the fluctuations of ln T: how deep a shower is, and so how much of it leaks."""
    shape_spread: float = 0.69
    """Factor on the fluctuations of ln α: how long a shower of a given depth is."""
    wander: float = 2.5
    """Shift w/√E of a photon's axis in x and in y, mm GeV^½: its first branches go astray."""
    core: float = 1.112
    """Factor on Rc."""
    core_power: float = 0.604
    """Spots of the core lie at Rc (u/(1−u))^power."""
    core_spots: float = 0.28
    """Factor on the density of the core's energy spots."""
    tail: float = 1.28
    """Factor on Rt."""
    tail_power: float = 0.386
    """Spots of the tail lie at Rt (u/(1−u))^power: it falls faster than published."""
    tail_spots: float = 2.8
    """Factor on the density of the tail's energy spots."""


def medium_of(detector: Shashlik) -> Medium:
    """Return the medium's constants of a detector."""
    return Medium(
        detector.radiation_length,
        detector.moliere_radius,
        detector.critical_energy / 1000.0,
        detector.effective_z,
        detector.sampling_frequency,
        detector.electron_to_muon,
        detector.depth,
        detector.pitch,
        float(detector.cells),
    )


@njit(cache=True, nogil=True)
def mean_logarithms(log_y, medium):
    """Return ⟨ln T⟩ and ⟨ln α⟩ at ``log_y`` = ln(E/Ec); T is the depth of the maximum.

    T_hom = ln y − 0.812, α_hom = 0.81 + (0.458 + 2.26/Z) ln y;
    ⟨ln T⟩ = ln(T_hom − 0.55/F − 0.69 (1 − ê)), ⟨ln α⟩ = ln(α_hom − 0.476/F).
    """
    f, e_hat = medium.sampling_frequency, medium.electron_to_muon
    t_hom = log_y - 0.812
    alpha_hom = 0.81 + (0.458 + 2.26 / medium.z) * log_y
    return math.log(t_hom - 0.55 / f - 0.69 * (1.0 - e_hat)), math.log(alpha_hom - 0.476 / f)


@njit(cache=True, nogil=True)
def spreads(log_y):
    """Return σ(ln T), σ(ln α) (each at most 0.5) and their correlation ρ.

    σ(ln T) = 1/(−2.5 + 1.25 ln y), σ(ln α) = 1/(−0.82 + 0.79 ln y), ρ = 0.784 − 0.023 ln y.
    """
    sigma_t = 1.0 / max(-2.5 + 1.25 * log_y, 2.0)
    sigma_alpha = 1.0 / max(-0.82 + 0.79 * log_y, 2.0)
    return sigma_t, sigma_alpha, 0.784 - 0.023 * log_y


@njit(cache=True, nogil=True)
def longitudinal(energy, normal1, normal2, medium, tuning):
    """Return α and β of dE/dt ∝ t^(α−1) e^(−βt), and τ per depth, for one shower.

    ln T = ⟨ln T⟩ + σ(ln T)(c₁ z₁ + c₂ z₂), ln α = ⟨ln α⟩ + σ(ln α)(c₁ z₁ − c₂ z₂) with
    c₁,₂ = √((1 ± ρ)/2) and standard normals z; β = (α − 1)/T;
    τ = (t/T) ((α − 1)/α) e^⟨ln α⟩ / (e^⟨ln α⟩ − 1). α is kept above `LEAST_ALPHA`.
    """
    log_y = max(math.log(energy / medium.critical_energy), LOWEST_LOG_Y)
    mean_t, mean_alpha = mean_logarithms(log_y, medium)
    sigma_t, sigma_alpha, rho = spreads(log_y)
    c1, c2 = math.sqrt(0.5 * (1.0 + rho)), math.sqrt(0.5 * (1.0 - rho))
    sigma_t *= tuning.length_spread
    sigma_alpha *= tuning.shape_spread
    maximum = tuning.length * math.exp(mean_t + sigma_t * (c1 * normal1 + c2 * normal2))
    alpha = max(math.exp(mean_alpha + sigma_alpha * (c1 * normal1 - c2 * normal2)), LEAST_ALPHA)
    beta = (alpha - 1.0) / maximum
    typical = math.exp(mean_alpha)
    return alpha, beta, (beta / alpha) * typical / (typical - 1.0)


@njit(cache=True, nogil=True)
def radial(energy, tau, medium, tuning):
    """Return p, Rc and Rt (in RM) of the radial profile at depth τ.

    f(r) = p 2rRc²/(r²+Rc²)² + (1−p) 2rRt²/(r²+Rt²)² as published, where r = R √(u/(1−u)) of a
    uniform u; `Tuning` gives other powers of u/(1−u).


    Rc = 0.0251 + 0.00319 ln E + (0.1162 − 0.000381 Z) τ − 0.0203 (1−ê) + 0.0397 e^−τ / F;
    Rt = (0.659 − 0.00309 Z)(e^(−2.59(τ−0.645)) + e^((0.3585+0.0421 ln E)(τ−0.645)))
         − 0.14 (1−ê) − 0.495 e^−τ / F;
    p = (2.632 − 0.00094 Z) exp(q − e^q) + (1−ê)(0.348 − 0.642 e^(−(τ−1)²) / F),
    q = (0.401 + 0.00187 Z − τ)/(1.313 − 0.0686 ln E). E in GeV.
    """
    z, f, e_hat = medium.z, medium.sampling_frequency, medium.electron_to_muon
    log_e = math.log(max(energy, 0.1))
    fade = math.exp(-tau) / f
    core = (
        0.0251 + 0.00319 * log_e + (0.1162 - 0.000381 * z) * tau - 0.0203 * (1.0 - e_hat)
    ) + 0.0397 * fade
    u = tau - 0.645
    tail = (0.659 - 0.00309 * z) * (
        math.exp(-2.59 * u) + math.exp(min((0.3585 + 0.0421 * log_e) * u, 5.0))
    )
    tail += -0.14 * (1.0 - e_hat) - 0.495 * fade
    q = (0.401 + 0.00187 * z - tau) / (1.313 - 0.0686 * log_e)
    weight = (2.632 - 0.00094 * z) * math.exp(q - math.exp(q)) + (1.0 - e_hat) * (
        0.348 - 0.642 * math.exp(-((tau - 1.0) ** 2)) / f
    )
    return (
        min(max(weight, 0.0), 1.0),
        tuning.core * max(core, 0.005),
        tuning.tail * max(tail, 0.05),
    )


@njit(cache=True, nogil=True)
def spot_count(energy, tuning):
    """Return the published mean number of energy spots of a shower, (10.3/c) E^0.959.

    c is the core's.
    """
    return 10.3 / tuning.core_sampling * energy**0.959
