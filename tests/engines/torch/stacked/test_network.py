"""A stack's forward and backward pass is that of each instance's own torch module."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from surefoot.candidates.convnet.initialization import initial_weights, named_weights
from surefoot.candidates.convnet.network import ACTIVATIONS, Conv, ConvNet, Pool
from surefoot.candidates.convnet.notation import PRESETS, preset
from surefoot.engines.scaling import scaling_names
from surefoot.engines.torch.module import ConvModule, load
from surefoot.engines.torch.stacked.network import StackedNetwork
from surefoot.seeds.ledger import InstanceSeed, Role

SMALL = ConvNet(
    (Conv(3, 3, "same", pool=Pool("max", 2)), Conv(4, 2, pool=Pool("average", 3, 2))),
    hidden=(5,),
    side=2,
    side_layer=0,
)
NETWORKS = {
    "small": SMALL,
    "even kernel, same": ConvNet((Conv(2, 4, "same"),), hidden=(3, 2), outputs=2),
    "overlapping maxima": ConvNet((Conv(3, pool=Pool("max", 3, 1)),)),
    "no convolution": ConvNet((), (6, 5), side=2, side_layer=0, input_shape=(1, 1, 9)),
    "scaled": replace(SMALL, scale=True),
    "batch norm": replace(SMALL, batch_norm=True),
    **{f"act {name}": replace(SMALL, activation=name) for name in ACTIVATIONS},
    **{name: preset(name) for name in PRESETS},
}
STACK, BATCH = 3, 6


def modules_of(net: ConvNet) -> list[ConvModule]:
    made = []
    for number in range(STACK):
        module = ConvModule(net)
        seed = InstanceSeed(3, Role.RACE, number)
        draw = np.random.default_rng(number)
        scaling = {
            name: draw.uniform(0.5, 2.0, length).astype(np.float32)
            for name, length in scaling_names(net).items()
        }
        load(module, {**named_weights(net, initial_weights(net, seed)), **scaling}, net.label)
        made.append(module)
    return made


@pytest.mark.parametrize("net", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("training", [True, False])
def test_predictions_and_gradients(net: ConvNet, training: bool) -> None:
    modules = [module.train(training) for module in modules_of(net)]
    draw = np.random.default_rng(0)
    features = torch.from_numpy(
        draw.exponential(size=(STACK, BATCH, int(np.prod(net.input_shape)))).astype(np.float32)
    )
    side = torch.from_numpy(draw.exponential(size=(STACK, BATCH, max(net.side, 1)))).float()
    states = [module.state_dict() for module in modules]
    stacked = {name: torch.stack([state[name] for state in states]) for name in states[0]}
    names = [name for name, _ in modules[0].named_parameters()]
    leaves = {name: stacked[name].clone().requires_grad_() for name in names}
    scaling = {k: v for k, v in stacked.items() if k.startswith("scale.")}
    running = {k: v for k, v in stacked.items() if k not in {*leaves, *scaling}}
    network = StackedNetwork(net, leaves, running, scaling)
    got = network(features, side if net.side else None, None, 0.1 if training else None)
    got.square().sum().backward()
    for number, module in enumerate(modules):
        expected = module(features[number], side[number] if net.side else None)
        expected.square().sum().backward()
        torch.testing.assert_close(got[number], expected, rtol=2e-4, atol=2e-4)
        for name, parameter in module.named_parameters():
            gradient = leaves[name].grad
            assert gradient is not None
            assert parameter.grad is not None
            scale = float(parameter.grad.abs().max()) + 1e-6
            torch.testing.assert_close(
                gradient[number] / scale, parameter.grad / scale, rtol=0, atol=3e-4
            )
        for name, values in network.running.items():
            if not name.endswith("num_batches_tracked"):
                torch.testing.assert_close(values[number], module.state_dict()[name])
