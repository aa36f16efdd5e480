import numpy as np
import pytest

from surefoot.errors import ConfigurationError
from surefoot.racing.race import Race
from surefoot.racing.replay import Replay
from surefoot.racing.rules.rank import ByRank
from surefoot.racing.schedules.rounds import FlatBudget, Halving
from surefoot.racing.schedules.stages import Chain, Pairs
from surefoot.racing.table import LossTable
from tests.racing.worlds import KEYS, world


@pytest.mark.parametrize(
    ("schedule", "trainings"),
    [(FlatBudget(432, cap=32), 15_824), (FlatBudget(3000, cap=64), 29_110)],
)
def test_flat_budgets_hold_every_late_round_at_about_the_same_cost(schedule, trainings):
    plan = Race(KEYS, schedule=schedule, rule="rank").plan()
    assert sum(r.trainings for r in plan) == trainings
    late = [r.trainings for r in plan if schedule.cap * r.survivors > schedule.budget][5:]
    assert all(0.85 * schedule.budget <= t <= schedule.budget for t in late)


def test_a_spare_budget_goes_to_the_next_challengers_when_two_are_full():
    table = world(4, 40, seed=2)
    schedule = Pairs(10, 5, separation=1e9)
    state = Replay(Race(table.keys, schedule=schedule, rule="rank")).run(table)
    assert set(state.instances().values()) == {10}
    short = Replay(
        Race(table.keys, schedule=Pairs(10, 5, separation=1e9, total=33), rule="rank")
    ).run(table)
    assert short.trainings == 33


def test_top_two_trains_the_leader_and_its_closest_challenger():
    keys = ("a", "b", "c")
    noise = np.array([0.0, 0.2, -0.2, 0.1, -0.1, 0.0])
    losses = np.array([1.0 + noise, 1.1 - noise, 5.0 + noise[::-1]])
    race = Race(keys, schedule=Chain((_Warm(3), Pairs(6, 2))), rule="rank")
    state = Replay(race).run(LossTable(keys, losses[:, :3]))
    assert {key for key, _ in state.need} == {"a", "b"}
    state = Replay(race).run(LossTable(keys, losses))
    assert state.winner == "a"
    assert state.instances() == {"a": 6, "b": 6, "c": 3}


class _Warm(Halving):
    """One round of instances for all, nobody leaves."""

    def __init__(self, instances):
        super().__init__()
        object.__setattr__(self, "warmup", instances)

    def step(self, standing):
        from surefoot.racing.schedules.base import Step

        return Step(self.warmup, standing.survivors) if standing.instances == 0 else None


def test_a_clear_leader_ends_it_early():
    keys = ("a", "b")
    losses = np.array([[1.0], [3.0]]) + np.random.default_rng(0).normal(0, 0.1, (2, 40))
    race = Race(keys, schedule=Chain((_Warm(4), Pairs(40))), rule="rank")
    state = Replay(race).run(LossTable(keys, losses))
    assert (state.winner, state.trainings) == ("a", 16)
    unclear = Replay(Race(keys, "max", schedule=Chain((_Warm(4), Pairs(40))), rule="rank")).run(
        LossTable(keys, losses),
    )
    assert unclear.trainings == 80


def test_a_lucky_noisy_leader_does_not_end_it():
    """Both noises look alike by the common variance; three lucky losses are no clear lead."""
    rng = np.random.default_rng(0)
    steady = 1.0 + 0.004 * rng.standard_normal(60)
    noisy = 1.3 * np.exp(0.5 * rng.standard_normal(60))
    noisy[:3] = 0.8, 0.81, 0.79
    race = Race(("a", "b"), schedule=Chain((_Warm(3), Pairs(60, 3))), rule="rank")
    assert Replay(race).run(LossTable(("a", "b"), np.array([noisy, steady]))).winner == "b"


def test_a_budget_in_seconds_gives_cheap_survivors_more_instances():
    table = world(64, 100)
    costs = LossTable(table.keys, np.full((64, 100), 0.5))
    race = Race(table.keys, schedule=FlatBudget(32, cap=64), limit=110.0)
    dear = Replay(race).run(table, costs=LossTable(table.keys, np.full((64, 100), 2.0)))
    cheap = Replay(race).run(table, costs=costs)
    assert cheap.trainings * 0.5 <= 110.0
    assert len(cheap.rounds) > len(dear.rounds) == 1
    assert cheap.rounds[2].trainings == 64
    assert "limit of 110" in dear.stopped


def test_bad_fields():
    with pytest.raises(ConfigurationError, match="cap = 0"):
        Pairs(0)
    with pytest.raises(ConfigurationError, match="budget = 0"):
        FlatBudget(0)
    with pytest.raises(ConfigurationError, match="total = 0"):
        Pairs(4, total=0)


def test_a_few_easy_instances_do_not_win_against_many():
    rng = np.random.default_rng(5)
    ease = np.where(np.arange(40) < 6, 0.8, 1.0)
    losses = ease * np.exp(0.02 * rng.standard_normal((3, 40))) * [[1.0], [1.001], [1.06]]
    keys = ("a", "b", "c")
    race = Race(keys, schedule=Chain((_Warm(6), Pairs(40, 4, total=70))), rule=ByRank())
    state = Replay(race).run(LossTable(keys, losses))
    last = state.rounds[-1]
    counts, values = (dict(zip(last.keys, one.tolist())) for one in (last.counts, last.values))
    assert counts["c"] == 6
    assert min(values, key=values.get) == "c"
    assert state.winner in ("a", "b")
    assert all("as predicted; the best 1 stay" in one.reason for one in last.eliminations)
