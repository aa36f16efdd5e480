"""Races under tests end by themselves: nobody exceeds `max_instances`, and the reason is said."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.errors import ConfigurationError
from surefoot.racing.race import Race
from surefoot.racing.replay import Replay
from surefoot.racing.rules.base import MAX_INSTANCES
from surefoot.racing.rules.rank import ByRank
from surefoot.racing.rules.tests import ByQuantileInterval, BySigns, BySwaps, ByTest
from surefoot.racing.schedules.base import Schedule, Step
from surefoot.racing.schedules.exact_max import ByMax, ExactMax
from surefoot.racing.schedules.rounds import FlatBudget, Halving
from surefoot.racing.schedules.stages import Chain, Pairs, default_schedule
from surefoot.racing.screen import Screen
from surefoot.racing.table import LossTable

TESTS = [
    ByTest(),
    ByTest(friedman_above=2),
    ByTest(pairwise_test="permutation"),
    BySigns(),
    BySwaps(n_resamples=2000),
    ByQuantileInterval(),
    ByQuantileInterval(anytime=True),
]
SCHEDULES = [
    Halving(),
    Halving(warmup=4, per_round=7),
    FlatBudget(20, cap=5),
    Chain((FlatBudget(30, finalists=3), Pairs(cap=23, per_round=5))),
    Pairs(cap=100),
    ExactMax(24),
]


def race_to_the_end(race, full, baseline=None):
    """Train what is needed until the race is over; return its state and what was trained."""
    table = LossTable.empty(race.keys)
    state = Replay(race).run(table, baseline)
    while not state.over:
        assert state.need
        table = table.extended((key, i, full.row(key)[i]) for key, i in state.need)
        state = Replay(race).run(table, baseline)
    return state, table


def keys_of(candidates):
    return tuple(f"{i:03d}" for i in range(candidates))


@settings(max_examples=60)
@given(
    st.sampled_from([*TESTS, ByRank()]),
    st.sampled_from(SCHEDULES),
    st.integers(1, 9),
    st.integers(16, 40),
    st.sampled_from([0.0, 0.05, 1.0]),
    st.integers(0, 10_000),
    st.booleans(),
)
def test_every_race_ends_and_nobody_exceeds_most(
    rule, schedule, candidates, max_instances, apart, seed, screened
):
    rng = np.random.default_rng(seed)
    keys = keys_of(candidates)
    losses = (
        1.0 + apart * rng.random((candidates, 1)) + 0.1 * rng.random((candidates, max_instances))
    )
    screen = Screen(tolerance=5.0, margin="noise") if screened else None
    race = Race(keys, "median", schedule, screen, rule, max_instances=max_instances)
    state, table = race_to_the_end(race, LossTable(keys, losses), 1.0 if screened else None)
    assert state.winner in state.survivors
    assert table.losses.shape[1] <= max_instances
    assert max(state.instances().values()) <= max_instances
    assert all(e.reason for e in state.eliminations)
    assert len(state.survivors) + len(state.eliminations) == candidates
    assert (len(state.survivors) > 1) == bool(state.stopped)
    again = Replay(race).run(LossTable(keys, losses), 1.0 if screened else None)
    assert (again.winner, again.ranking, again.stopped) == (
        state.winner,
        state.ranking,
        state.stopped,
    )


@pytest.mark.parametrize("rule", TESTS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_true_equals_end_with_the_best_and_say_why(rule, schedule):
    keys = keys_of(4)
    losses = np.random.default_rng(2).lognormal(0, 0.3, (4, 100))
    race = Race(keys, "median", schedule, rule=rule)
    assert race.max_instances == MAX_INSTANCES
    state = Replay(race).run(LossTable(keys, losses))
    best = min(state.survivors, key=lambda key: (state.values[key], key))
    assert state.winner == state.ranking[0] == best
    assert f"rule '{rule.name}' tells no more apart with the instances that " in state.stopped
    assert state.stopped.endswith("; the best median wins")


def test_a_rank_with_most_goes_on_without_training_until_one_is_left():
    keys = keys_of(40)
    losses = np.random.default_rng(2).lognormal(0, 0.3, (40, 9))
    race = Race(keys, "mean", Halving(), max_instances=3)
    state, table = race_to_the_end(race, LossTable(keys, losses))
    assert [one.trainings for one in state.rounds] == [40, 20, 10, 0, 0]
    assert [one.trainings for one in race.plan()] == [40, 20, 10, 0, 0]
    assert table.count == 70
    assert not state.stopped
    assert Race(keys, schedule="halving").max_instances is None


class OneMore(Schedule):
    """One instance more of everybody, for ever."""

    def step(self, standing):
        return Step(standing.counts + 1, standing.survivors)


def test_a_rank_whose_schedule_lets_nobody_leave_ends_with_most():
    keys = keys_of(3)
    losses = np.random.default_rng(2).lognormal(0, 0.3, (3, 9))
    race = Race(keys, "mean", OneMore(), max_instances=5, rule="rank")
    state, _ = race_to_the_end(race, LossTable(keys, losses))
    assert state.stopped == "max_instances = 5 allows no further instance; the best mean wins"
    assert max(one.upto for one in race.plan()) == 5


def test_top_two_takes_the_next_challenger_where_most_is_reached():
    keys = keys_of(3)
    losses = np.random.default_rng(2).lognormal(0, 0.3, (3, 9))
    race = Race(
        keys, "mean", Pairs(cap=50, per_round=2, separation=99.0), max_instances=5, rule="rank"
    )
    state, table = race_to_the_end(race, LossTable(keys, losses))
    assert table.counts().tolist() == [5, 5, 5]
    assert (state.survivors, state.stopped) == ((state.winner,), "")
    assert sum(one.trainings for one in race.plan()) == 15


@pytest.mark.parametrize("rule", [ByTest(), BySigns(), BySwaps(n_resamples=2000)])
@pytest.mark.parametrize(
    ("schedule", "max_instances"),
    [(Halving(), 240), (FlatBudget(20, cap=5), 240), (default_schedule(12), 204)],
)
def test_the_plan_of_a_test_is_the_most_it_can_take(rule, schedule, max_instances):
    keys = keys_of(12)
    race = Race(keys, "mean", schedule, rule=rule, max_instances=20)
    planned = race.plan()
    assert sum(one.trainings for one in planned) == max_instances
    assert max(one.upto for one in planned) == 20
    assert [one.keep for one in planned] == [None] * len(planned)
    assert planned[0].exact
    assert not any(one.exact for one in planned[1:])
    losses = np.random.default_rng(4).lognormal(0, 0.3, (12, 20)) + np.arange(12)[:, None]
    state, table = race_to_the_end(race, LossTable(keys, losses))
    assert state.winner == "000"
    assert table.count == state.trainings < max_instances


def test_a_pilot_of_the_screen_is_judged_anew():
    """All survivors have the pilot's instances already: rounds that train nothing still judge."""
    keys = keys_of(3)
    losses = np.random.default_rng(2).lognormal(0, 0.01, (3, 30)) * [[1.0], [1.1], [1.2]]
    race = Race(keys, "mean", Halving(), Screen(0.5, "noise"), ByTest(friedman_above=2))
    state, table = race_to_the_end(race, LossTable(keys, losses), 1.0)
    assert [one.trainings for one in state.rounds[:5]] == [15, 0, 0, 0, 0]
    assert state.winner == "000"
    assert table.count < 3 * 30
    paired = Race(keys, "mean", Pairs(cap=9, per_round=1), Screen(0.5, "noise"), rule="rank")
    assert race_to_the_end(paired, LossTable(keys, losses), 1.0)[0].winner == "000"


@pytest.mark.parametrize(
    ("rule", "criterion", "message"),
    [
        (ByTest(), "max", "rule 'test' compares typical losses and cannot judge 'max'"),
        (BySigns(), "quantile(0.9)", "rule 'signs' compares typical losses"),
        (ByQuantileInterval(), "mean", "cannot judge 'mean'"),
        (ByQuantileInterval(), "max", "cannot judge 'max'"),
        (ByMax(), "mean", "'max' alone, not of 'mean'"),
        (BySwaps(n_resamples=100), "mean", "with 100 resamples can show nothing of 64 candidates"),
        (
            ByQuantileInterval(),
            "quantile(0.9)",
            "can remove nobody of 64 candidates before 82 instances of each, but max_instances =",
        ),
    ],
)
def test_what_a_rule_can_never_decide_is_refused_before_training(rule, criterion, message):
    with pytest.raises(ConfigurationError, match=message):
        Race(keys_of(64), criterion, rule=rule, schedule="halving")


@pytest.mark.parametrize("candidates", [2, 5, 20])
@pytest.mark.parametrize("rule", [*TESTS, BySigns(0.01), ByTest(0.2)])
def test_needs_is_the_first_look_at_which_somebody_can_leave(rule, candidates):
    """Of candidates as far apart as can be, somebody leaves at `needs` instances and not before."""
    keys = keys_of(candidates)
    least = rule.needs(Race(keys, "median", schedule="halving").criterion, candidates)
    losses = np.arange(1.0, candidates + 1)[:, None] + np.linspace(0.0, 0.1, 60)
    for n in (least - 1, least):
        race = Race(keys, "median", Halving(warmup=n), rule=dataclasses.replace(rule))
        (one, *_) = Replay(race).run(LossTable(keys, losses)).rounds
        if n < least:
            assert not one.eliminations
        elif not isinstance(rule, BySwaps):
            assert one.eliminations


def test_bad_most():
    with pytest.raises(
        ConfigurationError, match=r"before 6 instances of each, but max_instances = 5"
    ):
        Race(("a", "b"), rule=ByTest(), max_instances=5, schedule="halving")
    with pytest.raises(ConfigurationError, match="criterion 'sd' takes 2 instances of each"):
        Race(("a", "b"), "sd", max_instances=1, schedule="halving")
    with pytest.raises(ConfigurationError, match="the screen's pilot takes 5 instances of each"):
        Race(("a", "b"), screen=Screen(0.2, "noise"), max_instances=4, schedule="halving")
    with pytest.raises(ConfigurationError, match=r"'exact_max' can remove nobody .* before 32"):
        Race(("a", "b"), "max", ExactMax(), rule=ByMax(), max_instances=31)
    assert Race(("a", "b"), "max", ExactMax(), rule=ByMax()).max_instances == 32
