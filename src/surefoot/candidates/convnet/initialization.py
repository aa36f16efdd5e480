"""Initial weights from the seed ledger: every engine starts the same instance alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.convnet.network import ConvNet
from surefoot.seeds.ledger import InstanceSeed, Stream


def initial_weights(net: ConvNet, seed: InstanceSeed) -> NDArray[np.float32]:
    """Return all parameters of a network, flat [number_of_parameters], as an instance starts.

    The order is that of ``net.layers`` and of each layer's ``parameters``, each array row-major.
    Weights are He-normal (He et al. 2015, eq. 10: variance 2/fan_in), biases and batch-norm shifts
    0, batch-norm scales 1, PReLU slopes 0.25. One normal stream fills the weights in order.
    """
    generator = seed.generator(Stream.INIT)
    flat = np.empty(net.number_of_parameters, dtype=np.float32)
    views = named_weights(net, flat)
    for parameter in net.parameters:
        values = views[parameter.name]
        values[...] = parameter.constant
        if parameter.deviation:
            generator.standard_normal(out=values, dtype=np.float32)
            values *= np.float32(parameter.deviation)
    return flat


def named_weights(net: ConvNet, flat: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Return views of a flat parameter vector by name, in torch's shapes."""
    ends = np.cumsum([parameter.size for parameter in net.parameters])
    parts = np.split(flat, ends[:-1])
    return {p.name: part.reshape(p.shape) for p, part in zip(net.parameters, parts)}
