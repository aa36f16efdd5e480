"""Philox4x64-10 in compiled code: the ledger's random numbers where no Python can run.

`philox4x64` maps a 256-bit counter and a 128-bit key to 256 random bits and equals the raw output
of ``numpy.random.Philox`` for the same counter. Batch orders and dropout masks are functions of
(key, epoch or step, position), so that every engine, compiled or not, trains the same instance.

Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

import numba as nb
import numpy as np
from numba import uint32, uint64
from numpy.typing import NDArray

_M0 = np.uint64(0xD2E7470EE14C6C93)
_M1 = np.uint64(0xCA5A826395121157)
_W0 = np.uint64(0x9E3779B97F4A7C15)
_W1 = np.uint64(0xBB67AE8584CAA73B)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


@nb.njit(cache=True, nogil=True, inline="always")
def _multiply_high(a, b):
    """Return the high 64 bits of the 128-bit product."""
    a_low, a_high = a & _LOW, a >> _32
    b_low, b_high = b & _LOW, b >> _32
    middle = a_high * b_low + ((a_low * b_low) >> _32)
    carry = a_low * b_high + (middle & _LOW)
    return a_high * b_high + (middle >> _32) + (carry >> _32)


@nb.njit(
    nb.types.UniTuple(uint64, 4)(uint64, uint64, uint64, uint64, uint64, uint64),
    cache=True,
    nogil=True,
)
def philox4x64(c0, c1, c2, c3, k0, k1):
    """Return four random 64-bit words for the counter ``(c0, c1, c2, c3)`` and key ``(k0, k1)``."""
    for _ in range(10):
        high0, low0 = _multiply_high(_M0, c0), _M0 * c0
        high1, low1 = _multiply_high(_M1, c2), _M1 * c2
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0 += _W0
        k1 += _W1
    return c0, c1, c2, c3


@nb.njit(nb.void(uint64, uint64, uint64, nb.int32[::1]), cache=True, nogil=True)
def fill_epoch_order(k0, k1, epoch, order):
    """Fill ``order`` [n] with the permutation of 0 … n − 1 that belongs to an epoch.

    Fisher–Yates from the end, one 32-bit word a swap, mapped to 0 … i by multiply-and-shift
    (Lemire 2019; its bias is below n · 2⁻³²). The stream's counter is (block, 0, 0, epoch).
    """
    n = order.size
    for i in range(n):
        order[i] = i
    words = philox4x64(uint64(0), uint64(0), uint64(0), epoch, k0, k1)
    for swap in range(n - 1):
        taken = swap & 7
        if swap and not taken:
            words = philox4x64(uint64(swap >> 3), uint64(0), uint64(0), epoch, k0, k1)
        word = words[taken >> 1]
        if taken & 1:
            word = word >> _32
        i = n - 1 - swap
        j = ((word & _LOW) * uint64(i + 1)) >> _32
        order[i], order[j] = order[j], order[i]


def epoch_order(key: tuple[int, int], epoch: int, n: int) -> NDArray[np.int32]:
    """Return the batch order [n] of an epoch (0, 1, …) for an ORDER stream's key."""
    order = np.empty(n, dtype=np.int32)
    fill_epoch_order(np.uint64(key[0]), np.uint64(key[1]), np.uint64(epoch), order)
    return order


@nb.njit(
    nb.void(uint64, uint64, uint64, uint64, uint64, uint32, nb.boolean[::1]),
    cache=True,
    nogil=True,
)
def fill_keep(k0, k1, step, layer, example, threshold, keep):
    """Fill ``keep`` [units] with the dropout mask of one example in one training step.

    Unit u is kept when its 32-bit word is at least ``threshold`` = round(p · 2³²). The counter is
    (u // 8, example in the batch, layer, step), so a mask does not depend on how a batch is tiled.
    """
    for block in range((keep.size + 7) // 8):
        words = philox4x64(uint64(block), example, layer, step, k0, k1)
        for half in range(8):
            u = block * 8 + half
            if u < keep.size:
                word = words[half >> 1]
                if half & 1:
                    word = word >> _32
                keep[u] = uint32(word & _LOW) >= threshold


def dropout_threshold(probability: float) -> int:
    """Return the 32-bit word below which a unit is dropped: round(p · 2³²)."""
    return min(round(probability * 2**32), 2**32 - 1)


def keep_masks(
    key: tuple[int, int], step: int, layer: int, examples: int, units: int, probability: float
) -> NDArray[np.bool_]:
    """Return the dropout masks [examples, units] of one layer in one training step (True: keep).

    ``step`` counts batches from 0 over the whole training, ``layer`` counts the network's dropout
    layers from 0, and units are numbered row-major over (channel, row, column).
    """
    masks = np.empty((examples, units), dtype=np.bool_)
    k0, k1, batch, place = (np.uint64(number) for number in (*key, step, layer))
    threshold = np.uint32(dropout_threshold(probability))
    for example in range(examples):
        fill_keep(k0, k1, batch, place, np.uint64(example), threshold, masks[example])
    return masks
