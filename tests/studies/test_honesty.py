from __future__ import annotations

import numpy as np
import pytest

from surefoot.racing.criteria import from_name
from surefoot.racing.race import Race
from surefoot.racing.schedule import Halving, Schedule
from surefoot.racing.state import RaceState
from surefoot.racing.table import LossTable
from surefoot.racing.toptwo import default_schedule
from surefoot.statistics.comparison import shortlist
from surefoot.studies.honesty import Honesty, honesty

KEYS = ("a", "b", "c", "d")
LABELS = {key: f"candidate {key}" for key in "abcdefgh"}


def raced(losses: np.ndarray, criterion: str = "mean", **rules: object) -> Honesty:
    keys = tuple("abcdefgh"[: len(losses)])
    table, race = LossTable(keys, losses), Race(keys, criterion, **rules)
    return honesty(table, race.replay(table), race.statistic)


def paired(seed: int, means: list[float], sds: list[float], n: int = 20) -> np.ndarray:
    rng = np.random.default_rng(seed)
    luck = 0.3 * rng.standard_normal(n)
    return np.array([m + luck + s * rng.standard_normal(n) for m, s in zip(means, sds)])


def test_a_clear_winner_has_nobody_beside_it() -> None:
    found = raced(paired(1, [1.0, 2.0, 3.0, 4.0], [0.1] * 4), schedule=Halving(warmup=20))
    assert found.winner == "a"
    assert found.shortlist == ("a",)
    assert found.compared == KEYS
    assert found.tested == ("b", "c", "d")
    assert found.untested == 0
    assert found.runner_up == "b"
    assert found.beats is not None
    assert found.beats.estimate == 1.0
    lines = found.lines(LABELS)
    assert lines[0].startswith("Better than each of the 3 rivals with enough instances for a test")
    assert "beats the runner-up, candidate b, with a probability of about 100%" in lines[1]
    assert lines[2].startswith("It has both") == (found.front == ("a",))


def test_the_shortlist_is_that_of_the_statistics_where_all_share_their_instances() -> None:
    for seed in range(20):
        losses = paired(seed, [1.0, 1.02, 1.1, 1.6], [0.2] * 4)
        found = raced(losses, schedule=Halving(warmup=20))
        table = shortlist(losses, KEYS.index(found.winner))
        assert set(found.shortlist) == {key for key, kept in zip(KEYS, table) if kept}


def test_twins_of_the_winner_are_on_the_list() -> None:
    losses = paired(2, [1.0, 1.0, 2.0, 2.0], [0.1] * 4)
    found = raced(losses, schedule=Halving(warmup=20))
    assert set(found.shortlist) == {"a", "b"}
    assert ". 1 of them cannot be told from it: candidate" in found.lines(LABELS)[0]
    assert found.beats.low < 0.5 < found.beats.high or found.beats.estimate >= 0.5


def test_those_who_left_early_are_counted_not_judged() -> None:
    losses = paired(3, [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], [0.05] * 8, n=9)
    table = np.full((8, 9), np.nan)
    for keep, count in ((8, 1), (4, 2), (2, 9)):
        table[:keep, :count] = losses[:keep, :count]
    found = raced(table)
    assert found.compared == ("a", "b")
    assert found.tested == ("b",)
    assert found.untested == 6
    assert found.lines(LABELS)[0].startswith("Better than the one rival with enough instances")
    assert found.lines(LABELS)[1] == (
        "The 6 other rivals share too few instances with it to be told apart, whatever the "
        "losses; that takes 6 or more."
    )


def test_a_paper_race_with_few_instances_can_judge_nobody() -> None:
    found = raced(paired(3, [1.0, 1.5, 2.0, 3.0], [0.05] * 4, n=2))
    assert found.compared == ("a",)
    assert found.tested == ()
    assert found.lines(LABELS)[0] == (
        "The 3 rivals share too few instances with it to be told apart, whatever the losses; that "
        "takes 5 or more."
    )
    assert found.beats is not None


def test_the_front_shows_the_steadier_ones() -> None:
    losses = paired(4, [1.0, 1.2, 1.3, 1.4], [0.5, 0.1, 0.4, 0.01], n=200)
    found = raced(losses, schedule=Halving(warmup=200))
    assert found.winner == "a"
    assert set(found.front) == {"a", "b", "d"}
    text = found.lines(LABELS)[-1]
    assert text.startswith("Its mean and spread are")
    assert "candidate b (1.2" in text
    assert "candidate c" not in text


def test_divergence_has_no_spread_and_is_worse_than_any_loss() -> None:
    losses = paired(5, [1.0, 1.2, 1.3, 1.4], [0.1] * 4)
    losses[1, 3] = np.inf
    found = raced(losses, schedule=Halving(warmup=20))
    place = found.compared.index("b")
    assert found.location[place] == found.spread[place] == np.inf
    assert "b" not in found.front


def test_a_race_of_one_has_no_rivals() -> None:
    found = raced(np.ones((1, 6)))
    assert found.runner_up is None
    assert found.lines(LABELS) == []


@pytest.mark.parametrize("seed", range(3))
def test_the_foretold_probability_is_that_of_new_instances(seed: int) -> None:
    means, sds = [1.0, 1.05], [0.1, 0.1]
    found = raced(paired(seed, means, sds, n=400), schedule=Halving(warmup=400))
    fresh = paired(seed + 100, means, sds, n=20_000)
    true = float((fresh[0] < fresh[1]).mean())
    assert found.beats is not None
    assert found.beats.low - 0.02 < true < found.beats.high + 0.02


def test_rivals_with_few_instances_take_no_level_from_the_others() -> None:
    losses = paired(6, [1.0, 1.04, 1.08, 1.12], [0.1] * 4, n=30)
    alone = raced(losses, schedule=Halving(warmup=30))
    table = np.full((8, 30), np.nan)
    table[:4] = losses
    table[4:, :3] = 9.0 + np.arange(3)
    state = RaceState(tuple("abcdefgh"), (), (), winner="a")
    object.__setattr__(state, "ranking", tuple("abcdefgh"))
    found = honesty(LossTable(tuple("abcdefgh"), table), state, from_name("mean"))
    assert found.tested == ("b", "c", "d") == alone.tested
    assert set(found.shortlist) == set(alone.shortlist)
    assert found.untested == 4


def test_means_of_easy_instances_are_compared_as_if_all_had_trained_on_all() -> None:
    ease = np.where(np.arange(30) < 8, 0.7, 1.0)
    losses = ease * paired(7, [1.0, 1.1, 1.2, 1.3], [0.02] * 4, n=30)
    table = losses.copy()
    table[1, 8:] = np.nan
    state = RaceState(KEYS, (), (), winner="a")
    object.__setattr__(state, "ranking", KEYS)
    found = honesty(LossTable(KEYS, table), state, from_name("mean"))
    assert np.nanmean(table[1]) < losses[0].mean()
    assert found.location[1] == pytest.approx(losses[1].mean(), rel=0.03)
    np.testing.assert_allclose(found.location[[0, 2, 3]], losses[[0, 2, 3]].mean(axis=1))
    np.testing.assert_allclose(found.spread[[0, 2, 3]], losses[[0, 2, 3]].std(axis=1, ddof=1))


def test_a_criterion_of_the_tail_is_tested_by_swaps_of_that_criterion() -> None:
    rng = np.random.default_rng(8)
    losses = 1.0 + 0.1 * rng.random((3, 60))
    losses[1, ::4] += 1.0
    found = raced(losses, "quantile(0.9)", schedule=Halving(warmup=60))
    assert found.test == "paired swaps of quantile(0.9)"
    assert "b" in found.tested
    assert "b" not in found.shortlist
    assert len(found.shortlist) == 2
    assert "quantile(0.9)" in found.lines(LABELS)[0]
    by_mean = raced(losses, "mean", schedule=Halving(warmup=60))
    assert by_mean.test == "paired Wilcoxon"


@pytest.mark.parametrize("exceeding", [1, 3, 8])
def test_maxima_are_told_apart_by_the_losses_above_the_winners(exceeding: int) -> None:
    losses = np.tile(np.linspace(1.0, 1.1, 20), (2, 1))
    losses[1, :exceeding] += 1.0
    found = raced(losses, "max", schedule=Halving(warmup=20))
    assert found.winner == "a"
    assert (found.shortlist == ("a", "b")) == (2.0**-exceeding > 0.05)


NOISES = ("normal", "log-normal", "with divergences")


def world(noise: str, rng: np.random.Generator, candidates: int, n: int) -> np.ndarray:
    """Losses whose row 0 is the best by mean and by quantile, the others 0 to 20 % worse."""
    location = np.concatenate([[0.0], np.sort(0.2 * rng.random(candidates - 1))])
    luck = 0.1 * rng.standard_normal(n)
    if noise == "log-normal":
        return np.exp(location[:, None] + luck + 0.2 * rng.standard_normal((candidates, n)))
    losses = 1.0 + location[:, None] + luck + 0.1 * rng.standard_normal((candidates, n))
    if noise == "with divergences":
        losses[rng.random(losses.shape) < 0.02] = np.inf
    return losses


def best_is_listed(noise: str, criterion: str, schedule: Schedule, races: int) -> float:
    """Share of races whose best candidate is the winner, beside it on the list, or untested."""
    rng, listed = np.random.default_rng(9), 0
    keys = tuple(f"{i:02d}" for i in range(20))
    for _ in range(races):
        losses = world(noise, rng, len(keys), 40)
        if criterion == "mean" and np.isinf(losses).all(axis=0).any():
            continue
        full, race = LossTable(keys, losses), Race(keys, criterion, schedule)
        state = race.replay(full)
        table = np.full(losses.shape, np.nan)
        for row, count in enumerate(state.instances()[key] for key in keys):
            table[row, :count] = losses[row, :count]
        found = honesty(LossTable(keys, table), state, race.statistic)
        listed += "00" in found.shortlist or "00" not in found.tested
    return listed / races


@pytest.mark.parametrize("noise", NOISES[:2])
def test_the_best_is_seldom_called_worse_than_the_winner(noise: str) -> None:
    assert best_is_listed(noise, "mean", Halving(warmup=40), 100) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("criterion", ["median", "quantile(0.9)"])
@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("schedule", [Halving(warmup=40), default_schedule(20, 300, most=40)])
def test_the_best_is_seldom_called_worse_in_many_races(
    noise: str, criterion: str, schedule: Schedule
) -> None:
    assert best_is_listed(noise, criterion, schedule, 200) >= 0.95
