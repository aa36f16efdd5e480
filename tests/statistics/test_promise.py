import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import StatisticsError
from surefoot.statistics.promise import Promise


def test_a_promise_takes_wilks_number_of_instances():
    promise = Promise(1.0)
    assert promise.instances == 59
    judgement = promise.judge(np.full(20, 0.5))
    assert (judgement.answer, judgement.needs) == ("open", 39)
    assert promise.judge(np.full(59, 1.0)).answer == "kept"
    assert Promise(1.0, allowed=1).instances == 93


def test_a_bad_candidate_fails_at_its_first_excess():
    judgement = Promise(1.0).judge([0.5, 0.7, np.inf, 0.5])
    assert judgement.answer == "broken"
    assert judgement.reason.startswith("instance 3 of 59 lost inf > 1, excess number 1")


@given(st.lists(st.floats(0, 2), max_size=130), st.integers(0, 2))
def test_stopping_early_never_changes_the_answer(losses, allowed):
    promise = Promise(1.0, allowed=allowed)
    answers = [promise.judge(losses[:n]).answer for n in range(len(losses) + 1)]
    decided = [answer for answer in answers if answer != "open"]
    assert len(set(decided)) <= 1
    if decided:
        excess = sum(loss > 1.0 for loss in losses[: promise.instances])
        assert decided[0] == ("broken" if excess > allowed else "kept")


@pytest.mark.parametrize("allowed", [0, 1])
def test_a_candidate_just_below_the_promise_passes_at_most_five_percent_of_the_time(allowed):
    rng = np.random.default_rng(1)
    promise = Promise(0.9499, allowed=allowed)
    kept = sum(promise.judge(rng.random(promise.instances)).answer == "kept" for _ in range(2000))
    assert kept / 2000 <= 0.065


def test_bad_input():
    with pytest.raises(StatisticsError, match="finite limit"):
        Promise(np.inf)
    with pytest.raises(StatisticsError, match="allowed = -1"):
        Promise(1.0, allowed=-1)
    with pytest.raises(StatisticsError, match="content = 1 "):
        Promise(1.0, content=1.0)
    with pytest.raises(StatisticsError, match="finite or"):
        Promise(1.0).judge([np.nan])
