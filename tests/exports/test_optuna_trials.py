"""A study in Optuna's storage: one trial per candidate, and the best of them is the winner."""

from __future__ import annotations

import sys
from pathlib import Path

import optuna
import pytest

import surefoot
from surefoot.errors import ExportError, MissingExtraError
from tests.exports.journals import DIVERGING, HOSTILE, race
from tests.fakes import Fake
from tests.studies.races import CANDIDATES

pytestmark = pytest.mark.filterwarnings("ignore")
FEW = {"candidates": (*CANDIDATES[:6], DIVERGING), "baseline": None, "screen": None}


def load(url: str, name: str = "A race") -> optuna.Study:
    if "://" not in url:
        backend = optuna.storages.journal.JournalFileBackend(url)
        return optuna.load_study(study_name=name, storage=optuna.storages.JournalStorage(backend))
    return optuna.load_study(study_name=name, storage=url)


@pytest.mark.parametrize("kind", ["sqlite:///{}/o.db", "{}/o.log"])
def test_a_study_has_one_trial_per_candidate_and_its_winner_is_the_best(
    tmp_path: Path, kind: str
) -> None:
    url = kind.format(tmp_path)
    selection = race(tmp_path / "r.db", **FEW)
    for _ in range(2):
        assert str(surefoot.export(tmp_path / "r.db", f"optuna:{url}")) == f"optuna:{url}: 7 trials"
    study = load(url)
    assert (study.direction.name, study.metric_names) == ("MINIMIZE", ["mean of rmse"])
    trials = {trial.user_attrs["candidate"]: trial for trial in study.trials}
    assert trials.keys() == {one.key for one in FEW["candidates"]}
    for row in selection.ranking():
        trial = trials[row["key"]]
        assert len(trial.user_attrs["losses"]) == row["instances"]
        if row["key"] == DIVERGING.key:
            assert trial.state.name == "FAIL"
            assert trial.user_attrs["losses"][0] is None
        else:
            assert trial.value == pytest.approx(row["value"])
            assert trial.intermediate_values[row["instances"]] == pytest.approx(row["value"])
            assert trial.params["quality"] == pytest.approx(1.0 + 0.05 * (row_of(row["key"])))
        assert trial.system_attrs["constraints"] == [float(row["round"] is not None)]
    best = study.best_trial
    assert best.user_attrs["candidate"] == selection.winner.key == study.user_attrs["winner"]
    assert best.user_attrs["bound"] == pytest.approx(selection.certificate.bound.value)
    assert {"q1", "median", "q3"} <= best.user_attrs.keys()
    assert study.user_attrs["constant_hyperparameters"]["side"] == 0


def row_of(key: str) -> int:
    return [one.key for one in CANDIDATES].index(key)


def test_distributions_are_inferred_from_the_values(tmp_path: Path) -> None:
    made = (
        Fake(quality=1.0, noise=0.01, side=1),
        Fake(quality=2.0, noise=0.5, side=4),
        Fake(quality=3.0, noise=0.5, side=20, fate="unknown"),
    )
    race(tmp_path / "r.db", candidates=made, baseline=None, screen=None)
    surefoot.export(tmp_path / "r.db", f"optuna:sqlite:///{tmp_path}/o.db")
    (spaces,) = {
        str(t.distributions): t for t in load(f"sqlite:///{tmp_path}/o.db").trials
    }.values()
    kinds = optuna.distributions
    assert spaces.distributions == {
        "quality": kinds.FloatDistribution(1.0, 3.0),
        "noise": kinds.FloatDistribution(0.01, 0.5, log=True),
        "side": kinds.IntDistribution(1, 20, log=True),
        "fate": kinds.CategoricalDistribution(["", "unknown"]),
    }


def test_a_study_from_elsewhere_is_kept_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/o.db"
    optuna.create_study(storage=url, study_name="A race")
    race(tmp_path / "r.db", **FEW)
    with pytest.raises(ExportError, match="holds a study 'A race' that is not of this journal"):
        surefoot.export(tmp_path / "r.db", f"optuna:{url}")
    assert load(url).trials == []
    surefoot.export(tmp_path / "r.db", f"optuna:{url}", overwrite=True)
    assert len(load(url).trials) == 7


def test_what_was_begun_is_deleted_when_it_cannot_be_finished(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/o.db"
    race(tmp_path / "r.db", name=HOSTILE, **FEW)

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise OSError("no space left")

    with pytest.raises(ExportError, match=r"Optuna cannot write to 'sqlite:.*': no space left"):
        surefoot.export(tmp_path / "r.db", f"optuna:{url}", advance=stop)
    assert optuna.get_all_study_names(url) == []
    surefoot.export(tmp_path / "r.db", f"optuna:{url}")
    (name,) = optuna.get_all_study_names(url)
    assert "\x1b" not in name


def test_what_cannot_be_had_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    race(tmp_path / "r.db", **FEW)
    for address in ("nowhere", "nonsense://x"):
        with pytest.raises(ExportError, match=f"Optuna cannot write to '{address}'") as caught:
            surefoot.export(tmp_path / "r.db", f"optuna:{address}")
        assert "\n" not in str(caught.value)
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'surefoot\[optuna\]'"):
        surefoot.export(tmp_path / "r.db", f"optuna:sqlite:///{tmp_path}/o.db")
