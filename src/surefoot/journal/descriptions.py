"""Descriptions of studies as text that equal ones share, and what two of them differ in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np


def canonical(study: Mapping[str, Any]) -> str:
    """Return a study's description as JSON text that equal descriptions share.

    NumPy's numbers count as Python's. Raises `ValueError` or `TypeError` when it is not plain JSON
    (NaN and infinity are not).
    """
    return json.dumps(
        study, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_number
    )


def _number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def fingerprint(text: str) -> str:
    """Return 16 hexadecimal digits of the SHA-256 of a canonical description."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def mismatches(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return what makes two described studies different ones, as `differences` words it.

    A population is known by its fingerprint: its name, which holds a file's path, may change.

    >>> data = {"fingerprint": "0a", "name": "a.npz"}
    >>> mismatches({"population": data}, {"population": data | {"name": "data/a.npz"}})
    []
    """
    return list(differences(_unnamed(old), _unnamed(new)))


def _unnamed(study: Mapping[str, Any]) -> dict[str, Any]:
    population = study.get("population")
    if not isinstance(population, Mapping) or "fingerprint" not in population:
        return dict(study)
    return {**study, "population": {**population, "name": ""}}


def differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Yield what differs between two descriptions, as ``path: old -> new``.

    >>> list(differences({"a": {"b": 1}, "c": 2}, {"a": {"b": 3}, "c": 2}))
    ['a.b: 1 -> 3']
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in dict.fromkeys([*old, *new]):
            inner = f"{path}.{name}" if path else str(name)
            if name not in old:
                yield f"{inner}: absent -> {_short(new[name])}"
            elif name not in new:
                yield f"{inner}: {_short(old[name])} -> absent"
            else:
                yield from differences(old[name], new[name], inner)
    elif old != new or type(old) is not type(new):
        if isinstance(old, list) and isinstance(new, list) and max(len(old), len(new)) > 4:
            yield f"{path}: {_lists(old, new)}"
        else:
            yield f"{path}: {_short(old)} -> {_short(new)}"


def _lists(old: list[Any], new: list[Any]) -> str:
    before, after = {_short(value) for value in old}, {_short(value) for value in new}
    if before == after:
        return "the same in another order"
    gone, added = len(before - after), len(after - before)
    return f"{len(old)} -> {len(new)} ({gone} gone, {added} new)"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
