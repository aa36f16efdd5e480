from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from surefoot.racing.criteria import as_criterion
from surefoot.racing.race import Race
from surefoot.racing.replay import Replay
from surefoot.racing.schedules.base import Schedule
from surefoot.racing.schedules.rounds import Halving
from surefoot.racing.schedules.stages import default_schedule
from surefoot.racing.state import RaceState
from surefoot.racing.table import LossTable
from surefoot.studies.select.rivals import Rivals, rivals_of

KEYS = ("a", "b", "c", "d")
LABELS = {key: f"candidate {key}" for key in "abcdefgh"}


def raced(losses: np.ndarray, criterion: str = "mean", **rules: object) -> Rivals:
    keys = tuple("abcdefgh"[: len(losses)])
    table, race = LossTable(keys, losses), Race(keys, criterion, **rules)
    return rivals_of(table, Replay(race).run(table), race.criterion)


def ranked(losses: np.ndarray, criterion: str) -> Rivals:
    """What is said of a table whose rows are in the race's ranking."""
    keys = tuple("abcdefgh") if len(losses) == 8 else tuple(f"{i:05d}" for i in range(len(losses)))
    keys = KEYS if len(losses) == 4 else keys
    state = RaceState(keys, (), (), winner=keys[0])
    object.__setattr__(state, "ranking", keys)
    return rivals_of(LossTable(keys, losses), state, as_criterion(criterion))


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
    assert lines[:2] == [
        "All 3 rivals that share 20 instances or more with it are worse.",
        "Paired Wilcoxon tests compare typical losses, not rare ones. The chance that this calls "
        "the best candidate worse is about 5% at most, whoever wins.",
    ]
    assert "beats the runner-up, candidate b, with a probability of about 100%" in lines[2]
    assert lines[2].endswith("judged by racing losses, which flatter the winner.")
    assert lines[3].startswith("It has both") == (found.front == ("a",))


def test_the_shortlist_is_who_scipys_test_does_not_find_worse_at_the_divided_level() -> None:
    for seed in range(20):
        losses = paired(seed, [1.0, 1.02, 1.1, 1.6], [0.2] * 4)
        found = raced(losses, schedule=Halving(warmup=20))
        own = losses[KEYS.index(found.winner)]
        alike = {
            key
            for key, row in zip(KEYS, losses)
            if key == found.winner
            or stats.wilcoxon(row, own, alternative="greater", mode="exact").pvalue > 0.05 / 3
        }
        assert set(found.shortlist) == alike


def test_twins_of_the_winner_are_on_the_list() -> None:
    losses = paired(2, [1.0, 1.0, 2.0, 2.0], [0.1] * 4)
    found = raced(losses, schedule=Halving(warmup=20))
    assert set(found.shortlist) == {"a", "b"}
    other = found.shortlist[1]
    assert found.lines(LABELS)[0] == (
        "Of the 3 rivals that share 20 instances or more with it, 2 are worse and 1 cannot be "
        f"told from it: candidate {other}."
    )
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
    lines = found.lines(LABELS)
    assert lines[0] == (
        "The one rival that shares 9 instances or more with it is worse: candidate b."
    )
    assert lines[2] == (
        "The other 6 rivals share too few instances with it for any test, whatever the losses; "
        "6 would do for one of them, 8 for all."
    )


def test_a_paper_race_with_few_instances_can_judge_nobody() -> None:
    found = raced(paired(3, [1.0, 1.5, 2.0, 3.0], [0.05] * 4, n=2))
    assert found.compared == ("a",)
    assert found.tested == ()
    assert found.lines(LABELS)[0] == (
        "The 3 rivals share too few instances with it for any test, whatever the losses; 5 would "
        "do for one of them, 6 for all."
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
    found = ranked(table, "mean")
    assert found.tested == ("b", "c", "d") == alone.tested
    assert set(found.shortlist) == set(alone.shortlist)
    assert found.untested == 4


def test_means_of_easy_instances_are_compared_as_if_all_had_trained_on_all() -> None:
    ease = np.where(np.arange(30) < 8, 0.7, 1.0)
    losses = ease * paired(7, [1.0, 1.1, 1.2, 1.3], [0.02] * 4, n=30)
    table = losses.copy()
    table[1, 8:] = np.nan
    found = ranked(table, "mean")
    assert np.nanmean(table[1]) < losses[0].mean()
    assert found.location[1] == pytest.approx(losses[1].mean(), rel=0.03)
    np.testing.assert_allclose(found.location[[0, 2, 3]], losses[[0, 2, 3]].mean(axis=1))
    np.testing.assert_allclose(found.spread[[0, 2, 3]], losses[[0, 2, 3]].std(axis=1, ddof=1))


def test_a_criterion_of_the_tail_is_tested_by_swaps_of_that_criterion() -> None:
    rng = np.random.default_rng(8)
    losses = 1.0 + 0.1 * rng.random((3, 60))
    losses[1, ::4] += 1.0
    found = raced(losses, "quantile(0.9)", schedule=Halving(warmup=60))
    assert found.how == "Tests compare quantile(0.9) under swaps of the paired losses."
    assert "b" in found.tested
    assert "b" not in found.shortlist
    assert len(found.shortlist) == 2
    assert found.lines(LABELS)[1].startswith(found.how)
    by_mean = raced(losses, "mean", schedule=Halving(warmup=60))
    assert by_mean.how == "Paired Wilcoxon tests compare typical losses, not rare ones."


@pytest.mark.parametrize("exceeding", [1, 3, 8])
def test_maxima_are_told_apart_by_the_losses_above_the_winners(exceeding: int) -> None:
    losses = np.tile(np.linspace(1.0, 1.1, 20), (2, 1))
    losses[1, :exceeding] += 1.0
    found = raced(losses, "max", schedule=Halving(warmup=20))
    assert found.winner == "a"
    assert (found.shortlist == ("a", "b")) == (2.0**-exceeding > 0.05)
    assert found.lines(LABELS)[1].startswith(
        "A rival is called worse for 5 losses or more above the winner's largest: instances tell "
        "no more of maxima."
    )


@pytest.mark.parametrize("criterion", ["mean", "quantile(0.9)"])
def test_nobody_is_tested_who_could_not_be_called_worse(criterion: str) -> None:
    table = np.full((8, 30), np.nan)
    for row, count in enumerate((30, 30, 9, 8, 7, 6, 5, 4)):
        table[row, :count] = 1.0 + row + 1e-3 * np.arange(count)
    found = ranked(table, criterion)
    assert found.tested == tuple("bcdef"[: len(found.tested)])
    assert found.shortlist == ("a",)
    assert found.fewest == 7
    assert found.would_do == (7, 8)


def test_one_rival_left_out_is_spoken_of_as_one() -> None:
    table = np.full((4, 12), np.nan)
    table[:3] = paired(1, [1.0, 1.0, 9.0], [0.1] * 3, n=12)
    table[3, 0] = 2.0
    assert ranked(table, "mean").lines(dict.fromkeys(KEYS, "x"))[2] == (
        "The other rival shares too few instances with it for any test, whatever the losses; 6 "
        "would do."
    )
    assert ranked(table[2:], "mean").lines({"00000": "x", "00001": "y"})[0] == (
        "The one rival shares too few instances with it for any test, whatever the losses; 5 "
        "would do."
    )


@pytest.mark.parametrize("criterion", ["mean", "max", "quantile(0.9)"])
def test_of_thousands_only_those_with_instances_enough_are_tested(criterion: str) -> None:
    rng = np.random.default_rng(10)
    table = np.full((7000, 64), np.nan)
    for keep, count in ((7000, 1), (3500, 2), (60, 8), (4, 64)):
        table[:keep, :count] = 1.0 + rng.random((keep, count))
    found = ranked(table, criterion)
    assert len(found.tested) == 3
    assert found.untested == 6996


@pytest.mark.parametrize("criterion", ["mean", "max", "quantile(0.9)", "mean+2*sd", "cvar(0.1)"])
def test_hundreds_with_many_instances_have_a_short_list(criterion: str) -> None:
    rng = np.random.default_rng(11)
    table = 1.0 + np.linspace(0.0, 0.2, 256)[:, None] + 0.1 * rng.random((256, 64))
    found = ranked(table, criterion)
    assert len(found.tested) == 255
    assert 1 < len(found.shortlist) < 128
    assert found.shortlist == ranked(table, criterion).shortlist


def test_swaps_without_end_are_cut_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("surefoot.studies.select.rivals.WORK", 1_000)
    rng = np.random.default_rng(12)
    table = np.arange(1.0, 9.0)[:, None] + 0.1 * rng.random((8, 40))
    found = ranked(table, "quantile(0.9)")
    assert found.tested == tuple("bcdefgh"[: 7 - found.skipped])
    assert 0 < found.skipped < 7
    assert found.shortlist == ("a",)
    assert found.lines(LABELS)[1] == (
        f"The {found.skipped} lowest in the ranking were not tested, to save time."
    )


NOISES = ("normal", "log-normal", "with divergences")


def world(
    noise: str, criterion: str, rng: np.random.Generator, shifts: np.ndarray, n: int
) -> np.ndarray:
    """Losses whose row 0 is the best: the others' are like them, and ``shifts`` larger.

    Where a divergence makes the criterion infinite, the best has none.
    """
    luck = 0.1 * rng.standard_normal(n)
    losses = 0.1 * rng.standard_normal((len(shifts), n)) + luck + shifts[:, None]
    if noise == "log-normal":
        return np.exp(3.0 * losses)
    if noise == "with divergences":
        diverged = rng.random(losses.shape) < 0.02
        diverged[0] &= criterion.startswith("quantile")
        losses[diverged] = np.inf
    return 1.0 + losses


def best_is_called_worse(
    noise: str, criterion: str, shifts: np.ndarray, schedule: Schedule, n: int, races: int
) -> float:
    """Share of races in which the truly best candidate is tested and not on the shortlist."""
    rng, lost = np.random.default_rng(9), 0
    keys = tuple(f"{i:02d}" for i in range(len(shifts)))
    for _ in range(races):
        losses = world(noise, criterion, rng, shifts, n)
        race = Race(keys, criterion, schedule)
        state = Replay(race).run(LossTable(keys, losses))
        table = np.full(losses.shape, np.nan)
        for row, key in enumerate(keys):
            count = state.instances()[key]
            table[row, :count] = losses[row, :count]
        found = rivals_of(LossTable(keys, table), state, race.criterion)
        lost += "00" in found.tested and "00" not in found.shortlist
    return lost / races


EQUALS = np.zeros(3)
SPREAD = np.linspace(0.0, 0.2, 12)


def most(level: float, races: int) -> float:
    """The largest share that chance leaves a probability of ``level`` with in 999 of 1,000."""
    return float(stats.binom.ppf(0.999, races, level)) / races


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("criterion", ["mean", "quantile(0.9)"])
@pytest.mark.parametrize("shifts", [EQUALS, SPREAD])
def test_the_best_is_seldom_called_worse(noise: str, criterion: str, shifts: np.ndarray) -> None:
    share = best_is_called_worse(noise, criterion, shifts, Halving(warmup=30), 30, 100)
    assert share <= most(0.05, 100)


@pytest.mark.slow
@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("criterion", ["mean", "quantile(0.9)", "max", "mean+2*sd", "cvar(0.1)"])
def test_the_best_is_seldom_called_worse_in_many_races(noise: str, criterion: str) -> None:
    schedule = Halving(warmup=30)
    assert best_is_called_worse(noise, criterion, EQUALS, schedule, 30, 1000) <= most(0.05, 1000)


@pytest.mark.slow
@pytest.mark.parametrize("criterion", ["mean", "quantile(0.9)"])
@pytest.mark.parametrize("shifts", [EQUALS, SPREAD])
def test_a_race_that_stops_when_it_has_seen_enough_seldom_calls_the_best_worse(
    criterion: str, shifts: np.ndarray
) -> None:
    schedule = default_schedule(len(shifts), 30 * len(shifts), max_instances=64)
    for noise in NOISES:
        share = best_is_called_worse(noise, criterion, shifts, schedule, 64, 200)
        assert share <= most(0.06, 200)
