"""What a selection will train, counted before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass

from surefoot.racing.state import PlannedRound
from surefoot.studies.select.study import SelectStudy


@dataclass(frozen=True)
class Trainings:
    """The numbers of trainings of a selection.

    ``race`` sums the rounds; ``certifying`` is for all candidates certified; ``exhaustive`` would
    give every candidate as many instances as the certificate takes. ``exact`` is false when a
    screen or a test decides who leaves: then the numbers hold if the screen removes nobody.
    """

    candidates: int
    rounds: tuple[PlannedRound, ...]
    certified: int
    certifying: int
    exhaustive: int

    @property
    def race(self) -> int:
        """Trainings of all rounds."""
        return sum(one.trainings for one in self.rounds)

    @property
    def total(self) -> int:
        """Trainings of race and certificates."""
        return self.race + self.certifying

    @property
    def exact(self) -> bool:
        """Whether every number is known beforehand."""
        return all(one.exact for one in self.rounds)


def count_trainings(study: SelectStudy, cost: float | None = None) -> Trainings:
    """Return the trainings of a selection.

    Parameters
    ----------
    cost
        What one instance costs in the unit of the study's ``cost``; needed for seconds only.
        Unless given, an instance costs as many visits as its longest training makes.
    """
    if cost is None:
        setting = study.setting
        visits = setting.halves.train_size(setting.sampling) * setting.stopping.max_epochs
        cost = float(visits) if study.cost == "visits" else 1.0
    certified = len(study.groups(study.candidates)) if study.certify else 0
    return Trainings(
        candidates=len(study.candidates),
        rounds=tuple(study.race.plan(cost)),
        certified=certified,
        certifying=certified * study.certify,
        exhaustive=len(study.candidates) * study.certify,
    )
