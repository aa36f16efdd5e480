"""Averages of the weights along a training: what is tested, stopped by and shipped.

With θ_t the weights after step t = 1, 2, …:

``none``
    the last weights.
``ema(n steps)``, ``ema(n epochs)``
    exponential average of time constant n, default 500 steps: a ← a + g_t (θ_t − a) with
    g_t = α/(1 − (1 − α)ᵗ), α = 1/n steps, which is the average of all weights so far with weights
    ∝ (1 − α)^(steps ago): nothing of the initial weights stays in it (Morales-Brotons et al. 2024).
``last(s)``
    mean of the weights at the ends of the last share s of ``max_epochs`` epochs, default 0.25
    (stochastic weight averaging, Izmailov et al. 2018); the weights themselves before. A training
    that the stopping rule ends before that share begins has no average.

Statistics of batch normalisation are computed anew for averaged weights after every epoch, as the
mean over batches of at most 2,048 examples of the training sample, evenly spread, without dropout:
three times as many as the running averages of batches of 32 remember. Batches of a single example
are left out, and where no other is, the running averages stay.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import ConfigurationError
from surefoot.learning.notation import read_call, read_number

STATISTICS_EXAMPLES = 2048
_DEFAULTS: dict[str, tuple[str, ...]] = {"none": (), "ema": ("500 steps",), "last": ("0.25",)}


@dataclass(frozen=True, slots=True)
class Average:
    """An average by name; ``length`` is in ``unit`` (steps, epochs) or the share of the epochs."""

    name: str = "none"
    length: float = 0.0
    unit: str = ""

    def __str__(self) -> str:
        short = f"{self.length:g}{' ' * bool(self.unit)}{self.unit}"
        return self.name if self.name == "none" else f"{self.name}({short})"

    @property
    def code(self) -> int:
        """Number of the average for compiled engines: none 0, ema 1, last 2."""
        return list(_DEFAULTS).index(self.name)

    def time_constant(self, epoch_steps: int) -> float:
        """Return the time constant of an exponential average in steps, at least 1."""
        return max(1.0, self.length * (epoch_steps if self.unit == "epochs" else 1))

    def first_epoch(self, max_epochs: int) -> int:
        """Return the first epoch, from 0, whose weights the mean of the last share holds."""
        return max_epochs - math.ceil(self.length * max_epochs - 1e-9)


def parse_average(text: str) -> Average:
    """Return the average that a candidate names: ``none``, ``ema(2 epochs)``, ``last(0.5)``, …

    >>> str(parse_average("ema"))
    'ema(500 steps)'

    Raises `ConfigurationError` if the text names no average.
    """
    name, given = read_call("average", text, _DEFAULTS)
    if name == "none":
        return Average()
    value = (given or _DEFAULTS[name])[0]
    if name == "last":
        return Average(name, read_number(f"average {text!r}", value, 1e-6, 1.0))
    length, _, unit = value.partition(" ")
    unit = unit.strip()
    unit += "" if unit.endswith("s") else "s"
    if unit not in ("steps", "epochs"):
        raise ConfigurationError(f"average {text!r}: write steps or epochs, as in 'ema(2 epochs)'")
    return Average(name, read_number(f"average {text!r}", length), unit)


def statistics_rows(rows: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the rows of a training sample that statistics are computed from."""
    return rows[:: -(-rows.size // STATISTICS_EXAMPLES)]


def ema_gain(step: int, time_constant: float) -> float:
    """Return g of a step, from 1, of an exponential average whose time constant is in steps.

    >>> ema_gain(1, 4.0)
    1.0
    """
    rate = 1.0 / time_constant
    return float(rate / (1.0 - (1.0 - rate) ** step))
