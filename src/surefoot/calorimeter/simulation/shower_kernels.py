"""Energy spots: one photon's shower laid down in the cells, compiled.

A photon's axis is shifted by w/√E in x and in y. It converts at a depth drawn from Exp(9/7 X0) and
gives its energy to a pair whose sharing u follows 1 − (4/3) u (1 − u) (complete screening); each
partner starts a shower of its own (`shower`). The shower is cut into steps of `STEP` X0 along its
axis; each step has a core and a tail. The visible energy of either is
Gamma(dE cos θ/c², c²/cos θ) times the visible share, dE its part of the step's energy, c its own
and cos θ there because an inclined shower crosses fewer layers in a radiation length. It is laid
down in spots of equal energy, uniform along the step and around the axis, at a radius
R (u/(1−u))^power. What comes to lie behind the last layer is lost; what lies beside the window
counts as ``outside``.

Event i uses the Philox key (k0, k1 + i) and the counters (block, 1, 0, 0): its deposits do not
depend on the chunk it is simulated in, nor on any other event.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, uint64

from surefoot.calorimeter.simulation.shower import longitudinal, radial, spot_count
from surefoot.seeds.philox import philox4x64

REACH = 10.0
"""Spots lie within this many Molière radii of the axis."""
STEP = 0.5
"""Length of a longitudinal step, X0."""
PAIR_THRESHOLD = 0.001
"""A partner below this energy, GeV, gives its energy to the other one."""

DIRECTIONS = 1024
"""Spots lie in so many directions around the axis: 0.6 mm apart at a radius of 100 mm."""
_ANGLES = (np.arange(DIRECTIONS) + 0.5) * (2.0 * np.pi / DIRECTIONS)
_COSINES, _SINES = np.cos(_ANGLES), np.sin(_ANGLES)

# A spot's random word: 32 bits of radius, 10 of direction, 22 of place along the step.
_RADIUS_BITS, _ALONG_BITS = np.uint64(32), np.uint64(22)
_DIRECTION, _ALONG = np.uint64(DIRECTIONS - 1), np.uint64(2**22 - 1)
_RADIUS_SCALE, _ALONG_SCALE = 2.0**-32, 2.0**-22
_ONE = np.uint64(1)


@njit(cache=True, nogil=True)
def _uniform(state):
    """Return a uniform in (0, 1); ``state`` is (k0, k1, next block, words left, 4 words)."""
    if state[3] == 0:
        w0, w1, w2, w3 = philox4x64(state[2], _ONE, uint64(0), uint64(0), state[0], state[1])
        state[2] += _ONE
        state[3] = 4
        state[4], state[5], state[6], state[7] = w0, w1, w2, w3
    state[3] -= _ONE
    return ((state[4 + state[3]] >> uint64(12)) + 0.5) * 2.0**-52


@njit(cache=True, nogil=True)
def _normals(state):
    """Return two independent standard normals (Box and Muller)."""
    radius = math.sqrt(-2.0 * math.log(_uniform(state)))
    angle = 2.0 * math.pi * _uniform(state)
    return radius * math.cos(angle), radius * math.sin(angle)


@njit(cache=True, nogil=True)
def _gamma(shape, state):
    """Return a Gamma(shape, 1) variate (Marsaglia and Tsang 2000, boosted below shape 1)."""
    boost = 1.0
    if shape < 1.0:
        boost = _uniform(state) ** (1.0 / shape)
        shape += 1.0
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        pair = _normals(state)
        for x in pair:
            v = 1.0 + c * x
            if v > 0.0:
                v = v * v * v
                if math.log(_uniform(state)) < 0.5 * x * x + d - d * v + d * math.log(v):
                    return boost * d * v


@njit(cache=True, nogil=True)
def _sharing(state):
    """Return the share of the pair's first partner, density ∝ 1 − (4/3) u (1 − u)."""
    while True:
        u = _uniform(state)
        if _uniform(state) < 1.0 - 4.0 / 3.0 * u * (1.0 - u):
            return u


@njit(cache=True, nogil=True)
def _scatter(energy, count, start, length, radius, power, axes, medium, cells, state):
    """Share ``energy`` among ``count`` spots between two depths; return what misses the window.

    A spot lies at ``radius`` (u/(1−u))^power from the axis, cut at `REACH`. ``start``, ``length``
    and ``radius`` are in mm; ``axes`` [4, 3] holds the entry point, the axis and two unit vectors
    across it.
    """
    n = int(medium.cells)
    inverse = 1.0 / medium.pitch
    x0 = (axes[0, 0] + axes[1, 0] * start) * inverse + 0.5 * n
    y0 = (axes[0, 1] + axes[1, 1] * start) * inverse + 0.5 * n
    run_x, run_y = axes[1, 0] * length * inverse, axes[1, 1] * length * inverse
    ax, bx = axes[2, 0] * inverse, axes[3, 0] * inverse
    ay, by = axes[2, 1] * inverse, axes[3, 1] * inverse
    end = _RADIUS_SCALE / (1.0 + (radius / (REACH * medium.moliere_radius)) ** (1.0 / power))
    spot = energy / count
    outside = 0.0
    w0, w1, w2, w3 = uint64(0), uint64(0), uint64(0), uint64(0)
    for k in range(count):
        if k & 3 == 0:
            w0, w1, w2, w3 = philox4x64(state[2], _ONE, uint64(0), uint64(0), state[0], state[1])
            state[2] += _ONE
        word = w0
        w0, w1, w2 = w1, w2, w3
        u = ((word >> _RADIUS_BITS) + 0.5) * end
        r = radius * math.exp(power * math.log(u / (1.0 - u)))
        along = ((word & _ALONG) + 0.5) * _ALONG_SCALE
        direction = int((word >> _ALONG_BITS) & _DIRECTION)
        cos, sin = r * _COSINES[direction], r * _SINES[direction]
        x = x0 + run_x * along + ax * cos + bx * sin
        y = y0 + run_y * along + ay * cos + by * sin
        if 0.0 <= x < n and 0.0 <= y < n:
            cells[int(y) * n + int(x)] += spot
        else:
            outside += spot
    state[3] = 0
    return outside


@njit(cache=True, nogil=True)
def _develop(energy, start, axes, medium, tuning, cells, profile, state):
    """Add one electron's shower that starts at ``start`` X0 along the axis to ``cells``."""
    normal1, normal2 = _normals(state)
    alpha, beta, tau_per_depth = longitudinal(energy, normal1, normal2, medium, tuning)
    total = 0.0
    steps = profile.size
    for k in range(profile.size):
        t = (k + 0.5) * STEP
        profile[k] = math.exp((alpha - 1.0) * math.log(beta * t) - beta * t)
        total += profile[k]
        if t * beta > alpha and profile[k] < 1e-7 * total:
            steps = k + 1
            break
    x0 = medium.radiation_length
    back = medium.depth / (x0 * axes[1, 2])
    spots = spot_count(energy, tuning)
    outside = 0.0
    for k in range(steps):
        near = start + k * STEP
        if near >= back:
            break
        inside = min(1.0, (back - near) / STEP)
        share = profile[k] / total * inside
        deposit = share * energy
        if deposit < 1e-9:
            continue
        weight, core, tail = radial(energy, (k + 0.5) * STEP * tau_per_depth, medium, tuning)
        for part, radius, power, number, c in (
            (weight, core, tuning.core_power, tuning.core_spots, tuning.core_sampling),
            (1.0 - weight, tail, tuning.tail_power, tuning.tail_spots, tuning.tail_sampling),
        ):
            if part <= 0.0:
                continue
            variance = c * c / axes[1, 2]
            outside += _scatter(
                tuning.visible * variance * _gamma(part * deposit / variance, state),
                max(1, int(spots * number * part * share + _uniform(state))),
                near * x0,
                inside * STEP * x0,
                radius * medium.moliere_radius,
                power,
                axes,
                medium,
                cells,
                state,
            )
    return outside


@njit(cache=True, nogil=True)
def _aim(front_x, front_y, theta, phi, axes):
    """Fill ``axes`` [4, 3]: the entry point, the direction and two unit vectors across it."""
    sin_t, cos_t = math.sin(theta), math.cos(theta)
    sin_p, cos_p = math.sin(phi), math.cos(phi)
    axes[0, 0], axes[0, 1], axes[0, 2] = front_x, front_y, 0.0
    axes[1, 0], axes[1, 1], axes[1, 2] = sin_t * cos_p, sin_t * sin_p, cos_t
    axes[2, 0], axes[2, 1], axes[2, 2] = cos_t * cos_p, cos_t * sin_p, -sin_t
    axes[3, 0], axes[3, 1], axes[3, 2] = -sin_p, cos_p, 0.0


@njit(cache=True, nogil=True)
def fill_deposits(k0, k1, energy, front_x, front_y, theta, phi, medium, tuning, deposits, outside):
    """Simulate photons [n] into ``deposits`` [n, cells] and ``outside`` [n], GeV, float32.

    ``(k0, k1 + i)`` is the Philox key of row i. Lengths in mm, angles in rad, energies in GeV.
    """
    state = np.zeros(8, dtype=np.uint64)
    axes = np.empty((4, 3))
    profile = np.empty(160)
    cells = np.empty(deposits.shape[1])
    for i in range(energy.size):
        state[:] = 0
        state[0], state[1] = k0, k1 + uint64(i)
        shift_x, shift_y = _normals(state)
        wander = tuning.wander / math.sqrt(energy[i])
        x, y = front_x[i] + wander * shift_x, front_y[i] + wander * shift_y
        _aim(x, y, theta[i], phi[i], axes)
        cells[:] = 0.0
        lost = 0.0
        start = -9.0 / 7.0 * math.log(_uniform(state))
        share = _sharing(state)
        if min(share, 1.0 - share) * energy[i] < PAIR_THRESHOLD:
            share = 1.0
        lost += _develop(share * energy[i], start, axes, medium, tuning, cells, profile, state)
        if share < 1.0:
            lost += _develop(
                (1.0 - share) * energy[i], start, axes, medium, tuning, cells, profile, state
            )
        for j in range(cells.size):
            deposits[i, j] = cells[j]
        outside[i] = lost


@njit(cache=True, nogil=True)
def digitise(k0, k1, noise, threshold, deposits):
    """Add electronic noise to ``deposits`` [n, cells] and clear the cells below a threshold.

    ``noise`` is the standard deviation and ``threshold`` the smallest value kept, GeV visible;
    ``(k0, k1 + i)`` is the key of row i's NOISE stream. A threshold of 0 keeps every cell, also
    those that noise made negative.
    """
    state = np.zeros(8, dtype=np.uint64)
    for i in range(deposits.shape[0]):
        state[:] = 0
        state[0], state[1] = k0, k1 + uint64(i)
        for j in range(deposits.shape[1]):
            if noise > 0.0:
                deposits[i, j] += noise * _normals(state)[0]
            if threshold > 0.0 and deposits[i, j] < threshold:
                deposits[i, j] = 0.0


@njit(cache=True, nogil=True)
def fill_uniforms(k0, k1, dataset, u):
    """Fill ``u`` [n, 8] with uniforms in (0, 1) from counters (0 and 1, 0, dataset, 0)."""
    for i in range(u.shape[0]):
        for block in range(2):
            words = philox4x64(uint64(block), uint64(0), dataset, uint64(0), k0, k1 + uint64(i))
            for j in range(4):
                u[i, 4 * block + j] = ((words[j] >> uint64(12)) + 0.5) * 2.0**-52
