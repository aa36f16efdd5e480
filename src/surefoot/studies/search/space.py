"""A space of candidates as fields that are chosen one after the other, so that no choice misses.

A sampler thinks of fields with values of their own; a space may be any set of candidates. So the
fields are asked for in their order, and of each only the values that some candidate has who agrees
with all choices before it. In a product of choices these are always the same; where conditions or
several spaces leave others, the field has another name, by its values, since samplers do not take a
field whose values change. A list, such as the units of layers, is its length and then its entries.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from surefoot.candidates.hyperparameters import Value, comparable, hyperparameters


class Choice(NamedTuple):
    """A field to be chosen: its name and the values left; numbers are ``ordered``, ascending.

    ``column`` is its place among the fields; None chooses among candidates alike in all of them.
    """

    name: str
    values: tuple[Value, ...]
    ordered: bool
    column: int | None


class Space:
    """Candidates, given by family and spec, as a tree of choices; a place is one of them."""

    def __init__(self, described: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        told = [
            dict(_entries({"family": family, **hyperparameters(spec)}))
            for family, spec in described
        ]
        self._names = list(dict.fromkeys(name for one in told for name in one))
        self._values: list[list[Value]] = []
        codes = np.empty((len(told), len(self._names)), np.int64)
        for column, name in enumerate(self._names):
            values = comparable([one.get(name) for one in told])
            known = sorted(set(values), key=lambda one: (one is None, _rank(one)))
            place = {value: code for code, value in enumerate(known)}
            codes[:, column] = [place[value] for value in values]
            self._values.append(known)
        self._codes = codes

    def walk(self, choose: Callable[[Choice], int]) -> int:
        """Return the place that choices lead to; each is the number of a value of its `Choice`."""
        left = np.arange(len(self._codes))
        for column, name in enumerate(self._names):
            own = self._codes[left, column]
            there = np.unique(own)
            if len(there) == 1:
                continue
            known = self._values[column]
            values = tuple(known[code] for code in there)
            if len(there) < len(known):
                name += " of " + ", ".join(map(str, values))
            left = left[own == there[choose(Choice(name, values, _are_numbers(known), column))]]
        if len(left) > 1:
            left = left[[choose(Choice("candidate", tuple(range(len(left))), False, None))]]
        return int(left[0])

    def choices(self, place: int) -> Iterator[tuple[Choice, int]]:
        """Yield the choices that lead to a candidate, and the number of the value of each."""
        found: list[tuple[Choice, int]] = []

        def follow(choice: Choice) -> int:
            found.append((choice, self._number(choice, place)))
            return found[-1][1]

        self.walk(follow)
        yield from found

    def _number(self, choice: Choice, place: int) -> int:
        """Return which value of a choice a candidate has."""
        if choice.column is None:
            alike = np.flatnonzero((self._codes == self._codes[place]).all(axis=1))
            return int(np.flatnonzero(alike == place)[0])
        code = self._codes[place, choice.column]
        return choice.values.index(self._values[choice.column][code])


def _entries(spec: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    """Yield hyperparameters, of a list its length and then every entry."""
    for name, value in spec.items():
        entries = _list_of(value)
        if entries is None:
            yield name, value
            continue
        yield f"{name} length", len(entries)
        for number, entry in enumerate(entries, start=1):
            yield f"{name} {number}", entry if _is_plain(entry) else json.dumps(entry)


def _list_of(value: Value) -> list[Any] | None:
    """Return the list that a hyperparameter's text holds; None for anything else."""
    if not isinstance(value, str) or not value.startswith("["):
        return None
    try:
        found = json.loads(value)
    except ValueError:
        return None
    return found if isinstance(found, list) else None


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


def _are_numbers(values: Sequence[Value]) -> bool:
    return all(isinstance(one, int | float) and not isinstance(one, bool) for one in values)


def _rank(value: Value) -> Any:
    """Return by what a column's values, all of one type but None, are in order."""
    return 0 if value is None else value
