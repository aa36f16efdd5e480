"""A race as its journal tells it: the losses recorded, and what the rules make of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from surefoot.checks import short
from surefoot.errors import JournalError, SurefootError
from surefoot.instances import Outcome, Status
from surefoot.journal import Journal, Known, Measure, identity
from surefoot.racing import LossTable, Race, RaceState, Replay
from surefoot.racing.curves import Curve, CurveTable
from surefoot.seeds.ledger import Role
from surefoot.statistics.certificate import Certificate
from surefoot.studies.description import (
    AssessDescription,
    RaceDescription,
    SearchDescription,
    baseline_number,
    baseline_place,
    rebuild_candidate,
    recipes_of,
)


class RaceRecord:
    """The losses of a race, filled from a journal and from new outcomes alike.

    Parameters
    ----------
    study
        The description of the selection.
    race
        Its rules, or other rules to replay the same losses under; None for those described.
    """

    def __init__(self, study: RaceDescription, race: Race | None = None) -> None:
        self.study = study
        self.race = study.race if race is None else race
        self.table = LossTable.empty(study.candidates)
        self._costs = LossTable.empty(self.table.keys)
        self._place = {key: place for place, key in enumerate(self.table.keys)}
        self._baseline: dict[tuple[int, int], float] = {}
        self._curves: dict[tuple[str, int], Curve] = {}
        self._replay: Replay | None = None

    def add(self, outcomes: Iterable[Outcome | Measure]) -> None:
        """Take outcomes of role RACE in; the latest attempt of each only.

        The curves of first instances count for the rungs, also of those put aside.
        """
        losses, costs = [], []
        for outcome in outcomes:
            place, number = baseline_place(outcome.instance)
            if isinstance(outcome, Outcome):
                self._add_curve(outcome)
                if outcome.status is Status.PAUSED:
                    continue
            if outcome.candidate == self.study.baseline and (self.study.paired or place >= 0):
                self._baseline[max(place, 0), number] = outcome.loss
            if place < 0 and outcome.candidate in self._place:
                losses.append((outcome.candidate, number, outcome.loss))
                if self.study.cost != "instances":
                    costs.append((outcome.candidate, number, self._price(outcome)))
        self.table = self.table.extended(losses)
        self._costs = self._costs.extended(costs)

    def _add_curve(self, outcome: Outcome) -> None:
        what = outcome.candidate, outcome.instance
        known = self._curves.get(what)
        if known is None or known.losses.size <= outcome.epochs:
            last = None if outcome.status is Status.PAUSED else outcome.loss
            self._curves[what] = Curve(outcome.curve, self._price(outcome), last)

    def _price(self, outcome: Outcome | Measure) -> float:
        """Return what an instance cost so far, in seconds or example-visits."""
        if self.study.cost == "seconds":
            return outcome.seconds
        return float(outcome.sample * max(1, outcome.epochs))

    def curves(self) -> CurveTable | None:
        """Return the curves as far as rungs look at them; None without rungs."""
        race = self.race
        if race.rungs is None:
            return None
        width = max(race.rungs.at(race.epochs), default=0)
        return CurveTable.of(race.keys, self._curves, race.rungs.instances(race.criterion), width)

    def take(self, other: RaceRecord) -> None:
        """Take over the losses of another record of the same study."""
        self.table, self._costs, self._baseline = other.table, other._costs, dict(other._baseline)
        self._curves = dict(other._curves)
        self._replay = None

    def state(self) -> RaceState:
        """Return where the race stands; `RaceError` as `Replay.run` raises it.

        Rounds that were complete the last time are not gone through again.
        """
        counted = self.study.cost != "instances"
        replay, self._replay = self._replay or Replay(self.race), None
        costs = self._costs if counted else None
        state = replay.run(self.table, self.baseline(), costs, self.curves())
        self._replay = replay
        return state

    def baseline(self) -> NDArray[np.float64] | None:
        """Return the baseline's losses, NaN where not assessed; None without a baseline.

        They are ``[instances]`` for paired candidates, else ``[candidates, instances]``.
        """
        if self.study.baseline is None:
            return None
        width = 1 + max((number for _, number in self._baseline), default=0)
        rows = 1 if self.study.paired else len(self.table.keys)
        losses = np.full((rows, width), np.nan)
        for (place, number), loss in self._baseline.items():
            losses[place, number] = loss
        return losses[0] if self.study.paired else losses

    @property
    def mean_cost(self) -> float:
        """What an instance costs so far on average, in what the study counts; 1 before any."""
        known = self._costs.losses[~np.isnan(self._costs.losses)]
        return float(known.mean()) if known.size else 1.0

    def baseline_needs(self, state: RaceState) -> list[int]:
        """Return the numbers of the baseline's instances that the race waits for."""
        if self.study.paired:
            return [n for n in state.baseline_need if (0, n) not in self._baseline]
        asked = set(state.need)
        return [
            baseline_number(place, number)
            for number in state.baseline_need
            for place, key in enumerate(self.table.keys)
            if (place, number) not in self._baseline
            and ((key, number) in asked or self.table.has(key, number))
        ]


def recorded_race(journal: Journal, race: Race | None = None) -> RaceRecord:
    """Return the race a journal holds, to be replayed under its own rules or under others."""
    study, known = RaceDescription.read(journal.study), journal.candidates()
    for key in {*study.candidates, study.baseline or study.candidates[0]} - known.keys():
        raise JournalError(
            f"the journal is damaged, it does not know candidate {short(key)} of its study: "
            "restore it from a copy"
        )
    race = study.race if race is None else race
    if race.rungs is not None:
        described = ((known[key].family, known[key].spec) for key in race.keys)
        race = replace(race, recipes=recipes_of(described))
    record = RaceRecord(study, race)
    record.add(recorded(journal, race))
    return record


def recorded(journal: Journal, race: Race) -> list[Outcome | Measure]:
    """Return the racing outcomes of a journal, with the curves that rungs look at."""
    if race.rungs is None:
        return list(journal.measures(Role.RACE))
    looked_at = range(race.rungs.instances(race.criterion))
    whole = {
        identity(one): one
        for number in looked_at
        for one in journal.outcomes(Role.RACE, instance=number)
    }
    others = (one for one in journal.measures(Role.RACE) if identity(one) not in whole)
    return [*whole.values(), *others, *journal.paused(Role.RACE, instance=0)]


def recorded_certificates(journal: Journal, state: RaceState | None) -> dict[str, Certificate]:
    """Return the certificate of every candidate with fresh instances, the winner's first.

    ``state`` gives the racing values; None for an assessment.
    """
    if state is None:
        return certificates_of(journal, AssessDescription.read(journal.study), Role.ASSESS)
    judged = state.instances()
    raced = {key: (value, judged[key]) for key, value in state.values.items()}
    study = RaceDescription.read(journal.study)
    return certificates_of(journal, study, Role.CERTIFY, raced, state.winner)


def certificates_of(
    journal: Journal,
    study: AssessDescription | RaceDescription | SearchDescription,
    role: Role,
    raced: Mapping[str, tuple[float, int]] | None = None,
    first: str | None = None,
) -> dict[str, Certificate]:
    """Return the certificate of every candidate with fresh instances, one of them ``first``.

    ``raced`` are the values of the criterion by which candidates were chosen, and of how many
    instances. With them a certificate has the gap of the winner's curse; a criterion whose
    expectation moves with the number of instances (max, quantiles) is compared over as many fresh
    instances as it was chosen by.
    """
    losses: dict[str, dict[int, float]] = {}
    for measure in journal.measures(role):
        losses.setdefault(measure.candidate, {})[measure.instance] = measure.loss
    failed = Counter(key for key, of, _, _ in journal.failed() if of is role)
    known, found = journal.candidates(), dict[str, Certificate]()
    for key in sorted(losses, key=lambda key: (raced is not None and key != first, key)):
        fresh = [losses[key][number] for number in sorted(losses[key])]
        plain = Certificate(
            tuple(fresh),
            study.content,
            study.confidence,
            unit=study.unit,
            failed=failed[key],
            luck=luck_of(known[key]),
            tested=(study.sampling.test_size or study.halves.test, study.halves.test),
        )
        found[key] = plain
        if raced is not None and key in raced and not isinstance(study, AssessDescription):
            value, instances = raced[key]
            judged = instances if study.criterion.depends_on_n else len(fresh)
            found[key] = replace(
                plain,
                criterion=study.criterion.name,
                racing_value=value,
                chosen_in="search" if isinstance(study, SearchDescription) else "race",
                fresh_value=float(study.criterion.values(np.array([fresh[:judged]]))[0]),
            )
    return found


def luck_of(known: Known) -> str:
    """Return the `luck` of instances of a candidate, as far as it can be told here."""
    try:
        return rebuild_candidate(known).luck
    except SurefootError:
        return "luck"
