"""Commands train on a cluster that ``--cluster`` names."""

import shutil
from pathlib import Path

import pytest
import typer
from distributed import LocalCluster

from surefoot.cli.main import app

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
TRAINING = [
    "select",
    "assess",
    "variance",
    "sample-size",
    "plan",
    "compare",
    "transfer",
    "grid",
    "search",
]


@pytest.fixture
def address():
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0"
    ) as cluster:
        yield cluster.scheduler_address


@pytest.mark.parametrize("name", TRAINING)
def test_every_command_that_trains_has_the_option(name):
    command = typer.main.get_command(app).commands[name]
    context = command.make_context(name, [], resilient_parsing=True)
    options = {option for one in command.get_params(context) for option in one.opts}
    assert {"--cluster", "--workers"} <= options


def shown(out: str, first: str) -> list[str]:
    """Return what a study prints but for times and paths."""
    return out.partition(first)[2].partition("Journal")[0].splitlines()


@pytest.mark.parametrize(
    ("command", "first"),
    [
        (["assess", "small.toml", "-c", "scaled_sum", "-i", 5], "Losses"),
        pytest.param(["select", "small.toml"], "Winner", marks=pytest.mark.slow),
    ],
)
def test_a_study_ends_as_it_does_here(folder, run, address, command, first):
    code, here, _ = run(*command, "-j", "here.db")
    assert code == 0
    code, there, err = run(*command, "-j", "there.db", "--cluster", address)
    assert (code, err) == (0, "")
    assert shown(there, first) == shown(here, first) != []


def test_a_dry_run_starts_nothing(folder, run):
    (folder / "batch.toml").write_text(
        "class = 'SLURMCluster'\njobs = 50\n[options]\nmemory = '1GB'"
    )
    for cluster, cores in (("local:40", 40), ("batch.toml", 50)):
        code, out, _ = run(
            "assess", "small.toml", "-c", "scaled_sum", "-n", "--cluster", cluster, "-i", 3
        )
        assert (code, f"{cores} cores" in out) == (0, True), out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--cluster", "somewhere"], "cluster 'somewhere' is not known: give an address"),
        (["--cluster", "local:2", "-w", "3"], "workers = 3 are asked for, but local:2 has"),
    ],
)
def test_what_cannot_be_is_one_sentence(folder, run, options, words):
    code, _, err = run("select", "small.toml", *options)
    assert code == 2
    assert words in err
    assert err.count("\n") == 1


MODELS = """
import numpy as np
import surefoot

@surefoot.candidate
def middle(draw, seed, *, shrink: float = 1.0):
    mean = shrink * draw.target.mean(axis=0)
    return lambda features: np.tile(mean, (len(features), 1))
"""
FUNCTION = """
[space]
family = "function"
function = "my_models.middle"
shrink = [0.9, 1.0]
"""


@pytest.mark.slow
def test_what_is_trusted_is_found_by_workers(folder, run):
    study = (folder / "small.toml").read_text()
    head, _, tail = study.partition("[space]")
    study = head + FUNCTION + "\n[race]" + tail.partition("[race]")[2]
    (folder / "mine").mkdir()
    (folder / "mine/trusted.toml").write_text(study)
    (folder / "mine/my_models.py").write_text(MODELS)
    shutil.copy(folder / "showers.npz", folder / "mine")
    options = ["--trust", "my_models", "-j", "mine.db", "--cluster", "local:2"]
    code, out, err = run("select", Path("mine/trusted.toml"), *options)
    assert (code, err) == (0, "")
    assert "my_models.middle" in out or "middle" in out
