"""``surefoot export``: outcomes, weights and modules."""

import csv
import json

import numpy as np
import optuna
import pytest
import torch
from pyarrow import parquet

from surefoot.journal import Journal
from surefoot.seeds.ledger import Role


def test_exported_tables_hold_every_outcome(run, raced):
    with Journal.read("small.db") as journal:
        outcomes = journal.outcomes()
    for name in ("o.csv", "o.json", "o.parquet"):
        code, out, _ = run("export", "small.db", name)
        assert (code, out) == (0, f"{name}: {len(outcomes)} outcomes\n")
    with (raced / "o.csv").open(newline="") as file:
        assert [float(row["loss"]) for row in csv.DictReader(file)] == [o.loss for o in outcomes]
    rows = json.loads((raced / "o.json").read_text())
    assert [row["curve"] for row in rows] == [[float(v) for v in o.curve] for o in outcomes]
    table = parquet.read_table(raced / "o.parquet")
    assert table.column("loss").to_pylist() == [o.loss for o in outcomes]


def test_a_table_for_a_paper_has_as_many_candidates_as_asked_for(run, raced):
    assert run("export", "small.db", "t.tex", "--best", 2)[:2] == (0, "t.tex: 2 candidates\n")
    assert "A small study" in (raced / "t.tex").read_text().splitlines()[0]


def test_a_study_goes_to_optuna_by_its_name(run, raced):
    code, out, _ = run("export", "small.db", "optuna:sqlite:///o.db")
    assert (code, out) == (0, "optuna:sqlite:///o.db: 6 trials\n")
    assert optuna.get_all_study_names("sqlite:///o.db") == ["A small study"]


def test_exports_that_cannot_be_are_refused(run, raced):
    assert "has the suffix '.xls'" in run("export", "small.db", "a.xls")[2]
    assert "without arrays of weights" in run("export", "small.db", "a.npz")[2]
    assert "make the folder" in run("export", "small.db", "no/a.csv")[2]


def test_weights_and_module_are_those_of_the_recorded_training(run, folder):
    assert run("select", "networks.toml")[0] == 0
    code, out, _ = run("export", "networks.db", "w.npz", "-s", "networks.toml", "-i", "1")
    assert code == 0
    assert "instance 1 (certify)" in out
    code, out, _ = run("export", "networks.db", "m.pt2", "-i", "1")
    assert code == 0
    module = torch.export.load(folder / "m.pt2").module()
    with np.load("w.npz") as arrays:
        weights = {name: arrays[name] for name in arrays}
    state = module.state_dict()
    assert weights.keys() <= state.keys()
    for name, values in weights.items():
        np.testing.assert_array_equal(state[name].numpy(), values)
    with np.load("showers.npz") as data:
        cells, total = (torch.tensor(data[n], dtype=torch.float32) for n in ("cells", "total"))
        energy = data["energy"]
    with Journal.read("networks.db") as journal:
        outcome = journal.outcomes(Role.CERTIFY, instance=1)[0]
        takes_side = "+side" in journal.candidates()[outcome.candidate].label
    inputs = (cells, total[:, None]) if takes_side else (cells,)
    predicted = module(*inputs).detach().numpy()[:, 0]
    loss = np.sqrt(np.mean(((predicted - energy) / energy) ** 2))
    assert loss == pytest.approx(outcome.loss, rel=0.2)
