"""A study in MLflow: one run with one per candidate in it, never one per instance."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

import surefoot
from surefoot.errors import ExportError, MissingExtraError
from surefoot.journal import Journal, Role
from tests.exports.journals import HOSTILE, race
from tests.studies.races import CANDIDATES

pytestmark = pytest.mark.filterwarnings("ignore")
FEW = {"candidates": CANDIDATES[:5], "baseline": None, "screen": None}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of MLflow's, whose tables take seconds to make."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        yield f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/m.db"


def runs(uri: str, experiment: str = "surefoot") -> list[mlflow.entities.Run]:
    client = mlflow.MlflowClient(tracking_uri=uri)
    known = client.get_experiment_by_name(experiment)
    return [] if known is None else list(client.search_runs([known.experiment_id], max_results=999))


@pytest.mark.parametrize("kind", ["sqlite", "file"])
def test_a_study_is_one_run_with_one_per_candidate_in_it(
    tmp_path: Path, store: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", kind)
    uri = store if kind == "sqlite" else f"file:{tmp_path}/runs"
    selection = race(tmp_path / "r.db", **FEW)
    told: list[tuple[int, int]] = []
    for _ in range(2):
        done = surefoot.export(
            tmp_path / "r.db", f"mlflow:{uri}", advance=lambda *numbers: told.append(numbers)
        )
        assert str(done) == f"mlflow:{uri}: 5 candidates"
    assert told == [(n, 5) for n in range(1, 6)] * 2
    found = runs(uri, kind)
    (parent,) = (run for run in found if "mlflow.parentRunId" not in run.data.tags)
    children = {run.data.tags["surefoot.candidate"]: run for run in found if run is not parent}
    assert children.keys() == {one.key for one in CANDIDATES[:5]}
    assert {run.data.tags["mlflow.parentRunId"] for run in children.values()} == {
        parent.info.run_id
    }
    assert {run.info.status for run in found} == {"FINISHED"}
    assert (parent.info.run_name, parent.data.params["loss"]) == ("A race", "rmse")
    bound = selection.certificate.bound.value
    winner = children[selection.winner.key]
    assert parent.data.metrics["bound"] == winner.data.metrics["bound"] == pytest.approx(bound)
    assert winner.data.metrics["criterion"] == pytest.approx(selection.value)
    assert {"q1", "median", "q3", "mean", "instances", "rank"} <= winner.data.metrics.keys()
    assert winner.data.params["quality"] == str(CANDIDATES[0].quality)
    assert "With 90 % confidence" in parent.data.tags["mlflow.note.content"]
    client = mlflow.MlflowClient(tracking_uri=uri)
    with Journal.read(tmp_path / "r.db") as journal:
        for role, name in ((Role.RACE, "loss"), (Role.CERTIFY, "fresh_loss")):
            history = client.get_metric_history(winner.info.run_id, name)
            recorded = journal.outcomes(role, selection.winner.key)
            assert {one.step: one.value for one in history} == {
                o.instance: o.loss for o in recorded
            }


def test_names_of_others_are_harmless(
    tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "hostile")
    race(tmp_path / "r.db", name=HOSTILE, **FEW)
    surefoot.export(tmp_path / "r.db", f"mlflow:{store}")
    assert not any("\x1b" in run.info.run_name for run in runs(store, "hostile"))


def test_what_was_begun_is_deleted_when_it_cannot_be_finished(
    tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "broken")
    race(tmp_path / "r.db", **FEW)
    surefoot.export(tmp_path / "r.db", f"mlflow:{store}")
    before = {run.info.run_id for run in runs(store, "broken")}

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise OSError("no space left")

    with pytest.raises(ExportError, match=r"MLflow cannot write to 'sqlite:.*': no space left"):
        surefoot.export(tmp_path / "r.db", f"mlflow:{store}", advance=stop)
    assert {run.info.run_id for run in runs(store, "broken")} == before


def test_what_cannot_be_had_is_one_sentence(
    tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    race(tmp_path / "r.db", **FEW)
    with pytest.raises(ExportError, match="MLflow cannot write to 'nonsense://x'") as caught:
        surefoot.export(tmp_path / "r.db", "mlflow:nonsense://x")
    assert "\n" not in str(caught.value)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "false")
    with pytest.raises(ExportError, match="or set MLFLOW_ALLOW_FILE_STORE=true"):
        surefoot.export(tmp_path / "r.db", f"mlflow:file:{tmp_path}/runs")
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'surefoot\[mlflow\]'"):
        surefoot.export(tmp_path / "r.db", f"mlflow:{store}")
