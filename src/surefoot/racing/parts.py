"""Parts of a race's rules: what they are called, which numbers they take, and what those may be.

Schedules, elimination rules and the screen are frozen dataclasses. A field made with `key` may be
set in a study file's ``[race]`` and with an option of ``rerace``; one made with `number` only in
Python. Both are checked against their domain.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, dataclass
from math import inf
from numbers import Integral, Real
from typing import Any, ClassVar

from surefoot.checks import short
from surefoot.errors import ConfigurationError

MOST_INSTANCES = 100_000
"""Instances that one candidate may be asked for in a race."""


@dataclass(frozen=True)
class Domain:
    """What a value may be: its type, in words, as an option shows it, and by a test."""

    type: type
    words: str
    metavar: str
    holds: Callable[[Any], bool] = lambda value: True

    def allows(self, value: Any) -> bool:
        """Say whether a value is of the type (a whole number is also a real one) and passes."""
        kind = {int: Integral, float: Real}.get(self.type, self.type)
        fits = isinstance(value, kind) and (self.type is bool or not isinstance(value, bool))
        return fits and value == value and bool(self.holds(value))


SHARE = Domain(float, "a share between 0 and 1", "SHARE", lambda x: 0.0 < x < 1.0)
LEVEL = Domain(float, "a small probability such as 0.05", "P", lambda x: 0.0 < x < 0.5)
POSITIVE = Domain(float, "a number above 0", "N", lambda x: 0.0 < x < inf)
YES = Domain(bool, "true or false", "")


def whole(least: int = 1) -> Domain:
    """Return the domain of the whole numbers from ``least`` on, as far as anybody counts."""
    return Domain(int, f"a whole number from {least} on", "N", lambda n: least <= n < 1 << 53)


def trainings(least: int = 1) -> Domain:
    """Return the domain of how many trainings a candidate may be asked for."""
    words = f"a whole number from {least} to {MOST_INSTANCES:,}"
    return Domain(int, words, "N", lambda n: least <= n <= MOST_INSTANCES)


def one_of(*words: str) -> Domain:
    """Return the domain of some words."""
    return Domain(str, either(words), "NAME", lambda word: word in words)


def either(words: tuple[str, ...] | list[str]) -> str:
    """Return ``'a', 'b' or 'c'``."""
    *others, last = (f"'{word}'" for word in words)
    return f"{', '.join(others)} or {last}" if others else last


def number(domain: Domain, default: Any = MISSING) -> Any:
    """Return a dataclass field with a domain that no study file sets."""
    return dataclasses.field(default=default, metadata={"domain": domain})


def key(domain: Domain, help: str, default: Any = MISSING) -> Any:
    """Return a dataclass field that study files and options set; ``help`` is one line."""
    return dataclasses.field(default=default, metadata={"domain": domain, "help": help})


@dataclass(frozen=True)
class Key:
    """A field made with `key`; a ``default`` of ``MISSING`` means that it must be given."""

    name: str
    domain: Domain
    help: str
    default: Any

    @property
    def needed(self) -> bool:
        """Whether it has no default."""
        return self.default is MISSING


@dataclass(frozen=True)
class Part:
    """A schedule, a rule or a screen: a frozen dataclass of numbers with a stable name.

    ``name`` is what study files, options and journals call it, ``place`` its place in tables.
    Raises `ConfigurationError` for a number outside its domain.
    """

    name: ClassVar[str]
    place: ClassVar[int] = 9

    def __post_init__(self) -> None:
        for one in dataclasses.fields(self):
            if hasattr(getattr(self, one.name), "item"):  # a number of NumPy's
                object.__setattr__(self, one.name, getattr(self, one.name).item())
            domain, value = one.metadata.get("domain"), getattr(self, one.name)
            left_out = value is None and one.default is None
            if domain is not None and not left_out and not domain.allows(value):
                raise ConfigurationError(
                    f"{self.name}: {one.name} = {shown(value)} cannot be used: give {domain.words}"
                )

    @classmethod
    def parameters(cls) -> tuple[Key, ...]:
        """Return the fields made with `key`."""
        return tuple(
            Key(one.name, one.metadata["domain"], one.metadata["help"], one.default)
            for one in dataclasses.fields(cls)
            if "help" in one.metadata
        )


def shown(value: Any) -> str:
    """Return a value as a study file writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, int | float) else short(value)
