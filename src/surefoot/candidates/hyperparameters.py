"""Hyperparameters: the fields of a candidate's spec by name, plain enough for a table's columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Value = str | int | float | bool | None


def hyperparameters(spec: Mapping[str, Any]) -> dict[str, Value]:
    """Return what a spec holds, by names with a dot where it is nested.

    A part of an estimator has the name of its step or parameter; a list becomes text, and a list of
    equal tables, such as the convolutions of a network, a list per field.

    >>> hyperparameters({"class": "sklearn.svm.SVR", "parameters": {"C": 10.0}, "side": False})
    {'class': 'sklearn.svm.SVR', 'C': 10.0, 'side': False}
    >>> hyperparameters({"convolutions": [{"channels": 8}, {"channels": 16}], "hidden": [4]})
    {'convolutions.channels': '[8, 16]', 'hidden': '[4]'}
    """
    return dict(_named("", spec))


def _named(name: str, value: Any) -> Iterator[tuple[str, Value]]:
    match value:
        case {"class": path, "parameters": dict(parameters), **others}:
            yield from _named(_inner(name, "class"), path)
            for inner, entry in (*parameters.items(), *others.items()):
                yield from _named(_inner(name, inner), entry)
        case {"tuple": entries} if len(value) == 1:
            yield from _named(name, entries)
        case {"float": text} if len(value) == 1:
            yield name, str(text)
        case {"parameters": dict(parameters), **others}:
            yield from _named(name, others | parameters)
        case Mapping():
            for inner, entry in value.items():
                yield from _named(_inner(name, str(inner)), entry)
        case [{"tuple": [str(), {"class": _}]}, *_]:
            prefix = name.removesuffix("steps").removesuffix(".")
            for entry in value:
                step, *rest = entry["tuple"]
                yield from _named(_inner(prefix, step), rest[0] if len(rest) == 1 else rest)
        case [Mapping(), *_] if all(
            isinstance(entry, Mapping) and entry.keys() == value[0].keys() for entry in value
        ):
            for inner in value[0]:
                yield from _named(_inner(name, inner), [entry[inner] for entry in value])
        case None | bool() | int() | float() | str():
            yield name, value
        case _:
            yield name, json.dumps(value, ensure_ascii=False)


def _inner(name: str, inner: str) -> str:
    return f"{name}.{inner}" if name else inner


def comparable(values: list[Value]) -> list[Value]:
    """Return a column's values in one type: numbers, truth values or text; None stays None.

    >>> comparable([1, 2.5, None]), comparable([1, "auto"])
    ([1.0, 2.5, None], ['1', 'auto'])
    """
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and len(kinds) == 2:
        return [None if value is None else float(value) for value in values]
    if len(kinds) > 1:
        return [None if value is None else str(value) for value in values]
    return values
