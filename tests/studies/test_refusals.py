"""What one call is given and cannot be used is refused in one sentence, before anything trains."""

from __future__ import annotations

import logging
import re
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Lasso, Ridge

import surefoot
from surefoot.errors import JournalMismatchError, RaceError, SurefootError

NAN, INF = float("nan"), float("inf")
NO_COUNT = (2.5, -1, 0, NAN, INF, "x", True, 10**9, [3])
NO_SHARE = (0, 1, -1, NAN, INF, "x", None, 1.5)
NO_SEED = (-1, 2.5, NAN, "x", None, True, 1 << 64)
THINGS = (3, NAN, "nothing", [1], {"a": 1}, object())


@pytest.fixture(scope="module")
def data() -> surefoot.Population:
    rng = np.random.default_rng(1)
    return surefoot.Population(rng.normal(size=(60, 2)), rng.normal(size=60))


def here(**options: Any) -> dict[str, Any]:
    return {"executor": surefoot.InlineExecutor(), "certify": 2, "limit": 4, **options}


BAD = [
    *(("limit", one) for one in (-5, 0, 1, NAN, INF, "3", True)),
    *(("sample_size", one) for one in NO_COUNT),
    *(("max_instances", one) for one in NO_COUNT),
    *(("certify", one) for one in NO_COUNT if one != 0),
    *(("seed", one) for one in NO_SEED),
    *((name, one) for name in ("content", "confidence", "pool_fraction") for one in NO_SHARE),
    *(("criterion", one) for one in THINGS),
    *(("schedule", one) for one in THINGS),
    *(("rule", one) for one in THINGS),
    *(("loss", one) for one in THINGS),
    *(("sampling", one) for one in THINGS),
    *(("stopping", one) for one in THINGS),
    *(("executor", one) for one in THINGS),
    *(("watch", one) for one in THINGS),
    *(("baseline", one) for one in THINGS),
    *(("screen", one) for one in (NAN, INF, "x", -2, [1])),
    ("cost", "x"),
    ("paired", "x"),
    ("plain_curves", 3),
    ("retry_failed", 3),
    ("journal", 3),
    ("certify_best_of", 3),
    ("certfy", 5),
]


def named(value: object) -> str:
    """Return a test's name, which holds no address: it is the same in every process."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


@pytest.mark.parametrize(("name", "value"), BAD, ids=named)
def test_a_race_refuses_what_it_cannot_use(data, name, value):
    with pytest.raises(SurefootError) as caught:
        surefoot.select([Ridge(), Lasso()], data, **here(**{name: value}))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("workers", [0, -1, 2.5, NAN, "x", True, 10**9])
def test_workers_are_a_few(workers):
    with pytest.raises(SurefootError, match="workers"):
        surefoot.LocalExecutor(workers)


QUESTIONS: list[tuple[Any, dict[str, Any]]] = [
    *((surefoot.assess, {"n": one}) for one in NO_COUNT),
    *((surefoot.assess, {"promise": one}) for one in (NAN, INF, "x", [1])),
    *((surefoot.assess, {"promise": 1.0, "max_exceedances": one}) for one in NO_COUNT if one != 0),
    *((surefoot.variance, {"alone": one}) for one in NO_COUNT if one != 0),
    *((surefoot.variance, {"draws": one}) for one in NO_COUNT),
    *((surefoot.variance, {"tests": one}) for one in NO_COUNT if one != 0),
    (surefoot.variance, {"draws": 9000, "inits": 9000}),
    *((surefoot.sample_size, {"sizes": [10, 20], "n": one}) for one in NO_COUNT),
    *((surefoot.sample_size, {"sizes": [10, one], "n": 2}) for one in NO_COUNT),
    *((surefoot.sample_size, {"sizes": one, "n": 2}) for one in ([], 3, "x", NAN)),
    *((surefoot.sample_size, {"sizes": [10], "n": 2, "limit": one}) for one in (NAN, INF, "x")),
    *((surefoot.sample_size, {"sizes": [10], "n": 2, "tolerance": one}) for one in (NAN, 0, "x")),
]


@pytest.mark.parametrize(("question", "options"), QUESTIONS, ids=named)
def test_a_question_refuses_what_it_cannot_use(data, question, options):
    with pytest.raises(SurefootError) as caught:
        question(Ridge(), data, executor=surefoot.InlineExecutor(), **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "candidates", [3, None, "x", [3], [Ridge], Ridge(), [], [object()], {"a": 1}], ids=named
)
def test_candidates_are_a_list_of_candidates_or_estimators(data, candidates):
    with pytest.raises(SurefootError):
        surefoot.select(candidates, data, **here())
    with pytest.raises(SurefootError):
        surefoot.compare(candidates, data)


@pytest.mark.parametrize("data", [3, None, (np.ones((3, 2)), np.ones(3))], ids=named)
def test_a_population_is_one(data):
    with pytest.raises(SurefootError, match="population"):
        surefoot.select([Ridge(), Lasso()], data, **here())


def test_estimators_names_and_numpys_numbers_are_accepted(data):
    found = surefoot.select(
        [Ridge(), Lasso()],
        data,
        schedule="halving",
        baseline=Ridge(),
        sample_size=np.int64(20),
        certify=np.int32(3),
        executor=surefoot.InlineExecutor(),
    )
    assert len(found.certificate.losses) == 3
    assert found.study.setting.sampling.size == 20


def test_an_only_candidate_is_certified_without_a_race(data):
    found = surefoot.select([Ridge()], data, **here(certify=4, limit=None))
    assert found.winner.label == "Ridge"
    assert len(found.certificate.losses) == 4
    assert found.table.count == 0
    assert "the only candidate, so that there was no race" in str(found)
    assert "nan" not in str(found)


def test_what_the_numbers_cannot_answer_is_said_before_training(data, caplog):
    with caplog.at_level(logging.WARNING, "surefoot"):
        surefoot.assess(Ridge(), data, n=10, executor=surefoot.InlineExecutor())
        surefoot.sample_size(Ridge(), data, sizes=[10], n=3, executor=surefoot.InlineExecutor())
    few, sizes = (record.message for record in caplog.records)
    assert few.startswith("10 instances cannot certify 95 % of retrainings")
    assert "that takes 59" in few
    assert "no size can be named robust from 3 instances" in sizes
    caplog.clear()
    with caplog.at_level(logging.WARNING, "surefoot"):
        surefoot.assess(Ridge(), data, n=59, executor=surefoot.InlineExecutor())
    assert not caplog.records


def test_advice_on_a_screen_is_one_that_the_journal_takes(data, tmp_path):
    """A larger tolerance makes another study: saying so, and no more, leads nobody astray."""
    path = tmp_path / "r.db"
    options = here(baseline=Ridge(), limit=None, journal=path)
    with pytest.raises(RaceError, match="takes a journal of its own"):
        surefoot.select([Ridge(2.0), Lasso()], data, screen=-0.9, **options)
    with pytest.raises(JournalMismatchError):
        surefoot.select([Ridge(2.0), Lasso()], data, screen=9.0, **options)
    surefoot.select([Ridge(2.0), Lasso()], data, screen=9.0, **options | {"journal": None})
