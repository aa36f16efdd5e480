"""``surefoot photons show``, and what cannot be a photon sample."""

from dataclasses import replace

import numpy as np
import pytest

from surefoot.calorimeter.physics import take
from surefoot.calorimeter.root_io import read_photons, write_photons

STUDY = """
[study]
seed = 5
[population]
source = "photons:few.npz"
target = "{target}"
[sampling]
size = 300
[loss]
name = "{loss}"
[stopping]
max_epochs = 3
reading = "none"
[space]
channels = [2]
pool = "average5"
hidden = [4]
side = [true, false]
learning_rate = 1e-2
[race]
schedule = "halving"
[certificate]
n = 2
"""


@pytest.fixture(scope="module")
def few():
    return take(read_photons("B"), np.arange(3_000))


@pytest.fixture
def sample(folder, few):
    write_photons(folder / "few.npz", [few])
    return few


@pytest.mark.parametrize(
    ("target", "names", "words"),
    [
        ("energy", ("event", "spectrum", "energy-resolution", "energy-bias"), "relative RMSE 0.0"),
        ("x", ("event", "spectrum", "x-impact", "x-energy", "x-angle"), " mm"),
    ],
)
def test_the_figures_of_a_sample(run, sample, folder, target, names, words):
    code, out, err = run("photons", "show", "few.npz", "-t", target)
    assert (code, err) == (0, "")
    assert "3,000 images of 3,000 showers" in out
    assert words in out
    for name in names:
        assert (folder / f"photons-few-{name}.png").read_bytes().startswith(b"\x89PNG")
    assert len(list(folder.glob("photons-*"))) == len(names)


def test_a_winner_is_shown_beside_the_baseline(run, sample, folder):
    (folder / "s.toml").write_text(STUDY.format(target="energy", loss="relative_rmse"))
    assert run("select", "s.toml")[0] == 0
    code, out, err = run("photons", "show", "few.npz", "-s", "s.toml", "-r", 2, "-f", "svg")
    assert (code, err) == (0, "")
    assert "2c3" in out
    assert "median of 2 retrainings" in out
    assert (folder / "photons-few-energy-bias.svg").read_text().startswith("<?xml")
    code, _, err = run("photons", "show", "few.npz", "-s", "s.toml", "-t", "x")
    assert code == 2
    assert "its target (energy) differ from those shown (x)" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nosuch.root",), "the file nosuch.root does not exist"),
        (("C",), "there is no photon sample 'C'"),
        (("few.npz", "-t", "z"), "--target 'z' does not exist: known are: energy, x, y"),
        (("few.npz", "-e", 9000), "there is no photon 9000: the sample holds 0 to 2999"),
        (("few.npz", "-f", "gif"), "--format 'gif' does not exist"),
        (("few.npz", "-o", "no"), "there is no folder 'no' for the figures"),
        (("few.npz", "-s", "none.toml"), "there is no study file 'none.toml'"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(run, sample, arguments, message):
    code, _, err = run("photons", "show", *arguments)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


def negative(s):
    s.deposits[7, 3] = -0.5


def not_a_number(s):
    s.deposits[7, 3] = np.nan


def no_energy(s):
    s.energy[5] = 0.0


def outside(s):
    s.theta[11] = 0.9


def lost_angle(s):
    s.theta[11] = np.nan


def transposed(s):
    s.deposits[:] = s.deposits.reshape(-1, 15, 15).transpose(0, 2, 1).reshape(-1, 225)


def mirrored(s):
    s.deposits[:] = s.deposits.reshape(-1, 15, 15)[:, :, ::-1].reshape(-1, 225)


def shuffled(s):
    s.deposits[:] = s.deposits[:, np.random.default_rng(0).permutation(225)]


@pytest.mark.parametrize("ending", ["root", "npz"])
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (negative, ("-0.5", "deposits")),
        (not_a_number, ("nan", "deposits")),
        (no_energy, ("energy", "0", "positive")),
        (outside, ("theta", "0.9 rad in row 11", "window of 15 × 15 cells", "0 to 0.63 rad")),
        (lost_angle, ("theta", "nan in row 11")),
        (transposed, ("transposed: x runs along columns", "row-major")),
        (mirrored, ("mirrored", "row-major")),
        (shuffled, ("the cells of", "row-major")),
    ],
)
@pytest.mark.parametrize("command", ["select", "show"])
def test_impossible_photons_are_one_sentence(run, folder, few, damage, words, ending, command):
    bad = replace(few, **{name: getattr(few, name).copy() for name in few.__dict__})
    damage(bad)
    write_photons(folder / f"bad.{ending}", [bad])
    text = STUDY.format(target="energy", loss="relative_rmse").replace("few.npz", f"bad.{ending}")
    (folder / "s.toml").write_text(text)
    arguments = (
        ("select", "s.toml") if command == "select" else ("photons", "show", f"bad.{ending}")
    )
    code, _, err = run(*arguments)
    assert code == 2
    assert err.count("\n") == 1
    assert f"bad.{ending}" in err
    for word in words:
        assert word in err.lower() if word == "nan" else word in err
    assert not list(folder.glob("*.db"))
