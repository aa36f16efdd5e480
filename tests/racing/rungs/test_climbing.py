"""A race with rungs asks for epochs, waits for them and goes on from there, like any other."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.errors import ConfigurationError
from surefoot.racing import ByCurve, Halving, LossTable, Race, Replay, Screen
from surefoot.racing.curves import Curve, CurveTable
from tests.racing.rungs.worlds import EPOCHS, Curves, left_at_rungs, world


class Trainer:
    """Trains what a race asks for, of known curves, and nothing else."""

    def __init__(self, found: Curves, race: Race) -> None:
        self.found, self.race = found, race
        self.epochs: dict[tuple[str, int], int] = {}
        self.replay = Replay(race)

    def state(self, replay: Replay | None = None):
        race = self.race
        rungs = race.rungs
        triples = [
            (key, number, float(self.found.losses[number, int(key), -1]))
            for (key, number), epochs in self.epochs.items()
            if epochs == EPOCHS
        ]
        curves = {
            (key, number): Curve(
                self.found.losses[number, int(key), :epochs].astype(np.float32),
                float(epochs),
                float(self.found.losses[number, int(key), -1]) if epochs == EPOCHS else None,
            )
            for (key, number), epochs in self.epochs.items()
        }
        table = LossTable.empty(self.found.keys).extended(triples)
        width = max(rungs.at(EPOCHS))
        known = CurveTable.of(race.keys, curves, rungs.instances(race.criterion), width)
        return (replay or self.replay).run(table, 1.0, curves=known)

    def run(self):
        asked = []
        while not (state := self.state()).over:
            assert state.need
            asked.append((state.until, len(state.need)))
            for what in state.need:
                before = self.epochs.get(what, 0)
                self.epochs[what] = state.until or EPOCHS
                assert self.epochs[what] > before, "nothing is asked for twice"
        return state, asked


FOUND = world(np.random.default_rng(3), 150, 40)
RUNGS = ByCurve(learning_from=24)


def rounds(state):
    return [(r.name, r.epoch, r.keys, r.survivors, r.values.tobytes()) for r in state.rounds]


def test_a_race_trains_to_a_rung_then_on():
    trainer = Trainer(FOUND, FOUND.race(rungs=RUNGS, schedule=Halving()))
    state, asked = trainer.run()
    assert [until for until, _ in asked[:5]] == [None, None, 5, 15, 40]
    assert asked[0] == (None, 24)
    assert asked[1] == (None, 6 * 2)
    assert asked[2] == (5, 150 - 24)
    left = [one for one in state.rounds if one.name == "rung"]
    assert [one.epoch for one in left] == [5, 15, 40]
    for one in left:
        for key in set(one.keys) - set(one.survivors):
            assert trainer.epochs[key, 0] == one.epoch
    assert all(trainer.epochs[key, 0] == EPOCHS for key in left[-1].survivors)


def test_it_is_the_same_race_step_by_step_at_once_and_again():
    race = FOUND.race(rungs=RUNGS)
    trainer = Trainer(FOUND, race)
    state, _ = trainer.run()
    assert rounds(trainer.state(Replay(race))) == rounds(state)
    at_once = FOUND.climb(race)
    same = [pair[0][:4] == pair[1][:4] for pair in zip(rounds(at_once), rounds(state), strict=True)]
    assert all(same)
    assert at_once.winner == state.winner
    assert state.rungs == at_once.rungs


def test_a_default_schedule_is_that_of_those_who_came_through():
    state = FOUND.climb(FOUND.race(rungs=RUNGS))
    through = len(state.rounds[2].survivors)
    plain = Race([str(row) for row in range(through)])
    trained = sum(one.trainings for one in state.rounds[3:])
    assert trained <= sum(one.trainings for one in plain.plan())


def test_a_limit_counts_rungs_by_their_share_of_the_epochs():
    race = FOUND.race(rungs=RUNGS, limit=150.0)
    trainer = Trainer(FOUND, race)
    state, _ = trainer.run()
    assert "the limit of 150 pays" in state.stopped or state.winner
    assert sum(trainer.epochs.values()) / EPOCHS <= 150 + 24


def test_a_screen_judges_those_who_came_through():
    baseline = float(np.quantile(FOUND.truth, 0.3))
    race = FOUND.race(rungs=RUNGS, screen=Screen(tolerance=0.2), schedule=Halving())
    ended = LossTable(FOUND.keys, FOUND.losses[:, :, -1].T)
    state = Replay(race).run(ended, baseline, curves=FOUND.table(race))
    names = [one.name for one in state.rounds]
    assert names[:5] == ["rung", "rung", "rung", "screen", "race"]
    assert set(state.rounds[3].keys) == set(FOUND.keys) - left_at_rungs(state)


def test_a_race_with_rungs_needs_curves():
    with pytest.raises(ConfigurationError, match="given no curves"):
        Replay(FOUND.race(rungs=RUNGS)).run(LossTable.empty(FOUND.keys))


def test_a_plan_reckons_with_half_of_those_it_does_not_learn_from_at_each_rung():
    first, second, third, *later = Race(
        [str(row) for row in range(400)], rungs="prediction", epochs=EPOCHS
    ).plan()
    assert [(one.name, one.epoch, one.survivors) for one in (first, second, third)] == [
        ("rung", 5, 400),
        ("rung", 15, 32 + 184),
        ("rung", 40, 32 + 92),
    ]
    assert not first.exact
    assert later[0].survivors == 32 + 46
    plain = Race([str(row) for row in range(400)]).plan()
    epochs = sum(one.trainings * (one.epoch or EPOCHS) for one in (first, second, third, *later))
    assert epochs < 0.5 * EPOCHS * sum(one.trainings for one in plain)
