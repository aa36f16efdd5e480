import re

import numpy as np
import pytest

from surefoot.errors import ConfigurationError
from surefoot.racing.criteria import as_criterion
from surefoot.racing.rules.base import Evidence
from surefoot.racing.rules.tests import BySigns, ByTest


def contest(losses, criterion="mean", past=()):
    statistic = as_criterion(criterion)
    counts = np.full(len(losses), losses.shape[1])
    values = statistic.values(losses, counts)
    order = np.lexsort((np.arange(len(losses)), values))
    return Evidence(statistic, losses, counts, values, order, order, 1, past)


NOISES = {
    "Gaussian": lambda rng, shape: 5.0 + rng.normal(0, 1, shape),
    "log-normal": lambda rng, shape: rng.lognormal(0, 1, shape),
    "heavy-tailed": lambda rng, shape: 50.0 + rng.standard_t(2, shape),
    "with divergences": lambda rng, shape: np.where(
        rng.random(shape) < 0.02, np.inf, rng.lognormal(0, 0.5, shape)
    ),
}


def race_loses_best(rule, losses, looks, criterion):
    """Run repeated looks with eliminations; say whether candidate 0 ever leaves."""
    alive, past = np.arange(len(losses)), ()
    for n in looks:
        verdict = rule.judge(contest(losses[alive, :n], criterion, past))
        if not verdict.leave.any():
            past = (*past, n)
            continue
        alive = alive[~verdict.leave]
        past = (*past, n)
        if 0 not in alive:
            return True
        if len(alive) == 1:
            return False
    return False


RULES = [
    pytest.param(ByTest(), 20, id="friedman-conover"),
    pytest.param(ByTest(), 4, id="wilcoxon"),
    pytest.param(ByTest(pairwise_test="permutation"), 4, id="permutation"),
    pytest.param(BySigns(), 6, id="signs"),
]


def share_of_wrong_races(rule, candidates, noise, races):
    """Half of the candidates tie with the best, the others are worse by various amounts."""
    rng = np.random.default_rng(12)
    wrong = 0
    for _ in range(races):
        losses = NOISES[noise](rng, (candidates, 20)) + rng.normal(0, 0.5, 20)
        losses[candidates // 2 :] += rng.uniform(0.2, 2.0, (candidates - candidates // 2, 1))
        wrong += race_loses_best(rule, losses, range(3, 21), "median")
    return wrong / races


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize(("rule", "candidates"), RULES)
def test_the_best_leaves_at_most_as_often_as_the_level(noise, rule, candidates):
    assert share_of_wrong_races(rule, candidates, noise, 20) <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize(("rule", "candidates"), RULES)
def test_the_best_leaves_at_most_as_often_as_the_level_in_many_races(noise, rule, candidates):
    assert share_of_wrong_races(rule, candidates, noise, 400) <= 0.05


@pytest.mark.parametrize("rule", [ByTest(), ByTest(pairwise_test="permutation"), BySigns()])
def test_a_clearly_worse_candidate_leaves_with_its_reason(rule):
    rng = np.random.default_rng(1)
    losses = rng.lognormal(0, 0.1, (4, 25))
    losses[3] *= 3.0
    verdict = rule.judge(contest(losses))
    np.testing.assert_array_equal(verdict.leave, [False, False, False, True])
    assert "incumbent" in verdict.reason(3)


def test_many_candidates_go_through_friedman():
    rng = np.random.default_rng(1)
    losses = rng.lognormal(0, 0.1, (30, 12)) * np.repeat([1.0, 2.0], 15)[:, None]
    verdict = ByTest().judge(contest(losses))
    np.testing.assert_array_equal(verdict.leave, np.arange(30) >= 15)
    assert re.search(r"Friedman T = 266\.1, Conover p = \S+ <= 0\.00086 = ", verdict.reason(20))
    assert "corrected for 30 candidates and look 1" in verdict.reason(20)


@pytest.mark.parametrize("rule", [ByTest(level=0.3), ByTest(0.3, pairwise_test="permutation")])
@pytest.mark.parametrize("candidates", [2, 30])
def test_nobody_leaves_before_five_instances(rule, candidates):
    losses = np.arange(1.0, candidates + 1)[:, None] * np.ones((candidates, 4))
    assert not rule.judge(contest(losses)).leave.any()


def test_signs_reach_their_level_as_fast_as_the_evidence_allows():
    first = next(
        n for n in range(1, 40)
        if BySigns(0.05).judge(contest(np.array([[1.0], [2.0]]) * np.ones((2, n)))).leave[1]
    )  # fmt: skip
    # 2^(n+1) (1 - 2^-(n+1)) / (n + 1) >= 20 for the first time at n = 7.
    assert first == 7


def test_a_candidate_with_the_better_criterion_never_leaves():
    losses = np.ones((2, 20))
    losses[1] = 1.01
    losses[0, 0] = 5.0
    assert not ByTest().judge(contest(losses)).leave[1]


def test_later_looks_must_show_more():
    losses = np.array([[1.0], [2.0]]) * np.ones((2, 6)) + np.linspace(0, 0.1, 6)
    assert ByTest().judge(contest(losses)).leave[1]
    assert not ByTest().judge(contest(losses, past=(5, 5, 5, 5))).leave[1]
    assert ByTest().judge(contest(losses, past=(1, 2, 3, 4))).leave[1]


def test_bad_fields():
    with pytest.raises(ConfigurationError, match="'wilcoxn' cannot be used: give 'wilcoxon' or"):
        ByTest(pairwise_test="wilcoxn")
    with pytest.raises(ConfigurationError, match="level = 2"):
        BySigns(2.0)
    with pytest.raises(ConfigurationError, match="friedman_above = 1"):
        ByTest(friedman_above=1)
