"""What a selection will train and cost, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from surefoot.racing.state import PlannedRound, stretch_name, stretches
from surefoot.showing import Shown
from surefoot.studies.duration import (
    cores,
    duration_words,
    example_steps,
    has_epochs,
    mean_seconds,
    probe,
)
from surefoot.studies.select.study import SelectStudy
from surefoot.studies.text import Line, titled, wrapped

NO_RUNGS = "; no rungs, which would spare too little of so few candidates"


@dataclass(frozen=True)
class Trainings:
    """The numbers of trainings of a selection, whose ``rounds`` are known as far as they can be."""

    study: SelectStudy
    rounds: tuple[PlannedRound, ...]

    @property
    def race(self) -> int:
        """Trainings of all rounds."""
        return sum(one.trainings for one in self.rounds)

    @property
    def raced(self) -> float:
        """What the trainings of all rounds amount to, in trainings to the end."""
        longest = self.study.race.epochs
        return sum(one.trainings * (one.epoch or longest) / longest for one in self.rounds)

    @property
    def certified(self) -> int:
        """Candidates that get a certificate."""
        return len(self.study.groups(self.study.candidates)) if self.study.certify else 0

    @property
    def certifying(self) -> int:
        """Trainings of all certificates."""
        return self.certified * self.study.certify

    @property
    def total(self) -> int:
        """Trainings of race and certificates."""
        return self.race + self.certifying

    @property
    def exhaustive(self) -> int:
        """Trainings if every candidate had as many instances as the certificate takes."""
        return len(self.study.candidates) * self.study.certify

    @property
    def advice(self) -> str:
        """What to do instead of a race as dear as training everybody; "" unless it is."""
        candidates, n = len(self.study.candidates), self.study.certify
        dear = self.study.race.rule.fixed and self.exhaustive <= self.total
        if candidates < 2 or not (self.exhaustive and dear):
            return ""
        return (
            f"{self.exhaustive:,} trainings, no more than this race, train all {candidates} "
            f"candidates {n} times: surefoot compare (in Python surefoot.compare(candidates, "
            f"population, n={n})) certifies each of them"
        )

    @property
    def exact(self) -> bool:
        """Whether all is known beforehand, else only if a screen or a test removes nobody."""
        return all(one.exact for one in self.rounds)


def count_trainings(study: SelectStudy, cost: float | None = None) -> Trainings:
    """Return the trainings of a selection.

    ``cost`` is that of one instance in the unit of the study's ``cost``; needed for seconds only.
    Unless given, an instance costs as many visits as its longest training makes.
    """
    if cost is None:
        setting = study.setting
        visits = setting.halves.train_size(setting.sampling) * setting.stopping.max_epochs
        cost = float(visits) if study.cost == "visits" else 1.0
    return Trainings(study, tuple(study.race.plan(cost)))


@dataclass(frozen=True, repr=False)
class SelectionCost(Shown):
    """What a selection would cost, at most unless its rounds are fixed beforehand.

    ``seconds`` are those of its shortest and its longest trainings on all ``workers``, which take
    ``epochs`` each. ``failed`` says of each kind of candidate that cannot be trained why not.
    """

    trainings: Trainings
    seconds: tuple[float, float]
    epochs: tuple[int, int]
    workers: int
    failed: tuple[str, ...] = ()

    def lines(self) -> Iterator[Line]:
        """Yield it in words: candidates, rounds, trainings per round, the total and the time."""
        study, counted = self.trainings.study, self.trainings
        bounded = "" if study.race.rule.fixed else "at most "
        yield titled("candidates", f"{len(study.candidates):,}{_sizes(study)}")
        yield titled("draws", _draws(study))
        yield from _rounds(study, counted.rounds)
        climbs, epochs = study.race.climbs, ""
        if study.race.rungs is not None:
            epochs = f", as much as {counted.raced:,.0f} to the end" if climbs else NO_RUNGS
        yield titled("race", f"{bounded}{counted.race:,} trainings{epochs}")
        if study.baseline is not None and study.screen is not None:
            yield titled("baseline", f"{study.baseline.label}, fitted on the same draws")
        if counted.certifying:
            fresh = f"{counted.certifying} trainings of the winner"
            if counted.certified > 1:
                fresh = (
                    f"{counted.certified} x {study.certify} = {counted.certifying} trainings, of "
                    f"the best with each value of {study.certify_best_of}"
                )
            yield titled("certificate", fresh)
        unless = "" if counted.exact else ", if the screen removes nobody"
        if climbs:
            unless = ", if as many leave at the rungs"
        if bounded:
            unless = " (surefoot plan tells how many are likely)"
        yield titled("total", f"{bounded}{counted.total:,} trainings{unless}")
        if counted.advice:
            yield from wrapped("train all", [counted.advice], bold=True)
        elif counted.exhaustive:
            factor = counted.exhaustive / counted.total
            times = "" if bounded else f", {factor:.3g} times as many"
            text = f"{counted.exhaustive:,} trainings (every candidate {study.certify} times)"
            yield titled("exhaustive", text + times)
        time = " to ".join(duration_words(one) for one in dict.fromkeys(self.seconds))
        measured = "speed measured just now on a few candidates"
        if any(has_epochs(one) for one in study.candidates):
            epochs = " to ".join(map(str, dict.fromkeys(self.epochs)))
            measured = f"{epochs} epochs each; {measured}"
        yield from wrapped("fails", self.failed, bold=True)
        yield titled("time", f"{bounded or 'about '}{time} on {cores(self.workers)} ({measured})")

    def __str__(self) -> str:
        return "\n".join(line.text for line in self.lines())


def selection_cost(study: SelectStudy, workers: int = 1) -> SelectionCost:
    """Return what a selection would cost, measured by a short `probe`; nothing is recorded.

    One example step of each kind of candidate is trained, too (`example_steps`).

    Raises `EngineError` if no engine trains a candidate, or an example step of every kind of them
    fails.
    """
    failed = example_steps(study.everyone, study.setting, study.engine)
    rates = probe(study.candidates, study.setting, study.engine)
    stopping = study.setting.stopping
    longest = stopping.max_epochs
    shortest = longest if stopping.reading == "none" else min(stopping.min_epochs, longest)
    least, most = (
        mean_seconds(study.candidates, study.setting, rates, epochs)
        for epochs in (shortest, longest)
    )
    counted = count_trainings(study, most if study.cost == "seconds" else None)
    amount = (counted.raced + counted.certifying) / workers
    seconds = amount * least, amount * most
    return SelectionCost(counted, seconds, (shortest, longest), workers, tuple(failed))


def _sizes(study: SelectStudy) -> str:
    sizes = [c.number_of_parameters for c in study.candidates if hasattr(c, "number_of_parameters")]
    return f", {min(sizes):,} to {max(sizes):,} parameters" if sizes else ""


def _draws(study: SelectStudy) -> str:
    halves, sampling = study.setting.halves, study.setting.sampling
    method = "with" if sampling.method == "bootstrap" else "without"
    test = halves.test.size if sampling.test_size is None else sampling.test_size
    return (
        f"{halves.train_size(sampling):,} of {halves.pool.size:,} pool examples {method} "
        f"replacement; losses on {test:,} of {halves.test.size:,} test examples"
    )


def _rounds(study: SelectStudy, planned: Sequence[PlannedRound]) -> Iterator[Line]:
    """Yield a line per stretch of rounds; one for all that a rule ends when it will."""
    rule = study.race.rule
    if rule.fixed:
        yield from (_stretch(stretch) for stretch in stretches(planned))
        return
    yield from (_stretch([one]) for one in planned if one.name == "screen")
    most = max((one.upto for one in planned if one.name == "race"), default=0)
    if most:
        text = f"until one candidate is left or each has {most} instances; '{rule.name}' decides"
        yield titled("rounds", text)


def _stretch(rounds: Sequence[PlannedRound]) -> Line:
    first, last = rounds[0], rounds[-1]
    about = "" if last.exact else "about "
    name = stretch_name(last.name, first.number, last.number)
    stay = "the screen decides who stays" if last.keep is None else f"{last.keep:,} stay"
    if last.name == "rung":
        text = f"{about}{last.survivors:,} candidates to epoch {last.epoch}, {stay}"
        return titled(name, text)
    trainings = sum(one.trainings for one in rounds)
    text = f"{about}{last.survivors:,} candidates, {trainings:,} trainings, {stay}"
    return titled(name, text)
