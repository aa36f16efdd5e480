import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import ConfigurationError, RaceError
from surefoot.racing.race import Race
from surefoot.racing.replay import Replay
from surefoot.racing.schedules.base import Schedule, Step
from surefoot.racing.schedules.rounds import FlatBudget, Halving
from surefoot.racing.screen import Screen
from surefoot.racing.table import LossTable


def world(candidates, instances, seed=0, diverging=0.0):
    rng = np.random.default_rng(seed)
    losses = np.exp(
        rng.normal(0, 0.3, (candidates, 1)) + rng.normal(0, 0.2, (candidates, instances))
    )
    losses[rng.random(losses.shape) < diverging] = np.inf
    keys = tuple(f"{i:016x}" for i in rng.choice(10**6, candidates, replace=False))
    return LossTable(keys, losses)


def race_to_the_end(race, full, baseline=None):
    """Train what is needed, and only that, until the race is over."""
    table, trained = LossTable.empty(race.keys), []
    state = Replay(race).run(table, baseline)
    while not state.over:
        assert state.need
        trained.extend(state.need)
        table = table.extended((key, i, full.row(key)[i]) for key, i in state.need)
        state = Replay(race).run(table, baseline)
    assert state.need == ()
    assert len(set(trained)) == len(trained)
    return state, table


def reference_halving(table, keep=0.5, warmup=1):
    """The paper's algorithm, written out plainly."""
    left, n, rounds = list(table.keys), warmup, []
    while len(left) > 1:
        mean = {key: float(np.mean(table.row(key)[:n])) for key in left}
        left = sorted(left, key=lambda key: (mean[key], key))[: max(1, int(len(left) * keep))]
        rounds.append(set(left))
        n += 1
    return left[0], rounds


@given(st.integers(1, 60), st.integers(0, 10_000), st.integers(1, 4))
def test_halving_is_the_papers_algorithm(candidates, seed, warmup):
    table = world(candidates, 12, seed)
    state = Replay(Race(table.keys, schedule=Halving(warmup=warmup))).run(table)
    winner, rounds = reference_halving(table, warmup=warmup)
    assert state.winner == winner
    assert [set(r.survivors) for r in state.rounds] == rounds


def test_training_only_what_is_needed_gives_the_same_race_as_a_full_table():
    full = world(97, 20, seed=3, diverging=0.01)
    race = Race(full.keys, "median", Halving(warmup=2), Screen(tolerance=1.5, margin="noise"))
    state, table = race_to_the_end(race, full, baseline=1.0)
    at_once = Replay(race).run(full, 1.0)
    assert state.winner == at_once.winner
    assert state.ranking == at_once.ranking
    assert state.eliminations == at_once.eliminations
    assert table.count == state.trainings == at_once.trainings
    assert sum(state.instances().values()) <= table.count


@given(st.integers(2, 40), st.integers(0, 1000))
def test_everybody_but_the_winner_is_eliminated_once_for_a_reason(candidates, seed):
    table = world(candidates, 12, seed, diverging=0.02)
    state = Replay(Race(table.keys, "quantile(0.6)", schedule="halving")).run(table)
    gone = [e.key for e in state.eliminations]
    assert sorted([*gone, state.winner]) == sorted(table.keys)
    assert all(e.reason for e in state.eliminations)
    assert state.ranking[0] == state.winner
    assert sorted(state.ranking) == sorted(table.keys)
    assert state.ranking[-1] == state.eliminations[0].key


@given(st.integers(2, 30), st.integers(0, 1000), st.randoms())
def test_the_order_of_the_candidates_does_not_matter(candidates, seed, random):
    table = world(candidates, 10, seed)
    shuffled = list(table.keys)
    random.shuffle(shuffled)
    assert (
        Replay(Race(tuple(shuffled), schedule="halving")).run(table).ranking
        == Replay(Race(table.keys, schedule="halving")).run(table).ranking
    )


def test_ties_break_by_key():
    keys = ("d", "b", "c", "a")
    state = Replay(Race(keys, schedule="halving")).run(LossTable(keys, np.ones((4, 3))))
    assert state.winner == "a"
    assert state.ranking == ("a", "b", "c", "d")
    assert [e.key for e in state.eliminations] == ["d", "c", "b"]


def test_the_reason_of_a_rank():
    keys = ("a", "b", "c", "d")
    losses = np.array([[1.0, 1.0], [2.0, 2.5], [3.0, 3.0], [np.inf, 4.0]])
    state = Replay(Race(keys, schedule="halving")).run(LossTable(keys, losses))
    reasons = {e.key: e.reason for e in state.eliminations}
    assert reasons["c"] == "mean 3 over 1 instance ranks 3 of 4; the best 2 stay"
    assert reasons["b"] == "mean 2.25 over 2 instances ranks 2 of 2; the best 1 stay"
    assert reasons["d"].endswith("(inf: an instance diverged or failed)")


def test_what_is_needed_comes_instance_by_instance():
    keys = ("b", "a")
    state = Replay(Race(keys, schedule=Halving(warmup=2))).run(
        LossTable(keys, np.array([[1.0], [np.nan]]))
    )
    assert state.need == (("a", 0), ("b", 1), ("a", 1))
    assert state.current is not None
    assert (state.current.number, state.current.trainings, state.current.keep) == (1, 4, 1)
    assert not state.over


def test_a_single_candidate_wins_without_training():
    state = Replay(Race(("a",), schedule="halving")).run(LossTable.empty(["a"]))
    assert state.winner == "a"
    assert state.ranking == ("a",)
    assert np.isnan(state.values["a"])
    assert state.instances() == {"a": 0}


def test_all_diverged_is_an_error_and_says_so():
    keys = ("a", "b")
    with pytest.raises(RaceError, match="each of the 2 candidates left has mean inf after round 1"):
        Replay(Race(keys, schedule="halving")).run(LossTable(keys, np.full((2, 1), np.inf)))


class Stuck(Schedule):
    def step(self, standing):
        return Step(1, standing.survivors)


def test_a_schedule_that_makes_no_progress_is_an_error():
    keys = ("a", "b")
    with pytest.raises(RaceError, match="trains nothing and removes none"):
        Replay(Race(keys, schedule=Stuck(), rule="rank")).run(LossTable(keys, np.ones((2, 1))))
    with pytest.raises(RaceError, match="trains nothing and removes none"):
        Race(keys, schedule=Stuck(), rule="rank").plan()


def test_bad_races():
    with pytest.raises(ConfigurationError, match="at least one candidate"):
        Race((), schedule="halving")
    with pytest.raises(ConfigurationError, match="'a' was given twice"):
        Race(("a", "a"), schedule="halving")
    with pytest.raises(ConfigurationError, match="did you mean 'mean'"):
        Race(("a",), "maen", schedule="halving")


def test_a_replay_of_seven_thousand_candidates_takes_milliseconds():
    table = world(7000, 30)
    race = Race(table.keys, "q3+iqr", Halving(warmup=5))
    Replay(race).run(table)
    start = time.perf_counter()
    for _ in range(3):
        Replay(race).run(table)
    assert (time.perf_counter() - start) / 3 < 0.2


def test_racing_again_over_fifty_thousand_outcomes_takes_under_two_seconds():
    table = world(1000, 50)
    outcomes = [
        (key, i, x) for key, row in zip(table.keys, table.losses) for i, x in enumerate(row)
    ]
    start = time.perf_counter()
    again = LossTable.from_outcomes(outcomes)
    state = Replay(Race(again.keys, "quantile(0.9)", schedule=Halving(warmup=5))).run(again)
    assert len(state.eliminations) == 999
    assert time.perf_counter() - start < 2.0


def test_a_budget_in_seconds_pays_for_the_fewest_instances_until_costs_are_known():
    keys = tuple("abcdefgh")
    table = LossTable(keys, np.arange(1.0, 9.0)[:, None] + np.zeros((8, 40)))
    costs = LossTable(keys, np.full((8, 40), 5.0))
    race = Race(keys, "mean", FlatBudget(budget=80.0, cap=30))
    first, second, *_ = Replay(race).run(table, costs=costs).rounds
    assert first.counts.tolist() == [1] * 8
    assert second.counts.tolist() == [1 + 4] * 4  # 80 s / (4 candidates of 5 s)
