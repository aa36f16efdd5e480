"""Schedules of the learning rate: the rate of a step is the candidate's times a factor of 0 … 1.

With t = 0, 1, … T − 1 the step, T the steps of ``max_epochs`` epochs (whether or not the stopping
rule ends training before) and u = t/(T − 1):

===============  ==================================================================  =============
schedule         factor                                                              default
===============  ==================================================================  =============
constant         1
cosine(f)        f + (1 − f)(1 + cos πu)/2         (Loshchilov and Hutter 2017)      f = 0
linear(f)        1 − (1 − f)u                                                        f = 0
step(e, g)       g^⌊t / e epochs⌋                                                    30, 0.1
one_cycle(r)     by half cosines from 1/25 to 1 at r·T, to 1/250,000 at the end      r = 0.3
                 (Smith and Topin 2019)
cyclical(e, f)   straight up from f to 1 and down again in e epochs (Smith 2017)     10, 0.1
===============  ==================================================================  =============

Formulas and constants are those of ``torch.optim.lr_scheduler``, stepped by batches. A warm-up of
w epochs comes before: the factor rises straight to the schedule's first within W = w epochs, as
(t + 1)/(W + 1), and the schedule has the T − W steps that are left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from surefoot.learning.notation import read_call, read_number

SCHEDULES: dict[str, tuple[tuple[float, float, float], ...]] = {
    "constant": (),
    "cosine": ((0.0, 0.0, 1.0),),
    "linear": ((0.0, 0.0, 1.0),),
    "step": ((30.0, 0.0, math.inf), (0.1, 0.0, 1.0)),
    "one_cycle": ((0.3, 1e-6, 1.0 - 1e-6),),
    "cyclical": ((10.0, 0.0, math.inf), (0.1, 0.0, 1.0)),
}
"""The schedules, in the order of their numbers for compiled engines; of each parameter the default,
the least and the greatest."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule by name, with all its parameters."""

    name: str = "constant"
    parameters: tuple[float, ...] = ()

    @property
    def code(self) -> int:
        """Number of the schedule for compiled engines."""
        return list(SCHEDULES).index(self.name)

    @property
    def pair(self) -> tuple[float, float]:
        """The parameters, 0 where there is none."""
        first, second, *_ = (*self.parameters, 0.0, 0.0)
        return first, second

    def __str__(self) -> str:
        if self.parameters == tuple(default for default, *_ in SCHEDULES[self.name]):
            return self.name
        return f"{self.name}({', '.join(f'{value:g}' for value in self.parameters)})"

    def factor(self, step: int, steps: int, epoch_steps: int, warmup: float = 0.0) -> float:
        """Return the factor of a step (from 0) of ``steps``; ``warmup`` is in epochs."""
        return factor(self.code, *self.pair, step, steps, epoch_steps, warmup * epoch_steps)


def parse_schedule(text: str) -> Schedule:
    """Return the schedule that a candidate names: ``cosine``, ``cosine(0.01)``, ``step(30, 0.5)``.

    >>> str(parse_schedule("step(20)"))
    'step(20, 0.1)'

    Raises `ConfigurationError` if the text names no schedule.
    """
    name, given = read_call("schedule", text, SCHEDULES)
    numbers = [default for default, *_ in SCHEDULES[name]]
    for place, value in enumerate(given):
        numbers[place] = read_number(f"schedule {text!r}", value, *SCHEDULES[name][place][1:])
    return Schedule(name, tuple(numbers))


def factor(
    code: int,
    first: float,
    second: float,
    step: int,
    steps: int,
    epoch_steps: int,
    warmup: float,
) -> float:
    """Return the factor of a step; plain arithmetic that compiled engines compile as it stands.

    ``code`` and the two parameters are those of a `Schedule`; ``step`` counts from 0, ``warmup``
    is in steps.
    """
    rise = (step + 1) / (warmup + 1.0) if step < warmup else 1.0
    t = max(0.0, step - warmup)
    last = max(1.0, steps - warmup - 1.0)
    u = min(1.0, t / last)
    if code == 1:
        return rise * (first + (1.0 - first) * 0.5 * (1.0 + math.cos(math.pi * u)))
    if code == 2:
        return rise * (1.0 - (1.0 - first) * u)
    if code == 3:
        return float(rise * second ** math.floor(t / (first * epoch_steps)))
    if code == 4:
        top = first * (last + 1.0) - 1.0
        if t < top:
            return rise * (1.0 + (0.04 - 1.0) * 0.5 * (1.0 + math.cos(math.pi * t / top)))
        down = min(1.0, (t - top) / max(1.0, last - top))
        return rise * (4e-6 + (1.0 - 4e-6) * 0.5 * (1.0 + math.cos(math.pi * down)))
    if code == 5:
        cycle = first * epoch_steps
        triangle = 1.0 - abs(2.0 * (t / cycle - math.floor(t / cycle)) - 1.0)
        return rise * (second + (1.0 - second) * triangle)
    return rise
