import os
import resource
import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from surefoot.cli.main import main
from surefoot.engines import devices
from tests.browser import chromium, tab
from tests.needs import NEEDS, Need
from tests.postgres import running

# How long an example takes is no matter of any test: machines are slow and busy. Fixtures that
# examples share are meant so.
settings.register_profile(
    "patient",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("patient")

LEFT_OUT = pytest.StashKey[dict[Need, int]]()

STUDY = """
[study]
name = "A small study"
seed = 5

[population]
source = "showers.npz"
features = "cells"
target = "energy"
target_unit = "GeV"

[sampling]
size = 60

[loss]
name = "relative_rmse"

[space]
family = "scaled_sum"
window = ["full", "3x3", "5x5"]
linear = [false, true]

[race]
schedule = "halving"
screen = 0.5

[baseline]
family = "scaled_sum"

[certificate]
n = 7
"""

NETWORKS = """
[study]
seed = 5

[population]
source = "showers.npz"
features = "cells"
target = "energy"
side = "total"

[sampling]
size = 64

[loss]
name = "relative_rmse"

[stopping]
max_epochs = 3

[space]
channels = [2]
hidden = [3]
side = [true, false]
learning_rate = [1e-3, 1e-2]

[race]
schedule = "halving"

[certificate]
n = 3
"""


@pytest.fixture(autouse=True)
def _on_the_cpu(request, monkeypatch):
    """Where there is a GPU, only tests that are marked for it train there."""
    if "gpu" not in request.keywords:
        monkeypatch.setattr(devices, "DRIVERS", ())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder with showers of 5 x 5 cells and two study files."""
    rng = np.random.default_rng(3)
    energy = rng.uniform(1.0, 100.0, 200)
    shape = rng.dirichlet(np.full(25, 0.7), 200)
    cells = shape * (energy * rng.normal(0.25, 0.01, 200))[:, None]
    np.savez(tmp_path / "showers.npz", cells=cells, energy=energy, total=cells.sum(axis=1))
    (tmp_path / "small.toml").write_text(STUDY)
    (tmp_path / "networks.toml").write_text(NETWORKS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(os.environ, "COLUMNS", "120")
    return tmp_path


@pytest.fixture
def run(capsys):
    """Run a command line in this process; return exit code, stdout and stderr."""

    def running(*arguments):
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return caught.value.code or 0, printed.out, printed.err

    return running


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium, one for the whole session."""
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser):
    """An empty page of a browser whose network is off; an error in its console fails the test."""
    with tab(browser, offline=True) as opened:
        yield opened


@pytest.fixture(scope="session")
def threads():
    """The client of a Dask cluster of two workers in this process."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0"
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server, one for the whole session."""
    with running() as started:
        yield started


def pytest_collection_modifyitems(config, items):
    """Leave the tests out that need what is not there, unless somebody insists on all."""
    left_out = config.stash[LEFT_OUT] = {}
    for need in filter(Need.left_out, NEEDS):
        needy = {one for one in items if need.fixture in getattr(one, "fixturenames", ())}
        config.hook.pytest_deselected(items=list(needy))
        left_out[need] = len(needy)
        items[:] = [one for one in items if one not in needy]


def pytest_terminal_summary(terminalreporter, config):
    """Say in one line each what was left out, and how to get it."""
    for need, count in config.stash.get(LEFT_OUT, {}).items():
        if count:
            terminalreporter.write_line(f"{count} {need.tests} were left out; {need.missing}")


@pytest.fixture
def full_disk(monkeypatch):
    """Return a function from which on no file that is begun grows beyond 16 bytes.

    So it is on a disk that is full then.
    """
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)

    def begin(make):
        def making(path, *arguments, **options):
            make(path, *arguments, **options)
            resource.setrlimit(resource.RLIMIT_FSIZE, (16, before[1]))

        return making

    def fill():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        monkeypatch.setattr(Path, "touch", begin(Path.touch))
        monkeypatch.setattr(Path, "mkdir", begin(Path.mkdir))

    yield fill
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)
