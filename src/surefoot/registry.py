"""Names in study files and journals -> objects, through the package's entry points.

An application (the calorimeter is the first) names its populations, candidates and engines in its
own ``pyproject.toml`` under ``surefoot.populations``, ``surefoot.candidates`` or
``surefoot.engines``; the core imports it only when that name is used, and never by its own choice.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any, Literal

from surefoot.errors import ConfigurationError, nearest

Kind = Literal["candidates", "populations", "engines", "commands"]

_added: dict[tuple[Kind, str], Any] = {}


def register(kind: Kind, name: str, thing: Any) -> None:
    """Make ``thing`` known under ``name`` in this process, ahead of any entry point."""
    _added[kind, name] = thing


def names(kind: Kind) -> list[str]:
    """Return all known names of a kind, sorted."""
    installed = {point.name for point in entry_points(group=f"surefoot.{kind}")}
    return sorted(installed | {name for k, name in _added if k == kind})


def lookup(kind: Kind, name: str) -> Any:
    """Return what is registered under ``name``.

    Raises
    ------
    ConfigurationError
        If nothing is; the message says the nearest known name.
    """
    if (kind, name) in _added:
        return _added[kind, name]
    for point in entry_points(group=f"surefoot.{kind}"):
        if point.name == name:
            return point.load()
    raise ConfigurationError(
        f"{name!r} is not a known name among the {kind}: {nearest(name, names(kind))}"
    )
