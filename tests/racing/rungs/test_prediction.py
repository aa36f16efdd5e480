"""Rungs by prediction: who leaves, at what risk, and what they leave to be measured."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy import stats

from surefoot.errors import ConfigurationError
from surefoot.racing import ByCurve, Halving
from tests.racing.rungs.worlds import EPOCHS, Curves, left_at_rungs, world

RISK = 0.05


def best_left(worlds: list[Curves], **rules: object) -> int:
    """In how many worlds the best candidate left at a rung."""
    lost = 0
    for one in worlds:
        race = one.race(rungs=ByCurve(risk=RISK, **rules), schedule=Halving())
        lost += one.keys[int(one.truth.argmin())] in left_at_rungs(one.climb(race))
    return lost


@pytest.mark.parametrize(
    "kind",
    [{}, {"slow": 0.3}, {"slow": 0.6}, {"crossing": True}, {"dead": 0.0}, {"noise": 0.3}],
    ids=str,
)
def test_the_best_stays_but_for_the_stated_risk(kind):
    """Also of slow starters that all end better than the rest, and of curves that all cross."""
    worlds = [world(np.random.default_rng(seed), 120, 12, **kind) for seed in range(40)]
    lost = best_left(worlds)
    assert stats.binomtest(lost, len(worlds), RISK, alternative="greater").pvalue > 0.01


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


def test_who_leaves_is_told_its_rung_its_prediction_and_the_risk():
    found = world(np.random.default_rng(3))
    state = found.climb(found.race(rungs=ByCurve(risk=0.1), schedule=Halving()))
    reasons = [one.reason for one in state.eliminations if "risk" in one.reason]
    assert len(reasons) == len(left_at_rungs(state)) > 100
    pattern = r"after (5|15|40) epochs: loss [\d.]+, predicted to end at ([\d.]+), where the best "
    pattern += r"are predicted to end at ([\d.]+) at most \(risk 0.1 in all rungs\)"
    for reason in reasons:
        match = re.fullmatch(pattern, reason)
        assert match
        assert float(match[2]) >= float(match[3])


def test_the_reserve_is_trained_on_and_measures_the_risk():
    found = world(np.random.default_rng(3))
    state = found.climb(found.race(rungs=ByCurve(reserve=5), schedule=Halving()))
    check = state.rungs
    assert check is not None
    assert check.left == len(left_at_rungs(state))
    assert 5 <= check.reserve <= 15
    assert check.better <= 1
    assert str(check).startswith(f"the rungs removed {check.left}, at a stated risk of 0.05")
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
    assert gone & set(range(150))
    assert not gone & set(best.tolist())


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


def test_few_candidates_have_no_rungs():
    found = world(np.random.default_rng(1), 64, 12)
    climbing, plain = (found.race(rungs=rungs) for rungs in ("prediction", None))
    state = found.climb(climbing)
    assert all(one.name == "race" for one in state.rounds)
    assert state.rungs.left == 0
    ended = found.climb(found.race(rungs=ByCurve(learning_from=8)))
    assert {one.name for one in ended.rounds} == {"rung", "race"}
    assert plain.rungs is None


@pytest.mark.parametrize("epochs", [(0, 5), (5, 5), (15, 5), (5.0,)])
def test_rungs_at_no_epochs_are_refused(epochs):
    with pytest.raises(ConfigurationError, match="ascending numbers of epochs"):
        ByCurve(epochs=epochs)


def test_rungs_come_before_the_end():
    assert ByCurve().at(100) == (5, 15, 40)
    assert ByCurve().at(3) == (1, 2)
    assert ByCurve().at(1) == ()
    assert ByCurve(epochs=(2, 50, 200)).at(100) == (2, 50)
