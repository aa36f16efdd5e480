"""Estimators as plain values: there and back, and nothing else is ever imported or called."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestRegressor, StackingRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import GridSearchCV, KFold, ShuffleSplit, TimeSeriesSplit
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler
from sklearn.svm import SVR
from xgboost import XGBRegressor

from surefoot.candidates.estimator.values import build, decode, encode, label, node_of
from surefoot.errors import CandidateError

COLUMNS = make_column_transformer(
    (MinMaxScaler((0, 2)), [0, 1]), (StandardScaler(), slice(2, 4)), remainder="passthrough"
)
LIVE = [
    SVR(C=3.0, kernel="poly"),
    make_pipeline(COLUMNS, MLPRegressor((5, 3))),
    StackingRegressor([("forest", RandomForestRegressor(7)), ("svr", SVR())], cv=KFold(3)),
    GaussianProcessRegressor(RBF(2.0) + WhiteKernel()),
    GridSearchCV(SVR(), {"C": [1.0, 2.0]}, cv=ShuffleSplit(4, test_size=0.3)),
    RidgeCV(alphas=np.logspace(-2, 2, 3), cv=TimeSeriesSplit(2)),
    LogisticRegression(class_weight={0: 1.0, 1: 5.0}),
    make_pipeline(SimpleImputer(missing_values=float("inf")), SVR(gamma=0.1)),
]


def parameters(estimator: Any) -> dict[str, str]:
    """Every parameter at any depth as text, but for seeds and thread counts."""
    return {
        name: repr(value)
        for name, value in estimator.get_params(deep=True).items()
        if not hasattr(value, "get_params")
        and not hasattr(value, "get_n_splits")
        and name.rpartition("__")[2] not in ("random_state", "n_jobs", "steps", "transformers")
        and name not in ("estimators", "alphas")
    }


@pytest.mark.parametrize("live", LIVE, ids=lambda live: label(node_of(live))[:40])
def test_an_estimator_goes_through_json_and_comes_back_with_its_parameters(live: Any) -> None:
    node = json.loads(json.dumps(node_of(live), allow_nan=False))
    assert node_of(node) == node
    made = build(node, itertools.count(1))
    assert type(made) is type(live)
    assert made is not live
    assert parameters(made) == parameters(live)
    assert node_of(made) == node_of(build(node, itertools.count(9)))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.tuples(inner, inner)
            | st.dictionaries(st.integers() | st.sampled_from(["a", "b"]), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_any_plain_value_comes_back_the_same(value: Any) -> None:
    text = json.dumps(encode(value, "a value"), allow_nan=False)
    assert repr(decode(json.loads(text), itertools.count(), 1)) == repr(value)
    again = encode(json.loads(text), "a value")
    assert json.dumps(again) == text


def test_only_what_differs_from_the_defaults_is_kept_and_no_seed() -> None:
    assert node_of(RandomForestRegressor(n_estimators=7, random_state=3)) == {
        "class": "sklearn.ensemble.RandomForestRegressor",
        "parameters": {"n_estimators": 7},
    }
    assert node_of({"class": "a.B", "parameters": {"seed": 1, "C": 2}})["parameters"] == {"C": 2}


def test_numpys_numbers_and_arrays_are_plain() -> None:
    parameters = node_of(RidgeCV(alphas=np.array([1.0, 2.0]), cv=np.int64(3)))["parameters"]
    assert parameters == {"alphas": [1.0, 2.0], "cv": 3}
    assert type(parameters["cv"]) is int


def test_parameters_of_a_parent_class_count() -> None:
    node = node_of(XGBRegressor(max_depth=3, random_state=8))
    assert node == {"class": "xgboost.XGBRegressor", "parameters": {"max_depth": 3}}
    made = build(node, iter([77]))
    assert (made.random_state, made.n_jobs, made.max_depth) == (77, 1, 3)


def test_every_seed_is_fed_in_order_and_unshuffled_splitters_take_none() -> None:
    node = node_of(
        StackingRegressor(
            [("a", RandomForestRegressor()), ("b", MLPRegressor())], cv=KFold(3, shuffle=True)
        )
    )
    made = build(node, itertools.count(100))
    assert made.cv.random_state == 100
    assert [estimator.random_state for _, estimator in made.estimators] == [101, 102]
    assert build(node_of(GridSearchCV(SVR(), {}, cv=KFold(4))), iter([])).cv.random_state is None


class Local(BaseEstimator):
    class Inner(BaseEstimator):
        pass


@pytest.mark.parametrize(
    ("live", "message"),
    [
        (
            FunctionTransformer(np.log1p),
            "parameter 'func' of FunctionTransformer = <ufunc",
        ),
        (SVR(kernel=lambda a, b: a @ b.T), "parameter 'kernel' of SVR = <function"),
        (
            make_pipeline(SVR(), memory="cache"),
            "memory = 'cache' of Pipeline is a cache",
        ),
        (Local.Inner(), "Local.Inner'> cannot be imported by name"),
        (SVR, "the estimator = <class 'sklearn.svm._classes.SVR'> cannot be written"),
        (SVR(C=object()), "parameter 'C' of SVR = <object object"),
        ("SVR", "class 'SVR' of the estimator must be a whole import path"),
        ("os.system('x').y", "is not an import path such as 'sklearn.svm.SVR'"),
        ({"class": "a.B", "paramters": {}}, "must have 'class' and 'parameters' and nothing else"),
        ({"class": "a.B", "parameters": [1]}, r"parameters \[1\] of a.B must map names to values"),
        (SVR(C={"tuple": 1, "x": 2}), "has the key 'tuple', which is kept for marks"),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, str) else type(value).__name__,
)
def test_what_is_not_plain_is_refused_in_one_sentence(live: Any, message: str) -> None:
    with pytest.raises(CandidateError, match=message):
        node_of(live)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"class": "subprocess.Popen", "parameters": {"args": "true"}}, "must be a class with fit"),
        ({"class": "os.system", "parameters": {}}, "os.system must be a class with fit"),
        ({"class": "sklearn.svm.SVRR", "parameters": {}}, "did you mean 'SVR'"),
        ({"class": "sklearn.sv.SVR", "parameters": {}}, "No module named 'sklearn.sv'"),
        ({"class": "absentlib.Model", "parameters": {}}, "No module named 'absentlib'"),
        (
            {"class": "sklearn.svm.SVR", "parameters": {"c": 1}},
            "no parameter 'c': known are: C",
        ),
    ],
)
def test_only_named_classes_are_made(node: dict[str, Any], message: str) -> None:
    with pytest.raises(CandidateError, match=message):
        build(node, itertools.count())


def test_a_constructor_that_refuses_is_reported() -> None:
    node = node_of({"class": "sklearn.model_selection.KFold", "parameters": {"n_splits": 1}})
    with pytest.raises(CandidateError, match=r"KFold\(n_splits=1\) cannot be made: k-fold"):
        build(node, itertools.count())
