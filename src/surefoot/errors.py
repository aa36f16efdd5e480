"""Every error surefoot raises on purpose, and how a missing extra is reported.

All derive from `SurefootError`, so one ``except`` catches what bad input can cause; anything
else that escapes is a defect. A message is one sentence: the bad value, where it came from and
what would be right.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from typing import Any


class SurefootError(Exception):
    """Base class of all errors that surefoot raises on purpose."""


class DataError(SurefootError, ValueError):
    """Features, targets, groups or a data file cannot be used as given."""


class CandidateError(SurefootError, ValueError):
    """A candidate's fields contradict each other or its input (a kernel larger than its input)."""


class SpaceError(CandidateError):
    """A search space is empty or cannot be enumerated."""


class SamplingError(SurefootError, ValueError):
    """A draw is impossible: more examples than the pool holds without replacement."""


class StudyFileError(SurefootError, ValueError):
    """A study file has an unknown key, a missing key or a value of the wrong kind."""


class RaceError(SurefootError):
    """A race cannot go on, for example because every candidate was screened out."""


class StatisticsError(SurefootError, ValueError):
    """A statistic is undefined for the numbers given."""


class EngineError(SurefootError):
    """No engine can train a candidate, or the engine named cannot."""


class JournalError(SurefootError):
    """A journal cannot be opened, read or written."""


class JournalMismatchError(JournalError):
    """A journal holds outcomes of another study than the one asked for."""


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
    choices = sorted(known)
    match = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    if match:
        return f"did you mean '{match[0]}'?"
    return "known are: " + ", ".join(choices)
