"""One candidate by name: a preset, fields in the short notation, a family, a key or a label."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import ValidationError

from surefoot import registry
from surefoot.candidates.base import Candidate
from surefoot.data.population import Population
from surefoot.errors import CandidateError, ConfigurationError, StudyFileError, nearest
from surefoot.study_files.build import blaming, candidates_of, space_of
from surefoot.study_files.read import StudyFile
from surefoot.study_files.schema import ConvNetSection


def choose_candidate(
    file: StudyFile, population: Population, text: str | None, journal: Path | None = None
) -> Candidate:
    """Return the candidate that a text names.

    Parameters
    ----------
    text
        A preset such as ``model_2``; fields of a network in the short notation, such as
        ``channels = [8, 16], hidden = [9]``; a family that needs no field, such as ``scaled_sum``;
        a key, the start of one or a label, of the study file's candidates or of those of
        ``journal``; None for the study file's only candidate.
    journal
        A journal whose candidate it is; ``winner`` names its winner.

    Raises
    ------
    StudyFileError
        If it names none, or several.
    """
    from surefoot.candidates.convnet.presets import PRESETS

    if journal is not None:
        return _from_journal(journal, text or "winner")
    if text is not None and "=" in text:
        return _from_notation(file, population, text)
    if text in PRESETS:
        return _from_notation(file, population, f"preset = '{text}'")
    if text is not None and text in registry.names("candidates"):
        with blaming(file, f"--candidate {text}"):
            family: Candidate = registry.lookup("candidates", text).from_spec({})
            return family
    everyone = candidates_of(file, population)
    if text is None and len(everyone) == 1:
        return everyone[0]
    if text is None:
        raise StudyFileError(
            f"{file.path} describes {len(everyone):,} candidates: say which with --candidate, a "
            "preset such as model_2, a key or label, or fields such as 'channels = [8, 16], "
            "hidden = [9]'"
        )
    found = [c for c in everyone if text in (c.key, c.label) or c.key.startswith(text)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigurationError(
            f"--candidate {text!r} names {len(found)} candidates of {file.path}"
        )
    known = [*PRESETS, *registry.names("candidates")]
    raise ConfigurationError(
        f"--candidate {text!r} is no key or label of a candidate of {file.path}, no preset and no "
        f"family: {nearest(text, known)}"
    )


def _from_journal(path: Path, text: str) -> Candidate:
    from surefoot.journal import Journal
    from surefoot.studies.description import rebuild_candidate
    from surefoot.studies.replay import find_candidate

    with Journal.read(path) as journal:
        return rebuild_candidate(journal.candidates()[find_candidate(journal, text)])


def _from_notation(file: StudyFile, population: Population, text: str) -> Candidate:
    """Return the network of an inline table's fields, completed by what the population settles."""
    with blaming(file, f"--candidate {text}"):
        try:
            fields = tomllib.loads(f"fields = {{ {text} }}")["fields"]
            table = ConvNetSection.model_validate(fields)
        except tomllib.TOMLDecodeError as error:
            raise CandidateError(f"cannot be read as fields 'name = value, …': {error}") from None
        except ValidationError as error:
            first = error.errors()[0]
            raise CandidateError(
                f"field {first['loc'][0]!r} cannot be used: {first['msg']}"
            ) from None
        space = space_of(table, population)
        if len(space.candidates) != 1:
            raise CandidateError(
                f"describes {len(space.candidates)} candidates: give one value of each field"
            )
        return space.candidates[0]
