from __future__ import annotations

import numpy as np
import pytest

from surefoot.candidates.estimator.candidate import EstimatorCandidate
from surefoot.executors.inline import InlineExecutor
from surefoot.instances import Status
from surefoot.testing import ExecutorSuite, toy_instance, toy_setting

HERE = "tests.engines.estimators."


def test_outcomes_come_one_by_one_in_order() -> None:
    ridge = EstimatorCandidate("sklearn.linear_model.Ridge")
    moody = EstimatorCandidate(HERE + "Moody")
    executor, taken = InlineExecutor(), []

    def instances():
        for number, candidate in enumerate((ridge, moody, ridge)):
            taken.append(number)
            yield toy_instance(candidate, number)

    outcomes = executor.run(instances(), toy_setting())
    first = next(outcomes)
    assert (first.instance, taken) == (0, [0])
    rest = list(outcomes)
    assert [one.status for one in rest] == [Status.FAILED, Status.FINISHED]
    assert [one.instance for one in rest] == [1, 2]
    assert np.isfinite(first.loss)
    assert (executor.workers, executor.engine) == (1, "auto")


class TestConformance(ExecutorSuite):
    @pytest.fixture
    def executor(self) -> InlineExecutor:
        return InlineExecutor()
