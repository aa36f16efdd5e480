"""Search spaces: products of choices, their unions and conditions, counted before any training."""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from surefoot.candidates.base import Candidate
from surefoot.candidates.making import making, whole
from surefoot.checks import short
from surefoot.errors import CandidateError, SpaceError, nearest

Build = Callable[..., Candidate]
Condition = Callable[[Any], bool]
Part = Callable[[], Iterator[Candidate]]


MOST_COMBINATIONS = 10_000_000
"""Of all choices, conditions not yet applied: more would take longer than anybody waits."""


class SearchSpace:
    """A finite, ordered set of different candidates.

    Build one with `product` or from a list; combine with ``|``; restrict with `where`. It is
    enumerated, checked and counted exactly the first time it is asked for, before anything is
    trained; a candidate that two parts share counts once.

    >>> from surefoot.candidates.convnet.network import Conv, ConvNet
    >>> space = SearchSpace.product(
    ...     ConvNet, convolutions=[(Conv(8),), (Conv(16),)], learning_rate=[1e-3, 1e-2, 1e-1]
    ... )
    >>> len(space), len(space.where(lambda net: net.learning_rate < 0.05))
    (6, 4)
    """

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._parts: Sequence[Part] = (lambda: iter(candidates),)
        self._conditions: Mapping[str, Condition] = {}

    @classmethod
    def product(cls, build: Build, **choices: Sequence[Any]) -> SearchSpace:
        """Return every combination of the choices given for ``build``'s keyword arguments.

        Raises `SpaceError` if an argument is unknown to ``build`` or has no choices; a combination
        that is not a candidate (a kernel larger than its input) raises when the space is
        enumerated.
        """
        _check_choices(build, choices)
        if (total := math.prod(map(len, choices.values()))) > MOST_COMBINATIONS:
            raise SpaceError(
                f"a space of {total:,} combinations is too large to go through: give choices of at "
                f"most {MOST_COMBINATIONS:,}"
            )
        names = list(choices)

        def combinations() -> Iterator[Candidate]:
            for values in itertools.product(*choices.values()):
                arguments = dict(zip(names, values, strict=True))
                try:
                    with making("a candidate"):
                        made = whole(build(**arguments))
                    yield made
                except CandidateError as error:
                    given = ", ".join(f"{name} = {short(it)}" for name, it in arguments.items())
                    raise SpaceError(f"{error} (in the space's combination {given})") from None

        return cls._of((combinations,))

    @classmethod
    def _of(cls, parts: Sequence[Part], conditions: Mapping[str, Condition] = {}) -> SearchSpace:
        space = cls(())
        space._parts, space._conditions = parts, conditions
        return space

    def __or__(self, other: SearchSpace) -> SearchSpace:
        return self._of((self._restricted, other._restricted))

    def where(
        self, condition: Condition | None = None, *, max_parameters: int | None = None
    ) -> SearchSpace:
        """Return the candidates that fulfil a condition, or have at most ``max_parameters``."""
        added: dict[str, Condition] = {}
        if condition is not None:
            added[getattr(condition, "__name__", "condition")] = condition
        if (most := max_parameters) is not None:
            added[f"max_parameters = {most}"] = lambda candidate: (
                getattr(candidate, "number_of_parameters", 0) <= most
            )
        return self._of((self._restricted,), added)

    def _restricted(self) -> Iterator[Candidate]:
        for candidate in itertools.chain.from_iterable(part() for part in self._parts):
            if all(holds(candidate) for holds in self._conditions.values()):
                yield candidate

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """All candidates, in order, without repetition.

        Raises `SpaceError` if a combination is not a candidate, or no candidate is left.
        """
        found = tuple({candidate.key: candidate for candidate in self._restricted()}.values())
        if not found:
            names = ", ".join(self._conditions) or "its choices"
            raise SpaceError(f"no candidate of the space is left by {names}: relax it")
        return found

    def __len__(self) -> int:
        return len(self.candidates)

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self.candidates)


def _check_choices(build: Build, choices: Mapping[str, Sequence[Any]]) -> None:
    parameters = inspect.signature(build).parameters
    takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
    for name, values in choices.items():
        if name not in parameters and not takes_any:
            raise SpaceError(f"space has an unknown field {name!r}: {nearest(name, parameters)}")
        if isinstance(values, str) or not isinstance(values, Sequence) or not values:
            raise SpaceError(
                f"space field {name!r} = {short(values)} must be a list of at least one choice"
            )
