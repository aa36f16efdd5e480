"""The notation ``name(values)`` in which candidates write losses, schedules and averages."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sized

from surefoot.errors import ConfigurationError, nearest


def read_call(what: str, text: str, known: Mapping[str, Sized]) -> tuple[str, list[str]]:
    """Return the name and the values of ``name``, ``name(value)`` or ``name(value, value)``.

    ``known`` maps each name to its defaults, of which there may be given at most as many values;
    ``what`` is what the text should name, for messages.

    >>> read_call("schedule", "step(30, 0.5)", {"step": (30, 0.1)})
    ('step', ['30', '0.5'])

    Raises `ConfigurationError` if the text is no such notation, the name is unknown, or values are
    too many.
    """
    match = re.fullmatch(r"\s*(\w+)\s*(?:\(([^()]*)\))?\s*", str(text))
    if match is None:
        example = next(iter(known))
        raise ConfigurationError(f"{what} {text!r} is unknown: write a name such as {example}")
    if match[1] not in known:
        raise ConfigurationError(f"{what} {text!r} is unknown: {nearest(match[1], known)}")
    name, inside = match.groups()
    values = [] if inside is None else [value.strip() for value in inside.split(",")]
    if len(values) > len(known[name]):
        most = len(known[name])
        allowed = f"at most {most} value{'s' * (most > 1)}" if most else "no value"
        raise ConfigurationError(f"{what} {text!r}: {name} takes {allowed}")
    return name, values


def read_number(what: str, text: str, low: float = 0.0, high: float = math.inf) -> float:
    """Return a number from low to high, above low if high is infinite.

    ``what`` it belongs to begins the message.

    Raises `ConfigurationError` if it is no number or lies outside.
    """
    try:
        value = float(text)
    except ValueError:
        raise ConfigurationError(f"{what}: {text!r} is not a number") from None
    if low < value < high or (high < math.inf and low <= value <= high):
        return value
    bounds = f"{low:g} … {high:g}" if high < math.inf else "a positive number"
    raise ConfigurationError(f"{what}: {text} must be {bounds}")
