"""What every study is: a question asked of candidates, with its data, its seed and its journal."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from surefoot.candidates.base import Candidate
from surefoot.engines.choose import AUTO, Chooser
from surefoot.errors import ConfigurationError, JournalMismatchError
from surefoot.instances import Instance, Setting
from surefoot.journal import Journal
from surefoot.journal.descriptions import mismatches
from surefoot.seeds.ledger import Role, check_study_seed
from surefoot.studies.description import DescribedSetting, Description
from surefoot.studies.extension import extension_or_why_not


@dataclass(frozen=True, kw_only=True, eq=False)
class Study(ABC):
    """What every study shares.

    Parameters
    ----------
    setting
        Data, sampling, loss and stopping rule of all instances.
    seed
        Seed of the study, 0 … 2⁶⁴ − 1.
    engine
        Engine asked for; a journal holds the outcomes of one choice only.
    """

    setting: Setting
    seed: int = 0
    engine: str = AUTO

    def __post_init__(self) -> None:
        check_study_seed(self.seed)
        self.setting.halves.check(self.setting.sampling)

    @property
    @abstractmethod
    def everyone(self) -> tuple[Candidate, ...]:
        """Every candidate that may be trained, each once."""

    @cached_property
    @abstractmethod
    def description(self) -> Description:
        """Everything that decides results."""

    def common(self) -> dict[str, Any]:
        """Return the parts of its description that every kind of study has."""
        setting = DescribedSetting.of(self.setting).parts()
        return {"seed": self.seed, "engine": self.engine, **setting}

    @cached_property
    def known(self) -> dict[str, Candidate]:
        """`everyone` by key."""
        return {candidate.key: candidate for candidate in self.everyone}

    def instance(self, key: str, role: Role, number: int) -> Instance:
        """Return an instance of a candidate, with the luck that the study's seed gives it."""
        return Instance(self.known[key], self.description.instance_seed(key, role, number))

    def open(self, path: str | os.PathLike[str]) -> Journal:
        """Create or resume the study's journal, also that of a study which this one extends.

        Errors are those of `Journal.open`. It is noted where the population came from, if that is
        known.
        """
        origin = self.setting.halves.population.origin
        notes = {} if origin is None else {"population": dict(origin)}
        return Journal.open(
            path, self.description.json(), self.everyone, notes, extension_or_why_not
        )

    def check(self, journal: Journal, engine: str) -> None:
        """Check that journal and executor are this study's and every candidate has an engine.

        Raises
        ------
        JournalMismatchError
            If the journal is of another study.
        EngineError
            If the executor was made for another engine, or no engine trains a candidate.
        """
        if engine != self.engine:
            raise ConfigurationError(
                f"the study asks for engine {self.engine!r} but its executor for {engine!r}: "
                "make them agree"
            )
        found = mismatches(journal.study, self.description.json())
        if found:
            raise JournalMismatchError(
                "the journal given belongs to another study (journal -> now): "
                + "; ".join(found[:8])
            )
        chooser = Chooser(self.engine)
        for candidate in self.everyone:
            chooser.choose(candidate, self.setting)
