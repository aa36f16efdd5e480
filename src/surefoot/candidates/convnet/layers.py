"""The layers of a `ConvNet`, as users write them and as engines, summaries, exports read them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from surefoot.candidates.fields import settle, whole
from surefoot.checks import one_of
from surefoot.errors import CandidateError

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
