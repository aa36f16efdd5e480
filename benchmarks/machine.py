"""What one core of this machine can do in single precision: fused multiply-adds and matrices.

    python benchmarks/machine.py [--json FILE] [--quick]

The FMA peak is a loop of 24 independent vector sums of 16 floats that never leave the registers;
the matrix product is torch's (MKL) of 1024 × 1024 matrices. Both are the best of several tries,
in CPU time, so that other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from pathlib import Path

import numba as nb
import numpy as np
from numba.core import types

from surefoot.engines.fused_cpu.emit import (
    call,
    constant,
    emitted,
    integer,
    loop,
    splat,
    vector_type,
)
from surefoot.engines.fused_cpu.vectors import Lanes, total

SUMS = 24


@emitted
def multiply_add_loop(typingctx, turns, x):
    """Return something that depends on ``turns`` · 24 vector multiply-adds."""
    result = Lanes(types.float32)

    def generate(context, builder, signature, args):
        vector = vector_type(types.float32)
        factor = splat(builder, vector, args[1])
        start = [constant(vector, float(i)) for i in range(SUMS)]

        def turn(_, sums):
            return [call(builder, "llvm.fma", vector, s, factor, factor) for s in sums]

        sums = loop(builder, integer(0), args[0], start, turn)
        value = sums[0]
        for other in sums[1:]:
            value = builder.fadd(value, other)
        return value

    return result(types.int64, types.float32), generate


@nb.njit
def multiply_adds(turns, x):
    return total(multiply_add_loop(turns, x))


def fma_peak(tries: int = 10) -> float:
    """Return the best rate of fused multiply-adds in GFLOP/s."""
    turns = 4_000_000
    multiply_adds(10, np.float32(0.5))
    best = float("inf")
    for _ in range(tries):
        start = time.thread_time()
        multiply_adds(turns, np.float32(0.5))
        best = min(best, time.thread_time() - start)
    return 2 * 16 * SUMS * turns / best / 1e9


def gemm_rate(tries: int = 10, n: int = 1024) -> float:
    """Return the best rate of torch's matrix product on one thread in GFLOP/s."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    a, b = torch.randn(n, n), torch.randn(n, n)
    best = float("inf")
    for _ in range(tries):
        start = time.thread_time()
        a @ b
        best = min(best, time.thread_time() - start)
    torch.set_num_threads(threads)
    return 2 * n**3 / best / 1e9


def processor() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if "model name" in line), "unknown")


def measure(quick: bool = False) -> dict[str, object]:
    """Return the machine's figures."""
    from surefoot.engines.fused_cpu.target import WIDE

    tries = 5 if quick else 20
    return {
        "processor": processor(),
        "vectors": "512 bits" if WIDE else "256 bits",
        "fma_peak_gflops": fma_peak(tries),
        "gemm_gflops": gemm_rate(tries),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    figures = measure(arguments.quick)
    for name, value in figures.items():
        print(f"{name:18} {value:.1f}" if isinstance(value, float) else f"{name:18} {value}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
