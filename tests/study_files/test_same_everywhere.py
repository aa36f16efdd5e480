"""A study file, `select`, `SelectStudy` and `RobustSelector` ask the same unless told otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge

import surefoot
from surefoot.errors import JournalMismatchError
from surefoot.journal import Journal
from surefoot.journal.descriptions import mismatches
from surefoot.racing.schedules.rounds import Halving
from surefoot.studies.options import make_setting
from surefoot.studies.select.study import SelectStudy

FILE = """
[study]
seed = {seed}

[population]
source = "data.npz"
features = "x"
target = "y"

[loss]
name = "rmse"

[space]
family = "estimator"
class = "sklearn.linear_model.Ridge"
parameters = {{ alpha = [0.1, 2.0, 10.0] }}
"""
ALPHAS = (0.1, 2.0, 10.0)


class AskedError(Exception):
    """Ends a run before it trains."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[SelectStudy]:
    """The selections asked for, none of which is run."""
    seen: list[SelectStudy] = []

    def note(study: SelectStudy, *_: Any, **__: Any) -> None:
        seen.append(study)
        raise AskedError

    monkeypatch.setattr(SelectStudy, "answer", note)
    return seen


def test_all_ways_to_ask_give_equal_descriptions(tmp_path: Path, asked: list[SelectStudy]) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(80, 4)), rng.normal(size=80)
    seed = int(np.random.RandomState(5).randint(2**31 - 1))
    np.savez(tmp_path / "data.npz", x=x, y=y)
    (tmp_path / "study.toml").write_text(FILE.format(seed=seed))
    candidates = [surefoot.EstimatorCandidate.of(Ridge(alpha=alpha)) for alpha in ALPHAS]
    population = surefoot.Population(x, y, name="X", target_name="y")

    from_file = surefoot.read_study(tmp_path / "study.toml")
    setting = make_setting(population, seed=seed)
    made = SelectStudy(candidates=tuple(candidates), setting=setting, seed=seed)
    with pytest.raises(AskedError):
        surefoot.select(candidates, population, seed=seed)
    with pytest.raises(AskedError):
        surefoot.RobustSelector([Ridge(alpha=alpha) for alpha in ALPHAS], random_state=5).fit(x, y)
    descriptions = [one.description.json() for one in (from_file, made, *asked)]
    assert len(descriptions) == 4
    for one in descriptions[1:]:
        assert mismatches(descriptions[0], one) == []


def test_the_race_of_a_file_is_that_of_select(tmp_path: Path) -> None:
    text = FILE.format(seed=1) + "\n[certificate]\nn = 3\n\n[race]\nlimit = 12\n"
    rng = np.random.default_rng(3)
    np.savez(tmp_path / "data.npz", x=rng.normal(size=(60, 2)), y=rng.normal(size=60))
    (tmp_path / "study.toml").write_text(text)
    study = surefoot.read_study(tmp_path / "study.toml")
    selection = study.run(tmp_path / "race.db", workers=1)
    again = surefoot.select(
        study.candidates,
        study.setting.halves.population,
        seed=1,
        certify=3,
        limit=12,
        journal=tmp_path / "race.db",
        workers=1,
    )
    assert str(again) == str(selection)
    with Journal.read(tmp_path / "race.db") as journal:
        assert journal.study == study.description.json()
        assert not journal.extensions()


def test_a_journal_of_other_defaults_is_refused_in_one_sentence(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    population = surefoot.Population(rng.normal(size=(60, 2)), rng.normal(size=60))
    setting = make_setting(population)
    candidates = tuple(surefoot.EstimatorCandidate.of(Ridge(alpha=alpha)) for alpha in ALPHAS)
    former = SelectStudy(candidates=candidates, setting=setting, schedule=Halving())
    former.open(tmp_path / "r.db").close()
    with pytest.raises(JournalMismatchError, match="belongs to another study"):
        SelectStudy(candidates=candidates, setting=setting).open(tmp_path / "r.db")
