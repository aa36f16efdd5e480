"""Missing values, categories, weights and an order: from files and frames to the estimators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.metrics import root_mean_squared_error

import surefoot
from surefoot.data.categories import FrameColumns, category_codes
from surefoot.engines.estimator.engine import EstimatorEngine
from surefoot.errors import DataError, EngineError
from surefoot.executors.inline import InlineExecutor
from surefoot.instances import Instance, Setting
from surefoot.seeds.ledger import InstanceSeed, Role
from surefoot.studies.options import make_setting

FOREST = "sklearn.ensemble.HistGradientBoostingRegressor"
RIDGE = "sklearn.linear_model.Ridge"
ENCODED = surefoot.EstimatorCandidate(
    "sklearn.pipeline.Pipeline",
    {
        "steps": [
            (
                "columns",
                {
                    "class": "sklearn.compose.ColumnTransformer",
                    "parameters": {
                        "transformers": [
                            (
                                "district",
                                {"class": "sklearn.preprocessing.OneHotEncoder", "parameters": {}},
                                ["district"],
                            ),
                            (
                                "rest",
                                {"class": "sklearn.impute.SimpleImputer", "parameters": {}},
                                ["rooms", "area"],
                            ),
                        ]
                    },
                },
            ),
            ("ridge", {"class": RIDGE, "parameters": {"alpha": 1.0}}),
        ]
    },
)


@pytest.fixture
def houses() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    n = 240
    district = rng.choice(["Hill", "Old, town", "Valley"], n)
    area = rng.uniform(30.0, 150.0, n)
    rooms = np.round(area / 30.0) + rng.integers(0, 2, n)
    price = 2.0 * area + 80.0 * (district == "Hill") + rng.normal(0.0, 5.0, n)
    frame = pd.DataFrame({"district": district, "rooms": rooms, "area": area, "price": price})
    frame["sold"] = pd.date_range("2020-01-01", periods=n).strftime("%Y-%m-%d")[rng.permutation(n)]
    frame["weight"] = rng.uniform(0.5, 2.0, n)
    frame.loc[rng.choice(n, 30, replace=False), "area"] = np.nan
    frame.loc[[5, 17], "district"] = None
    return frame


TABLE: dict[str, Any] = {
    "features": ["district", "rooms", "area"],
    "categories": ["district"],
    "missing": True,
}


def ways(houses: pd.DataFrame, folder: Path, **options: Any) -> list[surefoot.Population]:
    houses.to_csv(folder / "h.csv", index=False)
    houses.to_parquet(folder / "h.parquet")
    given = TABLE | options
    return [
        surefoot.load_population(f"{folder}/h.csv", target="price", **given),
        surefoot.load_population(f"{folder}/h.parquet", target="price", **given),
        surefoot.Population.from_frame(houses, "price", **given),
        surefoot.Population.from_frame(pl.from_pandas(houses), "price", **given),
    ]


def test_all_ways_give_the_same_population(houses: pd.DataFrame, tmp_path: Path) -> None:
    found = ways(houses, tmp_path, weights="weight", order="sold")
    assert len({one.fingerprint for one in found}) == 1
    one = found[0]
    assert one.categories == {0: ("Hill", "Old, town", "Valley")}
    assert one.missing
    assert one.feature_names == ("district", "rooms", "area")
    assert np.isnan(one.features).sum() == houses[["district", "area"]].isna().sum().sum()
    back = one.columns().frame(one.features)
    pd.testing.assert_series_equal(
        back["district"].astype(object), houses["district"].astype(object), check_dtype=False
    )
    assert_array_equal(back["area"], houses["area"].to_numpy(np.float32))
    assert_array_equal(one.weights, houses["weight"])


def test_each_of_them_changes_the_fingerprint(houses: pd.DataFrame, tmp_path: Path) -> None:
    options: list[dict[str, Any]] = [{}, {"weights": "weight"}, {"order": "sold"}]
    prints = {ways(houses, tmp_path, **one)[0].fingerprint for one in options}
    plain = {"features": ["rooms"], "categories": [], "missing": False}
    assert len(prints) == 3
    before = surefoot.Population(houses[["rooms"]], houses["price"])
    assert ways(houses, tmp_path, **plain)[0].fingerprint == before.fingerprint


def test_true_means_all_that_hold_text(houses: pd.DataFrame, tmp_path: Path) -> None:
    for one in ways(houses.drop(columns="sold"), tmp_path, categories=True):
        assert list(one.categories) == [0]


def test_what_is_not_asked_for_is_refused_by_name(houses: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'area' of .*csv holds nan in line .*missing = true"):
        ways(houses.dropna(subset="district"), tmp_path, missing=False)
    whole = houses.dropna(subset="area")
    line = int(whole["district"].isna().to_numpy().argmax()) + 2
    with pytest.raises(DataError, match=rf"'district' of .*csv holds nothing in line {line}"):
        ways(whole, tmp_path, missing=False)
    with pytest.raises(DataError, match=r"'district' .*not numbers: name it among the categories"):
        ways(houses, tmp_path, categories=[])
    with pytest.raises(DataError, match=r"'distrikt'.*: did you mean 'district'"):
        ways(houses, tmp_path, categories=["distrikt"])
    with pytest.raises(DataError, match=r"weights of .* hold 0 in example 3"):
        ways(houses.assign(weight=[1.0, 1, 1, 0, *[1] * 236]), tmp_path, weights="weight")
    with pytest.raises(DataError, match="both groups and an order"):
        ways(houses, tmp_path, order="sold", groups="rooms")


def instance(candidate: surefoot.Candidate) -> Instance:
    return Instance(candidate, InstanceSeed(3, Role.RACE, 0))


def trained(candidate: surefoot.Candidate, population: surefoot.Population) -> tuple[Any, Setting]:
    setting = make_setting(population, loss="rmse", sample_size=80)
    assert EstimatorEngine().refusal(candidate, setting) is None
    return EstimatorEngine().train(instance(candidate), setting), setting


def test_an_estimator_gets_the_frame_that_it_gets_by_hand(
    houses: pd.DataFrame, tmp_path: Path
) -> None:
    """The loss is that of scikit-learn's own fit of the same rows of the original frame."""
    candidate = surefoot.EstimatorCandidate(FOREST, {"max_iter": 20})
    training, setting = trained(candidate, ways(houses, tmp_path)[0])
    draw = instance(candidate).draw(setting)
    inputs = houses[["district", "rooms", "area"]].astype({"district": "category"})
    inputs["area"] = inputs["area"].astype(np.float32).astype(np.float64)
    target = houses["price"].to_numpy(np.float32).astype(np.float64)
    model = HistGradientBoostingRegressor(max_iter=20)
    model.fit(inputs.iloc[draw.train], target[draw.train])
    expected = root_mean_squared_error(target[draw.test], model.predict(inputs.iloc[draw.test]))
    assert training.outcome.loss == pytest.approx(expected, rel=1e-5)


def test_a_pipeline_finds_its_columns_by_name(houses: pd.DataFrame, tmp_path: Path) -> None:
    training, _ = trained(ENCODED, ways(houses.dropna(subset="district"), tmp_path)[0])
    assert training.outcome.loss < 40.0


def test_weights_count_in_training_and_in_the_loss(houses: pd.DataFrame, tmp_path: Path) -> None:
    table = {"features": ["rooms"], "categories": [], "missing": False, "weights": "weight"}
    population = ways(houses, tmp_path, **table)[0]
    for candidate in (
        surefoot.EstimatorCandidate("sklearn.linear_model.LinearRegression"),
        surefoot.EstimatorCandidate(
            "sklearn.linear_model.LinearRegression", {}, ["sklearn.preprocessing.StandardScaler"]
        ),
    ):
        training, setting = trained(candidate, population)
        draw = instance(candidate).draw(setting)
        x = houses[["rooms"]].to_numpy()
        y = houses["price"].to_numpy(np.float32).astype(np.float64)
        weight = houses["weight"].to_numpy()
        model = LinearRegression().fit(x[draw.train], y[draw.train], weight[draw.train])
        expected = root_mean_squared_error(
            y[draw.test], model.predict(x[draw.test]), sample_weight=weight[draw.test]
        )
        assert training.outcome.loss == pytest.approx(expected, rel=1e-5)


def test_who_takes_none_is_refused_before_anything_trains(
    houses: pd.DataFrame, tmp_path: Path
) -> None:
    whole = ways(houses, tmp_path, weights="weight")[0]
    missing = ways(houses, tmp_path, features=["rooms", "area"], categories=[])[0]
    weighted = surefoot.Population(houses[["rooms"]], houses["price"], weights=houses["weight"])
    ridge = surefoot.EstimatorCandidate(RIDGE)
    neighbours = surefoot.EstimatorCandidate("sklearn.neighbors.KNeighborsRegressor")
    net = surefoot.convnet(channels=[2], hidden=[2], input_shape=[1, 1, 1], kernel=1, pool="none")
    for candidate, population, said in (
        (ridge, whole, "takes no categories, which .*h.csv has: give it a step"),
        (ridge, missing, "takes no missing values, which .*: give it a step that fills them in"),
        (neighbours, weighted, "takes no weights of examples"),
        (net, weighted, "takes no weights of examples, which population has: leave them out"),
    ):
        with pytest.raises(EngineError, match=said):
            surefoot.select([candidate], population, sample_size=20, certify=0)


def test_the_earliest_examples_are_the_pool(houses: pd.DataFrame, tmp_path: Path) -> None:
    for population in ways(houses, tmp_path, order="sold"):
        halves = population.split(seed=1, pool_fraction=0.75)
        pool, test = houses["sold"].iloc[halves.pool], houses["sold"].iloc[halves.test]
        assert len(pool) == 180
        assert pool.max() < test.min()
        assert_array_equal(population.split(seed=2, pool_fraction=0.75).pool, halves.pool)


@given(times=st.lists(st.integers(0, 9), min_size=2, max_size=60), share=st.floats(0.1, 0.9))
def test_equal_times_stay_together(times: list[int], share: float) -> None:
    population = surefoot.Population(np.ones((len(times), 1)), np.arange(len(times)), order=times)
    if len(set(times)) == 1:
        with pytest.raises(DataError, match="cannot be split"):
            population.split(0, share)
        return
    try:
        halves = population.split(0, share)
    except DataError:
        assert times.count(max(times)) > (1.0 - share) * len(times)
        return
    ordered = np.array(times)
    assert ordered[halves.pool].max() < ordered[halves.test].min()


def test_a_journal_loads_them_again(houses: pd.DataFrame, tmp_path: Path) -> None:
    houses.to_csv(tmp_path / "h.csv", index=False)
    (tmp_path / "s.toml").write_text(
        "[population]\nsource = 'h.csv'\ntarget = 'price'\nmissing = true\ncategories = true\n"
        "features = ['district', 'rooms', 'area']\nweights = 'weight'\norder = 'sold'\n"
        "[loss]\nname = 'mae'\n[sampling]\nsize = 60\n[certificate]\nn = 3\n[space]\n"
        f"family = 'estimator'\nclass = '{FOREST}'\nparameters.max_iter = [5, 10]\n"
    )
    study = surefoot.read_study(tmp_path / "s.toml")
    selection = study.run(tmp_path / "s.db", executor=InlineExecutor())
    assert surefoot.replay(tmp_path / "s.db", "winner", 1, role="certify").same
    folder = surefoot.save(selection, tmp_path / "model")
    model = surefoot.load(folder, trust=["functools", "sklearn"])
    expected = selection.train().predictor.predict(study.setting.halves.population.features, None)
    shuffled = houses[["area", "price", "district", "rooms"]]
    np.testing.assert_allclose(model.predict(shuffled), expected[:, 0], rtol=1e-6)


@given(st.lists(st.sampled_from(["a", "b", "", None, 3, 2.0, True, float("nan")]), min_size=1))
def test_codes_stand_for_their_labels(values: list[Any]) -> None:
    codes, labels = category_codes(np.array(values, dtype=object))
    assert list(labels) == sorted(set(labels))
    for value, code in zip(values, codes, strict=True):
        nothing = value is None or value == "" or value != value
        assert np.isnan(code) == nothing
        if not nothing:
            assert labels[int(code)] == ("2" if value == 2.0 else str(value))


def test_codes_without_a_meaning_are_refused() -> None:
    for codes, said in (([[0.0], [2.0]], "holds 2, which is no code"), ([[0.5], [1]], "holds 0.5")):
        with pytest.raises(DataError, match=said):
            surefoot.Population(codes, [1.0, 2.0], categories={0: ("a", "b")})
    frame = FrameColumns(("x", "y"), {1: ("a", "b")}).frame(np.array([[1.0, 1.0], [2.0, np.nan]]))
    assert frame["y"].tolist()[0] == "b"
    assert frame["y"].isna().tolist() == [False, True]
