"""A study as people look at it elsewhere: its candidates, each with its losses in a few figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.hyperparameters import Value, hyperparameters
from surefoot.errors import JournalError
from surefoot.instances import Outcome, Status
from surefoot.journal import Journal, Known, Role
from surefoot.journal.descriptions import canonical, fingerprint
from surefoot.racing.criteria import Criterion, Mean
from surefoot.statistics.certificate import Certificate
from surefoot.statistics.intervals import Interval, mean_interval, quantile
from surefoot.studies.description import (
    AssessDescription,
    Description,
    RaceDescription,
    SearchDescription,
    SizesDescription,
)
from surefoot.studies.race_record import recorded_certificates
from surefoot.studies.search.result import recorded_search
from surefoot.studies.select.selection import recorded_selection


@dataclass(frozen=True, eq=False)
class Group:
    """The instances of a candidate that a study asked for, at one size of the training sample.

    Parameters
    ----------
    outcomes
        Those the criterion is computed of, by number: of a race the racing ones.
    criterion
        The statistic that the study compares.
    confidence
        That of the intervals.
    certificate
        What fresh instances promise; None without any. Of a race they are others than
        ``outcomes``, ``fresh``.
    rank, left, reason
        Of a race: place in its ranking, the round in which it left, and why; None, None and "" for
        a candidate that took no part or is still in it.
    """

    key: str
    known: Known
    outcomes: tuple[Outcome, ...]
    criterion: Criterion
    confidence: float
    certificate: Certificate | None = None
    fresh: tuple[Outcome, ...] = ()
    rank: int | None = None
    left: int | None = None
    reason: str = ""

    @property
    def label(self) -> str:
        """The candidate's name for people."""
        return self.known.label

    @property
    def sample(self) -> int:
        """Number of training examples."""
        return self.outcomes[0].sample

    @cached_property
    def losses(self) -> NDArray[np.float64]:
        """The losses [n]; +inf where an instance diverged or failed."""
        return np.array([outcome.loss for outcome in self.outcomes])

    @property
    def value(self) -> float:
        """The criterion over the losses."""
        return float(self.criterion.values(self.losses[None])[0])

    @property
    def values(self) -> dict[int, float]:
        """The criterion over the first 1, 2, … losses, from as many on as it needs."""
        counts = range(max(1, self.criterion.needs), len(self.losses) + 1)
        return {n: float(self.criterion.values(self.losses[None, :n])[0]) for n in counts}

    @property
    def mean(self) -> Interval:
        """Mean of the losses with its interval."""
        return mean_interval(self.losses, self.confidence)

    @property
    def hyperparameters(self) -> dict[str, Value]:
        """The fields of the candidate's spec."""
        return hyperparameters(self.known.spec)

    def figures(self) -> dict[str, float]:
        """Return what sums the losses up, by name, in the unit of the loss or of none."""
        found = {
            "criterion": self.value,
            "mean": float(self.losses.mean()),
            "q1": float(quantile(self.losses, 0.25)),
            "median": float(quantile(self.losses, 0.5)),
            "q3": float(quantile(self.losses, 0.75)),
            "instances": float(len(self.losses)),
            "diverged": float(self._count(Status.DIVERGED)),
            "failed": float(self._count(Status.FAILED)),
            "seconds": float(sum(one.seconds for one in (*self.outcomes, *self.fresh))),
        }
        found |= {} if self.rank is None else {"rank": float(self.rank)}
        found |= {} if self.left is None else {"left_in_round": float(self.left)}
        if (certificate := self.certificate) is not None:
            fresh = np.array(certificate.losses)
            found |= {
                "bound": certificate.bound.value,
                "bound_content": certificate.bound.content,
                "bound_confidence": certificate.confidence,
                "fresh_instances": float(certificate.n),
                "fresh_mean": float(fresh.mean()),
                "fresh_median": float(quantile(fresh, 0.5)),
                "fresh_diverged_or_failed": float(certificate.diverged),
            }
        return found

    def _count(self, status: Status) -> int:
        return sum(one.status is status for one in self.outcomes)


@dataclass(frozen=True, eq=False)
class Grouped:
    """A journal's study and its groups, the best of a race first.

    ``identity`` stays the same when the study is extended; ``facts`` are what all groups share, in
    words.
    """

    name: str
    identity: str
    study: Description
    groups: tuple[Group, ...]
    winner: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def criterion(self) -> str:
        """Name of the criterion."""
        return self.groups[0].criterion.name if self.groups else "mean"

    @property
    def loss(self) -> str:
        """The loss with its unit."""
        unit = self.study.unit
        return f"{self.study.loss} [{unit}]" if unit else str(self.study.loss)

    def title(self, group: Group) -> str:
        """Return what tells a group from the others: its label, and its size if not all have it."""
        sizes = {one.sample for one in self.groups}
        return f"{group.label}, {group.sample:,} examples" if len(sizes) > 1 else group.label


def grouped(journal: Journal) -> Grouped:
    """Return the groups of a journal of any kind.

    Raises `JournalError` or `RaceError` where the journal's race cannot be read.
    """
    study = Description.read(journal.study)
    earlier = journal.extensions()
    first = earlier[0].study if earlier else journal.study
    noted = journal.notes().get("study", {})
    name = str(noted.get("name") or journal.place.stem or study.kind)
    winner, groups = None, tuple[Group, ...]()
    if isinstance(study, RaceDescription):
        winner, groups = _raced(journal, study)
    elif isinstance(study, SearchDescription):
        winner, groups = _searched(journal, study)
    else:
        groups = _asked(journal, study)
    return Grouped(name, fingerprint(canonical(first)), study, groups, winner, _facts(study))


def _raced(journal: Journal, study: RaceDescription) -> tuple[str | None, tuple[Group, ...]]:
    selection, everything = recorded_selection(journal), _by_candidate(journal, Role.RACE)
    state = selection.state
    out = {one.key: one for one in state.eliminations}
    ranks = {key: rank for rank, key in enumerate(state.ranking, start=1)}
    fresh, judged = _by_candidate(journal, Role.CERTIFY), state.instances()
    groups = [
        Group(
            key,
            selection.known[key],
            everything[key][: judged.get(key) or None],
            study.criterion,
            study.confidence,
            selection.certificates.get(key),
            fresh.get(key, ()),
            ranks.get(key),
            out[key].round if key in out else None,
            out[key].reason if key in out else "",
        )
        for key in sorted(selection.known, key=lambda key: ranks.get(key, len(ranks) + 1))
        if key in everything
    ]
    return state.winner, tuple(groups)


def _searched(journal: Journal, study: SearchDescription) -> tuple[str | None, tuple[Group, ...]]:
    """Return the best candidate and the groups of a search, in the order of their first trials.

    Of a search without a trial yet there is neither; a rival that no trial had comes last.
    """
    try:
        found = recorded_search(journal)
    except JournalError:
        return None, ()
    tried = {one.key: one.instances for one in found.trials}
    racing, fresh = _by_candidate(journal, Role.RACE), _by_candidate(journal, Role.CERTIFY)
    keys = [*tried, *(key for key in fresh if key not in tried)]
    groups = (
        Group(
            key,
            found.known[key],
            racing[key][: tried[key]] if key in tried else fresh[key],
            study.criterion,
            study.confidence,
            found.certificates.get(key),
            fresh.get(key, ()) if key in tried else (),
            left=None if key in tried else 0,
            reason="" if key in tried else "a rival: no trial was of it",
        )
        for key in keys
    )
    return found.best, tuple(groups)


def _asked(journal: Journal, study: Description) -> tuple[Group, ...]:
    """Return the groups of a study without a race, in the order of candidates, then of sizes."""
    place = {key: number for number, key in enumerate(journal.candidates())}
    parts: dict[tuple[int, int], list[Outcome]] = {}
    for outcome in journal.outcomes():
        parts.setdefault((place[outcome.candidate], outcome.sample), []).append(outcome)
    certified: dict[str, Certificate] = {}
    if isinstance(study, AssessDescription) and study.promise is None:
        certified = recorded_certificates(journal, None)
    known, groups = journal.candidates(), []
    for _, outcomes in sorted(parts.items()):
        key = outcomes[0].candidate
        ordered = tuple(sorted(outcomes, key=lambda one: one.instance))
        certificate = certified.get(key)
        if isinstance(study, SizesDescription):
            losses = tuple(one.loss for one in ordered)
            certificate = Certificate(losses, unit=study.unit)
        confidence = getattr(study, "confidence", 0.95)
        groups.append(Group(key, known[key], ordered, Mean(), confidence, certificate))
    return tuple(groups)


def _by_candidate(journal: Journal, role: Role) -> dict[str, tuple[Outcome, ...]]:
    """Return the outcomes of a role by candidate and number; a baseline's own come first."""
    found: dict[str, list[Outcome]] = {}
    for outcome in sorted(journal.outcomes(role), key=lambda one: one.instance):
        found.setdefault(outcome.candidate, []).append(outcome)
    return {key: tuple(outcomes) for key, outcomes in found.items()}


def _facts(study: Description) -> dict[str, str]:
    """Return what decided the study's results, by name, in words."""
    plain: dict[str, Any] = {
        name: value
        for name, value in study.json().items()
        if name not in ("candidates", "population", "halves", "kind")
    }
    data = study.population
    return {
        "kind": study.kind,
        "population": data.name,
        "population_fingerprint": data.fingerprint,
        "examples": str(data.examples),
        "target": f"{data.target} [{data.unit}]" if data.unit else data.target,
        "candidates": str(len(study.candidates)),
        **{name: str(value) for name, value in hyperparameters(plain).items()},
    }
