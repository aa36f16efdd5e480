import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from surefoot.racing.criteria import as_criterion
from surefoot.racing.schedules.base import Standing
from surefoot.racing.schedules.stages import gaps_to_leader


def standing(losses, counts=None, criterion="mean", order=None):
    size, width = losses.shape
    counts = np.full(size, width) if counts is None else np.asarray(counts)
    seen = np.where(np.arange(width) < counts[:, None], losses, np.nan)
    values = np.nanmean(seen, axis=1)
    order = np.argsort(values, kind="stable") if order is None else np.asarray(order)
    statistic = as_criterion(criterion)
    return Standing(counts, size, np.ones(size), statistic, seen, values, order, 1)


def noisy(location, noise, instances, seed=0, shared=0.0):
    rng = np.random.default_rng(seed)
    luck = noise * rng.standard_normal((len(location), instances))
    return np.exp(np.asarray(location)[:, None] + luck + shared * rng.standard_normal(instances))


def test_without_luck_in_common_a_gap_is_a_z_score_of_the_logarithms():
    """The difference of two predictions in units of Welch's standard error."""
    losses = noisy(np.linspace(0.0, 1.0, 50), 0.2, 400)
    logs = np.log(losses)
    leader, gaps, order = gaps_to_leader(standing(losses))
    behind = np.log(losses.mean(axis=1) / losses[0].mean())
    error = logs.std(axis=1, ddof=1) / 20.0
    welch = behind / np.hypot(error, error[0])
    assert leader == 0
    assert list(order) == list(np.argsort(welch))
    np.testing.assert_allclose(gaps, welch, rtol=0.05)


def test_luck_in_common_hides_no_gap():
    apart = noisy([0.0, 0.1, 0.2, 0.3], 0.05, 12)
    together = noisy([0.0, 0.1, 0.2, 0.3], 0.05, 12, shared=1.0)
    alone = gaps_to_leader(standing(apart))[1]
    paired = gaps_to_leader(standing(together))[1]
    assert (paired[1:] > 0.5 * alone[1:]).all()


@given(st.integers(0, 1000), st.sampled_from((0.01, 3.0, 1e6)))
def test_the_unit_of_the_loss_does_not_matter(seed, unit):
    losses = noisy(np.linspace(0.0, 1.0, 9), 0.3, 6, seed)
    counts = np.random.default_rng(seed).integers(1, 7, 9)
    leader, gaps, order = gaps_to_leader(standing(losses, counts))
    scaled = gaps_to_leader(standing(losses * unit, counts))
    assert scaled[0] == leader == order[0]
    np.testing.assert_allclose(scaled[1], gaps, rtol=1e-6, atol=1e-9)
    assert (np.diff(gaps[order]) >= 0.0).all()
    assert gaps[leader] == 0.0


def test_the_less_trained_of_two_equals_is_closer():
    rng = np.random.default_rng(1)
    noise = rng.standard_normal(24)
    noise -= noise.mean()
    few = np.tile(noise[:6] - noise[:6].mean(), 4)
    losses = np.exp(0.1 * np.array([noise - 2.0, noise, few]))
    _, gaps, _ = gaps_to_leader(standing(losses, [24, 24, 6], "median"))
    assert 0.0 < gaps[2] < gaps[1]


def test_while_nothing_is_known_of_the_noise_the_order_counts():
    losses = noisy(np.linspace(0.0, 1.0, 5), 0.3, 1)
    leader, gaps, order = gaps_to_leader(standing(losses, order=np.argsort(losses[:, 0])))
    assert leader == losses[:, 0].argmin()
    assert list(order) == list(np.argsort(losses[:, 0]))
    assert np.isinf(np.delete(gaps, leader)).all()


def test_who_diverged_is_infinitely_far_behind():
    losses = noisy([0.0, 0.1, 0.2], 0.1, 6)
    losses[1, 2] = np.inf
    _, gaps, order = gaps_to_leader(standing(losses))
    assert gaps[1] == np.inf
    assert list(order) == [0, 2, 1]


def test_losses_that_are_not_positive_are_compared_as_they_are():
    losses = np.log(noisy([0.0, 0.5], 0.1, 8))
    shifted = gaps_to_leader(standing(losses - 5.0))[1]
    np.testing.assert_allclose(gaps_to_leader(standing(losses - 9.0))[1], shifted, rtol=1e-9)


def test_while_a_race_is_planned_all_are_equal():
    unknown = Standing(np.ones(4, np.int64), 4, np.ones(4), as_criterion("mean"))
    leader, gaps, order = gaps_to_leader(unknown)
    assert (leader, list(gaps), list(order)) == (0, [0.0] * 4, [0, 1, 2, 3])
