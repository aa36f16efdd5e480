"""The data and the luck that every way of `training_ways.py` trains with."""

import math
from dataclasses import dataclass

import numpy as np

from surefoot.candidates.convnet.network import ConvNet
from surefoot.seeds.ledger import InstanceSeed, Role

EXAMPLES = 2048
SEED = InstanceSeed(1, Role.PILOT, 0)


@dataclass
class Data:
    features: np.ndarray
    target: np.ndarray
    side: np.ndarray


def data(net: ConvNet) -> Data:
    generator = np.random.default_rng(0)
    cells = math.prod(net.input_shape)
    return Data(
        generator.standard_normal((EXAMPLES, cells)).astype(np.float32),
        generator.uniform(1, 2, (EXAMPLES, 1)).astype(np.float32),
        generator.standard_normal((EXAMPLES, net.side)).astype(np.float32),
    )
