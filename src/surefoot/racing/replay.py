"""One pass over a loss table: the rounds a race's rules make of it, up to what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import Any

import numpy as np
import numpy.typing as npt

from surefoot.errors import ConfigurationError, RaceError
from surefoot.racing.curves import CurveTable
from surefoot.racing.prediction import SIZE, predict
from surefoot.racing.race import Race, check_progress
from surefoot.racing.rules.base import Evidence, Verdict
from surefoot.racing.rungs.base import RungCheck, RungEvidence, RungField, Rungs, leader_of
from surefoot.racing.schedules.base import Standing, Step
from surefoot.racing.screen import Screen, check_baseline
from surefoot.racing.state import PlannedRound, RaceState, Round, RoundName
from surefoot.racing.table import Floats, Integers, LossTable

Baseline = float | Sequence[float] | npt.NDArray[np.float64]


class Replay:
    """One pass over a table; ``alive`` are the surviving rows, ``counts`` their judged instances.

    ``paid`` counts the instances asked for so far of every row, which a screen's pilot may raise
    above ``counts``; ``values`` are the survivors' after the last round. It stops where losses are
    missing and goes on from there when it is run again.
    """

    def __init__(self, race: Race) -> None:
        self.race = race
        self.values: Floats | None = None
        self._pending: Step | None = None
        self._raced = 0
        self._screened = race.screen is None
        self._ladder = None if race.rungs is None else _Ladder(race, race.rungs)
        self.alive = np.arange(len(race.keys))
        self.counts = np.zeros(len(race.keys), np.int64)
        self.paid = np.zeros(len(race.keys), np.int64)
        self.rounds: list[Round] = []

    def run(
        self,
        table: LossTable,
        baseline: Baseline | None = None,
        costs: LossTable | None = None,
        curves: CurveTable | None = None,
    ) -> RaceState:
        """Go through the rounds until one is incomplete or the race is over.

        ``baseline`` is the baseline's loss: one number, one per instance ``[instances]`` (NaN where
        not assessed yet), or ``[candidates, instances]`` when every candidate has draws of its own.
        The screen alone uses it. ``costs`` holds the seconds or example-visits of the same
        instances for a race budgeted in those. ``curves`` are of the first instances of the race's
        keys, for its rungs. Candidates outside the race are ignored. When it is run again the
        losses may be more, but those it has seen must be the same. Raises `RaceError` when every
        candidate is screened out or has diverged; after that it must not be run again.
        """
        keys = self.race.keys
        known = None if costs is None else costs.select(keys)
        return self._go_on(table.select(keys), baseline, known, curves)

    def _go_on(
        self,
        losses: Floats,
        baseline: Baseline | None,
        costs: Floats | None,
        curves: CurveTable | None = None,
    ) -> RaceState:
        self.losses, self.baseline, self.costs, self.curves = losses, baseline, costs, curves
        race = self.race
        if self._ladder is not None and self._ladder.check is None:
            waiting = self._climb(self._ladder)
            if waiting is not None:
                return waiting
        if not self._screened and race.screen is not None:
            waiting = self._screen(race.screen)
            if waiting is not None:
                return waiting
            self._screened = True
            if race.criterion.needs == 1:
                self.values = race.criterion.values(self._seen(losses), self.counts)
        while True:
            step = self._pending or race.schedule.step(self._standing())
            if step is None:
                return self._finished()
            target = race.asked(step, self.counts)
            if self._too_dear(target):
                return self._finished(f"the limit of {race.limit:g} pays for no further round")
            need = self._missing(target)
            self._pending = step if need else None
            if need:
                return self._waiting("race", target, step.keep, need)
            nothing_new = not (target > self.counts).any()
            if nothing_new:
                check_progress(step, target)
            self.counts = target
            evidence = self._evidence(step.keep)
            verdict = race.rule.judge(evidence)
            if nothing_new and self._raced and not verdict.leave.any():
                return self._finished(self._undecided(step, target))
            if verdict.leave.all():
                raise RaceError(f"rule '{race.rule.name}' removed every candidate of a round")
            order = evidence.order if verdict.order is None else verdict.order
            self._close("race", target, evidence.values, order, verdict)
            self.values = evidence.values[~verdict.leave]

    def _standing(self) -> Standing:
        race, known = self.race, dict[str, Any]()
        if self.values is not None:
            order = np.lexsort((race.key_rank[self.alive], self.values))
            known = {"losses": self._seen(self.losses), "values": self.values, "order": order}
        if self._ladder is not None:
            known |= race._entry(self._ladder.entrants, self._left_behind())
        return race.standing(self.counts, self._cost(), self._raced, int(self.paid.sum()), **known)

    def _left_behind(self) -> float:
        """What the trainings cost that rungs ended, in the race's unit."""
        if self._ladder is None or self.curves is None:
            return 0.0
        if self.costs is None:
            return self._ladder.trainings
        return float(self._ladder.epochs @ self.curves.prices)

    def _cost(self) -> Floats:
        """Mean cost of the instances judged of each survivor; 1 unless costs were given.

        Infinite while it is unknown: then a budget pays for a round's fewest instances only.
        """
        if self.costs is None or int(self.counts.min()) == 0:
            return np.full(len(self.alive), 1.0 if self.costs is None else np.inf)
        return np.asarray(np.nanmean(self._seen(self.costs), axis=1))

    def _too_dear(self, target: Integers) -> bool:
        """Whether a round would exceed the limit; the first round never does."""
        if self.race.limit is None or not self.counts.any():
            return False
        spent = float(self.paid.sum())
        if self.costs is not None:
            used = np.arange(self.costs.shape[1]) < self.paid[:, None]
            spent = float(self.costs[used].sum())
        spent += self._left_behind()
        return spent + float(self._new(target) @ self._cost()) > self.race.limit

    def _seen(self, table: Floats) -> Floats:
        """Rows of the survivors, NaN beyond the instances judged."""
        width = int(self.counts.max())
        seen = table[self.alive, :width]
        if int(self.counts.min()) < width:
            seen[np.arange(width) >= self.counts[:, None]] = np.nan
        return seen

    def _new(self, target: Integers) -> Integers:
        """Trainings of each survivor up to ``target``."""
        return np.asarray(np.maximum(target - self.paid[self.alive], 0))

    def _missing(self, target: Integers) -> tuple[tuple[str, int], ...]:
        """Instances below ``target`` without an outcome, by instance number, then candidate."""
        width = int(target.max())
        lacking = np.ones((len(self.alive), width), np.bool_)
        known = min(width, self.losses.shape[1])
        lacking[:, :known] = np.isnan(self.losses[self.alive, :known])
        lacking &= np.arange(width) < target[:, None]
        if not lacking.any():
            return ()
        columns, rows = np.nonzero(lacking.T)
        keys = (self.race.keys[row] for row in self.alive[rows].tolist())
        return tuple(zip(keys, columns.tolist(), strict=True))

    def _climb(self, ladder: _Ladder) -> RaceState | None:
        """Run the rungs that are left; return a waiting state when trainings are missing."""
        curves, race, rungs = self.curves, self.race, ladder.rungs
        if curves is None:
            raise ConfigurationError("the race has rungs but was given no curves to judge")
        epochs = rungs.at(race.epochs)
        while ladder.asked is None:
            asked = rungs.learning(self._field(ladder))
            if need := self._missing(asked):
                return self._waiting("rung", asked, None, need, epoch=epochs[0] if epochs else None)
            if (rungs.learning(self._field(ladder)) == asked).all():
                ladder.asked = asked
        for epoch in epochs[ladder.climbed :] if ladder.active else ():
            target = ladder.asked[self.alive]
            short = np.isnan(curves.losses[0, self.alive, epoch - 1])
            if short.any():
                need = tuple((race.keys[row], 0) for row in self.alive[short].tolist())
                return self._waiting("rung", target, None, need, epoch=epoch, until=epoch)
            self._judge_rung(ladder, epochs, epoch, target)
        target = np.where(ladder.kept, rungs.instances(race.criterion), ladder.asked)[self.alive]
        if need := self._missing(target):
            return self._waiting("race", target, None, need)
        self.paid[self.alive] = np.maximum(self.paid[self.alive], target)
        ladder.finish(self._field(ladder, everyone=True), len(self.alive))
        return None

    def _field(self, ladder: _Ladder, *, everyone: bool = False) -> RungField:
        """Return those in the race, or all that began it.

        Of their losses those that the rungs asked for, whatever the race has trained since.
        """
        rows = np.arange(len(self.race.keys)) if everyone else self.alive
        race, most = self.race, ladder.rungs.instances(self.race.criterion)
        losses = self.losses[rows, :most].copy()
        if ladder.asked is not None:
            asked = np.where(ladder.kept & everyone, most, ladder.asked)[rows]
            losses[np.arange(losses.shape[1]) >= asked[:, None]] = np.nan
        recipes, rank = ladder.recipes[rows], race.key_rank[rows]
        return RungField(race.criterion, losses, recipes, rank, len(race.keys))

    def _judge_rung(
        self, ladder: _Ladder, epochs: tuple[int, ...], epoch: int, target: Integers
    ) -> None:
        """Let a rung judge those in the race."""
        assert self.curves is not None
        rows = self.alive
        evidence = RungEvidence(
            **vars(self._field(ladder)),
            epoch=epoch,
            rungs=epochs,
            curves=self.curves.losses[:, rows, :epoch],
            learners=target > 0,
            kept=ladder.kept[rows],
        )
        verdict = ladder.rungs.judge(evidence)
        if verdict.leave.all():
            raise RaceError(
                f"rungs '{ladder.rungs.name}' removed every candidate after {epoch} epochs"
            )
        ladder.kept[rows[verdict.reserve]] = True
        ladder.epochs[rows[verdict.leave]] = epoch
        ladder.climbed += 1
        order = np.lexsort((self.race.key_rank[rows], verdict.values))
        leaving = Verdict(verdict.leave, verdict.reason)
        self._close("rung", target, verdict.values, order, leaving, epoch)

    def _screen(self, screen: Screen) -> RaceState | None:
        """Run the screen's round; return a waiting state when losses are missing."""
        if self.baseline is None:
            raise ConfigurationError(
                "the race has a screen but was given no baseline losses to compare with"
            )
        baseline = self._baseline_matrix(1 + (screen.extra if screen.measures_noise else 0))
        everyone = np.ones(len(self.alive), np.int64)
        waiting = self._screen_lacks(everyone, baseline[:, :1])
        if waiting is not None:
            return waiting
        first, bar = self.losses[self.alive, 0], baseline[:, 0]
        rank = self.race.key_rank[self.alive]
        pilot = screen.pilot_rows(first, bar, rank)
        target = everyone.copy()
        target[pilot] += screen.extra
        waiting = self._screen_lacks(target, baseline[pilot])
        if waiting is not None:
            return waiting
        extra = slice(1, 1 + screen.extra)
        factor = screen.factor(
            np.log(self.losses[self.alive[pilot], extra] / baseline[pilot, extra])
            if len(pilot)
            else None
        )
        order = np.lexsort((rank, first))
        self.counts = everyone
        self._close("screen", target, first, order, screen.judge(first, bar, factor))
        return None

    def _screen_lacks(self, target: Integers, baseline: Floats) -> RaceState | None:
        need = self._missing(target)
        absent = tuple(np.flatnonzero(np.isnan(baseline).any(axis=0)).tolist())
        return self._waiting("screen", target, None, need, absent) if need or absent else None

    def _baseline_matrix(self, width: int) -> Floats:
        """Baseline losses ``[candidates, width]``, NaN where not assessed."""
        given = np.asarray(self.baseline, dtype=np.float64)
        matrix = np.full((len(self.alive), width), np.nan)
        if given.ndim == 0:
            matrix[:] = given
        else:
            known = min(width, given.shape[-1])
            own = given[self.alive] if given.ndim == 2 else given
            matrix[:, :known] = own[..., :known]
        check_baseline(matrix)
        return matrix

    def _evidence(self, keep: int) -> Evidence:
        """Return a complete round as the rule is to judge it."""
        race, seen = self.race, self._seen(self.losses)
        values = race.criterion.values(seen, self.counts)
        if np.isinf(values).all():
            raise RaceError(
                f"each of the {len(values)} candidates left has {race.criterion.name} inf after "
                f"round {len(self.rounds) + 1}: every one diverged or failed"
            )
        order = so_far = np.lexsort((race.key_rank[self.alive], values))
        if int(self.counts.min()) < int(self.counts.max()):
            predicted = predict(race.criterion, seen, self.counts, SIZE)
            order = np.lexsort((so_far.argsort(), predicted))
        past = tuple(int(one.counts.min()) for one in self.rounds if one.name != "rung")
        return Evidence(race.criterion, seen, self.counts, values, order, so_far, keep, past)

    def _undecided(self, step: Step, target: Integers) -> str:
        """Say why a race ends with several candidates whom nothing more will tell apart."""
        race = self.race
        best = f"the best {race.criterion.name} wins"
        if race.rule.fixed:
            return f"max_instances = {race.max_instances} allows no further instance; {best}"
        who = "the schedule asks for"
        if (step.upto > target).any():
            who = f"max_instances = {race.max_instances} allows"
        return f"rule '{race.rule.name}' tells no more apart with the instances that {who}; {best}"

    def _close(
        self,
        name: RoundName,
        target: Integers,
        values: Floats,
        order: Integers,
        verdict: Verdict,
        epoch: int | None = None,
    ) -> None:
        stay = ~verdict.leave
        self._raced += name == "race"
        keys = tuple(self.race.keys[row] for row in self.alive[order].tolist())
        self.rounds.append(
            Round(
                len(self.rounds) + 1,
                name,
                keys,
                values[order],
                self.counts[order],
                int(self._new(target).sum()),
                tuple(compress(keys, stay[order])),
                lambda place: verdict.reason(int(order[place])),
                epoch,
            )
        )
        self.paid[self.alive] = np.maximum(self.paid[self.alive], target)
        self.alive, self.counts = self.alive[stay], self.counts[stay]

    def _waiting(
        self,
        name: RoundName,
        target: Integers,
        keep: int | None,
        need: tuple[tuple[str, int], ...],
        absent: tuple[int, ...] = (),
        epoch: int | None = None,
        until: int | None = None,
    ) -> RaceState:
        fixed = self.race.rule.fixed
        current = PlannedRound(
            len(self.rounds) + 1,
            name,
            len(self.alive),
            int(self._new(target).sum()) if until is None else len(need),
            max(1, int(target.max())),
            keep if fixed else None,
            name == "screen" or (fixed and name == "race"),
            epoch,
        )
        return self._state(need=need, baseline_need=absent, current=current, until=until)

    def _finished(self, stopped: str = "") -> RaceState:
        if not self.rounds and len(self.race.keys) > 1:
            raise RaceError("the schedule ended before a single round; it must race more than one")
        return self._state(over=True, stopped=stopped)

    def _state(self, *, over: bool = False, **more: Any) -> RaceState:
        left = self.rounds[-1].survivors if self.rounds else self.race.keys
        winner = left[0] if over else None
        check = None if self._ladder is None else self._ladder.check
        return RaceState(
            self.race.keys, tuple(self.rounds), left, winner=winner, rungs=check, **more
        )


class _Ladder:
    """How far a race has come on its rungs; rows are those of its keys.

    ``asked`` instances are trained to the end first, None until that is settled; ``kept`` were to
    leave and are trained on, ``epochs`` are those after which one left, else 0; ``climbed`` rungs
    are behind, and ``entrants`` came through them all. ``check`` is the measured risk, once all
    this is known. Unless it is ``active``, nobody leaves.
    """

    def __init__(self, race: Race, rungs: Rungs) -> None:
        self.rungs, self.climbed, self.entrants = rungs, 0, len(race.keys)
        self.recipes = np.array(race.recipes or [0] * len(race.keys), np.int64)
        self.kept = np.zeros(len(race.keys), np.bool_)
        self.epochs, self._longest = np.zeros(len(race.keys), np.int64), race.epochs
        self.active = race.climbs
        self.asked = None if self.active else np.zeros(len(race.keys), np.int64)
        self.check: RungCheck | None = None

    @property
    def trainings(self) -> float:
        """What those who left were trained, in trainings to the end."""
        return float(self.epochs.sum()) / self._longest

    def finish(self, field: RungField, entrants: int) -> None:
        """Take note of who came through and measure the risk on those that were to leave."""
        assert self.asked is not None
        self.entrants, better = entrants, 0
        kept, instances = np.flatnonzero(self.kept), self.rungs.instances(field.criterion)
        if len(kept) and instances > 1:
            leader = leader_of(field, np.flatnonzero(self.asked == instances))
            others = field.losses[np.append(kept, leader), 1:instances]
            counts = np.full(len(others), instances - 1, np.int64)
            values = predict(field.criterion, others, counts, SIZE)
            bar = values[-1] + self.rungs.as_good * abs(values[-1])
            better = int((values[:-1] <= bar).sum())
        self.check = RungCheck(
            int(np.count_nonzero(self.epochs)),
            len(kept),
            better,
            self.rungs.stated_risk,
            self.rungs.as_good,
            self.active,
        )
