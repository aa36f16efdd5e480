"""What a search leaves: its trials, the best of them after so many, and their certificates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from surefoot.errors import JournalError
from surefoot.journal import Journal, Known
from surefoot.seeds.ledger import Role
from surefoot.showing import Shown
from surefoot.statistics.certificate import Certificate
from surefoot.studies.description import SearchDescription
from surefoot.studies.race_record import certificates_of
from surefoot.studies.sizes.compare import Comparison

NOTE = "trial "
"""What the notes of proposals begin with; their number, from 0, comes after it."""
TOLD = 10
"""Trials that a notebook lists."""


@dataclass(frozen=True)
class Trial:
    """A proposal that has been trained: its number from 0, its candidate, and what it came to.

    ``instances`` is how many the candidate has had by then, ``value`` the criterion over them.
    """

    number: int
    key: str
    instances: int
    value: float


@dataclass(frozen=True, eq=False, repr=False)
class Search(Shown):
    """The trials of a search, or those so far, and what is certified.

    Parameters
    ----------
    study
        Its description.
    known
        What the journal knows of every candidate, by key.
    trials
        In their order.
    after
        Numbers of trials after which the best is certified, ascending; the last is that of all.
    certificates
        By key, of fresh instances that no trial had.
    rival
        Key of the candidate that is certified beside them; None for nobody.
    rival_trainings
        What choosing the rival took, if that is known: the trainings of its race.
    """

    study: SearchDescription
    known: Mapping[str, Known]
    trials: tuple[Trial, ...]
    after: tuple[int, ...]
    certificates: Mapping[str, Certificate]
    rival: str | None = None
    rival_trainings: int | None = None

    @property
    def over(self) -> bool:
        """Whether all trials are done."""
        return len(self.trials) >= self.study.trials

    @property
    def trainings(self) -> int:
        """What the trials have cost, in instances."""
        return len(self.trials) * self.study.instances

    @property
    def best(self) -> str:
        """Key of the best candidate."""
        return self.best_after(len(self.trials))

    def best_after(self, trials: int) -> str:
        """Return the key of the best candidate after so many trials, the first of equal ones.

        A candidate that was proposed again counts with all of its instances.
        """
        return best_of(self.trials[:trials])

    def value(self, key: str, trials: int | None = None) -> float:
        """Return the criterion of a candidate after so many trials, None for all."""
        return [one.value for one in self.trials[:trials] if one.key == key][-1]

    @property
    def steps(self) -> tuple[int, ...]:
        """The numbers of trials after which the best is told, as far as the search has come."""
        reached = [number for number in self.after if number < len(self.trials)]
        return (*reached, len(self.trials))

    @property
    def label(self) -> str:
        """The best candidate's name for people."""
        return self.known[self.best].label

    @property
    def certified(self) -> dict[str, str]:
        """The best ones and the rival, as far as they have a certificate: what each is, by key."""
        named = {self.best_after(number): f"best of {number:,} trials" for number in self.steps}
        if self.rival is not None:
            also = f"{named[self.rival]}, " if self.rival in named else ""
            named[self.rival] = f"{also}the rival"
        return {key: name for key, name in named.items() if key in self.certificates}

    def comparison(self) -> Comparison | None:
        """Return the fresh losses of the best ones and of the rival, on the same draws.

        None where fewer than two candidates have any.
        """
        named = self.certified
        if len(named) < 2:
            return None
        n = min(self.certificates[key].n for key in named)
        size = self.study.sampling.size or self.study.halves.pool
        keys = list(named)
        return Comparison(
            names=tuple(named.values()),
            sizes=(size,),
            losses=np.array([self.certificates[key].losses[:n] for key in keys])[:, None, :],
            reference=keys.index(self.rival) if self.rival in keys else None,
            content=self.study.content,
            confidence=self.study.confidence,
            unit=self.study.unit,
        )

    def lines(self) -> list[str]:
        """Return what was tried, what it cost and who is best."""
        study, unit = self.study, f" {self.study.unit}" if self.study.unit else ""
        each = "1 instance" if study.instances == 1 else f"{study.instances} instances"
        tried = len({one.key for one in self.trials})
        said = [
            f"{len(self.trials):,} trials of {each} by '{study.sampler}': {self.trainings:,} "
            f"trainings of {tried:,} of {len(study.candidates):,} candidates"
        ]
        lost = sum(not np.isfinite(one.value) for one in self.trials)
        if lost:
            said.append(f"{lost:,} trials have no finite {study.criterion.name}")
        for number in self.steps:
            key = self.best_after(number)
            first = next(one.number for one in self.trials if one.key == key) + 1
            said.append(
                f"best of {number:,} trials: {self.known[key].label} ({key}), first tried in trial "
                f"{first:,}; {study.criterion.name} {self.value(key, number):.4g}{unit}"
            )
        if not self.over:
            said.append(f"{study.trials - len(self.trials):,} trials are still to come")
        if self.rival is not None:
            words = f"the rival: {self.known[self.rival].label} ({self.rival})"
            words += ": the best found, too" if self.rival == self.best else ""
            if self.rival_trainings is not None:
                words += f", whose race took {self.rival_trainings:,} trainings"
            said.append(words)
        return said

    def overview(self) -> list[dict[str, object]]:
        """Return the best candidates with their certified bounds."""
        last = {one.key: one for one in self.trials}
        order = sorted(last.values(), key=lambda one: one.value)
        return [
            {
                "candidate": self.known[one.key].label,
                self.study.criterion.name: one.value,
                "instances": one.instances,
                "bound": self.certificates[one.key].bound.value
                if one.key in self.certificates
                else None,
            }
            for one in order[:TOLD]
        ]

    def __str__(self) -> str:
        certificate = self.certificates.get(self.best)
        told = [] if certificate is None else [str(certificate)]
        compared = self.comparison()
        return "\n".join([*self.lines(), *told, *([] if compared is None else compared.lines())])


def best_of(trials: tuple[Trial, ...]) -> str:
    """Return the key of the candidate with the lowest value, by its latest trial."""
    latest = {one.key: one.value for one in trials}
    return min(latest, key=lambda key: latest[key])


def proposals(journal: Journal) -> list[str]:
    """Return the keys of the candidates that a search's journal notes as proposed, in order."""
    notes, found = journal.notes(), list[str]()
    while (key := notes.get(f"{NOTE}{len(found)}")) is not None:
        found.append(key)
    return found


def recorded_search(journal: Journal) -> Search:
    """Return the search that a journal holds, as far as its trials are complete.

    Raises `JournalError` if it is of another kind of study, or no trial is complete yet.
    """
    study = SearchDescription.read(journal.study)
    losses = {(one.candidate, one.instance): one.loss for one in journal.measures(Role.RACE)}
    trials, had = list[Trial](), Counter[str]()
    for number, key in enumerate(proposals(journal)[: study.trials]):
        had[key] += study.instances
        own = [losses.get((key, place)) for place in range(had[key])]
        known = [loss for loss in own if loss is not None]
        if len(known) < len(own):
            break
        value = float(study.criterion.values(np.array([known]))[0])
        trials.append(Trial(number, key, had[key], value))
    if not trials:
        raise JournalError("no trial is complete yet: there is nothing to tell")
    asked = journal.notes().get("asked", {})
    raced = {one.key: (one.value, one.instances) for one in trials}
    return Search(
        study=study,
        known=journal.candidates(),
        trials=tuple(trials),
        after=(*(one for one in asked.get("after", ()) if one < study.trials), study.trials),
        certificates=certificates_of(journal, study, Role.CERTIFY, raced, best_of(tuple(trials))),
        rival=asked.get("rival"),
        rival_trainings=asked.get("rival_trainings"),
    )
