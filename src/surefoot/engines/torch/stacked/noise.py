"""Dropout masks of a stack from the ledger, made on the device; see `surefoot.seeds.philox`."""

from __future__ import annotations

import torch
from torch import Tensor

from surefoot.seeds.philox import dropout_threshold

_M0, _M1 = 0xD2E7470EE14C6C93, 0xCA5A826395121157
_W0, _W1 = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B
_LOW = 0xFFFFFFFF


def signed(word: int) -> int:
    """Return a 64-bit word as torch's int64 holds it."""
    return word - (1 << 64) if word >= 1 << 63 else word


def _high_half(x: Tensor) -> Tensor:
    return (x >> 32) & _LOW


def _multiply(a: int, b: Tensor) -> tuple[Tensor, Tensor]:
    """Return the high and the low 64 bits of the product of two unsigned 64-bit words."""
    a_low, a_high = a & _LOW, a >> 32
    b_low, b_high = b & _LOW, _high_half(b)
    middle = a_high * b_low + _high_half(a_low * b_low)
    carry = a_low * b_high + (middle & _LOW)
    high = a_high * b_high + _high_half(middle) + _high_half(carry)
    return high, b * signed(a)


def philox4x64(
    c0: Tensor, c1: Tensor, c2: Tensor, c3: Tensor, k0: Tensor, k1: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return four random words; int64 tensors that broadcast hold the bits of unsigned words."""
    for _ in range(10):
        high0, low0 = _multiply(_M0, c0)
        high1, low1 = _multiply(_M1, c2)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = k0 + signed(_W0), k1 + signed(_W1)
    return c0, c1, c2, c3


def keep_masks(
    keys: Tensor, steps: Tensor, layer: int, examples: int, units: int, probability: float
) -> Tensor:
    """Return the masks [stack, examples, units] of one dropout layer, True to keep.

    ``keys`` [stack, 2] are the NOISE streams' and ``steps`` [stack] the numbers of the instances'
    training steps. Equal to `surefoot.seeds.philox.keep_masks` of each instance.
    """
    device = keys.device
    block = torch.arange((units + 7) // 8, device=device).view(1, 1, -1)
    example = torch.arange(examples, device=device).view(1, -1, 1)
    zero = torch.zeros((), dtype=torch.int64, device=device)
    words = philox4x64(
        block, example, zero + layer, steps.view(-1, 1, 1), *keys.T.unsqueeze(-1).unsqueeze(-1)
    )
    shape = len(keys), examples, block.numel()
    halves = [half.expand(shape) for word in words for half in (word & _LOW, _high_half(word))]
    drawn = torch.stack(halves, dim=-1).flatten(2)[:, :, :units]
    return drawn >= dropout_threshold(probability)
