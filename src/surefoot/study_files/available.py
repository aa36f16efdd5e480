"""What a study file may name, by kind: criteria, schedules, rules, losses, engines, data."""

from __future__ import annotations

import dataclasses
import inspect
import re
from typing import Any

from surefoot import registry
from surefoot.checks import known
from surefoot.errors import SurefootError
from surefoot.learning.losses import LOSSES
from surefoot.racing.criteria import as_criterion
from surefoot.racing.registry import registered

KINDS = ("criteria", "schedules", "rules", "rungs", "losses", "engines", "datasets", "candidates")
"""What can be asked for."""


def available(kind: str) -> dict[str, str]:
    """Return the names of a kind that are known here, those of other packages too, in a sentence.

    Parameters
    ----------
    kind
        ``criteria``, ``schedules``, ``rules``, ``rungs``, ``losses``, ``engines``, ``datasets``
        (registered populations) or ``candidates`` (their families).

    Raises
    ------
    ConfigurationError
        If the kind is another one.

    Examples
    --------
    >>> import surefoot
    >>> surefoot.available("criteria")["mean"]
    'Arithmetic mean, sum(x) / n.'
    """
    known("kind", kind, KINDS)
    match kind:
        case "losses":
            return dict(LOSSES)
        case "criteria":
            return {name: _criterion(name) for name in registry.names("criteria")}
        case "schedules" | "rules" | "rungs":
            return {name: _sentence(part) for name, part in registered(kind).items()}
        case _:
            group: Any = "populations" if kind == "datasets" else kind
            return {name: _registered(group, name) for name in registry.names(group)}


def _criterion(name: str) -> str:
    made = as_criterion(name)
    given = ", ".join(f"{getattr(made, one.name):g}" for one in dataclasses.fields(made))
    special = f"{made.word}({given}): " if made.word != name else ""
    return special + _sentence(type(made))


def _registered(group: Any, name: str) -> str:
    """Return what a thing says of itself, or why it cannot be had here."""
    try:
        return _sentence(registry.lookup(group, name))
    except SurefootError as error:
        return f"not here: {error}"


def _sentence(thing: Any) -> str:
    """Return the first sentence of a docstring, without its marks."""
    paragraph = (inspect.getdoc(thing) or "").partition("\n\n")[0]
    words = re.sub(r"`{1,2}([^`]*)`{1,2}", r"\1", " ".join(paragraph.split()))
    return re.split(r"(?<=\.) |; ", words, maxsplit=1)[0]
