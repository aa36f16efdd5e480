import numpy as np
import pytest

from surefoot.calorimeter.paper.measures import median_ratio, spread, spread_ratio

RNG = np.random.default_rng(6)


def test_intervals_of_ratios_hold_the_truth_about_as_often_as_they_say():
    held = []
    for _ in range(120):
        one, other = RNG.normal(2.0, 0.2, 40), RNG.normal(1.0, 0.1, 40)
        ratio = median_ratio(one, other)
        held.append(ratio.low <= 2.0 <= ratio.high)
    assert 0.86 <= np.mean(held) <= 1.0


def test_pairs_that_share_their_luck_have_a_narrower_ratio():
    luck = RNG.normal(1.0, 0.2, 50)
    one, other = 1.1 * luck, luck
    paired, apart = median_ratio(one, other, paired=True), median_ratio(one, other)
    assert paired.low == pytest.approx(1.1)
    assert paired.high == pytest.approx(1.1)
    assert apart.high - apart.low > 0.02


def test_spreads_are_interquartile_ranges_and_infinite_where_a_quarter_is_lost():
    losses = RNG.normal(1.0, 0.1, 101)
    assert spread(losses) == pytest.approx(np.subtract(*np.quantile(losses, [0.75, 0.25])))
    lost = losses.copy()
    lost[:40] = np.inf
    assert spread(lost) == np.inf
    ratio = spread_ratio(lost, losses)
    assert ratio.estimate == np.inf
    assert ratio.low > 1.0


def test_a_ratio_is_the_same_each_time():
    one, other = RNG.normal(2.0, 0.2, 30), RNG.normal(1.0, 0.1, 30)
    assert median_ratio(one, other) == median_ratio(one, other)
