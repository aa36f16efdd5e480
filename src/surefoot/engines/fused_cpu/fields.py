"""The columns of the stage table that the compiled kernels read."""

from __future__ import annotations

import enum

from surefoot.engines.fused_cpu.target import TILES_AT_ONCE


class Field(enum.IntEnum):
    """Columns of the stage table."""

    CHANNELS = 0
    ROWS = 1
    COLUMNS = 2
    """Channels and computed rows and columns of the convolution's output."""
    ACTIVATION = 3
    NORM = 4
    """Address of (scale, shift) in the parameters, or −1."""
    SLOPES = 5
    """Address of PReLU's slopes in the parameters, or −1."""
    BIAS = 6
    """Address of the bias in the parameters, or −1."""
    POOL = 7
    """0 none, 1 max, 2 average."""
    POOL_SIZE = 8
    POOL_STEP = 9
    POOLED_ROWS = 10
    POOLED_COLUMNS = 11
    IN = 12
    IN_TILE = 13
    IN_CHANNEL = 14
    IN_ROW = 15
    """Address of the input map, floats from tile to tile, channel to channel and row to row."""
    Z = 16
    Z_TILE = 17
    Z_CHANNEL = 18
    """The convolution's output; its gradient replaces it on the way back."""
    OUT = 19
    OUT_TILE = 20
    OUT_CHANNEL = 21
    """The next stage's input, which this one fills; its gradient replaces it on the way back."""
    PARTS = 22
    """1, or the number of channel blocks if Z holds one at a time, computed again on the way
    back: this keeps the first stage's large maps within the cache."""
    FORWARD = 23
    """FORWARD + tiles − 1: table of the forward product for so many tiles."""
    BACKWARD = FORWARD + TILES_AT_ONCE
    """BACKWARD + tiles − 1: table of the input gradient for so many tiles; −1 for the first."""
    WEIGHTS = BACKWARD + TILES_AT_ONCE
    """Table of the weight gradient's jobs; where it is TURNED, of every block's first channel."""
    MASK = WEIGHTS + 1
    MASK_LAYER = WEIGHTS + 2
    MASK_THRESHOLD = WEIGHTS + 3
    """Address of the dropout mask of OUT or −1, number of the dropout layer, 32-bit threshold."""
    KERNELS = WEIGHTS + 4
    """Address of the weights in the parameters."""
    STATISTICS = WEIGHTS + 5
    """Address in the running statistics of batch normalisation: means, then variances."""
    OUT_CELLS = WEIGHTS + 6
    """Cells of OUT that the pooling fills: channels × pooled rows × pooled columns."""
    NORM_SCRATCH = WEIGHTS + 7
    """Address of per-channel scale and shift, mean and inverse deviation as applied."""
    RUN = WEIGHTS + 8
    """Floats from one input of a run to the next: IN_CHANNEL, or 16 along a kernel's row."""
    STRIPS = WEIGHTS + 9
    """Table of strips for Winograd's algorithm, or −1 if the stage is convolved directly."""
    INPUTS = WEIGHTS + 10
    IN_ROWS = WEIGHTS + 11
    IN_COLUMNS = WEIGHTS + 12
    BEFORE = WEIGHTS + 13
    """Channels, rows and columns of the input map, and cells of padding before it."""
    PATCH_ROWS = WEIGHTS + 14
    PATCH_COLUMNS = WEIGHTS + 15
    """Patches of 2×2 outputs in a map."""
    SPAN = WEIGHTS + 16
    """Floats from channel to channel in V and M: 16 × the longest strip."""
    V = WEIGHTS + 17
    V_STEP = WEIGHTS + 18
    M = WEIGHTS + 19
    M_STEP = WEIGHTS + 20
    U = WEIGHTS + 21
    U_GRADIENT = WEIGHTS + 22
    U_STEP = WEIGHTS + 23
    """Transformed inputs, outputs and kernels: addresses, and floats from frequency to
    frequency."""
    DENSE = WEIGHTS + 24
    """1 for a fully connected layer, else 0."""
    TURNED = WEIGHTS + 25
    """Address of the output's gradient turned round, [example][channel], or −1: see `dense`."""
