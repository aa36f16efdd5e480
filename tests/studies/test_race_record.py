"""A race that goes on from where it stopped is the race on all losses at once."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.errors import RaceError
from surefoot.journal import Measure
from surefoot.racing.race import Race
from surefoot.racing.rules.rank import ByPrediction, ByRank
from surefoot.racing.rules.tests import ByTest
from surefoot.racing.schedules.rounds import FlatBudget, Halving
from surefoot.racing.schedules.stages import default_schedule
from surefoot.racing.screen import Screen
from surefoot.racing.table import LossTable
from surefoot.seeds.ledger import Role
from surefoot.studies.race_record import RaceRecord
from surefoot.studies.select.study import SelectStudy
from tests.fakes import Fake, fake_setting

RULES = (
    (default_schedule(24), ByPrediction()),
    (Halving(warmup=2), ByRank()),
    (FlatBudget(20.0, finalists=2), ByTest()),
)
BASELINE = "baseline"


def study(keys, cost="instances"):
    described = SelectStudy(candidates=(Fake(),), setting=fake_setting(), cost=cost).description
    return replace(described, candidates=tuple(keys), baseline=BASELINE)


def measure(key, instance, loss):
    return Measure(key, Role.RACE, instance, 100, loss, 0.5 + loss, 3)


def told(state):
    rounds = [
        (one.keys, one.values.tolist(), one.trainings, one.survivors, list(one.eliminations))
        for one in state.rounds
    ]
    return rounds, state.need, state.baseline_need, state.winner, state.current, state.stopped


@settings(max_examples=40)
@given(
    st.sampled_from(RULES),
    st.none() | st.sampled_from(("none", "noise")),
    st.sampled_from(("instances", "seconds", "visits")),
    st.integers(0, 1000),
)
def test_outcome_by_outcome_it_is_the_race_on_all_losses(rules, margin, cost, seed):
    rng = np.random.default_rng(seed)
    keys = tuple(f"{i:04d}" for i in rng.permutation(24))
    losses = np.exp(rng.normal(0, 0.3, (24, 1)) + rng.normal(0, 0.2, (24, 400)))
    bar = np.exp(rng.normal(0, 0.1, 400))
    screen = None if margin is None else Screen(0.3, margin)
    schedule, rule = rules
    race = Race(keys, "mean", schedule, screen, rule)
    record = RaceRecord(study(keys, cost), race)
    seen, rows = [], dict(zip(keys, losses))
    state = record.state()
    for _ in range(2000):
        if state.over:
            break
        wanted = list(state.need)
        wanted += [(BASELINE, n) for n in record.baseline_needs(state)]
        rng.shuffle(wanted)
        some = wanted[: max(1, int(len(wanted) * rng.choice((0.3, 1.0))))]
        new = [
            measure(key, int(n), float(bar[int(n)] if key == BASELINE else rows[key][int(n)]))
            for key, n in some
        ]
        record.add(new)
        seen += new
        state = record.state()
        fresh = RaceRecord(study(keys, cost), race)
        fresh.add(seen)
        assert told(state) == told(fresh.state())
    assert state.over
    assert told(record.state()) == told(state)


def test_after_an_error_it_begins_anew():
    keys = ("a", "b")
    record = RaceRecord(study(keys), Race(keys, schedule="halving"))
    record.add([measure("a", 0, np.inf), measure("b", 0, np.inf)])
    for _ in range(2):
        with pytest.raises(RaceError, match="every one diverged"):
            record.state()


def test_losses_taken_over_from_another_record_replace_those_seen():
    keys = ("a", "b")
    one, other = (RaceRecord(study(keys), Race(keys, schedule="halving")) for _ in range(2))
    one.add([measure("a", 0, 1.0), measure("b", 0, 2.0)])
    other.add([measure("a", 0, 2.0), measure("b", 0, 1.0)])
    assert one.state().winner == "a"
    one.take(other)
    assert one.state().winner == "b"
    assert one.table.losses.tolist() == LossTable(keys, np.array([[2.0], [1.0]])).losses.tolist()
