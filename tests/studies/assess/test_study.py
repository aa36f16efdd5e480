"""Promises: assessed in the order of the instances, whoever finishes first."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.errors import JournalMismatchError
from surefoot.executors.base import Executor
from surefoot.executors.local.executor import LocalExecutor
from surefoot.instances import Instance, Outcome, Setting
from surefoot.journal import MEMORY
from surefoot.seeds.ledger import Role
from surefoot.statistics.promise import Promise
from surefoot.studies.assess.study import Assessment, AssessStudy
from tests.fakes import Fake, FakeThreads, fake_loss, fake_setting

SETTING = fake_setting()


class Shuffled(Executor):
    """Hands outcomes over in a random order, and counts them."""

    engine = "fake"
    workers = 1

    def __init__(self, workers: int, order: int = 0) -> None:
        self.workers, self.order, self.trained = workers, random.Random(order), 0

    def batches(
        self, instances: Iterable[Instance], setting: Setting
    ) -> Iterator[tuple[Outcome, ...]]:
        todo = list(instances)
        assert len(todo) <= self.workers
        self.order.shuffle(todo)
        for instance in todo:
            self.trained += 1
            yield (FakeThreads().train(instance, setting, np.zeros(1, np.uint8)).outcome,)


def study_of(limit: float, allowed: int = 0, **fate: object) -> AssessStudy:
    promise = Promise(limit, content=0.8, confidence=0.9, max_exceedances=allowed)
    return AssessStudy(
        candidate=Fake(noise=0.3, **fate), setting=SETTING, engine="fake", promise=promise
    )


def losses_of(study: AssessStudy) -> np.ndarray:
    return np.array([fake_loss(instance, SETTING) for instance in study.instances()])


def run(
    study: AssessStudy, executor: Executor, journal: str | Path = MEMORY, **options: bool
) -> Assessment:
    return study.run(journal, executor=executor, **options)


@settings(max_examples=30)
@given(st.floats(0.5, 1.0), st.integers(0, 2), st.integers(1, 7), st.integers(0, 99))
def test_the_answer_is_that_on_all_losses(
    share: float, allowed: int, workers: int, order: int
) -> None:
    limit = float(np.quantile(losses_of(study_of(1.0, allowed)), share))
    study = study_of(limit, allowed)
    executor = Shuffled(workers, order)
    found = run(study, executor)
    assert study.promise is not None
    expected = study.promise.test(losses_of(study))
    assert found.promise_result == expected
    assert found.losses.tolist() == losses_of(study)[: expected.used].tolist()
    assert expected.used <= executor.trained < expected.used + workers
    assert found.saved == study.n - executor.trained
    assert (found.certificate is None) == (expected.answer == "broken")


def test_a_hopeless_candidate_takes_one_training() -> None:
    executor = Shuffled(1)
    found = run(study_of(0.1), executor)
    assert (found.kept, executor.trained, found.certificate) == (False, 1, None)
    assert "10 of 11 trainings were saved" in str(found)


def test_it_goes_on_in_its_journal_with_other_workers(tmp_path: Path) -> None:
    class Cut(Shuffled):
        def batches(
            self, instances: Iterable[Instance], setting: Setting
        ) -> Iterator[tuple[Outcome, ...]]:
            for batch in super().batches(instances, setting):
                if self.trained > 6:
                    raise KeyboardInterrupt
                yield batch

    study = study_of(100.0)
    with pytest.raises(KeyboardInterrupt):
        run(study, Cut(4, 3), tmp_path / "p.db")
    executor = Shuffled(3)
    found = run(study, executor, tmp_path / "p.db")
    assert (found.kept, executor.trained, found.saved) == (True, study.n - 6, 0)
    assert found.certificate is not None
    assert found.certificate.reached
    assert run(study, Shuffled(1), tmp_path / "p.db").promise_result == found.promise_result
    with pytest.raises(JournalMismatchError, match="promise"):
        run(study_of(99.0), executor, tmp_path / "p.db")


def test_a_failed_instance_counts_until_it_is_tried_again(tmp_path: Path) -> None:
    mended = tmp_path / "mended"
    study = AssessStudy(
        candidate=Fake(fate=f"raise unless {mended}", when=(2,)),
        setting=SETTING,
        engine="fake",
        promise=Promise(100.0, content=0.8, confidence=0.9),
    )
    with LocalExecutor(2, "fake") as executor:
        first = run(study, executor, tmp_path / "p.db")
        assert first.promise_result is not None
        assert (first.kept, first.promise_result.used) == (False, 3)
        mended.touch()
        assert run(study, executor, tmp_path / "p.db").kept is False
        assert run(study, executor, tmp_path / "p.db", retry_failed=True).kept is True


def test_a_promise_decides_the_number_of_instances() -> None:
    study = AssessStudy(
        candidate=Fake(), setting=SETTING, engine="fake", promise=Promise(1.0, max_exceedances=1)
    )
    assert (study.n, study.content, len(study.instances())) == (93, 0.95, 93)
    assert {i.seed.role for i in study.instances()} == {Role.ASSESS}


def test_the_spread_comes_with_intervals() -> None:
    study = AssessStudy(candidate=Fake(noise=0.3), setting=SETTING, engine="fake", n=30)
    found = run(study, Shuffled(30))
    (said,) = found.spread()
    assert f"standard deviation {found.losses.std(ddof=1):.3g} (" in said
    assert f"median {np.median(found.losses):.3g} (" in said
    assert said.endswith("with 95 % confidence each")
    assert said == run(study, Shuffled(30, order=7)).spread()[0]
    assert said in str(found)
    few = AssessStudy(candidate=Fake(noise=0.3), setting=SETTING, engine="fake", n=5)
    assert "cannot bound the 0.5 quantile" in run(few, Shuffled(5)).spread()[1]
    assert "only 5 losses" in run(few, Shuffled(5)).spread()[2]
    assert run(study_of(limit=-1.0), Shuffled(1)).spread() == []
