from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from pyarrow import parquet

from surefoot.candidates.convnet.network import Conv, ConvNet
from surefoot.data.population import Population, Sampling
from surefoot.engines.torch.eager import TorchEager, module_of
from surefoot.errors import SurefootError
from surefoot.exports.export import (
    export,
    outcome_rows,
    weights_of,
    write_outcomes,
    write_program,
    write_weights,
)
from surefoot.instances import Instance, Setting, Status, Training
from surefoot.journal import Journal
from surefoot.learning.losses import Loss
from surefoot.learning.stopping import Stopping
from surefoot.seeds.ledger import InstanceSeed, Role
from tests.fakes import Fake
from tests.journal.recorded import FAKE, STUDY
from tests.journal.recorded import outcome as fake_outcome
from tests.studies.races import CANDIDATES, run, study


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    path = tmp_path_factory.mktemp("export") / "r.db"
    asked = study(candidates=(*CANDIDATES, Fake(quality=0.1, fate="diverge", when=(0,))))
    run(asked, path)
    return Journal.read(path)


def test_rows_hold_every_outcome(journal: Journal) -> None:
    rows = outcome_rows(journal)
    assert len(rows) == journal.count()
    assert sum(row["loss"] == np.inf for row in rows) == 1
    assert {row["role"] for row in rows} == {"race", "certify"}


def test_csv_gives_back_the_losses_bit_for_bit(journal: Journal, tmp_path: Path) -> None:
    file = tmp_path / "o.csv"
    assert write_outcomes(journal, file) == journal.count()
    with file.open(newline="") as stream:
        losses = [float(row["loss"]) for row in csv.DictReader(stream)]
    assert losses == [outcome.loss for outcome in journal.outcomes()]


def test_json_has_null_for_what_is_not_finite(journal: Journal, tmp_path: Path) -> None:
    file = tmp_path / "o.json"
    write_outcomes(journal, file)
    rows = json.loads(file.read_text(), parse_constant=lambda word: pytest.fail(word))
    for row, outcome in zip(rows, journal.outcomes(), strict=True):
        finished = outcome.status is Status.FINISHED
        assert row["loss"] == (outcome.loss if finished else None)
        assert len(row["curve"]) == outcome.epochs


def test_parquet_holds_losses_and_curves(journal: Journal, tmp_path: Path) -> None:
    file = tmp_path / "o.parquet"
    write_outcomes(journal, file)
    table = parquet.read_table(file)
    assert table["loss"].to_pylist() == [outcome.loss for outcome in journal.outcomes()]
    first = np.array(table["curve"][0].as_py(), np.float32)
    assert np.array_equal(first, journal.outcomes()[0].curve)


def test_losses_before_averaging_are_columns_of_their_own(tmp_path: Path) -> None:
    last, whole = np.array([0.5], np.float32), np.array([1.0, 2.0, np.inf], np.float32)
    made = [fake_outcome(0), fake_outcome(1, plain=last), fake_outcome(2, plain=whole)]
    with Journal.open(tmp_path / "p.db", STUDY, [FAKE]) as journal:
        journal.add(*made)
        for name in ("o.csv", "o.json", "o.parquet"):
            write_outcomes(journal, tmp_path / name)
    rows = json.loads((tmp_path / "o.json").read_text())
    assert [row["plain_loss"] for row in rows] == [None, 0.5, None]
    assert [row["plain_curve"] for row in rows] == [None, None, [1.0, 2.0, None]]
    with (tmp_path / "o.csv").open(newline="") as stream:
        assert [row["plain_loss"] for row in csv.DictReader(stream)] == ["", "0.5", "inf"]
    table = parquet.read_table(tmp_path / "o.parquet")
    assert table["plain_curve"].to_pylist() == [None, None, [1.0, 2.0, float("inf")]]


def test_bad_targets_are_named_and_leave_nothing_behind(journal: Journal, tmp_path: Path) -> None:
    assert journal.place.file is not None
    with pytest.raises(SurefootError, match=r"'.cvs': use one of .csv, .json, .parquet, .npz"):
        export(journal.place, tmp_path / "o.cvs")
    with pytest.raises(SurefootError, match="cannot be written: make the folder"):
        export(journal.place, tmp_path / "nowhere" / "o.csv")
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(SurefootError, match="cannot be written: Is a directory"):
        export(journal.place, tmp_path / "d.csv")
    assert [file.name for file in tmp_path.iterdir()] == ["d.csv"]


NET = ConvNet((Conv(2),), (3,), input_shape=(1, 4, 4), batch_size=8, batch_norm=True)


@pytest.fixture(scope="module")
def trained() -> tuple[Setting, Training]:
    generator = np.random.default_rng(1)
    population = Population(generator.normal(size=(40, 16)), generator.normal(size=40))
    stopping = Stopping(max_epochs=2, min_epochs=1, reading="none")
    setting = Setting(population.split(0), Sampling(16), Loss("rmse"), stopping)
    instance = Instance(NET, InstanceSeed(0, Role.CERTIFY, 0))
    return setting, TorchEager().train(instance, setting, np.zeros(1, np.uint8))


def test_the_torch_module_predicts_what_was_trained(trained: tuple[Setting, Training]) -> None:
    setting, training = trained
    assert training.predictor is not None
    module = module_of(NET, weights_of(training))
    halves = setting.halves
    features = halves.population.features[halves.test]
    with torch.no_grad():
        predicted = module(torch.from_numpy(features)).numpy()
    np.testing.assert_allclose(predicted, training.predictor.predict(features, None), rtol=1e-6)
    loss = setting.loss.value(predicted, halves.population.target[halves.test])
    assert loss == pytest.approx(training.outcome.loss, rel=1e-5)


def test_weights_are_saved_as_plain_arrays(
    trained: tuple[Setting, Training], tmp_path: Path
) -> None:
    _, training = trained
    assert training.predictor is not None
    write_weights(NET, training, tmp_path / "w.npz")
    with np.load(tmp_path / "w.npz", allow_pickle=False) as saved:
        assert set(saved) == set(training.predictor.weights)
        for name, values in training.predictor.weights.items():
            assert np.array_equal(saved[name], values)
    assert sum(values.size for name, values in training.predictor.weights.items()) >= (
        NET.number_of_parameters
    )


def test_what_has_no_weights_says_so(trained: tuple[Setting, Training], tmp_path: Path) -> None:
    _, training = trained
    nothing = Training(training.outcome, None)
    with pytest.raises(SurefootError, match="left no weights"):
        write_weights(NET, nothing, tmp_path / "w.npz")
    with pytest.raises(SurefootError, match=r"cannot be written as \.pt2"):
        write_program(Fake(), training, tmp_path / "w.pt2")
