import csv
import json

import numpy as np
import pytest
import torch
from pyarrow import parquet

from surefoot.journal import Journal
from surefoot.seeds.ledger import Role
from surefoot.studies.description import rebuild_candidate


@pytest.fixture
def raced(run, folder):
    """A folder with the journal of the small study."""
    assert run("select", "small.toml")[0] == 0
    return folder


def test_show_has_rounds_ranking_and_certificate(run, raced):
    code, out, _ = run("show", "small.db")
    assert code == 0
    assert "6 candidates, mean of relative_rmse, " in out
    assert "best mean" in out
    assert "\nrank" in out
    assert "With 95 % confidence" in out


def test_show_says_why_each_left(run, raced):
    _, out, _ = run("show", "small.db", "--eliminated")
    reasons = [line for line in out.splitlines() if "ranks" in line or "exceeds" in line]
    assert len(reasons) == 5
    assert all(line.startswith("round ") for line in reasons)


def test_show_lists_the_instances_of_a_candidate(run, raced):
    _, out, _ = run("show", "small.db", "--candidate", "winner")
    with Journal.read("small.db") as journal:
        fresh = journal.outcomes(Role.CERTIFY)
    assert sum(line.startswith("certify ") for line in out.splitlines()) == len(fresh) == 7
    assert f"{fresh[0].loss:.6g}" in out


def test_replay_gives_the_recorded_loss(run, raced):
    for role, number in (("race", 0), ("certify", 6)):
        for study in ((), ("-s", "small.toml")):
            code, out, _ = run("replay", "small.db", "winner", number, "-r", role, *study)
            assert code == 0
            assert "the same: status, loss and curve agree to the last bit" in out


def test_replay_refuses_other_data_and_unknown_instances(run, raced):
    code, _, err = run("replay", "small.db", "winner", 99, "-s", "small.toml")
    assert code == 2
    assert "instance 99" in err
    assert run("replay", "small.db", "zzzz", 0)[0] == 2
    assert "did you mean 'race'" in run("replay", "small.db", "winner", 0, "-r", "rce")[2]
    text = (raced / "small.toml").read_text()
    (raced / "small.toml").write_text(text.replace("size = 60", "size = 61"))
    code, _, err = run("replay", "small.db", "winner", 0, "-s", "small.toml")
    assert code == 2
    assert "60 -> 61" in err


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


@pytest.mark.parametrize("what", ["race", "rounds", "curves", "certificate"])
def test_every_figure_can_be_drawn(run, raced, what):
    code, out, _ = run("plot", "small.db", f"{what}.svg", "--what", what)
    assert (code, out) == (0, f"{what}.svg\n")
    assert (raced / f"{what}.svg").read_bytes().startswith(b"<?xml")


def test_figures_that_cannot_be_are_refused(run, raced):
    assert "did you mean 'rounds'" in run("plot", "small.db", "a.png", "--what", "round")[2]
    assert "has the suffix" in run("plot", "small.db", "a.bmp")[2]


def test_a_race_under_way_can_be_shown_and_drawn(run, raced):
    """A journal with the screen's outcomes alone is that of a race killed after its screen."""
    with Journal.read("small.db") as journal:
        screened = [o for o in journal.outcomes(Role.RACE) if o.instance == 0]
        study, known = journal.study, journal.candidates()
    candidates = [rebuild_candidate(one) for one in known.values()]
    with Journal.open("part.db", study, candidates) as part:
        part.add(*screened)
    code, out, _ = run("show", "part.db")
    assert code == 0
    assert "round 2 goes on" in out
    assert run("plot", "part.db", "part.png")[0] == 0
    code, _, err = run("replay", "part.db", "winner", 0)
    assert code == 2
    assert "no winner yet" in err
