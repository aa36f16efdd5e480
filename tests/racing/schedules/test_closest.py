import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.errors import ConfigurationError
from surefoot.racing.race import Race
from surefoot.racing.replay import Replay
from surefoot.racing.rules.rank import ByPrediction
from surefoot.racing.schedules.stages import Chain, Closest, Pairs
from surefoot.racing.screen import Screen
from surefoot.racing.table import LossTable


def keys_of(number):
    return tuple(f"{i:04d}" for i in range(number))


def race_of(losses, schedule, criterion="mean", **rules):
    """Race with top two at the end, which has nothing left to train."""
    keys = keys_of(len(losses))
    chain = Chain((schedule, Pairs(schedule.cap, total=schedule.total)))
    return Race(keys, criterion, chain, rule=ByPrediction(), **rules), LossTable(keys, losses)


def losses_of(location, noise, instances=40, seed=0):
    rng = np.random.default_rng(seed)
    location = np.asarray(location)[:, None]
    return np.exp(location + noise * rng.standard_normal((len(location), instances)))


def test_a_candidate_clearly_worse_costs_one_instance_and_one_in_doubt_many():
    location = np.concatenate([np.linspace(0.0, 0.01, 5), np.linspace(1.0, 3.0, 35)])
    race, table = race_of(losses_of(location, 0.02), Closest(100, 1.0, finalists=4))
    counts = np.array([Replay(race).run(table).instances()[key] for key in table.keys])
    assert (counts[:5] >= 5).all()
    assert np.median(counts[5:]) == 1
    assert counts.sum() == 100


def test_the_first_round_after_the_cut_takes_the_best_by_rank():
    losses = losses_of(np.linspace(0.0, 1.0, 30), 0.1, seed=4)
    race, table = race_of(losses, Closest(50, 1.0, finalists=4, share=0.3))
    state = Replay(race).run(LossTable(table.keys, losses[:, :1]))
    assert [len(one.survivors) for one in state.rounds] == [20]
    best = [table.keys[row] for row in np.argsort(losses[:, 0])[: int(0.3 * 20)]]
    assert {key for key, _ in state.need} == set(best)


@settings(max_examples=60)
@given(
    st.integers(1, 80),
    st.integers(0, 200),
    st.integers(1, 20),
    st.sampled_from((0.3, 1.0)),
    st.sampled_from((0.05, 0.2, 0.9)),
    st.integers(1, 12),
    st.sampled_from(("mean", "max", "sd")),
    st.sampled_from((0.0, 0.05)),
)
def test_it_never_exceeds_its_total_nor_its_cap(
    candidates, spare, finalists, part, share, cap, criterion, broken
):
    losses = losses_of(np.linspace(0.0, 1.0, candidates), 0.3, seed=spare)
    losses[np.random.default_rng(spare).random(losses.shape) < broken] = np.inf
    losses[0] = 1.0
    needs = 2 if criterion == "sd" else 1
    schedule = Closest(candidates * needs + spare, part, finalists, share, cap + 1)
    race, table = race_of(losses, schedule, criterion)
    state = Replay(race).run(table)
    assert state.winner is not None
    assert state.trainings <= max(schedule.total, needs * candidates)
    assert max(state.instances().values()) <= cap + 1
    closest = [one for one in state.rounds if len(one.keys) > finalists]
    if closest and criterion == "mean":
        spent = sum(one.trainings for one in closest) - candidates
        full = min(closest[-1].counts) == cap + 1
        assert full or spent == (int(part * spare) if len(closest) > 1 else 0)
        assert len(closest) > 1 or int(part * spare) <= finalists
        assert len(closest[-1].survivors) <= finalists


@settings(max_examples=30)
@given(st.integers(2, 80), st.integers(0, 150), st.integers(1, 20))
def test_the_plan_knows_every_round(candidates, spare, finalists):
    losses = losses_of(np.linspace(0.0, 1.0, candidates), 0.3, 300, seed=spare)
    schedule = Closest(candidates + spare, 0.7, finalists, cap=300)
    race, table = race_of(losses, schedule)
    rounds = Replay(race).run(table).rounds
    closest = [one for one in rounds if len(one.keys) > finalists]
    for planned, one in zip(race.plan(), closest):
        assert (planned.survivors, planned.trainings) == (len(one.keys), one.trainings)
        assert planned.keep == len(one.survivors)


def test_after_a_screen_the_first_cut_trains_nothing():
    losses = losses_of(np.linspace(0.0, 1.0, 30), 0.1)
    race, table = race_of(losses, Closest(50, 1.0, finalists=4), screen=Screen(9.0))
    rounds = Replay(race).run(table, 1.0).rounds
    assert [one.trainings for one in rounds[:2]] == [30, 0]
    assert len(rounds[1].survivors) == 20
    few, table = race_of(losses, Closest(70, 1.0, finalists=4), screen=Screen(9.0))
    assert Replay(few).run(table, 1.0).rounds[1].trainings > 0


def test_what_a_screen_measured_noise_with_is_shared_with_the_next_schedule():
    """64 + 96 trainings of the screen leave 95 of 255, of which each schedule gets half.

    An instance that the screen has trained is judged once more for nothing: of what remains then,
    the first schedule again gets half.
    """
    losses = losses_of(np.linspace(-0.5, 0.5, 64), 0.1, 200)
    keys, screen = keys_of(64), Screen(0.5, "noise", pilot=32, extra=3)
    schedule = Chain((Closest(255), Pairs(64, 2, total=255)))
    state = Replay(Race(keys, "max", schedule, screen, ByPrediction())).run(
        LossTable(keys, losses), np.ones(200)
    )
    assert state.rounds[0].trainings == 160
    assert state.trainings == 255
    closest = [one for one in state.rounds[1:] if len(one.keys) > 16]
    assert len(closest[-1].survivors) == 16
    beyond = closest[-1].counts.sum() - len(closest[-1].keys)
    assert beyond + sum(one.trainings for one in closest) in (94, 95)


@pytest.mark.parametrize("fields", [(0,), (9, 0.5, 0), (9, 0.5, 4, 0.2, 0)])
def test_numbers_that_are_not_positive(fields):
    with pytest.raises(
        ConfigurationError, match=r"closest: \w+ = 0 cannot be used: give a whole number"
    ):
        Closest(*fields)


@pytest.mark.parametrize(("name", "value"), [("part", 0.0), ("share", 1.5), ("share", -0.1)])
def test_shares_that_are_none(name, value):
    with pytest.raises(
        ConfigurationError, match=f"closest: {name} = {value:g} cannot be used: give a share"
    ):
        Closest(9, **{name: value})
