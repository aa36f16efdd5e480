import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.errors import ConfigurationError
from surefoot.racing.criteria import as_criterion
from surefoot.racing.race import Race
from surefoot.racing.replay import Replay
from surefoot.racing.rules.rank import ByPrediction, ByRank
from surefoot.racing.rules.tests import ByTest
from surefoot.racing.schedules.rounds import Halving
from surefoot.racing.schedules.stages import default_schedule, within
from surefoot.racing.screen import Screen
from surefoot.racing.table import LossTable
from tests.racing.worlds import KEYS, world


def test_the_default_spends_at_most_40_percent_of_the_papers_trainings():
    plan = Race(KEYS, schedule=default_schedule(6912), rule="rank").plan()
    assert sum(r.trainings for r in plan) <= 0.4 * 41_467


@settings(max_examples=40)
@given(st.integers(1, 300), st.integers(0, 1000), st.none() | st.integers(0, 1500))
def test_the_default_ends_with_one_within_its_budget(candidates, seed, spare):
    table = world(candidates, 400, seed)
    budget = None if spare is None else candidates + spare
    schedule = default_schedule(candidates, budget)
    state = Replay(Race(table.keys, schedule=schedule, rule=ByPrediction())).run(table)
    assert state.winner is not None
    assert len(state.eliminations) == candidates - 1
    assert state.trainings <= (
        max(int(2.2 * candidates), candidates + 192) if budget is None else budget
    )
    few = Race(
        table.keys,
        schedule=default_schedule(candidates, budget, max_instances=5),
        max_instances=5,
        rule="rank",
    )
    assert max(Replay(few).run(table).instances().values()) <= 5


def test_after_a_screen_the_first_cut_trains_nothing():
    table = world(100, 64)
    schedule = default_schedule(100, 250)
    race = Race(table.keys, schedule=schedule, rule=ByPrediction(), screen=Screen(5.0))
    state = Replay(race).run(table, 1.0)
    assert [one.trainings for one in state.rounds[:2]] == [100, 0]
    assert len(state.rounds[1].survivors) == 75
    assert state.trainings <= 250
    assert [one.trainings for one in race.plan()[:3]] == [r.trainings for r in state.rounds[:3]]
    tested = Race(
        table.keys, schedule=schedule, rule=ByTest(), screen=Screen(5.0), max_instances=20
    )
    state = Replay(tested).run(table, 1.0)
    assert state.winner is not None
    assert max(state.instances().values()) > 1


@settings(max_examples=50)
@given(st.integers(2, 60), st.integers(0, 1000), st.integers(1, 600), st.integers(1, 600))
def test_a_larger_limit_only_adds_rounds(candidates, seed, first, second):
    table = world(candidates, 260, seed)
    small, large = sorted((first, second))
    schedule = default_schedule(candidates)
    short = Replay(Race(table.keys, schedule=schedule, limit=small, rule="rank")).run(table)
    long = Replay(Race(table.keys, schedule=schedule, limit=large, rule="rank")).run(table)
    assert short.winner is not None
    assert len(short.rounds) <= len(long.rounds)
    for one, other in zip(short.rounds, long.rounds):
        assert one.survivors == other.survivors
    assert short.trainings <= max(small, short.rounds[0].trainings)
    assert bool(short.stopped) == (len(short.survivors) > 1)


@pytest.mark.slow
def test_the_default_finds_the_best_where_the_papers_schedule_does_not():
    """Log losses of location sd 0.25 and noise of median sd 0.25, its own for each candidate."""
    rng = np.random.default_rng(6)
    paper, default = Halving(warmup=5), default_schedule(6912)
    rules = {paper: ByRank(), default: ByPrediction()}
    regrets, best, trainings = {paper: 0.0, default: 0.0}, 0, 0
    for _ in range(60):
        location, sd = rng.normal(0, 0.25, 6912), 0.25 * np.exp(0.5 * rng.normal(size=6912))
        truth = np.exp(location + sd**2 / 2)
        noise = rng.standard_normal((6912, 512), dtype=np.float32)
        table = LossTable(KEYS, np.exp(location[:, None] + sd[:, None] * noise))
        for schedule in regrets:
            state = Replay(Race(KEYS, schedule=schedule, rule=rules[schedule])).run(table)
            regrets[schedule] += truth[int(state.winner)] / truth.min() - 1
        best += truth[int(state.winner)] == truth.min()
        trainings += state.trainings
    assert trainings / 60 <= 0.4 * 41_467
    assert best / 60 >= 0.8
    assert regrets[default] <= 0.1 * regrets[paper]


def test_half_of_the_spare_trainings_go_to_the_closest_and_half_to_the_last_sixteen():
    table = world(300, 300)
    race = Race(table.keys, "max", default_schedule(300, 700), rule=ByPrediction())
    state = Replay(race).run(table)
    assert state.trainings == 700
    closest = [one for one in state.rounds if len(one.keys) > 16]
    assert sum(one.trainings for one in closest) == 500
    assert len(closest[0].survivors) == 200
    assert len(closest[-1].survivors) == 16


def test_a_test_that_removes_nobody_still_gets_the_whole_budget():
    """The rule and not the schedule decides who leaves; the top two then train on among all."""
    rng = np.random.default_rng(3)
    equals = LossTable(KEYS[:40], np.exp(0.1 * rng.standard_normal((40, 300))))
    race = Race(equals.keys, schedule=default_schedule(40, 400), rule=ByTest(), max_instances=300)
    state = Replay(race).run(equals)
    assert len(state.rounds[-1].keys) > 16
    assert state.trainings == 400


@pytest.mark.parametrize(("criterion", "first"), [("mean", 50), ("mean+2*sd", 100)])
def test_what_a_spread_needs_at_first_comes_on_top(criterion, first):
    table = world(50, 300)
    needs = as_criterion(criterion).needs
    race = Race(table.keys, criterion, default_schedule(50, needs=needs), rule=ByPrediction())
    rounds = race.plan()
    assert rounds[0].trainings == first
    assert sum(one.trainings for one in rounds) == first + 192
    assert Replay(race).run(table).trainings <= first + 192


def test_a_limit_that_pays_for_less_than_one_instance_each_is_no_budget():
    assert within(None, 8) is None
    assert within(7.5, 8) is None
    assert within(8.9, 8) == 8


def test_bad_budgets():
    with pytest.raises(ConfigurationError, match="0 candidates"):
        default_schedule(0)
    with pytest.raises(ConfigurationError, match="budget of 5 trainings for 8 candidates"):
        default_schedule(8, 5)
