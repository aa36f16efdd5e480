"""Sixty estimators on diabetes (regression) and sixty on breast cancer (classification).

    python examples/tabular.py

Needs scikit-learn: pip install 'surefoot[sklearn]'. Nothing is downloaded.
"""

from __future__ import annotations

import time

from sklearn.datasets import load_breast_cancer, load_diabetes

import surefoot
from surefoot import EstimatorCandidate, Population, Sampling, SearchSpace
from surefoot.racing import Halving

SCALED = ["sklearn.preprocessing.StandardScaler"]


def space(path: str, *, scaled: bool = False, **choices: list[object]) -> SearchSpace:
    build = EstimatorCandidate.builder(f"sklearn.{path}", SCALED if scaled else ())
    return SearchSpace.product(build, **choices)


def regressors() -> SearchSpace:
    forest = {"n_estimators": [50], "max_features": [0.3, 1.0], "min_samples_leaf": [1, 5, 15]}
    return (
        space("linear_model.Ridge", scaled=True, alpha=[0.1, 1.0, 3.0, 10.0, 30.0, 100.0])
        | space("linear_model.Lasso", scaled=True, alpha=[0.01, 0.1, 0.3, 1.0, 3.0, 10.0])
        | space("linear_model.ElasticNet", scaled=True, alpha=[0.1, 0.3, 1.0], l1_ratio=[0.2, 0.8])
        | space("svm.SVR", scaled=True, C=[1.0, 10.0, 100.0, 1000.0], gamma=["scale", 0.01])
        | space(
            "neighbors.KNeighborsRegressor",
            scaled=True,
            n_neighbors=[5, 10, 20, 30, 50],
            weights=["uniform", "distance"],
        )
        | space("ensemble.RandomForestRegressor", **forest)
        | space("ensemble.ExtraTreesRegressor", **forest)
        | space("ensemble.GradientBoostingRegressor", learning_rate=[0.05, 0.1], max_depth=[1, 3])
        | space(
            "ensemble.HistGradientBoostingRegressor",
            learning_rate=[0.03, 0.1],
            max_leaf_nodes=[4, 16],
            max_iter=[60],
        )
        | space("tree.DecisionTreeRegressor", max_depth=[2, 3, 5, None])
    )


def classifiers() -> SearchSpace:
    forest = {"n_estimators": [50], "max_features": [0.1, 0.3], "min_samples_leaf": [1, 2, 5, 10]}
    return (
        space(
            "linear_model.LogisticRegression",
            scaled=True,
            C=[0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0],
        )
        | space(
            "neighbors.KNeighborsClassifier",
            scaled=True,
            n_neighbors=[5, 10, 15, 20, 30],
            weights=["uniform", "distance"],
        )
        | space("ensemble.RandomForestClassifier", **forest)
        | space("ensemble.ExtraTreesClassifier", **forest)
        | space(
            "ensemble.GradientBoostingClassifier",
            learning_rate=[0.03, 0.1, 0.3],
            max_depth=[1, 3],
        )
        | space(
            "ensemble.HistGradientBoostingClassifier",
            learning_rate=[0.03, 0.1],
            max_leaf_nodes=[4, 16],
            max_iter=[60],
        )
        | space("naive_bayes.GaussianNB", scaled=True, var_smoothing=[1e-9, 1e-3, 1e-1, 1.0])
        | space(
            "discriminant_analysis.LinearDiscriminantAnalysis",
            solver=["lsqr"],
            shrinkage=[None, "auto", 0.1, 0.5],
        )
        | space("svm.SVC", scaled=True, kernel=["rbf", "linear"], C=[0.1, 1.0, 10.0, 100.0])
    )


def diabetes() -> Population:
    x, y = load_diabetes(return_X_y=True)
    return Population(x, y, name="diabetes", target_name="disease progression")


def cancer() -> Population:
    data = load_breast_cancer()
    labels = data.target_names[data.target]
    return Population(data.data, labels, name="breast cancer", target_name="diagnosis")


def main() -> None:
    for population, candidates, loss in (
        (diabetes(), regressors(), "rmse"),
        (cancer(), classifiers(), "error_rate"),
    ):
        start = time.perf_counter()
        selection = surefoot.select(
            candidates,
            population,
            loss=loss,
            sampling=Sampling(stratify=population.classes is not None),
            schedule=Halving(warmup=5),
            seed=1,
        )
        print(f"{population.name}: {len(population)} examples, {len(candidates)} candidates")
        print(selection)
        for row in selection.ranking()[:5]:
            print(f"  {row['rank']:2}. {row['label']:60} {row['value']:.4g} ({row['instances']})")
        print(f"  {time.perf_counter() - start:.1f} s\n")


if __name__ == "__main__":
    main()
