from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import integrate, stats

from surefoot.errors import StatisticsError
from surefoot.racing.criteria import as_criterion
from surefoot.statistics import comparison
from surefoot.statistics.comparison import exceedance_p, pairs_needed, swap_test, within_reach

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


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_evidence_is_the_mixture_it_says(won, lost):
    n = won + lost
    value, _ = integrate.quad(lambda p: 2.0 * p**lost * (1 - p) ** won * 2.0**n, 0.5, 1.0)
    assert np.exp(comparison.log_evidence_of_losing(lost, n)) == pytest.approx(value, rel=1e-6)


def test_the_evidence_exceeds_its_level_at_any_time_at_most_that_often():
    rng = np.random.default_rng(1)
    lost = np.cumsum(rng.random((2000, 200)) < 0.5, axis=1)
    evidence = comparison.log_evidence_of_losing(lost, np.arange(1, 201))
    assert (evidence.max(axis=1) >= np.log(20)).mean() <= 0.05


def test_bad_input():
    with pytest.raises(StatisticsError, match="more losses than comparisons"):
        comparison.log_evidence_of_losing(3, 2)
    with pytest.raises(StatisticsError, match="compare nothing"):
        comparison.friedman(np.ones((1, 5)))
    with pytest.raises(StatisticsError, match=r"not \[3\]"):
        comparison.friedman(np.ones(3))
    with pytest.raises(StatisticsError, match="NaN"):
        comparison.wilcoxon([np.nan], [1.0])
    with pytest.raises(StatisticsError, match="no paired instances"):
        comparison.wins_next([], [])


LEVELS = st.sampled_from([0.01, 0.05, 0.2])
PAIRS = st.lists(st.integers(0, 40), min_size=1, max_size=60)


@given(PAIRS, LEVELS)
def test_within_reach_is_the_largest_group_by_numbers_that_can_reach_its_divided_level(
    pairs, level
):
    kept = within_reach(pairs, level)
    groups = [np.array(pairs) >= fewest for fewest in range(1, 41)]
    reach = [g for f, g in enumerate(groups, 1) if g.any() and 2.0**-f * g.sum() <= level]
    best = max(reach, key=np.sum) if reach else np.zeros(len(pairs), bool)
    np.testing.assert_array_equal(kept, best)


@given(PAIRS, LEVELS)
def test_who_is_testable_and_at_which_level_does_not_depend_on_the_winner(counts, level):
    entrants = np.array(counts)
    groups = set()
    for winner, most in enumerate(counts):
        rivals = np.delete(np.arange(len(counts)), winner)
        if len(rivals):
            kept = rivals[within_reach(np.minimum(entrants[rivals], most), level)]
            if len(kept):
                groups.add(frozenset([winner, *kept.tolist()]))
    assert len(groups) <= 1


@given(PAIRS, LEVELS, st.integers(1, 20))
def test_with_the_pairs_needed_all_are_testable_and_with_fewer_not(pairs, level, more):
    needed = pairs_needed(pairs, more, level)
    assert within_reach([*pairs, *[needed] * more], level)[-more:].all()
    best = within_reach([*pairs, *[needed - 1] * more], level)
    assert (
        not best[-more:].any() or min(np.array([*pairs, *[needed - 1] * more])[best]) < needed - 1
    )


def test_the_pairs_needed_are_those_at_which_wilcoxons_test_can_reach_the_level():
    for comparisons in (1, 2, 16, 300):
        n = pairs_needed([], comparisons)
        worse = np.arange(1.0, n + 1.0)
        assert comparison.wilcoxon(worse, np.zeros(n)).pvalue <= 0.05 / comparisons
        assert comparison.wilcoxon(worse[1:], np.zeros(n - 1)).pvalue > 0.05 / comparisons


def by_hand(statistic, losses, reference):
    """The share of all swaps whose gap is as large as the one seen."""
    pair = np.stack([losses, reference])
    observed, rows = None, np.arange(len(losses))
    gaps = []
    for swap in product((0, 1), repeat=len(losses)):
        first, second = pair[np.array(swap), rows], pair[1 - np.array(swap), rows]
        gaps.append(statistic(first) - statistic(second))
        observed = gaps[0]
    return float(np.mean(np.array(gaps) >= observed - 1e-12))


@pytest.mark.parametrize(
    "name", ["mean", "median", "quantile(0.9)", "sd", "cvar(0.3)", "mean+2*sd"]
)
@pytest.mark.parametrize("seed", range(3))
def test_few_swaps_are_tried_all(name, seed):
    rng = np.random.default_rng(seed)
    losses, reference = rng.lognormal(0.5, 0.5, 9), rng.lognormal(0.0, 0.5, 9)
    criterion = as_criterion(name)
    expected = by_hand(lambda row: criterion.of(row[None])[0], losses, reference)
    found = swap_test(criterion.of, losses, reference, 1.0, n_resamples=512)
    if criterion.of(losses[None])[0] > criterion.of(reference[None])[0]:
        assert found.pvalue == expected
        assert found.n_resamples == 512
    else:
        assert found.pvalue == 1.0


def test_swaps_of_the_mean_are_scipys_permutation_test():
    rng = np.random.default_rng(4)
    losses, reference = rng.normal(0.4, 1.0, 40), rng.normal(0.0, 1.0, 40)
    theirs = stats.permutation_test(
        (losses, reference),
        lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis),
        permutation_type="samples", vectorized=True, n_resamples=40_000, alternative="greater",
        rng=np.random.default_rng(1),
    ).pvalue  # fmt: skip
    ours = swap_test(as_criterion("mean").of, losses, reference, 1.0, n_resamples=40_000)
    assert 0.005 < theirs < 0.2
    assert ours.pvalue == pytest.approx(theirs, abs=5.0 * np.sqrt(2.0 * theirs / 40_000))


@given(st.lists(st.tuples(*[st.sampled_from([0.0, 1, 2, 3, 4, 5, np.inf])] * 2), min_size=1,
                max_size=8))  # fmt: skip
def test_maxima_are_swapped_by_the_number_of_losses_above_the_others_largest(pairs):
    losses, reference = np.array(pairs).T
    first, second = losses[None], reference[None]
    above = int((first > second.max()).sum())
    pair, rows, hits = np.stack([losses, reference]), np.arange(len(losses)), []
    for swap in product((0, 1), repeat=len(losses)):
        one, other = pair[np.array(swap), rows], pair[1 - np.array(swap), rows]
        hits.append((one > other.max()).sum() >= above)
    assert exceedance_p(losses, reference) == np.mean(hits)


def test_the_gap_of_maxima_has_the_same_p():
    rng = np.random.default_rng(5)
    for _ in range(50):
        losses, reference = rng.random(8) + 0.2, rng.random(8)
        if losses.max() > reference.max():
            expected = by_hand(np.max, losses, reference)
            assert exceedance_p(losses, reference) == expected


def test_swaps_end_early_only_above_the_bar():
    rng = np.random.default_rng(6)
    of, seen = as_criterion("quantile(0.9)").of, []
    for shift in np.linspace(0.0, 0.4, 30):
        losses, reference = rng.normal(shift, 0.3, 40), rng.normal(0.0, 0.3, 40)
        short = swap_test(of, losses, reference, 0.01, n_resamples=4000)
        full = swap_test(of, losses, reference, 1.0, n_resamples=4000)
        assert (short.pvalue <= 0.01) == (full.pvalue <= 0.01)
        assert short == full or short.pvalue > 0.01
        assert short == swap_test(of, losses, reference, 0.01, n_resamples=4000)
        seen.append(short.n_resamples)
    assert min(seen) < 1500 < 4000 <= max(seen)


@pytest.mark.parametrize("bar", [0.05, 0.05 / 255, 0.003])
def test_as_many_draws_as_the_bar_asks_for_reach_it(bar):
    rng = np.random.default_rng(7)
    draws = int(np.ceil(1.0 / bar))
    losses, reference = 5.0 + rng.random(64), rng.random(64)
    assert (
        swap_test(as_criterion("mean").of, losses, reference, bar, n_resamples=draws).pvalue <= bar
    )
    n = pairs_needed([], 255)
    assert swap_test(as_criterion("sd").of, 9.0 * np.arange(n) ** 3, rng.random(n), 0.05 / 255,
                     n_resamples=4 * 5100).pvalue <= 0.05 / 255  # fmt: skip


@pytest.mark.parametrize("name", ["quantile(0.9)", "mean+2*sd"])
def test_swaps_of_equals_have_their_level(name):
    rng, of, hits = np.random.default_rng(8), as_criterion(name).of, 0
    for _ in range(600):
        losses, reference = rng.lognormal(0.0, 0.5, (2, 25))
        hits += swap_test(of, losses, reference, 0.1, n_resamples=100).pvalue <= 0.1
    low, high = stats.binom.ppf([0.001, 0.999], 600, 0.1)
    assert low <= hits <= high


def test_bad_input_subset():
    of = as_criterion("mean").of
    with pytest.raises(StatisticsError, match="give 1000"):
        swap_test(of, [2.0, 3.0], [1.0, 2.0], 0.001, n_resamples=100)
    with pytest.raises(StatisticsError, match=r"not \[0\]"):
        swap_test(of, [], [], 0.05, n_resamples=100)
    with pytest.raises(StatisticsError, match="NaN"):
        exceedance_p([np.nan], [1.0])
    with pytest.raises(StatisticsError, match="-1 paired losses"):
        within_reach([3, -1])
