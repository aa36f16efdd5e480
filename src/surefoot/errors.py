"""Every error surefoot raises on purpose, by its cause, and how a missing extra is reported.

=========================  ========================================================================
`SurefootError`            all of them: one ``except`` catches what bad input can cause
─ `ConfigurationError`     a parameter, an option or a name (also a `ValueError`)
── `StudyFileError`        … that stands in a study file
── `CandidateError`        … of a candidate; `SpaceError` of a space of candidates
── `SamplingError`         … of a draw
── `UntrustedError`        … that data have, of code that nobody has trusted
─ `DataError`              the data (also a `ValueError`); `StatisticsError` the losses
─ `RaceError`              a race that cannot go on
─ `EngineError`            an engine or its workers
─ `JournalError`           a journal; `JournalMismatchError` one of another study
─ `ExportError`            a file written or a model read back
─ `SimulationError`        a simulation
─ `MissingExtraError`      an optional dependency (also an `ImportError`)
=========================  ========================================================================

Anything else that escapes is a defect. A message is one sentence: the bad value, where it came
from and what would be right.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from typing import Any

__all__ = [
    "CandidateError",
    "ConfigurationError",
    "DataError",
    "EngineError",
    "ExportError",
    "JournalError",
    "JournalMismatchError",
    "MissingExtraError",
    "RaceError",
    "SamplingError",
    "SimulationError",
    "SpaceError",
    "StatisticsError",
    "StudyFileError",
    "SurefootError",
    "UntrustedError",
]


_LONGEST = 1500


class SurefootError(Exception):
    """Base class of all errors that surefoot raises on purpose.

    Its message is on one line, and its middle left out where a value in it is endless.
    """

    def __init__(self, message: object = "") -> None:
        text = " ".join(str(message).split("\n"))
        if len(text) > _LONGEST:
            text = f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"
        super().__init__(text)


class ConfigurationError(SurefootError, ValueError):
    """A parameter, an option or a name asks for what cannot be."""


class StudyFileError(ConfigurationError):
    """A study file cannot be read, or asks for what cannot be; the message says where."""


class CandidateError(ConfigurationError):
    """A candidate's fields contradict each other or its input (a kernel larger than its input)."""


class SpaceError(CandidateError):
    """A search space is empty or cannot be enumerated."""


class SamplingError(ConfigurationError):
    """A draw is impossible: more examples than the pool holds without replacement."""


class UntrustedError(ConfigurationError):
    """A study file, a journal or a saved model names code that nobody has trusted."""


class DataError(SurefootError, ValueError):
    """Features, targets, groups, losses or a data file cannot be used as given."""


class StatisticsError(DataError):
    """A statistic is undefined for the losses given."""


class RaceError(SurefootError):
    """A race cannot go on, for example because every candidate was screened out."""


class EngineError(SurefootError):
    """No engine can train a candidate, or an engine or its workers cannot work."""


class JournalError(SurefootError):
    """A journal cannot be opened, read or written."""


class JournalMismatchError(JournalError):
    """A journal holds outcomes of another study than the one asked for."""


class ExportError(SurefootError):
    """A figure, table or model cannot be written, or a saved model cannot be read back."""


class SimulationError(SurefootError):
    """A simulation cannot start or ended early, for example without Geant4's data sets."""


class MissingExtraError(SurefootError, ImportError):
    """An optional dependency is not installed; the message holds the install command."""


def require(module: str, *, extra: str) -> Any:
    """Import ``module`` or raise `MissingExtraError` naming the command that installs it.

    >>> require("math", extra="torch").sqrt(4.0)
    2.0
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and not module.startswith(error.name):
            raise
        raise MissingExtraError(
            f"'{module}' is not installed; install it with: pip install 'surefoot[{extra}]'"
        ) from None


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a phrase that names the known word nearest to a misspelt one, else all of them.

    >>> nearest("criterium", ["criterion", "seed"])
    "did you mean 'criterion'?"
    """
    choices = sorted(map(str, known))
    match = difflib.get_close_matches(str(word)[:100], choices, n=1, cutoff=0.6)
    if match:
        return f"did you mean '{match[0]}'?"
    return "known are: " + ", ".join(choices)
