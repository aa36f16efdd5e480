"""``surefoot transfer`` on small showers and others like them."""

import re

import numpy as np
import pytest


@pytest.fixture
def elsewhere(folder):
    rng = np.random.default_rng(8)
    energy = rng.uniform(1.0, 100.0, 160)
    cells = rng.dirichlet(np.full(25, 0.7), 160) * (energy * rng.normal(0.25, 0.03, 160))[:, None]
    np.savez(folder / "others.npz", cells=cells, energy=energy, total=cells.sum(axis=1))
    return folder


def test_a_winner_is_retrained_on_other_data(run, elsewhere):
    assert run("select", "small.toml")[0] == 0
    code, out, err = run("transfer", "small.toml", "others.npz", "--best", 2, "-i", 6)
    assert (code, err) == (0, "")
    assert "Transfer: the best 2 of showers.npz, 6 instances of 60 examples on others.npz" in out
    assert "instances: 12 to go" in out
    assert re.search(r"candidate +median on showers.npz +on others.npz +quartiles +bound", out)
    assert "On others.npz the median loss of scaled sum" in " ".join(out.split())
    assert re.search(r"Journal +small-transfer-others\.db\n", out)
    assert (elsewhere / "small-transfer-others.png").read_bytes().startswith(b"\x89PNG")
    _, again, _ = run("transfer", "small.toml", "--source", "others.npz", "--best", 2, "-i", 6)
    assert "to go" not in again
    code, out, _ = run("transfer", "small.toml", "others.npz", "-b", 3, "--dry-run", "-j", "n.db")
    assert code == 0
    assert "21 trainings" in out
    code, _, err = run("transfer", "small.toml", "others.npz")
    assert code == 2
    assert "the winner, scaled sum, is the baseline itself" in err


def test_what_cannot_be_transferred_is_one_sentence(run, elsewhere):
    code, _, err = run("transfer", "small.toml", "others.npz")
    assert code == 2
    assert "there is no journal" in err
    assert run("select", "small.toml")[0] == 0
    code, _, err = run("transfer", "small.toml", "showers.npz")
    assert code == 2
    assert "showers.npz is the population of the race itself" in err
    for sources in ((), ("others.npz", "--source", "others.npz")):
        code, _, err = run("transfer", "small.toml", *sources)
        assert code == 2
        assert "takes the other data once" in err
    code, _, err = run("transfer", "small.toml", "others.npz", "--best", 9)
    assert code == 2
    assert "the race has 6" in err
    code, _, err = run("transfer", "small.toml", "nowhere.npz")
    assert code == 2
    assert "nowhere.npz" in err
