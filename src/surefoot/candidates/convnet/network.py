"""Small convolutional networks: the paper's family of candidates (§3.3, §3.9).

Each of up to three blocks is convolution → [batch normalisation] → activation → [pooling]. The
flattened result passes through fully connected layers, each but the last followed by
[batch normalisation] → activation; [dropout] acts on the flattened features and after every hidden
layer. Side features join before any fully connected layer. Without a block it is a multilayer
perceptron on any number of features, none of which is dropped. All conventions are those of torch:
cross-correlation, floor division in pooling, "same" padding with the odd cell at the end.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Literal, Self, get_args

from surefoot.candidates.base import Candidate
from surefoot.candidates.fields import number, put, settle, whole, wholes
from surefoot.candidates.recipe import DEFAULTS as RECIPE_DEFAULTS
from surefoot.candidates.recipe import recipe_label, recipe_spec, settle_recipe
from surefoot.checks import at_least, known, one_of, short
from surefoot.errors import CandidateError
from surefoot.learning.losses import Loss, Objective, parse_loss
from surefoot.learning.optimizers import OPTIMIZERS, OptimizerName

Activation = Literal["sigmoid", "tanh", "relu", "leaky_relu", "prelu", "elu", "gelu"]
ACTIVATIONS: tuple[Activation, ...] = get_args(Activation)
"""σ(x); tanh(x); max(0, x); slope 0.01; learned slope from 0.25, one per channel or unit;
eˣ − 1 below 0; x·Φ(x) with the exact normal distribution function."""


Kind = Literal["conv", "batch_norm", "activation", "pool", "flatten", "dropout", "side", "dense"]


@dataclass(frozen=True, slots=True)
class Pool:
    """Pooling of kind ``max`` or ``average`` over size×size cells; ``stride`` None means size."""

    kind: Literal["max", "average"] = "max"
    size: int = 2
    stride: int | None = None

    def __post_init__(self) -> None:
        settle(self, size=whole, **({} if self.stride is None else {"stride": whole}))
        one_of("pooling kind", self.kind, ("max", "average"), error=CandidateError)
        if self.size < 1 or (self.stride is not None and self.stride < 1):
            raise CandidateError(
                f"pooling of size {self.size} and stride {self.stride} must be at least 1"
            )

    @property
    def step(self) -> int:
        """The stride in cells."""
        return self.size if self.stride is None else self.stride


@dataclass(frozen=True, slots=True)
class Conv:
    """One convolution of stride 1 and what pools its activation.

    ``kernel`` is 1 to 7, odd or even; ``padding`` "valid" shrinks a side of n cells to
    n − kernel + 1, "same" keeps n.
    """

    channels: int
    kernel: int = 3
    padding: Literal["valid", "same"] = "valid"
    bias: bool = True
    pool: Pool | None = None

    def __post_init__(self) -> None:
        settle(self, channels=whole, kernel=whole)
        if self.channels < 1:
            raise CandidateError(f"a convolution of {self.channels} channels must have at least 1")
        if not 1 <= self.kernel <= 7:
            raise CandidateError(f"convolution kernel {self.kernel} must be 1 … 7")
        one_of("convolution padding", self.padding, ("valid", "same"), error=CandidateError)


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


MOST_PARAMETERS = 100_000_000


@dataclass(frozen=True)
class ConvNet(Candidate):
    """A small convolutional network with everything that decides its training.

    Parameters
    ----------
    convolutions
        Up to three `Conv`; without any, a network of fully connected layers alone.
    hidden
        Units of the fully connected layers before the output layer, none to four.
    activation
        One of `ACTIVATIONS`, used after every convolution and hidden layer.
    batch_norm
        Normalise before every activation (momentum 0.1, ε = 1e-5; running averages at test time).
        A batch that leaves one value per channel has variance 0 and changes no running average.
        What is normalised has no bias before: it would change nothing but the rounding, which
        optimisers that divide by the gradient's size turn into a walk.
    dropout
        Probability of dropping a flattened feature or hidden unit in training.
    side
        Number of side features that join the network; 0 for none (``side_layer`` is then 1).
    side_layer
        The fully connected layer they join before: 0 the first (with the flattened features),
        1 the second, …
    input_shape
        (channels, rows, columns) of the features, which are stored flat and row-major; without
        convolutions only their number counts, (10,) will do, and it is kept as (1, 1, 10).
    outputs
        Number of outputs of the last fully connected layer.
    scale
        Standardise features, side features and target on the training sample; see
        `surefoot.engines.scaling`.
    optimizer, learning_rate, batch_size, decay
        See `optimizers`; ``decay`` is L2 regularisation, or AdamW's decoupled decay.
    loss
        Loss trained on; None for the study's.
    objective, schedule, warmup, average, clip
        See `surefoot.candidates.recipe`.

    Raises
    ------
    CandidateError
        If fields are out of range or contradict each other (a kernel larger than its input).
    """

    family: ClassVar[str] = "convnet"

    convolutions: tuple[Conv, ...]
    hidden: tuple[int, ...] = ()
    activation: Activation = "relu"
    batch_norm: bool = False
    dropout: float = 0.0
    side: int = 0
    side_layer: int = 1
    input_shape: tuple[int, int, int] = (1, 15, 15)
    outputs: int = 1
    scale: bool = False
    optimizer: OptimizerName = "adam"
    learning_rate: float = 1e-3
    batch_size: int = 32
    decay: float = 0.0
    loss: Loss | None = None
    objective: Objective | None = None
    schedule: str = "constant"
    warmup: float = 0.0
    average: str = "none"
    clip: float | None = None

    def __post_init__(self) -> None:
        settle(self, hidden=wholes, input_shape=wholes, outputs=whole, side=whole, side_layer=whole)
        settle(self, dropout=number)
        try:
            put(self, convolutions=tuple(self.convolutions))
        except TypeError:
            raise CandidateError(f"convolutions = {self.convolutions!r} must be a list") from None
        for conv in self.convolutions:
            if not isinstance(conv, Conv):
                raise CandidateError(f"convolution {conv!r} must be a Conv")
        if self.batch_norm:
            unbiased = tuple(replace(conv, bias=False) for conv in self.convolutions)
            put(self, convolutions=unbiased)
        if not self.convolutions:
            put(self, input_shape=(1, 1, math.prod(self.input_shape)))
        if len(self.input_shape) != 3:
            raise CandidateError(
                f"input_shape = {short(self.input_shape)} must be (channels, rows, columns)"
            )
        if len(self.convolutions) > 3:
            raise CandidateError(f"{len(self.convolutions)} convolutions given; use at most 3")
        if len(self.hidden) > 4:
            raise CandidateError(f"{len(self.hidden)} hidden layers given; use at most 4")
        known("activation", self.activation, ACTIVATIONS, error=CandidateError)
        known("optimizer", self.optimizer, OPTIMIZERS, error=CandidateError)
        at_least(1, outputs=self.outputs, error=CandidateError)
        if not isinstance(self.scale, bool):
            raise CandidateError(f"scale = {short(self.scale)} must be true or false")
        if any(units < 1 for units in (*self.hidden, *self.input_shape)):
            raise CandidateError(
                f"hidden = {short(self.hidden)} and "
                f"input_shape = {short(self.input_shape)} must be positive"
            )
        if not 0 <= self.dropout < 1:
            raise CandidateError(f"dropout = {self.dropout} must be at least 0 and below 1")
        if self.side < 0 or (self.side and not 0 <= self.side_layer <= len(self.hidden)):
            raise CandidateError(
                f"{self.side} side features cannot join before fully connected layer "
                f"{self.side_layer}: it must be 0 … {len(self.hidden)}"
            )
        if not self.side:
            put(self, side_layer=1)
        settle_recipe(self)
        if self.number_of_parameters > MOST_PARAMETERS:
            raise CandidateError(
                f"a network of {self.number_of_parameters:,} parameters is too large: "
                f"{MOST_PARAMETERS:,} are the most"
            )

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The network from input to output, layer by layer."""
        return _layers_of(self)

    @property
    def parameters(self) -> list[Parameter]:
        """All trained arrays, in the order of the layers."""
        return [parameter for layer in self.layers for parameter in layer.parameters]

    @cached_property
    def number_of_parameters(self) -> int:
        """Number of trained parameters."""
        return sum(parameter.size for parameter in self.parameters)

    @cached_property
    def flops(self) -> int:
        """Floating-point operations of one example, forward and backward, in products and sums.

        Two per multiply-add and three passes (forward, input gradient, weight gradient), without
        the input gradient of the first layer.
        """
        first, *rest = (layer.multiply_adds for layer in self.layers if layer.multiply_adds)
        return 4 * first + 6 * sum(rest)

    def summary(self) -> str:
        """Return a table of layers: name, output shape, parameters."""
        rows = [("layer", "output", "parameters")]
        rows += [
            (layer.name, "×".join(map(str, layer.output)), f"{layer.number_of_parameters:,}")
            for layer in self.layers
        ]
        rows.append(("total", "", f"{self.number_of_parameters:,}"))
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        return "\n".join(
            f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}".rstrip() for a, b, c in rows
        )

    @property
    def label(self) -> str:
        """Architecture and hyperparameters in one line."""
        blocks = "-".join(
            f"{c.channels}c{c.kernel}"
            + ("s" if c.padding == "same" else "")
            + (
                ""
                if c.pool is None
                else f"{c.pool.kind[0]}{c.pool.size}"
                + (f"/{c.pool.step}" if c.pool.step != c.pool.size else "")
            )
            for c in self.convolutions
        )
        dense = "-".join(map(str, (*self.hidden, self.outputs)))
        extras = ("+side" if self.side else "") + (" scaled" if self.scale else "")
        extras += " bn" if self.batch_norm else ""
        extras += f" drop{self.dropout:g}" if self.dropout else ""
        decay = f" decay {self.decay:g}" if self.decay else ""
        return (
            f"{blocks}{' ' if blocks else ''}fc{dense}{extras} {self.activation} {self.optimizer} "
            f"lr {self.learning_rate:g} batch {self.batch_size}{decay}{recipe_label(self)}"
        )

    def spec(self) -> dict[str, Any]:
        """Return all fields as plain JSON values; scale and recipe only if not the defaults."""
        left = {*RECIPE_DEFAULTS} | (set() if self.scale else {"scale"})
        names = (f.name for f in dataclasses.fields(self) if f.name not in left)
        fields = {name: getattr(self, name) for name in names} | recipe_spec(self)
        fields["convolutions"] = [dataclasses.asdict(conv) for conv in self.convolutions]
        fields["hidden"] = list(self.hidden)
        fields["input_shape"] = list(self.input_shape)
        fields["loss"] = None if self.loss is None else str(self.loss)
        return fields

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        """Rebuild a network from its `spec`."""
        fields = dict(spec)
        try:
            fields["convolutions"] = tuple(
                Conv(**{**conv, "pool": Pool(**conv["pool"]) if conv.get("pool") else None})
                for conv in fields["convolutions"]
            )
            fields["hidden"] = tuple(fields.get("hidden", ()))
            fields["input_shape"] = tuple(fields.get("input_shape", (1, 15, 15)))
            fields["loss"] = None if fields.get("loss") is None else parse_loss(fields["loss"])
            return cls(**fields)
        except (KeyError, TypeError) as error:
            raise CandidateError(f"{dict(spec)!r} does not describe a ConvNet: {error}") from None


def _layers_of(net: ConvNet) -> tuple[Layer, ...]:
    """Return the layers of a network from input to output.

    Raises `CandidateError` if a kernel or a pooling is larger than its input.
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

    for place, conv in enumerate(net.convolutions, start=1):
        block = f"conv{place}"
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
    for place, units in enumerate((*net.hidden, net.outputs), start=1):
        block = f"fc{place}"
        if net.dropout and (place > 1 or net.convolutions):
            add(f"{block}_dropout", "dropout", shape)
        if net.side and net.side_layer == place - 1:
            add(f"{block}_side", "side", (shape[0] + net.side,))
        inputs = shape[0]
        normalised = net.batch_norm and place <= len(net.hidden)
        parameters = _affine(block, (units, inputs), inputs, bias=not normalised)
        add(block, "dense", (units,), parameters=parameters, multiply_adds=units * inputs)
        if place <= len(net.hidden):
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
