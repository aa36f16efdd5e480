import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from surefoot.errors import StatisticsError
from surefoot.statistics import comparison

pairs = hnp.arrays(np.float64, st.tuples(st.just(2), st.integers(1, 11)),
                   elements=st.integers(0, 9).map(float))  # fmt: skip
blocks = hnp.arrays(np.float64, st.tuples(st.integers(3, 6), st.integers(3, 12)),
                    elements=st.integers(0, 20).map(float))  # fmt: skip


@given(pairs)
def test_wilcoxon_is_the_exact_permutation_test_of_signed_ranks(losses):
    gaps = losses[0] - losses[1]
    gaps = gaps[gaps != 0]
    ranks = stats.rankdata(np.abs(gaps))
    signs = (np.arange(2 ** len(gaps))[:, None] >> np.arange(len(gaps))) & 1
    observed = ranks[gaps > 0].sum()
    expected = (signs @ ranks >= observed - 1e-9).mean() if len(gaps) else 1.0
    test = comparison.wilcoxon(losses[0], losses[1])
    assert test.pvalue == pytest.approx(expected)
    assert test.statistic == pytest.approx(observed)


@given(st.integers(0, 10_000), st.integers(2, 40))
def test_wilcoxon_without_ties_is_scipys(seed, n):
    first, second = np.random.default_rng(seed).normal(size=(2, n))
    expected = stats.wilcoxon(first, second, alternative="greater", method="exact")
    assert comparison.wilcoxon(first, second).pvalue == pytest.approx(expected.pvalue)


def test_wilcoxon_cannot_reach_five_percent_with_four():
    assert comparison.wilcoxon([2.0, 3, 4, 5], [1.0, 1, 1, 1]).pvalue == 1 / 16
    assert comparison.wilcoxon([2.0, 3, 4, 5, 6], [1.0] * 5).pvalue == 1 / 32


def test_divergences_rank_last_and_tie_with_each_other():
    one, other = [np.inf, np.inf, 1.0, 2.0, 3.0, 4.0], [np.inf, 0.5, 0.9, 1.0, 1.0, 1.0]
    assert comparison.differences(one, other)[0] == 0.0
    assert comparison.wilcoxon(one, other).pvalue == 1 / 32
    assert comparison.permutation(one, other, rng=np.random.default_rng(0)).pvalue == 1 / 32


@given(pairs)
def test_permutation_of_few_is_scipys_exact_test(losses):
    test = comparison.permutation(losses[0], losses[1], rng=np.random.default_rng(0))
    if losses.shape[1] < 2:
        return
    expected = stats.permutation_test(
        (losses[0], losses[1]),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        alternative="greater",
        n_resamples=np.inf,
        vectorized=True,
    )
    assert test.pvalue == pytest.approx(expected.pvalue)


def test_permutation_of_many_comes_near_the_t_test():
    first, second = np.random.default_rng(3).normal(0.15, 1, (2, 60))
    first += 0.25
    test = comparison.permutation(first, second, rng=np.random.default_rng(0), n_resamples=20_000)
    expected = stats.ttest_rel(first, second, alternative="greater").pvalue
    assert test.pvalue == pytest.approx(expected, abs=0.01)


@given(blocks)
def test_friedman_statistic_is_scipys(losses):
    test = comparison.friedman(losses)
    if (losses == losses[0]).all():
        assert test.pvalue == 1.0
        return
    expected = stats.friedmanchisquare(*losses)
    assert test.statistic == pytest.approx(expected.statistic)
    assert 0.0 <= test.pvalue <= 1.0


def test_friedman_of_conovers_kind_has_the_level():
    rng = np.random.default_rng(1)
    rejected = np.mean([comparison.friedman(rng.lognormal(size=(8, 10))).pvalue <= 0.05
                        for _ in range(2000)])  # fmt: skip
    assert 0.035 <= rejected <= 0.065


def test_conover_by_its_formula():
    rng = np.random.default_rng(5)
    losses = rng.normal(size=(4, 9)) + np.array([0.0, 0.2, 1.0, 3.0])[:, None]
    ranks = stats.rankdata(losses, axis=0)
    sums, n, k = ranks.sum(axis=1), 9, 4
    t2 = 2 * (n * (ranks**2).sum() - (sums**2).sum()) / ((n - 1) * (k - 1))
    expected = stats.t.sf((sums - sums[0]) / np.sqrt(t2), (n - 1) * (k - 1))
    p = comparison.conover(losses, 0)
    np.testing.assert_allclose(p[1:], expected[1:])
    assert p[0] == 1.0


def test_conover_of_perfect_order():
    losses = np.array([[1.0], [2.0], [3.0]]) * np.ones((3, 6))
    np.testing.assert_array_equal(comparison.conover(losses, 0), [1.0, 0.0, 0.0])
    assert comparison.friedman(losses).pvalue == 0.0


def test_holm_by_hand():
    np.testing.assert_allclose(comparison.holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(comparison.holm([0.5, 0.9]), [1.0, 1.0])


def test_the_shortlist_keeps_equals_and_drops_the_clearly_worse():
    rng = np.random.default_rng(2)
    losses = rng.lognormal(0, 0.2, (6, 30)) * np.array([1, 1, 1, 3, 3, 1.0])[:, None]
    np.testing.assert_array_equal(
        comparison.shortlist(losses, 0), [True, True, True, False, False, True]
    )
    assert comparison.shortlist(losses[:, :4], 0).all()
    assert comparison.shortlist(losses[:1], 0).all()


def test_who_wins_next_time():
    candidate, rival = np.array([1.0, 1, 1, 2, 5]), np.array([2.0, 2, 2, 2, 1])
    interval = comparison.wins_next(candidate, rival)
    assert interval.estimate == pytest.approx(3.5 / 5)
    assert interval.low == pytest.approx(stats.beta.ppf(0.025, 4.0, 2.0))
    assert interval.high == pytest.approx(stats.beta.ppf(0.975, 4.0, 2.0))
    always = comparison.wins_next(np.zeros(9), np.ones(9))
    assert (always.estimate, always.high) == (1.0, 1.0)
    mirrored = comparison.wins_next(rival, candidate)
    assert mirrored.estimate == pytest.approx(1.0 - interval.estimate)


def test_wins_next_covers():
    rng = np.random.default_rng(9)
    wins = rng.binomial(30, 0.7, 2000)
    inside = 0
    for won in wins:
        candidate = np.where(np.arange(30) < won, 0.0, 2.0)
        interval = comparison.wins_next(candidate, np.ones(30))
        inside += interval.low <= 0.7 <= interval.high
    assert inside / 2000 >= 0.93


@given(hnp.arrays(np.float64, st.tuples(st.just(2), st.integers(1, 12)),
                  elements=st.integers(0, 5).map(float)))  # fmt: skip
def test_pareto_by_definition(points):
    location, spread = points
    front = comparison.pareto(location, spread)
    for i in range(len(location)):
        beaten = (
            (location <= location[i])
            & (spread <= spread[i])
            & ((location < location[i]) | (spread < spread[i]))
        ).any()
        assert front[i] == (not beaten)


def test_bad_input():
    with pytest.raises(StatisticsError, match="compare nothing"):
        comparison.friedman(np.ones((1, 5)))
    with pytest.raises(StatisticsError, match=r"not \[3\]"):
        comparison.friedman(np.ones(3))
    with pytest.raises(StatisticsError, match="NaN"):
        comparison.wilcoxon([np.nan], [1.0])
    with pytest.raises(StatisticsError, match="no paired instances"):
        comparison.wins_next([], [])
