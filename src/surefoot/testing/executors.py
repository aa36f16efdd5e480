"""What every executor promises: the engines' outcomes, wherever and in whatever order."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from surefoot.candidates.base import Candidate
from surefoot.data.population import Sampling
from surefoot.engines.choose import Chooser
from surefoot.errors import EngineError
from surefoot.executors.base import Executor
from surefoot.instances import Instance, Status
from surefoot.testing.toys import (
    Stranger,
    content,
    toy_function,
    toy_instance,
    toy_population,
    toy_setting,
)


class ExecutorSuite:
    """What every executor promises; a subclass gives a fixture ``executor``.

    It may give ``candidate`` too, to be trained by another engine than that of functions.
    """

    @pytest.fixture
    def candidate(self) -> Candidate:
        """Return what the executor trains."""
        candidate: Candidate = toy_function.candidate(shrink=0.9)
        return candidate

    def test_outcomes_are_the_engines(self, executor: Executor, candidate: Candidate) -> None:
        """Each outcome is the one that its engine gives alone, for one setting after another."""
        for setting in (toy_setting(), toy_setting(toy_population(seed=6))):
            instances = [toy_instance(candidate, number) for number in range(12)]
            engine = Chooser(executor.engine).choose(candidate, setting)
            outcomes = sorted(executor.run(instances, setting), key=lambda one: one.instance)
            expected = [engine.train(instance, setting).outcome for instance in instances]
            assert list(map(content, outcomes)) == list(map(content, expected))

    def test_a_failure_costs_one_instance(self, executor: Executor, candidate: Candidate) -> None:
        """An instance that fails is recorded as failed, and the others finish."""
        instances = [toy_instance(candidate, number) for number in range(5)]
        instances[2] = replace(instances[2], sampling=Sampling(10_000, "subsample"))
        outcomes = {one.instance: one for one in executor.run(instances, toy_setting())}
        assert "10000 examples cannot be drawn" in outcomes[2].message
        assert outcomes.pop(2).status is Status.FAILED
        assert [one.status for one in outcomes.values()] == [Status.FINISHED] * 4

    def test_instances_wait_to_be_taken(self, executor: Executor, candidate: Candidate) -> None:
        """Instances are taken from their iterator as workers get free, not all beforehand."""
        taken = itertools.count()

        def endless() -> Iterator[Instance]:
            for number in taken:
                yield toy_instance(candidate, number)

        outcomes: Any = executor.run(endless(), toy_setting())
        next(outcomes)
        outcomes.close()
        assert next(taken) < 50 + 10 * executor.workers

    def test_what_nobody_trains_is_named(self, executor: Executor) -> None:
        """A candidate that no engine trains raises `EngineError` with its family."""
        with pytest.raises(EngineError, match="no engine trains stranger"):
            list(executor.run([toy_instance(Stranger())], toy_setting()))
