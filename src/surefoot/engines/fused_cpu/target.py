"""What this machine's vector unit allows: how large a block of sums fits into its registers.

A tile is 16 examples whatever the machine: one 512-bit register in single precision, or two of
256 bits. Sums are blocked so that they stay in registers: 8 × 3 vectors of 32 registers with
AVX-512, 4 × 1 (eight half-vectors of 16 registers) elsewhere.
"""

from __future__ import annotations

import llvmlite.binding as llvm
from numba.core import config

LANES = 16
"""Examples in a tile, the innermost axis of every feature map."""

BLOCK = 8
"""Output channels whose weights are stored side by side: [block][tap][8]."""


def _has_avx512() -> bool:
    """Return whether Numba compiles for AVX-512: ``NUMBA_CPU_FEATURES`` overrules the machine."""
    chosen = getattr(config, "CPU_FEATURES", None)
    if chosen is not None:
        return "+avx512f" in chosen
    return bool(llvm.get_host_cpu_features().get("avx512f", False))


WIDE = _has_avx512()

CHANNELS = 8 if WIDE else 4
"""Most output channels that one micro-kernel sums at once."""

POSITIONS = 3 if WIDE else 1
"""Most positions (or, for weight gradients, taps) that one micro-kernel sums at once."""

TILES_AT_ONCE = 2
"""Tiles that share one pass over the weights."""
