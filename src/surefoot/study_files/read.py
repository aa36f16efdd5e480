"""The study file: TOML in, checked tables out, every mistake in one sentence."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from surefoot.errors import StudyFileError, nearest
from surefoot.study_files.race import RaceSection, race_table
from surefoot.study_files.schema import (
    BaselineSection,
    CertificateSection,
    CompareSection,
    ConvNetSection,
    EngineSection,
    FamilySection,
    LossSection,
    PopulationSection,
    SamplingSection,
    StoppingSection,
    StudyModel,
    StudySection,
)

_TABLES: dict[str, type[BaseModel]] = {
    "study": StudySection,
    "population": PopulationSection,
    "sampling": SamplingSection,
    "loss": LossSection,
    "stopping": StoppingSection,
    "space": ConvNetSection,
    "baseline": BaselineSection,
    "race": RaceSection,
    "certificate": CertificateSection,
    "compare": CompareSection,
    "engine": EngineSection,
}
_TAGS = ("convnet", "family")


@dataclass(frozen=True)
class StudyFile:
    """A study file as read: where it is and its tables."""

    path: Path
    tables: StudyModel


def read_study_file(path: Path) -> StudyFile:
    """Read and check a study file.

    Raises
    ------
    StudyFileError
        If it is missing, not TOML, or has an unknown key, a missing key or a value of the wrong
        kind; the message names the file, the table and what would be right.
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
    except tomllib.TOMLDecodeError as error:
        raise StudyFileError(f"study file '{path}' is not TOML: {error}") from None
    try:
        return StudyFile(path, StudyModel.model_validate(raw))
    except ValidationError as error:
        raise StudyFileError(f"{path}: {_sentence(error.errors(), raw)}") from None


def _similar(path: Path) -> str:
    try:
        names = [other.name for other in path.parent.glob("*.toml")]
    except OSError:
        return ""
    return f"; {nearest(path.name, names)}" if names else ""


def _sentence(errors: Sequence[ErrorDetails], raw: dict[str, Any]) -> str:
    """Return one sentence on the first mistake; unknown keys come first, as they explain others."""
    error = min(errors, key=lambda e: e["type"] != "extra_forbidden")
    place = list(error["loc"])
    if place[0] == "space" and len(place) > 2 and place[2] in _TAGS:
        del place[2]
    if len(place) == 1 and (error["type"] == "extra_forbidden" or place[0] not in raw):
        return _about_tables(str(place[0]), raw)
    if error["type"] == "model_type" or len(place) == 1:
        return f"'{place[0]}' must be a table: write [{place[0]}] on a line of its own"
    table, number, key = _split(place)
    words = _words(table, number, raw)
    if key is None:
        return f"{words} must be a table"
    model: type[BaseModel] = race_table() if table == "race" else _TABLES[table]
    if error["type"] == "extra_forbidden":
        return f"{words} has the unknown key '{key}': {nearest(key, model.model_fields)}"
    if table == "space" and key not in model.model_fields:
        model = FamilySection
    expected = model.model_fields[key].description
    if error["type"] == "missing":
        return f"{words} needs the key '{key}': {expected}"
    value = _given(raw, table, number, key)
    return f"{words} {key} = {value!r} cannot be used: it must be {expected}"


def _about_tables(name: str, raw: dict[str, Any]) -> str:
    if name in _TABLES:
        return f"the table [{name}] is missing"
    homes = [table for table, model in _TABLES.items() if name in model.model_fields]
    if homes and not isinstance(raw[name], dict):
        return f"the key '{name}' stands outside any table: it belongs to [{homes[0]}]"
    return f"[{name}] is not a table of a study file: {nearest(name, _TABLES)}"


def _split(place: Sequence[int | str]) -> tuple[str, int | None, str | None]:
    """Return table, number of the space table and key of an error's place."""
    table, *rest = place
    number = rest.pop(0) if table == "space" and rest and isinstance(rest[0], int) else None
    return str(table), number if isinstance(number, int) else None, str(rest[0]) if rest else None


def _words(table: str, number: int | None, raw: dict[str, Any]) -> str:
    if number is None or isinstance(raw.get(table), dict):
        return f"[{table}]"
    return f"[[{table}]] number {number + 1}"


def _given(raw: dict[str, Any], table: str, number: int | None, key: str) -> Any:
    found = raw[table]
    return (found[number] if isinstance(found, list) and number is not None else found)[key]
