from __future__ import annotations

import json
from typing import Any

import pytest

import surefoot
from surefoot.candidates.function import FunctionCandidate
from surefoot.candidates.space import SearchSpace
from surefoot.errors import CandidateError
from tests.engines import estimators


def test_a_marked_function_is_still_a_function_and_makes_candidates() -> None:
    assert estimators.line.__doc__ == "Fit a line through the sum of the features."
    assert estimators.line.__name__ == "line"
    made = estimators.line.candidate(shrink=0.5)
    assert (made.label, made.path) == ("line(shrink=0.5)", "tests.engines.estimators.line")
    assert made.resolve() is estimators.line


def test_a_spec_gives_the_candidate_back() -> None:
    made = estimators.by_side.candidate()
    again = FunctionCandidate.from_spec(json.loads(json.dumps(made.spec())))
    assert (again, again.key, again.side, again.version) == (made, made.key, True, 3)
    assert hash(again) == hash(made)
    assert made != estimators.line.candidate()
    with pytest.raises(CandidateError, match="no field 'funktion': did you mean 'function'"):
        FunctionCandidate.from_spec({"funktion": "a.b"})


def test_candidates_fill_a_search_space() -> None:
    space = SearchSpace.product(estimators.line.candidate, shrink=[0.5, 0.9, 1.0])
    assert len(space) == 3


def test_the_version_is_part_of_the_key_and_an_old_one_is_not_repeated() -> None:
    new, old = (FunctionCandidate(estimators.by_side.path, version=v) for v in (3, 2))
    assert new.key != old.key
    with pytest.raises(CandidateError, match=r"is version 3 now, but this .* of version 2"):
        old.resolve()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"shrinks": 1.0}, "has no parameter 'shrinks': did you mean 'shrink'"),
        ({"shrink": print}, "parameter 'shrink' of line = <built-in function print>"),
    ],
)
def test_parameters_that_it_does_not_take_are_named(
    parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(CandidateError, match=message):
        estimators.line.candidate(**parameters)


def test_functions_that_cannot_be_candidates() -> None:
    def local(draw: Any, seed: int) -> float:
        return 0.0

    with pytest.raises(CandidateError, match="cannot be imported by name"):
        surefoot.candidate(local)
    with pytest.raises(CandidateError, match="is not an import path"):
        FunctionCandidate("local")
    with pytest.raises(CandidateError, match="cannot be imported: No module named 'absentlib'"):
        FunctionCandidate("absentlib.train").resolve()

    def narrow(draw: Any) -> float:
        return 0.0

    narrow.__qualname__ = "narrow"
    with pytest.raises(CandidateError, match=r"must take \(draw, seed, \*\*parameters\)"):
        surefoot.candidate(narrow)


def test_a_parameter_without_default_must_be_given() -> None:
    def needy(draw: Any, seed: int, *, depth: int) -> float:
        return float(depth)

    needy.__qualname__ = "needy"
    with pytest.raises(CandidateError, match="needs a value for its parameter 'depth'"):
        surefoot.candidate(needy).candidate()


def test_a_table_of_a_study_file_is_a_space() -> None:
    table = {"function": estimators.line.path, "parameters": {"shrink": [0.5, 1.0]}}
    assert list(FunctionCandidate.space(table)) == [
        estimators.line.candidate(shrink=0.5),
        estimators.line.candidate(shrink=1.0),
    ]
    assert list(FunctionCandidate.space({"function": estimators.by_side.path})) == [
        estimators.by_side.candidate()
    ]
    with pytest.raises(CandidateError, match="names no 'function'"):
        FunctionCandidate.space({"parameters": {}})
