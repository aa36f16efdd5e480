from __future__ import annotations

import numpy as np
import pytest

from surefoot.racing.race import Race
from surefoot.racing.schedule import Halving
from surefoot.racing.table import LossTable
from surefoot.statistics.comparison import shortlist
from surefoot.studies.honesty import Honesty, honesty

KEYS = ("a", "b", "c", "d")
LABELS = {key: f"candidate {key}" for key in "abcdefgh"}


def raced(losses: np.ndarray, **rules: object) -> Honesty:
    keys = tuple("abcdefgh"[: len(losses)])
    table = LossTable(keys, losses)
    return honesty(table, Race(keys, "mean", **rules).replay(table))


def paired(seed: int, means: list[float], sds: list[float], n: int = 20) -> np.ndarray:
    rng = np.random.default_rng(seed)
    luck = 0.3 * rng.standard_normal(n)
    return np.array([m + luck + s * rng.standard_normal(n) for m, s in zip(means, sds)])


def test_a_clear_winner_has_nobody_beside_it() -> None:
    found = raced(paired(1, [1.0, 2.0, 3.0, 4.0], [0.1] * 4), schedule=Halving(warmup=20))
    assert found.winner == "a"
    assert found.shortlist == ("a",)
    assert found.compared == KEYS
    assert found.untested == 0
    assert found.runner_up == "b"
    assert found.beats is not None
    assert found.beats.estimate == 1.0
    lines = found.lines(LABELS)
    assert lines[0].startswith("Better than each of the 3 candidates with 5 instances or more")
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
    assert "1 of the 3 candidates" in found.lines(LABELS)[0]
    assert found.beats.low < 0.5 < found.beats.high or found.beats.estimate >= 0.5


def test_those_who_left_early_are_counted_not_judged() -> None:
    losses = paired(3, [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], [0.05] * 8, n=9)
    table = np.full((8, 9), np.nan)
    for keep, count in ((8, 1), (4, 2), (2, 9)):
        table[:keep, :count] = losses[:keep, :count]
    found = raced(table)
    assert found.compared == ("a", "b")
    assert found.untested == 6
    assert "6 left with fewer than 5 instances" in found.lines(LABELS)[0]


def test_a_paper_race_with_few_instances_can_judge_nobody() -> None:
    found = raced(paired(3, [1.0, 1.5, 2.0, 3.0], [0.05] * 4, n=2))
    assert found.compared == ("a",)
    assert found.lines(LABELS)[0].startswith(
        "No other candidate shares 5 instances with it; 3 left"
    )
    assert found.beats is not None


def test_the_front_shows_the_steadier_ones() -> None:
    losses = paired(4, [1.0, 1.2, 1.3, 1.4], [0.5, 0.1, 0.4, 0.01], n=200)
    found = raced(losses, schedule=Halving(warmup=200))
    assert found.winner == "a"
    assert set(found.front) == {"a", "b", "d"}
    text = found.lines(LABELS)[2]
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
    assert found.lines(LABELS) == ["No other candidate shares 5 instances with it."]


@pytest.mark.parametrize("seed", range(3))
def test_the_foretold_probability_is_that_of_new_instances(seed: int) -> None:
    means, sds = [1.0, 1.05], [0.1, 0.1]
    found = raced(paired(seed, means, sds, n=400), schedule=Halving(warmup=400))
    fresh = paired(seed + 100, means, sds, n=20_000)
    true = float((fresh[0] < fresh[1]).mean())
    assert found.beats is not None
    assert found.beats.low - 0.02 < true < found.beats.high + 0.02
