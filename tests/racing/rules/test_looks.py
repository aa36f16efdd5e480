import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.racing.race import Race
from surefoot.racing.replay import Replay
from surefoot.racing.rules.tests import GROWTH, ByQuantileInterval, BySwaps, ByTest, look_at
from surefoot.racing.schedules.rounds import Halving
from surefoot.racing.table import LossTable


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=40).map(sorted),
    st.integers(1, 30),
    st.integers(0, 20),
)
def test_looks_lie_apart_and_are_numbered_without_repetition(counts, first, shrinking):
    """Also when ``first`` shrinks half way: no number is spent twice, so the level is kept."""
    half, spent, taken = len(counts) // 2, [], []
    for place, n in enumerate(counts):
        start = first if place < half else max(1, first - shrinking)
        look = look_at(n, tuple(counts[:place]), start)
        if look is not None:
            assert n >= start
            spent.append(look)
            taken.append((n, start))
    assert spent == sorted(set(spent))
    assert sum(1.0 / (look * (look + 1)) for look in spent) <= 1.0
    for (before, start), (after, same) in itertools.pairwise(taken):
        assert after >= GROWTH * before or start != same


def share_of_wrong_races(rule, criterion, races):
    """Of three equals and two worse candidates, how often does the first leave?"""
    rng, wrong = np.random.default_rng(7), 0
    keys = tuple("abcde")
    for _ in range(races):
        losses = rng.lognormal(0, 0.4, (5, 64)) * np.exp(0.2 * rng.standard_normal(64))
        losses[3:] *= [[1.3], [2.0]]
        state = Replay(Race(keys, criterion, Halving(), rule=rule)).run(LossTable(keys, losses))
        assert state.over
        wrong += "a" not in state.survivors
    return wrong / races


RULES = [
    (ByTest(), "mean"),
    (BySwaps(n_resamples=4000), "cvar(0.2)"),
    (ByQuantileInterval(), "median"),
    (ByQuantileInterval(anytime=True), "median"),
]


@pytest.mark.parametrize(("rule", "criterion"), RULES)
def test_equals_rarely_leave_in_whole_races(rule, criterion):
    assert share_of_wrong_races(rule, criterion, 20) <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "criterion"), RULES)
def test_equals_rarely_leave_in_many_whole_races(rule, criterion):
    assert share_of_wrong_races(rule, criterion, 400) <= 0.05
