"""Names in study files and journals -> objects, through the package's entry points.

Whoever adds a population, candidate, engine, criterion, schedule or rule names it in their own
``pyproject.toml`` under ``surefoot.populations``, ``surefoot.candidates`` and so on, as surefoot
itself does; it is imported only when that name is used.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from surefoot.errors import ConfigurationError, nearest

Kind = Literal[
    "candidates",
    "populations",
    "engines",
    "commands",
    "criteria",
    "schedules",
    "rules",
    "rungs",
    "views",
]

_added: dict[tuple[Kind, str], Any] = {}


def register(kind: Kind, name: str, thing: Any) -> None:
    """Make ``thing`` known under ``name`` in this process, ahead of any entry point."""
    _added[kind, name] = thing


def names(kind: Kind) -> list[str]:
    """Return all known names of a kind, sorted."""
    return sorted({*_installed(kind), *(name for k, name in _added if k == kind)})


def lookup(kind: Kind, name: str) -> Any:
    """Return what is registered under ``name``.

    Raises `ConfigurationError` if nothing is; the message says the nearest known name.
    """
    if (kind, name) in _added:
        return _added[kind, name]
    if name in _installed(kind):
        return _installed(kind)[name].load()
    raise ConfigurationError(
        f"{name!r} is not a known name among the {kind}: {nearest(name, names(kind))}"
    )


@cache
def _installed(kind: Kind) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=f"surefoot.{kind}")}
