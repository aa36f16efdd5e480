from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from surefoot.errors import ConfigurationError, StatisticsError
from surefoot.studies.sizes.robustness import RobustRule, find_robust_size

SIZES = [100, 200, 400, 800, 1600, 3200]


def losses(rng: np.random.Generator, n: int = 60, sd: float = 0.02) -> np.ndarray:
    """Log-normal losses that fall with the size and are flat from 800 on."""
    medians = np.array([3.0, 1.8, 1.3, 1.01, 1.0, 1.0])
    return medians[:, None] * np.exp(sd * rng.standard_normal((6, n)))


def test_the_smallest_robust_size_is_found() -> None:
    result = find_robust_size(
        SIZES, losses(np.random.default_rng(1)), RobustRule(), rng=np.random.default_rng()
    )
    assert result.robust == 800
    assert result.flat == 800
    assert result.flat_between == (800, 800)
    assert result.plateau == pytest.approx(1.0, abs=0.02)
    lines = result.lines()
    assert "robust from 800 examples on: with 95% confidence" in lines[0]
    assert "within 5% of its value at 3,200 examples" in lines[2]
    assert "no size's median exceeds" in lines[3]


def test_a_size_with_wide_losses_ends_the_sequence() -> None:
    table = losses(np.random.default_rng(2))
    table[4] *= np.exp(0.3 * np.random.default_rng(3).standard_normal(60))
    result = find_robust_size(SIZES, table, RobustRule(), rng=np.random.default_rng(0))
    assert result.robust == 3200
    assert result.flat == 800


def test_one_divergence_too_many_is_not_robust() -> None:
    table = losses(np.random.default_rng(2))
    table[5, :3] = np.inf
    result = find_robust_size(SIZES, table, RobustRule(), rng=np.random.default_rng(0))
    assert result.robust is None
    assert "robust size: none; at 3,200 examples" in result.lines()[0]
    table[5, :] = np.inf
    hopeless = find_robust_size(SIZES, table, RobustRule(limit=2.0), rng=np.random.default_rng(0))
    assert hopeless.robust is None
    assert hopeless.flat is None


def test_too_few_instances_name_no_size() -> None:
    assert RobustRule().needed == 36
    assert RobustRule(limit=1.0).needed == 29
    result = find_robust_size(
        SIZES, losses(np.random.default_rng(1), 20), RobustRule(), rng=np.random.default_rng(0)
    )
    assert result.robust is None
    assert "the rule takes 36" in result.lines()[0]


def test_a_limit_of_the_users_replaces_the_median() -> None:
    table = losses(np.random.default_rng(1))
    result = find_robust_size(SIZES, table, RobustRule(limit=2.0), rng=np.random.default_rng(0))
    assert result.robust == 200
    assert result.limit == 2.0
    assert "was given" in result.lines()[1]


def test_a_curve_that_still_falls_has_no_plateau() -> None:
    table = 1000.0 / np.array(SIZES)[:, None] * np.ones((6, 60))
    result = find_robust_size(SIZES, table, RobustRule(), rng=np.random.default_rng(0))
    assert result.flat is None
    assert "none seen" in result.lines()[2]
    assert result.robust == 3200


def test_a_double_descent_is_said() -> None:
    table = losses(np.random.default_rng(1))
    table[2] *= 2.0
    lines = find_robust_size(SIZES, table, RobustRule(), rng=np.random.default_rng(0)).lines()
    assert "the median rises with more examples: by 4" in lines[3]
    assert "up to 400" in lines[3]


def test_a_size_is_called_robust_wrongly_at_most_as_often_as_stated() -> None:
    """At 400 just over a tenth of retrainings exceed the true limit: no answer may reach it."""
    rng = np.random.default_rng(7)
    rule = RobustRule(confidence=0.9)
    sd = 0.05
    too_large = 1.10 * np.exp(-sd * stats.norm.ppf(0.899))
    medians = np.array([too_large, 1.0, 1.0, 1.0])
    wrong = 0
    for _ in range(500):
        table = medians[:, None] * np.exp(sd * rng.standard_normal((4, 60)))
        found = find_robust_size([400, 800, 1600, 3200], table, rule, rng=rng, n_resamples=2).robust
        wrong += found == 400
    assert stats.binomtest(wrong, 500, 0.1, alternative="greater").pvalue > 0.01


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"content": 1.0}, "content = 1 must"),
        ({"tolerance": 0.0}, "tolerance = 0 must be positive"),
        ({"limit": np.inf}, "limit = inf"),
    ],
)
def test_impossible_rules_are_refused(fields: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        RobustRule(**fields)


def test_shapes_and_order_are_checked() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(StatisticsError, match=r"losses of 2 sizes are \[sizes, n\]"):
        find_robust_size([1, 2], np.ones((3, 4)), RobustRule(), rng=rng)
    with pytest.raises(ConfigurationError, match="must ascend"):
        find_robust_size([2, 1], np.ones((2, 4)), RobustRule(), rng=rng)
    with pytest.raises(StatisticsError, match="needs a positive one"):
        find_robust_size([1, 2], np.zeros((2, 40)), RobustRule(), rng=rng)
