import numpy as np

from surefoot.racing.race import Race
from surefoot.racing.replay import Replay
from surefoot.racing.rules.rank import ByPrediction
from surefoot.racing.schedules.rounds import FlatBudget, Halving
from surefoot.racing.schedules.stages import Chain, Pairs
from surefoot.racing.screen import Screen
from surefoot.racing.state import stretches
from surefoot.racing.table import LossTable

KEYS = tuple(f"{i:02d}" for i in range(30))
LOSSES = np.random.default_rng(1).lognormal(0, 0.2, (30, 20))


def test_a_stretch_ends_where_somebody_leaves():
    pairs = Chain((FlatBudget(30, cap=4, finalists=3), Pairs(20, 2, separation=99.0)))
    race = Race(KEYS, "mean", pairs, Screen(5.0), ByPrediction())
    planned = race.plan()
    state = Replay(race).run(LossTable(KEYS, LOSSES), 1.0)
    for rounds in (planned, state.rounds):
        found = stretches(rounds)
        assert [one for stretch in found for one in stretch] == list(rounds)
        assert [one.name for one in found[0]] == ["screen"]
        assert all(one.all_stay for stretch in found for one in stretch[:-1])
        assert not any(stretch[-1].all_stay for stretch in found[1:])
        assert max(map(len, found)) > 5
    assert [one.keep for one in planned][-1] == 1
    assert [len(one.survivors) for one in state.rounds][-1] == 1


def test_a_race_in_which_somebody_always_leaves_has_no_stretches():
    state = Replay(Race(KEYS, "mean", Halving())).run(LossTable(KEYS, LOSSES))
    assert [len(one) for one in stretches(state.rounds)] == [1] * 4
    assert stretches(()) == []
