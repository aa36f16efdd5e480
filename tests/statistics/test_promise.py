import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import ConfigurationError, StatisticsError
from surefoot.statistics.promise import Promise


def test_a_promise_takes_wilks_number_of_instances():
    promise = Promise(1.0)
    assert promise.instances == 59
    result = promise.test(np.full(20, 0.5))
    assert (result.answer, result.needs) == ("open", 39)
    assert promise.test(np.full(59, 1.0)).answer == "kept"
    assert Promise(1.0, max_exceedances=1).instances == 93


def test_a_bad_candidate_fails_at_its_first_excess():
    result = Promise(1.0).test([0.5, 0.7, np.inf, 0.5])
    assert result.answer == "broken"
    assert result.reason.startswith("instance 3 of 59 lost inf > 1, excess number 1")


@given(st.lists(st.floats(0, 2), max_size=130), st.integers(0, 2))
def test_stopping_early_never_changes_the_answer(losses, allowed):
    promise = Promise(1.0, max_exceedances=allowed)
    answers = [promise.test(losses[:n]).answer for n in range(len(losses) + 1)]
    decided = [answer for answer in answers if answer != "open"]
    assert len(set(decided)) <= 1
    if decided:
        excess = sum(loss > 1.0 for loss in losses[: promise.instances])
        assert decided[0] == ("broken" if excess > allowed else "kept")


@pytest.mark.parametrize("allowed", [0, 1])
def test_a_candidate_just_below_the_promise_passes_at_most_five_percent_of_the_time(allowed):
    rng = np.random.default_rng(1)
    promise = Promise(0.9499, max_exceedances=allowed)
    kept = sum(promise.test(rng.random(promise.instances)).answer == "kept" for _ in range(2000))
    assert kept / 2000 <= 0.065


def test_bad_input():
    with pytest.raises(ConfigurationError, match="finite limit"):
        Promise(np.inf)
    with pytest.raises(ConfigurationError, match="max_exceedances = -1"):
        Promise(1.0, max_exceedances=-1)
    with pytest.raises(ConfigurationError, match="content = 1 "):
        Promise(1.0, content=1.0)
    with pytest.raises(StatisticsError, match="finite or"):
        Promise(1.0).test([np.nan])


@pytest.mark.parametrize(("rate", "allowed"), [(0.03, 0), (0.2, 0), (0.1, 1)])
def test_what_a_broken_promise_states_covers_though_the_losses_decided_when(rate, allowed):
    rng = np.random.default_rng(7)
    promise = Promise(1.0 - rate, content=0.9, confidence=0.9, max_exceedances=allowed)
    wrong = 0
    for _ in range(2000):
        found = promise.test(rng.random(promise.instances))
        if found.answer == "broken":
            stated = float(re.search(r"at least ([\d.]+) % of retrainings", found.statement)[1])
            wrong += stated / 100.0 > rate
            assert ("is false" in found.statement) == (stated > 10.0)
    assert wrong / 2000 <= 0.1 + 3 * np.sqrt(0.1 * 0.9 / 2000)


def test_the_statement_agrees_with_the_binomial_tail():
    from scipy import stats

    found = Promise(1.0, max_exceedances=1).test([0.5, 2.0, 0.5, 0.5, 2.0, 2.0])
    least = float(re.search(r"at least ([\d.]+) %", found.statement)[1]) / 100.0
    assert found.used == 5
    assert stats.binom.sf(1, 5, least) <= 0.05 < stats.binom.sf(1, 5, least + 1e-4)
    kept = Promise(1.0).test(np.zeros(80))
    assert (kept.used, kept.statement[:38]) == (59, "With 95 % confidence, at most 4.96 % o")
