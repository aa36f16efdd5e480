"""Classes and functions by their import paths, and what each place of a candidate takes.

A path is imported only when the candidate is trained (or a study file's function is asked for its
parameters), after `surefoot.candidates.trust` has judged it; and only what is meant for its place
is ever called.
"""

from __future__ import annotations

import importlib
import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal

from surefoot.candidates.trust import admit
from surefoot.errors import CandidateError, nearest, require

Place = Literal["estimator", "function", "factory", "optimizer", "loss", "schedule"]

_WANTED: dict[Place, str] = {
    "estimator": "a class with fit, get_params or get_n_splits: an estimator, a transformer, a "
    "kernel or a splitter",
    "function": "a function marked with @surefoot.candidate, and only those are ever called",
    "factory": "a class derived from torch.nn.Module, or a function annotated '-> torch.nn.Module'",
    "optimizer": "a class derived from torch.optim.Optimizer",
    "loss": "a class derived from torch.nn.Module, or a function annotated '-> torch.Tensor'",
    "schedule": "a class derived from torch.optim.lr_scheduler.LRScheduler, stepped by epochs",
}
_SAME = {"surefoot.ResNet": "surefoot.candidates.resnet.ResNet"}
"""Public names of what journals know, and keys hold, by another path."""
_INSTALLED_BY = {
    "sklearn": "'surefoot[sklearn]'",
    "xgboost": "'surefoot[xgboost]'",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
}


def path_of(thing: Any, place: Place) -> str:
    """Return the import path of a class or function, or check the path that is given.

    Raises `UntrustedError` if data give a path that nobody has trusted; see
    `surefoot.candidates.trust.admit`; `CandidateError` if it cannot be imported by name: a lambda,
    or something defined inside a function.
    """
    if isinstance(thing, str):
        parts = thing.split(".")
        if len(parts) < 2 or not all(part.isidentifier() for part in parts):
            raise CandidateError(
                f"{place} {thing!r} is not an import path such as 'package.module.Name'"
            )
        admit(thing, place)
        return _SAME.get(thing, thing)
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", "")
    if not isinstance(module, str) or not name.isidentifier():
        raise CandidateError(
            f"{place} {thing!r} cannot be imported by name: use {_WANTED[place]} at a module's top"
        )
    path = f"{module}.{name}"
    admit(path, place)
    return path


def shortest_path_of(kind: type) -> str:
    """Return the shortest dotted path under which a class is found."""
    *parts, name = path_of(kind, "estimator").split(".")
    for length in range(1, len(parts) + 1):
        module = ".".join(parts[:length])
        try:
            if getattr(importlib.import_module(module), name, None) is kind:
                return f"{module}.{name}"
        except ImportError:
            continue
    raise CandidateError(f"class {name} is not found in its module {kind.__module__}")


def resolve(path: str, place: Place) -> Callable[..., Any]:
    """Import what a path names.

    Raises `MissingExtraError` if the place needs torch, which is not installed; `CandidateError` if
    there is nothing of that name, or it is not meant for its place.
    """
    if place not in ("estimator", "function"):
        require("torch", extra="torch")
    module_name, _, name = path.rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        package = path.partition(".")[0]
        if isinstance(error, ModuleNotFoundError) and error.name == package in _INSTALLED_BY:
            raise CandidateError(
                f"{path} needs {package}, which is not installed; install it with: "
                f"pip install {_INSTALLED_BY[package]}"
            ) from None
        raise CandidateError(f"{place} {path} cannot be imported: {error}") from None
    found = getattr(module, name, None)
    if found is None:
        public = [word for word in dir(module) if not word.startswith("_")]
        raise CandidateError(f"{module_name} has no {place} {name!r}: {nearest(name, public)}")
    if not _fits(found, place):
        raise CandidateError(f"{place} {path} must be {_WANTED[place]}")
    result: Callable[..., Any] = found
    return result


def has_parts(kind: type) -> bool:
    """Return whether objects of a class can be taken apart into its parameters."""
    return hasattr(kind, "get_params") or hasattr(kind, "get_n_splits")


def check_arguments(
    path: str, make: Callable[..., Any], given: Mapping[str, Any], positional: int = 0
) -> None:
    """Raise `CandidateError` unless a class or function takes these keyword arguments.

    The first ``positional`` parameters are given otherwise.
    """
    rest = list(inspect.signature(make).parameters.values())[positional:]
    known = [p for p in rest if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    names = [p.name for p in known]
    takes_any = any(p.kind is p.VAR_KEYWORD for p in rest)
    unknown = next((name for name in given if name not in names and not takes_any), None)
    if unknown is not None:
        hint = nearest(unknown, names) if names else "it takes none"
        raise CandidateError(f"{path} has no parameter {unknown!r}: {hint}")
    missing = next((p.name for p in known if p.default is p.empty and p.name not in given), None)
    if missing is not None:
        raise CandidateError(f"{path} needs a value for its parameter {missing!r}")


def _fits(found: Any, place: Place) -> bool:
    if place == "function":
        return getattr(type(found), "makes_candidates", False) is True
    if place == "estimator":
        return isinstance(found, type) and (has_parts(found) or hasattr(found, "fit"))
    import torch
    from torch.optim import lr_scheduler

    bases: dict[Place, tuple[type, type | None]] = {
        "factory": (torch.nn.Module, torch.nn.Module),
        "optimizer": (torch.optim.Optimizer, None),
        "loss": (torch.nn.Module, torch.Tensor),
        "schedule": (lr_scheduler.LRScheduler, None),
    }
    base, returned = bases[place]
    if isinstance(found, type):
        return issubclass(found, base) and not issubclass(found, lr_scheduler.ReduceLROnPlateau)
    if returned is None or not inspect.isfunction(found):
        return False
    try:
        hint = typing.get_type_hints(found).get("return")
    except (NameError, TypeError):
        return False
    return isinstance(hint, type) and issubclass(hint, returned)
