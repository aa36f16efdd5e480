"""One study file over networks, estimators and functions together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import surefoot
from surefoot.data.population import Population
from surefoot.errors import StudyFileError
from surefoot.study_files.build import baseline_of, candidates_of
from surefoot.study_files.read import read_study_file

TEXT = """
[population]
source = "x.npz"
[loss]
name = "rmse"
[baseline]
family = "estimator"
class = "sklearn.linear_model.LinearRegression"
[[space]]
channels = [[4], [6]]
pool = "max2"
[[space]]
family = "estimator"
class = "sklearn.svm.SVR"
steps = ["sklearn.preprocessing.StandardScaler"]
side = true
[space.parameters]
C = [1.0, 10.0, 100.0]
kernel = "rbf"
[[space]]
family = "function"
function = "tests.engines.estimators.line"
parameters = { shrink = [0.9, 1.0] }
"""
POPULATION = Population(np.ones((4, 144)), np.ones(4), side=np.ones((4, 1)))


@pytest.fixture(autouse=True)
def trusting() -> None:
    surefoot.trust("tests")


def candidates(text: str, folder: Path) -> list[str]:
    path = folder / "study.toml"
    path.write_text(text)
    return [candidate.label for candidate in candidates_of(read_study_file(path), POPULATION)]


def test_a_space_of_several_families(tmp_path: Path) -> None:
    labels = candidates(TEXT, tmp_path)
    assert len(labels) == 2 + 3 + 2
    assert labels[2] == "StandardScaler → SVR(C=1, kernel=rbf) +side"
    assert labels[5:] == ["line(shrink=0.9)", "line(shrink=1)"]
    baseline = baseline_of(read_study_file(tmp_path / "study.toml"))
    assert baseline is not None
    assert baseline.label == "LinearRegression"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("steps =", "step =", "an estimator has no field 'step': did you mean 'steps'"),
        ('"sklearn.svm.SVR"', '"SVR"', "class 'SVR' of the estimator must be a whole import path"),
        ("shrink =", "shrunk =", "has no parameter 'shrunk': did you mean 'shrink'"),
        ("estimators.line", "estimators.lines", "has no function 'lines': did you mean 'line'"),
    ],
)
def test_mistakes_are_blamed_on_the_space(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(StudyFileError, match=message) as caught:
        candidates(TEXT.replace(old, new), tmp_path)
    assert "[space]" in str(caught.value)
