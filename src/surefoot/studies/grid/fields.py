"""The fields in which the candidates of a space differ, and the setting of all others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surefoot.candidates.hyperparameters import Value, comparable, hyperparameters
from surefoot.errors import ConfigurationError, nearest

FAMILY = "family"
"""Name of the field that says a candidate's family, where there are several."""


@dataclass(frozen=True, eq=False)
class Fields:
    """The values of k candidates in the fields in which they differ, ``columns`` [k] by name.

    A field has the last part of its name in the candidate's spec, ``channels`` for
    ``convolutions.channels``, unless two fields share that. Who lacks a field has None there.
    """

    columns: Mapping[str, tuple[Value, ...]]

    @classmethod
    def of(cls, described: Iterable[tuple[str, Mapping[str, Any]]]) -> Fields:
        """Return the fields of candidates given by family and spec."""
        told = [{FAMILY: family, **hyperparameters(spec)} for family, spec in described]
        names = sorted({name for one in told for name in one})
        columns = {name: comparable([one.get(name) for one in told]) for name in names}
        varying = {name: column for name, column in columns.items() if len(set(column)) > 1}
        last = Counter(name.rpartition(".")[2] for name in varying)
        ends = {name: name.rpartition(".")[2] for name in varying}
        return cls(
            {
                ends[name] if last[ends[name]] == 1 else name: tuple(column)
                for name, column in varying.items()
            }
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The fields, in alphabetical order."""
        return tuple(self.columns)

    def check(self, names: Iterable[str]) -> None:
        """Raise `ConfigurationError` for a name that is no field; the message names the fields."""
        for name in names:
            if name not in self.columns:
                guess = nearest(name, self.columns)
                every = f"; the candidates differ in {', '.join(self.names) or 'no field'}"
                raise ConfigurationError(f"by = {name!r} is no field here: {guess}{every}")

    def levels(self, name: str) -> list[Value]:
        """Return the values of a field, numbers ascending, others in the order of candidates."""
        found = list(dict.fromkeys(self.columns[name]))
        numbers = [one for one in found if isinstance(one, int | float)]
        if len(numbers) + found.count(None) < len(found):
            return found
        return [*sorted(numbers), *([None] if None in found else [])]

    def others(self, name: str) -> list[str]:
        """Return the other fields, without those that this one decides.

        A field that has one value wherever this one has a certain value is no setting beside it,
        such as the momentum that belongs to one optimiser.
        """
        return [one for one in self.columns if one != name and not self._decides(name, one)]

    def setting(self, row: int, names: Sequence[str]) -> str:
        """Return what a candidate (by place) has in some fields, in words."""
        return ", ".join(f"{name} {word_of(self.columns[name][row])}" for name in names)

    def _decides(self, name: str, other: str) -> bool:
        pairs = set(zip(self.columns[name], self.columns[other], strict=True))
        return len(pairs) == len(set(self.columns[name]))


def word_of(value: Value) -> str:
    """Return a value of a field as a table shows it.

    >>> [word_of(one) for one in (0.001, None, True, "relu")]
    ['0.001', 'none', 'true', 'relu']
    """
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case _:
            return str(value)
