"""Instances that studies of one folder share: each is trained once and recorded in every journal.

An instance of another study of the same data, seed and rules is the same training: candidates,
sample, role and number tell which.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from surefoot.instances import Instance, Status
from surefoot.journal import Journal, identity
from surefoot.journal.descriptions import canonical, mismatches
from surefoot.studies.base import FixedStudy, identity_of
from surefoot.studies.journals import PLANNED


@dataclass(eq=False)
class SharedInstances:
    """The instances in the journals of a ``folder``, as its studies share them."""

    folder: Path
    _described: dict[Path, dict[str, Any]] = field(default_factory=dict)

    def missing(self, asked: FixedStudy[Any], own: Path) -> dict[Hashable, Instance] | None:
        """Return the instances that no journal of the folder has, by what makes them the same.

        None if the study's ``own`` journal has all, and notes that there are no more.
        """
        rules = canonical(_rules(asked.description.json()))
        every = {identity_of(one, asked.setting): one for one in asked.instances()}
        with ExitStack() as stack:
            journals = self._alike(asked, stack)
            journal = journals.get(own)
            noted = journal is not None and journal.notes().get(PLANNED) == len(every)
            if journal is not None and noted and all(journal.has(*one) for one in every):
                return None
            return {
                (rules, identity): one
                for identity, one in every.items()
                if not any(journal.has(*identity) for journal in journals.values())
            }

    def take_over(self, asked: FixedStudy[Any], journal: Journal) -> None:
        """Record those instances of a study that other journals have, and note whose they are."""
        wanted = {identity_of(one, asked.setting) for one in asked.instances()}
        wanted = {one for one in wanted if not journal.has(*one)}
        taken = dict(journal.notes().get("taken_over", {}))
        with ExitStack() as stack:
            for file, other in self._alike(asked, stack).items():
                shared = [one for one in other.outcomes() if identity(one) in wanted]
                ended = [one for one in shared if one.status is not Status.FAILED]
                journal.add(*ended)
                wanted.difference_update(map(identity, ended))
                if ended:
                    taken[file.stem] = taken.get(file.stem, 0) + len(ended)
        journal.note({"taken_over": taken} if taken else {})

    def _alike(self, asked: FixedStudy[Any], stack: ExitStack) -> dict[Path, Journal]:
        """Return the journals of the folder that differ in nothing but their candidates."""
        rules, found = _rules(asked.description.json()), dict[Path, Journal]()
        for file in sorted(self.folder.glob("*.db")):
            if file not in self._described:
                with Journal.read(file) as journal:
                    self._described[file] = _rules(journal.study)
            if not mismatches(self._described[file], rules):
                found[file] = stack.enter_context(Journal.read(file))
        return found


def _rules(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a description decides the outcome of a candidate's instance."""
    return {name: value for name, value in description.items() if name != "candidates"}
