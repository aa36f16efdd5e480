"""JAX's way to train a network: one compiled scan over the batches (needs ``jax`` installed)."""

from __future__ import annotations

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
)

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from training_data import EXAMPLES, SEED, data

from surefoot.candidates.convnet.initialization import initial_weights, named_weights
from surefoot.candidates.convnet.network import ConvNet
from surefoot.learning.optimizers import BETA1, BETA2, EPSILON, NADAM_MOMENTUM_DECAY

RATE = 1e-4
ACTIVATIONS = {
    "relu": jax.nn.relu,
    "tanh": jnp.tanh,
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
}


def forward(net: ConvNet, weights: dict[str, Any], x: Any, side: Any) -> Any:
    x = x.reshape(-1, *net.input_shape)
    for layer in net.layers:
        if layer.kind == "conv":
            padding = layer.conv.padding.upper()
            kernel = weights[f"{layer.name}.weight"]
            x = jax.lax.conv_general_dilated(
                x, kernel, (1, 1), padding, dimension_numbers=("NCHW", "OIHW", "NCHW")
            )
            if f"{layer.name}.bias" in weights:
                x = x + weights[f"{layer.name}.bias"][:, None, None]
        elif layer.kind == "dense":
            x = x @ weights[f"{layer.name}.weight"].T
            if f"{layer.name}.bias" in weights:
                x = x + weights[f"{layer.name}.bias"]
        elif layer.kind == "batch_norm":
            axes = (0, 2, 3) if x.ndim == 4 else (0,)
            shape = (1, -1, 1, 1) if x.ndim == 4 else (1, -1)
            mean, spread = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
            scale = weights[f"{layer.name}.weight"].reshape(shape)
            shift = weights[f"{layer.name}.bias"].reshape(shape)
            x = (x - mean) * jax.lax.rsqrt(spread + 1e-5) * scale + shift
        elif layer.kind == "activation":
            if net.activation == "prelu":
                slopes = weights[f"{layer.name}.weight"]
                slopes = slopes[:, None, None] if x.ndim == 4 else slopes
                x = jnp.where(x > 0, x, slopes * x)
            else:
                x = ACTIVATIONS[net.activation](x)
        elif layer.kind == "pool":
            size, step = layer.pool.size, layer.pool.step
            x = jax.lax.reduce_window(
                x, -jnp.inf, jax.lax.max, (1, 1, size, size), (1, 1, step, step), "VALID"
            )
        elif layer.kind == "flatten":
            x = x.reshape(len(x), -1)
        elif layer.kind == "side":
            x = jnp.concatenate([x, side], axis=1)
    return x


def update(net: ConvNet, p: Any, g: Any, m: Any, v: Any, t: Any, product: Any) -> tuple:
    if net.optimizer != "adamw":
        g = g + net.decay * p
    else:
        p = p * (1 - RATE * net.decay)
    if net.optimizer == "sgd":
        return p - RATE * g, m, v
    m, v = BETA1 * m + (1 - BETA1) * g, BETA2 * v + (1 - BETA2) * g * g
    root = jnp.sqrt(v / (1 - BETA2**t)) + EPSILON
    if net.optimizer == "nadam":
        now, following = momentum(t), momentum(t + 1)
        change = (1 - now) / (1 - product) * g + following / (1 - product * following) * m
        return p - RATE * change / root, m, v
    return p - RATE / (1 - BETA1**t) * m / root, m, v


def momentum(t: Any) -> Any:
    return BETA1 * (1 - 0.5 * 0.96 ** (t * NADAM_MOMENTUM_DECAY))


class Jax:
    """``lax.scan`` over batches inside ``jit``, data on the device."""

    def __init__(self, net: ConvNet) -> None:
        self.net = net
        arrays = data(net)
        features, target, side = (
            jnp.asarray(a) for a in (arrays.features, arrays.target, arrays.side)
        )
        weights = {
            name: jnp.asarray(value.copy())
            for name, value in named_weights(net, initial_weights(net, SEED)).items()
        }
        zeros = jax.tree.map(jnp.zeros_like, weights)
        self.state = (weights, zeros, zeros, jnp.float32(1), jnp.float32(1))

        def loss(weights: Any, index: Any) -> Any:
            prediction = forward(net, weights, features[index], side[index])
            return ((prediction - target[index]) ** 2).mean()

        def step(state: Any, index: Any) -> Any:
            weights, m, v, t, product = state
            product = product * momentum(t)
            g = jax.grad(loss)(weights, index)
            new = {k: update(net, weights[k], g[k], m[k], v[k], t, product) for k in weights}
            weights, m, v = ({k: new[k][i] for k in new} for i in range(3))
            return (weights, m, v, t + 1, product), None

        self.scan = jax.jit(lambda state, order: jax.lax.scan(step, state, order)[0])

    def run(self, steps: int) -> int:
        n = self.net.batch_size
        order = (np.arange(steps * n) % EXAMPLES).reshape(steps, n)
        self.state = jax.block_until_ready(self.scan(self.state, jnp.asarray(order)))
        return steps * n
