"""Fields of candidates settled to one Python kind, so that equal candidates have equal keys.

A study file's 1 and Python's 1.0, a list and a tuple, or NumPy's numbers mean the same candidate.
"""

from __future__ import annotations

import numbers
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from surefoot.checks import short
from surefoot.errors import CandidateError, nearest


def whole(value: Any) -> int:
    """Return a whole number as an int."""
    return operator.index(value)


def number(value: Any) -> float:
    """Return a real number as a float."""
    if not isinstance(value, numbers.Real):
        raise TypeError
    return float(value)


def wholes(values: Any) -> tuple[int, ...]:
    """Return whole numbers as a tuple of ints."""
    return tuple(operator.index(value) for value in values)


def is_import_path(value: Any) -> bool:
    """Return whether a value is text such as ``package.module.Name``."""
    return (
        isinstance(value, str) and re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", value) is not None
    )


_WORDS = {whole: "a whole number", number: "a number", wholes: "a list of whole numbers"}


def put(thing: Any, **values: Any) -> None:
    """Set fields of a frozen dataclass while it is made."""
    for name, value in values.items():
        object.__setattr__(thing, name, value)


def settle(thing: Any, **kinds: Callable[[Any], Any]) -> None:
    """Convert fields of a frozen dataclass in place; `CandidateError` for one of another kind."""
    for field, kind in kinds.items():
        value = getattr(thing, field)
        try:
            put(thing, **{field: kind(value)})
        except TypeError:
            raise CandidateError(f"{field} = {short(value)} must be {_WORDS[kind]}") from None


def check_fields(what: str, given: Mapping[str, Any], known: Sequence[str]) -> None:
    """Raise `CandidateError` if a spec has an unknown field, or lacks the first that is known."""
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        raise CandidateError(f"{what} has no field {unknown!r}: {nearest(unknown, known)}")
    if known[0] not in given:
        raise CandidateError(f"{what} {short(dict(given))} names no {known[0]!r}")
