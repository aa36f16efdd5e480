import numpy as np
import pytest

from surefoot.errors import ConfigurationError, RaceError
from surefoot.racing.criteria import as_criterion
from surefoot.racing.rules.base import Evidence
from surefoot.racing.rules.tests import ByQuantileInterval, BySwaps


def contest(losses, criterion, past=()):
    statistic = as_criterion(criterion)
    counts = np.full(len(losses), losses.shape[1])
    values = statistic.values(losses, counts)
    order = np.lexsort((np.arange(len(losses)), values))
    return Evidence(statistic, losses, counts, values, order, order, 1, past)


@pytest.mark.parametrize(
    ("rule", "criterion"),
    [
        (ByQuantileInterval(), "median"),
        (ByQuantileInterval(anytime=True), "median"),
        (ByQuantileInterval(), "quantile(0.8)"),
        (BySwaps(), "cvar(0.2)"),
        (BySwaps(), "quantile(0.75)"),
        (BySwaps(), "mean+sd"),
        (BySwaps(), "max"),
    ],
)
class TestTailRules:
    def test_ties_with_the_best_rarely_leave(self, rule, criterion):
        rng = np.random.default_rng(3)
        wrong = 0
        for _ in range(40):
            losses = rng.lognormal(0, 0.4, (5, 60))
            looks = [rule.judge(contest(losses[:, :n], criterion, (20, 40)[:i])).leave
                     for i, n in enumerate((20, 40, 60))]  # fmt: skip
            wrong += any(look[0] for look in looks)
        assert wrong / 40 <= 0.05

    def test_a_clearly_worse_one_leaves_with_its_reason(self, rule, criterion):
        losses = np.random.default_rng(3).lognormal(0, 0.2, (3, 80))
        losses[1] *= 8.0
        verdict = rule.judge(contest(losses, criterion))
        np.testing.assert_array_equal(verdict.leave, [False, True, False])
        assert "incumbent's" in verdict.reason(1)

    def test_few_instances_show_nothing(self, rule, criterion):
        losses = np.array([[1.0], [9.0]]) + np.linspace(0, 0.1, 4)
        assert not rule.judge(contest(losses, criterion)).leave.any()


def test_divergences_of_both_are_ties():
    losses = np.random.default_rng(3).lognormal(0, 0.2, (3, 30))
    losses[:, 4] = np.inf
    assert not BySwaps().judge(contest(losses, "cvar(0.2)")).leave.any()


def test_a_level_the_swaps_cannot_reach_removes_nobody():
    losses = np.arange(1.0, 5.0)[:, None] * np.ones((4, 30))
    assert BySwaps(n_resamples=2000).judge(contest(losses, "mean")).leave.sum() == 3
    assert not BySwaps(n_resamples=100).judge(contest(losses, "mean", (9, 9))).leave.any()


def test_bad_fields():
    with pytest.raises(RaceError, match="cannot judge 'mean'"):
        ByQuantileInterval().judge(contest(np.ones((2, 30)), "mean"))
    with pytest.raises(ConfigurationError, match="n_resamples = 3"):
        BySwaps(n_resamples=3)
    with pytest.raises(ConfigurationError, match="level = 0"):
        BySwaps(level=0.0)
