"""Successive halving over epochs and Hyperband: who stays is their losses' rank at a rung."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.racing import ByEpochHalving, ByHyperband, Halving
from tests.racing.rungs.worlds import EPOCHS, world

FOUND = world(np.random.default_rng(3), 270, 12)


def rungs(state):
    return [one for one in state.rounds if one.name == "rung"]


def test_one_in_eta_stays_after_eta_times_as_many_epochs():
    state = FOUND.climb(FOUND.race(rungs="halving", schedule=Halving()))
    told = [(one.epoch, len(one.keys), len(one.survivors)) for one in rungs(state)]
    assert told == [(4, 270, 90), (12, 90, 30), (36, 30, 10)]
    for one in rungs(state):
        rows = [int(key) for key in one.keys]
        losses = FOUND.losses[0, rows, one.epoch - 1]
        best = {f"{rows[place]:05d}" for place in np.argsort(losses)[: len(one.survivors)]}
        assert set(one.survivors) == best
    first = state.eliminations[0]
    assert first.reason.endswith("ranks 270 of 270; the best 90 stay")
    assert str(state.rungs) == "the rungs removed 260"


@pytest.mark.parametrize("brackets", [1, 2, 4])
def test_brackets_begin_to_halve_one_after_the_other(brackets):
    part = ByHyperband(brackets=brackets)
    state = FOUND.climb(FOUND.race(rungs=part, schedule=Halving()))
    assert [one.epoch for one in rungs(state)] == [4, 11, 33][4 - brackets :]
    sizes = np.diff([0, *np.round(270 * np.cumsum(part.shares(brackets - 1)))])
    in_bracket = np.repeat(np.arange(brackets), sizes.astype(int))
    assert sizes.sum() == 270
    alive = np.ones(270, bool)
    for number, one in enumerate(rungs(state)):
        stay = np.isin(np.arange(270), [int(key) for key in one.survivors])
        for bracket in range(brackets):
            members = alive & (in_bracket == bracket)
            kept = int((stay & members).sum())
            halves = bracket <= number
            assert kept == (max(1, members.sum() // 3) if halves else members.sum())
        alive = stay
    assert alive[in_bracket == brackets - 1].all(), "the last never halves"


def test_brackets_cost_about_the_same():
    """Each bracket's epochs, as Hyperband's: its first epochs times its size, at every rung."""
    part, epochs = ByHyperband(), (4, 11, 33, EPOCHS)
    cost = []
    for bracket, share in enumerate(part.shares(3)):
        spent = share * epochs[bracket]
        for place in range(bracket, 3):
            share /= part.eta
            spent += share * (epochs[place + 1] - epochs[place])
        cost.append(spent)
    assert max(cost) < 1.8 * min(cost)


@pytest.mark.parametrize("part", [ByEpochHalving(), ByHyperband(), ByEpochHalving(2, 10)])
def test_a_plan_knows_about_how_many_stay(part):
    race = FOUND.race(rungs=part, schedule=Halving())
    planned = [one for one in race.plan() if one.name == "rung"]
    done = rungs(FOUND.climb(race))
    assert [one.epoch for one in planned] == [one.epoch for one in done]
    for one, other in zip(planned, done, strict=True):
        assert one.keep == pytest.approx(len(other.survivors), abs=3)


def test_a_diverged_one_ranks_last():
    found = world(np.random.default_rng(3), 90, 12)
    found.losses[:, ::2, 1:] = np.inf
    state = found.climb(found.race(rungs="halving", schedule=Halving()))
    assert all(int(key) % 2 for key in rungs(state)[0].survivors)
