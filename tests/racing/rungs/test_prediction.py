"""Rungs by prediction: who leaves, at what risk, and what they leave to be measured."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pytest
from scipy import stats

from surefoot.errors import ConfigurationError
from surefoot.racing import ByCurve, Halving, LossTable, Race, Replay
from tests.racing.rungs.worlds import EPOCHS, Curves, left_at_rungs, world

RISK = 0.05


KINDS = [{}, {"slow": 0.3}, {"slow": 0.6}, {"crossing": True}, {"dead": 0.0}, {"noise": 0.3}]


def all_left(worlds: Iterable[Curves], tolerance: float = 0.02) -> int:
    """In how many worlds all within the tolerance of the best left at rungs."""
    lost = 0
    for one in worlds:
        race = one.race(rungs=ByCurve(RISK, tolerance), schedule=Halving())
        near = np.flatnonzero(one.truth <= one.truth.min() * (1.0 + tolerance))
        lost += {one.keys[row] for row in near} <= left_at_rungs(one.climb(race))
    return lost


def above_the_risk(lost: int, of: int) -> bool:
    """Whether so many cannot be explained by the stated risk."""
    return bool(stats.binomtest(lost, of, RISK, alternative="greater").pvalue < 0.01)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_one_as_good_as_the_best_stays_but_for_the_stated_risk(kind):
    """Also of slow starters that all end better than the rest, and of curves that all cross."""
    worlds = [world(np.random.default_rng(seed), 120, 12, **kind) for seed in range(12)]
    assert not above_the_risk(all_left(worlds), len(worlds))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_measured_risk_is_the_stated_one_at_most(kind):
    worlds = (world(np.random.default_rng(1000 + seed), 240, 12, **kind) for seed in range(200))
    assert not above_the_risk(all_left(worlds), 200)


def test_where_early_losses_say_nothing_nobody_learning_leaves():
    """A first rung that sees noise alone removes hardly anybody; the last one, the worse."""
    found = world(np.random.default_rng(3), 200, 12, dead=0.0)
    blind = np.exp(np.random.default_rng(4).normal(size=(12, 200, 15)))
    found.losses[:, :, :15] = blind
    rungs = ByCurve(epochs=(5, 15))
    state = found.climb(found.race(rungs=rungs, schedule=Halving()))
    assert len(left_at_rungs(state)) < 0.1 * 200


def test_the_dead_leave_at_once_and_most_of_the_worse_before_the_end():
    found = world(np.random.default_rng(3))
    race = found.race(rungs="prediction", schedule=Halving())
    state = found.climb(race)
    dead = np.flatnonzero(found.truth > 0.5)
    first, *_, last = (one for one in state.rounds if one.name == "rung")
    assert (first.epoch, last.epoch) == (5, 40)
    stay = {int(key) for key in last.survivors}
    assert len(stay & set(dead.tolist())) < 0.3 * len(dead)
    assert len(stay) < 0.6 * len(found.keys)
    assert state.winner in found.keys
    ranked = found.truth.argsort()
    assert int(state.winner) in ranked[:20]


def test_who_leaves_is_told_its_rung_its_prediction_and_the_chance_of_those_that_stay():
    found = world(np.random.default_rng(3))
    rungs = ByCurve(risk=0.1, tolerance=0.05)
    state = found.climb(found.race(rungs=rungs, schedule=Halving()))
    reasons = [one.reason for one in state.eliminations if "risk" in one.reason]
    assert len(reasons) == len(left_at_rungs(state)) > 100
    pattern = r"after (5|15|40) epochs: loss [\d.]+, predicted to end at [\d.]+; one that ends "
    pattern += (
        r"within 5 % of the best is among the (\d+) that stay with probability (0\.9\d\d|1.000) "
    )
    pattern += r"\(risk 0.1 in all rungs\)"
    stay = {one.epoch: len(one.survivors) for one in state.rounds if one.name == "rung"}
    for reason in reasons:
        match = re.fullmatch(pattern, reason)
        assert match
        assert int(match[2]) <= stay[int(match[1])] <= int(match[2]) + rungs.reserve


def test_a_wider_tolerance_and_a_larger_risk_keep_fewer():
    found = world(np.random.default_rng(3))
    left = [
        len(left_at_rungs(found.climb(found.race(rungs=rungs, schedule=Halving()))))
        for rungs in (ByCurve(0.01, 0.02), ByCurve(0.2, 0.02), ByCurve(0.2, 0.2))
    ]
    assert left == sorted(left)
    assert left[0] < left[2]


def test_the_reserve_is_trained_on_and_measures_the_risk():
    found = world(np.random.default_rng(3))
    state = found.climb(found.race(rungs=ByCurve(reserve=5), schedule=Halving()))
    check = state.rungs
    assert check is not None
    assert check.left == len(left_at_rungs(state))
    assert 5 <= check.reserve <= 15
    assert check.better <= 3
    assert str(check).startswith(
        f"the rungs removed {check.left}, at a stated risk of 0.05 that all within 2 % of the best "
        "left; of "
    )
    without = found.climb(found.race(rungs=ByCurve(reserve=0), schedule=Halving())).rungs
    assert without is not None
    assert (without.reserve, without.better) == (0, 0)


def test_late_bloomers_are_known_by_their_recipe():
    """With a falling rate or a late average losses stay high until late: no sign of a bad end."""
    rng = np.random.default_rng(5)
    early = world(rng, 150, 12, dead=0.3)
    late = world(rng, 150, 12, dead=0.3)
    bend = np.clip((np.arange(1, EPOCHS + 1) - 60) / 40, 0, 1) ** 2
    alive = late.truth < 0.5
    ends = late.losses[:, alive, -1:] * 0.6
    late.losses[:, alive] = np.exp(np.log(0.3) * (1 - bend) + np.log(ends) * bend)
    losses = np.concatenate([early.losses, late.losses], axis=1)
    both = Curves(losses, losses[:, :, -1].mean(axis=0), (0,) * 150 + (1,) * 150)
    best = both.truth.argsort()[:10]
    assert (best >= 150).all(), "the late ones end better"
    gone = {int(key) for key in left_at_rungs(both.climb(both.race(rungs="prediction")))}
    assert len(gone & set(range(150))) > 75
    assert len(gone - set(range(150))) < 20
    assert set(best[both.truth[best] <= 1.02 * both.truth.min()].tolist()) - gone


def test_a_diverged_candidate_leaves_and_teaches_nothing():
    found = world(np.random.default_rng(3))
    broken = np.random.default_rng(4).random(len(found.keys)) < 0.3
    found.losses[:, broken, 2:] = np.inf
    state = found.climb(found.race(rungs="prediction", schedule=Halving()))
    gone = {int(key) for key in left_at_rungs(state)}
    told = [one.reason for one in state.eliminations if "diverged" in one.reason]
    assert len(gone & set(np.flatnonzero(broken).tolist())) > 0.8 * broken.sum() - 24
    assert told
    assert not broken[int(state.winner)]


def test_few_candidates_have_no_rungs_and_it_is_said():
    found = world(np.random.default_rng(1), 64, 12)
    climbing, plain = (found.race(rungs=rungs) for rungs in ("prediction", None))
    state = found.climb(climbing)
    assert all(one.name == "race" for one in state.rounds)
    assert str(state.rungs) == "no rungs: of so few candidates they would spare too little by plan"
    table = LossTable(found.keys, found.losses[:, :, -1].T)
    assert [one.survivors for one in state.rounds] == [
        one.survivors for one in Replay(plain).run(table).rounds
    ]
    ended = found.climb(found.race(rungs=ByCurve(learning_from=8), schedule=Halving()))
    assert {one.name for one in ended.rounds} == {"rung", "race"}


def test_rungs_that_would_cost_as_much_as_they_spare_are_none():
    """Of 70, 32 are trained first: what the others could spare does not pay for these."""
    keys = [f"{row:05d}" for row in range(70)]
    race, plain = Race(keys, rungs="prediction", epochs=EPOCHS), Race(keys, epochs=EPOCHS)
    assert race.rungs.active(race.untrained)
    assert not race.climbs
    assert race.plan() == plain.plan()
    assert Race(keys, rungs="prediction", epochs=EPOCHS, limit=60.0).climbs
    assert Race([f"{row:05d}" for row in range(400)], rungs="prediction", epochs=EPOCHS).climbs


@pytest.mark.parametrize("epochs", [(0, 5), (5, 5), (15, 5), (5.0,)])
def test_rungs_at_no_epochs_are_refused(epochs):
    with pytest.raises(ConfigurationError, match="ascending numbers of epochs"):
        ByCurve(epochs=epochs)


def test_rungs_come_before_the_end():
    assert ByCurve().at(100) == (5, 15, 40)
    assert ByCurve().at(3) == (1, 2)
    assert ByCurve().at(1) == ()
    assert ByCurve(epochs=(2, 50, 200)).at(100) == (2, 50)
