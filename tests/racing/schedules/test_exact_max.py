import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import ConfigurationError
from surefoot.racing.race import Race
from surefoot.racing.replay import Replay
from surefoot.racing.schedules.exact_max import ByMax, ExactMax
from surefoot.racing.screen import Screen
from surefoot.racing.table import LossTable


def race_to_the_end(race, full, baseline=None):
    table = LossTable.empty(race.keys)
    state = Replay(race).run(table, baseline)
    while not state.over:
        table = table.extended((key, i, full.row(key)[i]) for key, i in state.need)
        state = Replay(race).run(table, baseline)
    return state, table


@given(st.integers(1, 40), st.integers(1, 17), st.integers(0, 10_000))
def test_the_winner_is_that_of_the_exhaustive_search(candidates, complete, seed):
    rng = np.random.default_rng(seed)
    losses = np.round(rng.lognormal(0, 0.5, (candidates, complete)), 1)
    losses[rng.random(losses.shape) < 0.01] = np.inf
    losses[0] = 9.0
    keys = tuple(f"{i:03d}" for i in rng.permutation(candidates))
    full = LossTable(keys, losses)
    race = Race(keys, "max", ExactMax(complete), rule=ByMax(complete))
    state, table = race_to_the_end(race, full)
    exhaustive = min(keys, key=lambda key: (full.row(key).max(), key))
    assert state.winner == exhaustive
    assert table.count <= candidates * complete
    assert len(state.eliminations) == candidates - 1


def test_it_costs_a_fraction_and_gives_its_reasons():
    rng = np.random.default_rng(0)
    losses = np.exp(rng.normal(0, 0.3, (200, 1)) + rng.normal(0, 0.2, (200, 32)))
    keys = tuple(f"{i:03d}" for i in range(200))
    race = Race(keys, "max", ExactMax(32), rule=ByMax(32))
    state, table = race_to_the_end(race, LossTable(keys, losses))
    assert state.winner == f"{losses.max(axis=1).argmin():03d}"
    assert table.count < 0.15 * losses.size
    assert "no further instance can undercut" in state.eliminations[-1].reason
    assert sum(r.trainings for r in race.plan()) == losses.size
    assert not race.plan()[-1].exact


def test_after_a_screen():
    losses = np.array([[3.0, 3.0], [1.0, 5.0], [2.0, 2.5]])
    keys = ("a", "b", "c")
    race = Race(keys, "max", ExactMax(2), Screen(tolerance=1.1), ByMax(2))
    state, table = race_to_the_end(race, LossTable(keys, losses), 1.0)
    assert state.winner == "c"
    assert table.count == 5


def test_other_criteria_are_refused():
    keys = ("a", "b")
    with pytest.raises(ConfigurationError, match="'max' alone, not of 'mean'"):
        Replay(Race(keys, "mean", ExactMax(2), rule=ByMax(2))).run(LossTable(keys, np.ones((2, 2))))
    with pytest.raises(ConfigurationError, match="complete = 0"):
        ExactMax(0)
    with pytest.raises(ConfigurationError, match="complete = 0"):
        ByMax(0)
