"""The study file: TOML in, checked tables out, every mistake in one sentence."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from surefoot.checks import short
from surefoot.errors import StudyFileError, nearest
from surefoot.study_files.schema import TABLES, FamilySection, StudyModel, race_table

_TAGS = ("convnet", "family")


@dataclass(frozen=True)
class StudyFile:
    """A study file as read: where it is and its tables."""

    path: Path
    tables: StudyModel


def read_study_file(path: Path, changes: Mapping[str, Any] | None = None) -> StudyFile:
    """Read and check a study file; tables of ``changes`` stand in place of its own, key by key.

    Raises `StudyFileError` if it is missing, not TOML, or has an unknown key, a missing key or a
    value of the wrong kind; the message names the file, the table and what would be right.
    """
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        raise StudyFileError(f"there is no study file '{path}'{_similar(path)}") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise StudyFileError(f"study file '{path}' cannot be read: {reason}") from None
    try:
        raw = tomllib.loads(text)
    except RecursionError:
        raise StudyFileError(f"study file '{path}' is nested too deeply to be read") from None
    except tomllib.TOMLDecodeError as error:
        raise StudyFileError(f"study file '{path}' is not TOML: {error}") from None
    raw = _changed(raw, changes or {})
    try:
        return StudyFile(path, StudyModel.model_validate(raw))
    except ValidationError as error:
        raise StudyFileError(f"{path}: {_sentence(error.errors(), raw)}") from None


def _changed(tables: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return tables with the values of others in place of their own.

    >>> _changed({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": 3}, "d": [2, 3]})
    {'a': {'b': 3, 'c': 2}, 'd': [2, 3]}
    """
    found = dict(tables)
    for name, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(found.get(name), Mapping)
        found[name] = _changed(found[name], value) if both else value
    return found


def _similar(path: Path) -> str:
    try:
        names = [other.name for other in path.parent.glob("*.toml")]
    except OSError:
        return ""
    return f"; {nearest(path.name, names)}" if names else ""


def _sentence(errors: Sequence[ErrorDetails], raw: dict[str, Any]) -> str:
    """Return one sentence on the first mistake; unknown keys come first, as they explain others."""
    error = min(errors, key=lambda e: e["type"] != "extra_forbidden")
    place: list[Any] = list(error["loc"])
    if place[0] == "space" and len(place) > 2 and place[2] in _TAGS:
        del place[2]
    if len(place) == 1 and (error["type"] == "extra_forbidden" or place[0] not in raw):
        return _about_tables(str(place[0]), raw)
    if error["type"] == "model_type" or len(place) == 1:
        return f"'{place[0]}' must be a table: write [{place[0]}] on a line of its own"
    table, *rest = place
    words, given = f"[{table}]", raw[table]
    if table == "space":
        number = rest.pop(0)
        if isinstance(given, list):
            words, given = f"[[space]] number {number + 1}", given[number]
    if not rest:
        return f"{words} must be a table"
    key, model = rest[0], race_table() if table == "race" else TABLES[table]
    if error["type"] == "extra_forbidden":
        return f"{words} has the unknown key '{key}': {nearest(key, model.model_fields)}"
    if table == "space" and key not in model.model_fields:
        model = FamilySection
    expected = model.model_fields[key].description
    if error["type"] == "missing":
        return f"{words} needs the key '{key}': {expected}"
    return f"{words} {key} = {short(given[key])} cannot be used: it must be {expected}"


def _about_tables(name: str, raw: dict[str, Any]) -> str:
    if name in TABLES:
        return f"the table [{name}] is missing"
    homes = [table for table, model in TABLES.items() if name in model.model_fields]
    if homes and not isinstance(raw[name], dict):
        return f"the key '{name}' stands outside any table: it belongs to [{homes[0]}]"
    return f"[{name}] is not a table of a study file: {nearest(name, TABLES)}"
