"""Every outcome as a row: what is in it, in every kind of file, and that its columns are known."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from surefoot.exports.tables import COLUMNS, HEADS, outcome_rows, write_outcomes
from surefoot.instances import Status
from surefoot.journal import Journal
from tests.exports.journals import race
from tests.journal.recorded import FAKE, STUDY
from tests.journal.recorded import outcome as fake_outcome

NAMES = [column.name for column in COLUMNS]
FIELDS = ["fate", "noise", "quality", "seconds", "side", "when"]


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    path = tmp_path_factory.mktemp("export") / "r.db"
    race(path)
    return Journal.read(path)


def test_rows_hold_every_outcome_and_the_hyperparameters(journal: Journal) -> None:
    rows = outcome_rows(journal)
    assert len(rows) == journal.count()
    assert sum(row["loss"] == np.inf for row in rows) == 1
    assert {row["role"] for row in rows} == {"race", "certify"}
    assert list(rows[0]) == [*NAMES, *(f"hyperparameter.{name}" for name in FIELDS)]
    assert {row["loss_name"] for row in rows} == {"rmse"}
    known = journal.candidates()
    for row in rows:
        assert row["hyperparameter.quality"] == known[row["candidate"]].spec["quality"]


def test_csv_gives_back_the_losses_bit_for_bit(journal: Journal, tmp_path: Path) -> None:
    file = tmp_path / "o.csv"
    assert write_outcomes(journal, file) == journal.count()
    with file.open(newline="") as stream:
        losses = [float(row["loss"]) for row in csv.DictReader(stream)]
    assert losses == [outcome.loss for outcome in journal.outcomes()]
    frame = pd.read_csv(file)
    assert list(frame.columns)[: len(NAMES) - 2] == NAMES[:-2]
    assert frame["hyperparameter.quality"].dtype == np.float64
    assert file.read_bytes().startswith(HEADS[0])


def test_json_has_null_for_what_is_not_finite(journal: Journal, tmp_path: Path) -> None:
    file = tmp_path / "o.json"
    write_outcomes(journal, file)
    rows = json.loads(file.read_text(), parse_constant=lambda word: pytest.fail(word))
    for row, outcome in zip(rows, journal.outcomes(), strict=True):
        finished = outcome.status is Status.FINISHED
        assert row["loss"] == (outcome.loss if finished else None)
        assert len(row["curve"]) == outcome.epochs


def test_parquet_holds_losses_curves_and_units(journal: Journal, tmp_path: Path) -> None:
    file = tmp_path / "o.parquet"
    write_outcomes(journal, file)
    table = parquet.read_table(file)
    assert table["loss"].to_pylist() == [outcome.loss for outcome in journal.outcomes()]
    first = np.array(table["curve"][0].as_py(), np.float32)
    assert np.array_equal(first, journal.outcomes()[0].curve)
    assert table.schema.names == [*NAMES, *(f"hyperparameter.{name}" for name in FIELDS)]
    for column in COLUMNS:
        about = table.schema.field(column.name).metadata
        assert (about[b"unit"].decode(), about[b"about"].decode()) == (column.unit, column.words)
    assert table.schema.field("hyperparameter.quality").type == "double"


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet"])
def test_a_journal_without_outcomes_is_an_empty_table(tmp_path: Path, suffix: str) -> None:
    with Journal.open(tmp_path / "p.db", STUDY, [FAKE]) as journal:
        assert write_outcomes(journal, tmp_path / f"o.{suffix}") == 0
    if suffix == "json":
        assert json.loads((tmp_path / "o.json").read_text()) == []
    else:
        read = pd.read_csv if suffix == "csv" else pd.read_parquet
        frame = read(tmp_path / f"o.{suffix}")
        assert len(frame) == 0
        assert "loss" in frame


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
