"""How the training and test sample of an instance are drawn, and what a draw is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import SamplingError

Method = Literal["bootstrap", "subsample"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an instance's training and test samples are drawn.

    Parameters
    ----------
    size
        Training examples; None for as many as the pool holds.
    method
        ``bootstrap`` draws with replacement (the paper's), ``subsample`` without.
    test_size
        Test examples, drawn without replacement from the test half; None for all of them.
    stratify
        Draw each class in proportion to its share of the half (classification only).

    Raises
    ------
    SamplingError
        If a size is not positive or the method is unknown.
    """

    size: int | None = None
    method: Method = "bootstrap"
    test_size: int | None = None
    stratify: bool = False

    def __post_init__(self) -> None:
        if self.method not in ("bootstrap", "subsample"):
            raise SamplingError(
                f"sampling method {self.method!r} is unknown: use 'bootstrap' or 'subsample'"
            )
        for name in ("size", "test_size"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SamplingError(f"sampling {name} = {value} must be at least 1")


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """Row numbers of one instance's training sample [n] and test sample [m], int32."""

    train: NDArray[np.int32]
    test: NDArray[np.int32]
