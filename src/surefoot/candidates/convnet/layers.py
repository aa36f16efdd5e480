"""The layers of a `ConvNet`: the one description that engines, summaries and exports read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from surefoot.errors import CandidateError

if TYPE_CHECKING:
    from surefoot.candidates.convnet.network import Conv, ConvNet, Pool

Kind = Literal["conv", "batch_norm", "activation", "pool", "flatten", "dropout", "side", "dense"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer.

    ``input`` and ``output`` are shapes of one example: (channels, rows, columns) up to
    ``flatten``, (units,) after it. ``parameters`` lists its trained arrays in torch's names and
    shapes. ``conv`` and ``pool`` give the geometry of those kinds.
    """

    name: str
    kind: Kind
    input: tuple[int, ...]
    output: tuple[int, ...]
    parameters: tuple[Parameter, ...] = ()
    multiply_adds: int = 0
    conv: Conv | None = None
    pool: Pool | None = None

    @property
    def number_of_parameters(self) -> int:
        """Number of trained parameters of this layer."""
        return sum(parameter.size for parameter in self.parameters)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One trained array: its name, shape, and how it starts.

    It starts normal with mean 0 and standard deviation ``deviation`` if that is positive, else
    with the value ``constant`` everywhere.
    """

    name: str
    shape: tuple[int, ...]
    deviation: float = 0.0
    constant: float = 0.0

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)


def layers_of(net: ConvNet) -> tuple[Layer, ...]:
    """Return the layers of a network from input to output.

    Raises
    ------
    CandidateError
        If a kernel or a pooling is larger than its input.
    """
    layers: list[Layer] = []
    shape: tuple[int, ...] = net.input_shape

    def add(name: str, kind: Kind, output: tuple[int, ...], **fields: Any) -> None:
        nonlocal shape
        layers.append(Layer(name, kind, shape, output, **fields))
        shape = output

    def add_nonlinearity(block: str) -> None:
        units = shape[:1]
        if net.batch_norm:
            parameters = (
                Parameter(f"{block}_norm.weight", units, constant=1.0),
                Parameter(f"{block}_norm.bias", units),
            )
            add(f"{block}_norm", "batch_norm", shape, parameters=parameters)
        slopes = (Parameter(f"{block}_activation.weight", units, constant=0.25),)
        has_slopes = net.activation == "prelu"
        add(f"{block}_activation", "activation", shape, parameters=slopes if has_slopes else ())

    for number, conv in enumerate(net.convolutions, start=1):
        block = f"conv{number}"
        channels, rows, columns = shape
        if conv.padding == "valid":
            _check_fits(f"kernel {conv.kernel} of {block}", conv.kernel, rows, columns)
            rows, columns = rows - conv.kernel + 1, columns - conv.kernel + 1
        taps = channels * conv.kernel**2
        weights = (conv.channels, channels, conv.kernel, conv.kernel)
        parameters = _affine(block, weights, taps, bias=conv.bias)
        work = conv.channels * taps * rows * columns
        output = (conv.channels, rows, columns)
        add(block, "conv", output, parameters=parameters, multiply_adds=work, conv=conv)
        add_nonlinearity(block)
        if (pool := conv.pool) is not None:
            _check_fits(f"pooling of size {pool.size} after {block}", pool.size, rows, columns)
            pooled = [(side - pool.size) // pool.step + 1 for side in (rows, columns)]
            add(f"{block}_pool", "pool", (conv.channels, *pooled), pool=pool)
    add("flatten", "flatten", (math.prod(shape),))
    for number, units in enumerate((*net.hidden, net.outputs), start=1):
        block = f"fc{number}"
        if net.dropout:
            add(f"{block}_dropout", "dropout", shape)
        if net.side and net.side_layer == number - 1:
            add(f"{block}_side", "side", (shape[0] + net.side,))
        inputs = shape[0]
        normalised = net.batch_norm and number <= len(net.hidden)
        parameters = _affine(block, (units, inputs), inputs, bias=not normalised)
        add(block, "dense", (units,), parameters=parameters, multiply_adds=units * inputs)
        if number <= len(net.hidden):
            add_nonlinearity(block)
    return tuple(layers)


def _affine(
    block: str, shape: tuple[int, ...], fan_in: int, *, bias: bool
) -> tuple[Parameter, ...]:
    """Return weights that start as He et al. (2015, eq. 10), N(0, 2/fan_in), and a zero bias."""
    weight = Parameter(f"{block}.weight", shape, deviation=math.sqrt(2.0 / fan_in))
    return (weight, Parameter(f"{block}.bias", shape[:1])) if bias else (weight,)


def _check_fits(what: str, size: int, rows: int, columns: int) -> None:
    if size > min(rows, columns):
        raise CandidateError(
            f"{what} is larger than its input of {rows}×{columns} cells: use at most "
            f"{min(rows, columns)}, 'same' padding, or less pooling before it"
        )
