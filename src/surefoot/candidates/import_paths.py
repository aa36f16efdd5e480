"""Classes by their import paths, and what their constructors take."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from surefoot.errors import CandidateError, nearest

SEEDS = ("random_state", "random_seed", "seed")
"""Parameters that take a seed; of several that a class has, the first is fed."""


def seed_name(kind: type, arguments: Mapping[str, Any]) -> str | None:
    """Return the parameter of a class that takes a seed, None if there is none.

    A splitter for cross-validation refuses a seed unless it shuffles.
    """
    known = accepted(kind)
    splitter = hasattr(kind, "get_n_splits") and not hasattr(kind, "fit")
    if splitter and "shuffle" in known and not arguments.get("shuffle", known["shuffle"]):
        return None
    return next((name for name in SEEDS if name in known), None)


def resolve(path: str) -> type:
    """Import the class with this dotted path.

    Raises
    ------
    CandidateError
        If there is none, or it is not a class of estimators, transformers, kernels or splitters.
    """
    module_name, _, name = path.rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        package = path.partition(".")[0]
        if error.name == package:
            extra = {"sklearn": "'surefoot[sklearn]'", "xgboost": "'surefoot[xgboost]'"}
            raise CandidateError(
                f"{path} needs {package}, which is not installed; install it with: "
                f"pip install {extra.get(package, package)}"
            ) from None
        raise CandidateError(f"{path} cannot be imported: {error}") from None
    except ImportError as error:
        raise CandidateError(f"{path} cannot be imported: {error}") from None
    found = getattr(module, name, None)
    if found is None:
        public = [word for word in dir(module) if not word.startswith("_")]
        raise CandidateError(f"{module_name} has no class {name!r}: {nearest(name, public)}")
    if not isinstance(found, type) or not (has_parts(found) or hasattr(found, "fit")):
        raise CandidateError(
            f"{path} is not a class with fit, get_params or get_n_splits: name an estimator, a "
            "transformer, a kernel or a splitter"
        )
    return found


@functools.cache
def accepted(kind: type) -> Mapping[str, Any]:
    """Return the parameters of a class with their defaults, those of its parents that it hands on.

    A parent's parameters count while every ``__init__`` on the way takes ``**kwargs``.
    """
    found: dict[str, Any] = {}
    for parent in kind.__mro__:
        if "__init__" not in vars(parent) or parent is object:
            continue
        parameters = [*inspect.signature(vars(parent)["__init__"]).parameters.values()][1:]
        for parameter in parameters:
            if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                found.setdefault(parameter.name, parameter.default)
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return found


def takes_any(kind: type) -> bool:
    """Return whether a class takes keyword arguments beyond those it names."""
    parameters = inspect.signature(kind).parameters.values()
    return any(p.kind is p.VAR_KEYWORD for p in parameters)


def has_parts(kind: type) -> bool:
    """Return whether objects of a class can be taken apart into its parameters."""
    return hasattr(kind, "get_params") or hasattr(kind, "get_n_splits")


def path_of(kind: type) -> str:
    """Return the shortest dotted path under which the class is found."""
    if "<locals>" in kind.__qualname__ or "." in kind.__qualname__:
        raise CandidateError(
            f"class {kind.__qualname__} cannot be imported by name: define it at a module's top"
        )
    parts = kind.__module__.split(".")
    for length in range(1, len(parts) + 1):
        module = ".".join(parts[:length])
        try:
            if getattr(importlib.import_module(module), kind.__name__, None) is kind:
                return f"{module}.{kind.__name__}"
        except ImportError:
            continue
    raise CandidateError(f"class {kind.__name__} is not found in its module {kind.__module__}")
