"""The forecast of where trainings end: calibrated, and as unsure as its learners were unlike."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.racing.rungs.forecast import FEWEST, Forecast, Standings

DRAWS = 2000


def standings(level: np.ndarray, slope: np.ndarray, broken: np.ndarray | None = None) -> Standings:
    values = np.stack([level, slope], axis=1)
    return Standings(values, np.zeros(len(level), bool) if broken is None else broken)


def draws(stood, criteria, stand, *, ruined=True):
    known = Forecast(stood, np.arange(len(criteria)), criteria)
    assert known.enough
    return known.draw(stand, DRAWS, np.random.default_rng(0), ruined=ruined)


def test_level_and_slope_are_those_of_the_last_two_quarters():
    curves = np.log(np.array([[9.0] * 4 + [5.0, 5.0, 3.0, 3.0], [1.0] * 7 + [np.inf]]))
    found = Standings.of(curves)
    np.testing.assert_allclose(found.values[0], [np.log(3.0), np.log(5.0 / 3.0)])
    assert found.broken.tolist() == [False, True]
    assert np.isfinite(found.values).all()


@pytest.mark.parametrize("luck", [0.05, 0.4])
def test_ends_lie_in_the_draws_as_often_as_they_say(luck):
    """Over many sets of learners; the tails are wider where good ones are taken as a share."""
    below, inside = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        level, slope = rng.normal(-2.0, 0.5, (2, 72))
        ends = np.exp(-3.0 + 0.6 * (level + 2.0) - 0.3 * (slope + 2.0) + luck * rng.normal(size=72))
        stood, stand = standings(level[:32], slope[:32]), standings(level[32:], slope[32:])
        drawn = draws(stood, ends[:32], stand).values
        low, middle = np.quantile(drawn, [0.05, 0.5], axis=0)
        below.append((ends[32:] < middle).mean())
        inside.append((ends[32:] > low).mean())
    assert np.mean(below) == pytest.approx(0.5, abs=0.1)
    assert 0.93 < np.mean(inside) < 1.0


def test_a_bent_relation_is_learnt_and_where_nothing_was_seen_it_is_unsure():
    rng = np.random.default_rng(1)
    level, slope = rng.uniform(-2.0, 2.0, 48), rng.normal(size=48)
    ends = np.exp(np.abs(level)) * np.exp(0.05 * rng.normal(size=48))
    at = np.array([-1.8, 0.0, 1.8, 9.0])
    found = draws(standings(level, slope), ends, standings(at, np.zeros(4))).location
    middle = np.median(found, axis=0)
    assert middle[1] < middle[0] - 0.8
    assert middle[1] < middle[2] - 0.8
    spread = draws(standings(level, slope), ends, standings(at, np.zeros(4))).scale
    assert np.median(spread[:, 3]) > 1.5 * np.median(spread[:, 1])


def test_who_stands_with_those_that_never_learn_is_rarely_good():
    rng = np.random.default_rng(2)
    dead = np.arange(40) < 20
    level = np.where(dead, 0.0, -2.0) + 0.1 * rng.normal(size=40)
    ends = np.where(dead, 1.0, 0.02) * np.exp(0.05 * rng.normal(size=40))
    stand = standings(np.array([0.0, -2.0]), np.zeros(2))
    found = draws(standings(level, np.zeros(40)), ends, stand)
    good = found.good.mean(axis=0)
    assert 0.0 < good[0] < 0.2
    assert good[1] > 0.8
    bars = np.full(DRAWS, 0.1)
    share = (found.values < 0.1).mean(axis=0)
    np.testing.assert_allclose(found.below(bars), share, atol=0.03)


def test_who_diverged_is_as_good_as_those_that_had_or_lost_if_that_ruins_it():
    broken = np.arange(40) < 10
    ends = np.exp(np.random.default_rng(3).normal(-3.0, 0.1, 40))
    ends[broken] = np.where(np.arange(10) % 3 > 0, 5.0, ends[broken])
    stood = standings(np.where(broken, 0.0, -2.0), np.zeros(40), broken)
    stand = standings(np.zeros(1), np.zeros(1), np.ones(1, bool))
    assert np.isinf(draws(stood, ends, stand, ruined=True).values).all()
    share = draws(stood, ends, stand, ruined=False).good.mean()
    assert 0.15 < share < 0.7


def test_criteria_that_are_not_positive_are_taken_as_they_are():
    level = np.linspace(-1.0, 1.0, 20)
    found = draws(standings(level, level), level - 0.5, standings(np.zeros(1), np.zeros(1)))
    assert np.isnan(found.floor).all()
    assert np.median(found.values) == pytest.approx(-0.5, abs=0.2)


def test_from_few_good_ones_nothing_is_told():
    ends = np.full(20, np.inf)
    ends[: FEWEST - 1] = 0.1
    assert not Forecast(standings(np.zeros(20), np.zeros(20)), np.arange(20), ends).enough
