"""Estimators as plain JSON values and back: an import path, and parameters that are values alone.

An object is ``{"class": "sklearn.svm.SVR", "parameters": {"C": 10.0}}``, at any depth, so that
pipelines and column transformers are of the same form. What JSON lacks is marked:
``{"tuple": [0, 1]}``, ``{"slice": [0, 3, null]}``, ``{"float": "nan"}`` and, for keys that are not
text, ``{"items": [[0, 1.0], [1, 5.0]]}``.

Reading imports the named modules and calls the named classes, nothing else: functions are never
looked up, nothing is unpickled, and a class must have ``fit``, ``get_params`` or ``get_n_splits``.
"""

from __future__ import annotations

import functools
import inspect
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from surefoot.candidates.import_paths import has_parts, resolve, shortest_path_of
from surefoot.candidates.trust import admit
from surefoot.errors import CandidateError, nearest

Plain = Any
Node = dict[str, Any]

SEEDS = ("random_state", "random_seed", "seed")
"""Parameters that take a seed; of several that a class has, the first is fed."""
THREADS = ("n_jobs", "thread_count")
"""Parameters that take a number of threads."""
MARKS = ("class", "tuple", "slice", "float", "items")


def node_of(thing: Any, where: str = "the estimator") -> Node:
    """Return an object, or what already describes one, as a node of class and parameters.

    Only parameters that differ from the class's defaults are kept; seeds are left out, because the
    ledger feeds them.

    Raises `CandidateError` if the class cannot be imported by name, or a parameter is not a plain
    value.
    """
    if isinstance(thing, str):
        return _node(thing, {}, where)
    if isinstance(thing, Mapping):
        unknown = set(thing) - {"class", "parameters"}
        if "class" not in thing or unknown:
            known = "'class' and 'parameters'"
            raise CandidateError(f"{where} = {dict(thing)!r} must have {known} and nothing else")
        return _node(thing["class"], thing.get("parameters", {}), where)
    kind: type = thing.__class__
    if isinstance(thing, type) or not has_parts(kind):
        raise CandidateError(
            f"{where} = {thing!r} cannot be written as an import path with plain parameters: it "
            "must be an object with get_params, a number, text, a list or None"
        )
    defaults = accepted(kind)
    if hasattr(thing, "get_params"):
        given = thing.get_params(deep=False)
    else:
        given = {name: getattr(thing, name, default) for name, default in defaults.items()}
    changed = {n: v for n, v in given.items() if not _same(v, defaults.get(n))}
    return _node(shortest_path_of(kind), changed, where)


def encode(value: Any, where: str) -> Plain:
    """Return a parameter's value as JSON values; see the module."""
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        value = value.tolist()
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else {"float": str(value)}
        case list() | range():
            return [encode(entry, where) for entry in value]
        case tuple():
            return {"tuple": [encode(entry, where) for entry in value]}
        case slice():
            return {"slice": [value.start, value.stop, value.step]}
        case Mapping():
            return _encode_mapping(value, where)
        case _:
            return node_of(value, where)


def build(node: Node, seeds: Iterator[int], threads: int = 1) -> Any:
    """Make a new object of a node, feeding every seed from ``seeds`` in the order of names.

    Raises `CandidateError` if the class cannot be imported or does not take the parameters.
    """
    kind = class_of(node)
    known, parameters = accepted(kind), node.get("parameters", {})
    takes_any = _takes_any(inspect.signature(kind).parameters.values())
    unknown = [name for name in parameters if name not in known and not takes_any]
    if unknown:
        raise CandidateError(
            f"{node['class']} has no parameter {unknown[0]!r}: {nearest(unknown[0], known)}"
        )
    arguments = {name: decode(parameters[name], seeds, threads) for name in sorted(parameters)}
    if (seed := seed_name(kind, arguments)) is not None:
        arguments[seed] = next(seeds)
    told = next((name for name in THREADS if name in known), None)
    # The default of scikit-learn's None is one thread; others' means all.
    told_already = threads == 1 and kind.__module__.startswith("sklearn.")
    if told is not None and told not in arguments and not told_already:
        arguments[told] = threads
    try:
        return kind(**arguments)
    except Exception as error:
        given = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        raise CandidateError(f"{node['class']}({given}) cannot be made: {error}") from error


def decode(value: Plain, seeds: Iterator[int], threads: int) -> Any:
    """Return the value that a plain value stands for; see `encode` and `build`."""
    match value:
        case {"class": _}:
            return build(value, seeds, threads)
        case {"tuple": entries}:
            return tuple(decode(entry, seeds, threads) for entry in entries)
        case {"slice": bounds}:
            return slice(*bounds)
        case {"float": text}:
            return float(text)
        case {"items": items}:
            return {decode(k, seeds, threads): decode(v, seeds, threads) for k, v in items}
        case dict():
            return {name: decode(entry, seeds, threads) for name, entry in value.items()}
        case list():
            return [decode(entry, seeds, threads) for entry in value]
        case _:
            return value


def label(value: Plain) -> str:
    """Return a plain value in one line, with classes by their short names."""
    match value:
        case {"class": "sklearn.pipeline.Pipeline", "parameters": {"steps": list(steps)}}:
            entries = [step["tuple"] if isinstance(step, dict) else step for step in steps]
            return " → ".join(label(entry[1]) for entry in entries)
        case {"class": path, "parameters": parameters}:
            given = ", ".join(f"{name}={label(entry)}" for name, entry in parameters.items())
            name = str(path).rpartition(".")[2]
            return f"{name}({given})" if given else name
        case {"tuple": entries}:
            return "(" + ", ".join(map(label, entries)) + ("," * (len(entries) == 1)) + ")"
        case {"float": text}:
            return str(text)
        case list():
            return "[" + ", ".join(map(label, value)) + "]"
        case bool():
            return str(value)
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def nodes(value: Plain) -> Iterator[Node]:
    """Go through the nodes of a plain value, itself first."""
    if isinstance(value, Mapping):
        if "class" in value:
            yield dict(value)
        for entry in value.values():
            yield from nodes(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from nodes(entry)


def admit_nodes(value: Plain) -> None:
    """Judge the classes of all nodes of a plain value; see `surefoot.candidates.trust.admit`."""
    for node in nodes(value):
        admit(node["class"], "class")


def class_of(node: Node) -> type:
    """Import the class of a node; errors as in `surefoot.candidates.import_paths.resolve`."""
    kind = resolve(node["class"], "estimator")
    assert isinstance(kind, type)
    return kind


def seed_name(kind: type, arguments: Mapping[str, Any]) -> str | None:
    """Return the parameter of a class that takes a seed, None if there is none.

    A splitter for cross-validation refuses a seed unless it shuffles.
    """
    known = accepted(kind)
    splitter = hasattr(kind, "get_n_splits") and not hasattr(kind, "fit")
    if splitter and "shuffle" in known and not arguments.get("shuffle", known["shuffle"]):
        return None
    return next((name for name in SEEDS if name in known), None)


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
        if not _takes_any(parameters):
            break
    return found


def _takes_any(parameters: Iterable[inspect.Parameter]) -> bool:
    return any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)


def _node(path: Any, parameters: Any, where: str) -> Node:
    if not isinstance(path, str) or not all(part.isidentifier() for part in path.split(".")):
        raise CandidateError(
            f"class {path!r} of {where} is not an import path such as 'sklearn.svm.SVR'"
        )
    if "." not in path:
        raise CandidateError(
            f"class {path!r} of {where} must be a whole import path such as 'sklearn.svm.SVR'"
        )
    if not isinstance(parameters, Mapping):
        raise CandidateError(f"parameters {parameters!r} of {path} must map names to values")
    short = path.rpartition(".")[2]
    kept = {}
    for name in sorted(parameters):
        value = parameters[name]
        if name in SEEDS:
            continue
        _check_harmless(name, value, short)
        kept[name] = encode(value, f"parameter {name!r} of {short}")
    return {"class": path, "parameters": kept}


def _check_harmless(name: Any, value: Any, where: str) -> None:
    """Refuse a cache or a dispatch with code, of an estimator or in a grid of choices."""
    last = str(name).rpartition("__")[2]
    if last == "pre_dispatch" and not re.fullmatch(r"[\d*n_jobs ]*", str(value)):
        raise CandidateError(
            f"{name} = {value!r} of {where} must be like '2*n_jobs', no other code"
        )
    if last == "memory" and value is not None:
        raise CandidateError(
            f"{name} = {value!r} of {where} is a cache of pickles, which are never read: leave it "
            "out"
        )


def _encode_mapping(value: Mapping[Any, Any], where: str) -> Plain:
    if "class" in value:
        return node_of(value, where)
    mark = next((mark for mark in MARKS if mark in value), None)
    if mark is not None and len(value) == 1:
        content = value[mark]
        if mark == "float":
            return {mark: str(float(content))}
        if mark == "items":
            content = [(key, entry) for key, entry in content]
            for key, entry in content:
                _check_harmless(key, entry, where)
            return {mark: [[encode(part, where) for part in item] for item in content]}
        return {mark: [encode(entry, where) for entry in content]}
    if mark is not None:
        raise CandidateError(f"{where} has the key {mark!r}, which is kept for marks of surefoot")
    for key, entry in value.items():
        _check_harmless(key, entry, where)
    if all(isinstance(key, str) for key in value):
        return {key: encode(entry, where) for key, entry in value.items()}
    return {"items": [[encode(key, where), encode(entry, where)] for key, entry in value.items()]}


def _same(value: Any, default: Any) -> bool:
    if value is default:
        return True
    if isinstance(value, float) and isinstance(default, float) and math.isnan(value):
        return math.isnan(default)
    if type(value) is not type(default) or not isinstance(value, (bool, int, float, str, tuple)):
        return False
    return bool(value == default)
