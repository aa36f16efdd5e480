"""Small networks, and every bit that the fused engine gives them."""

from __future__ import annotations

import itertools

import surefoot
from surefoot.engines.fused_cpu import FusedCpu
from surefoot.testing import toy_instance, toy_setting

NETWORKS = [
    surefoot.convnet(channels=[width], hidden=[3], learning_rate=rate)
    for width, rate in itertools.product((1, 2), (1e-3, 1e-2))
]


def trained() -> str:
    """Return every bit of the losses of some trainings by the fused engine."""
    engine = FusedCpu()
    outcomes = [
        engine.train(toy_instance(network, number), toy_setting()).outcome
        for network in NETWORKS
        for number in range(3)
    ]
    return "\n".join(f"{one.loss!r} {one.curve.tobytes().hex()}" for one in outcomes)
