"""docs/clusters.md: links lead somewhere, commands are parsed, code and job do as shown."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import yaml
from distributed import Client, LocalCluster

from surefoot.cli.main import app
from surefoot.executors.dask.clusters import open_cluster

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/clusters.md").read_text(encoding="utf-8").partition("## A shared database")[0]
COMMANDS = re.findall(r"^(?:\$ )?(surefoot .*?)(?:\s+#.*)?$", PAGE, flags=re.MULTILINE)

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def test_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)", PAGE) if "://" not in link]
    assert links
    for link in links:
        assert (ROOT / "docs" / link).exists(), link


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_are_spelt_as_they_are_parsed(line: str) -> None:
    _, name, *words = shlex.split(line)
    command = typer.main.get_command(app).commands[name]
    context = command.make_context(name, list(words), resilient_parsing=True)
    known = {option for parameter in command.get_params(context) for option in parameter.opts}
    assert "--cluster" in words
    assert {word for word in words if word.startswith("-")} <= known


@pytest.fixture
def address() -> Iterator[str]:
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0"
    ) as cluster:
        yield cluster.scheduler_address


def test_the_code_trains(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names: dict[str, Client] = {}
    exec(code.replace('Client("tcp://127.0.0.1:8786")', f'Client("{address}")'), names)
    names["client"].close()
    assert capsys.readouterr().out == "8\n"


def test_a_job_is_as_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dask_jobqueue.core.JobQueueCluster.scale", lambda self, jobs: None)
    (shown,) = re.findall(r"```bash\n(#!.*?)```", PAGE, flags=re.DOTALL)
    cluster = open_cluster(ROOT / "examples/clusters/slurm.toml")
    script = cluster.owner.job_script()
    cluster.close()
    script = re.sub(r"\S*/python", "/home/ann/venv/bin/python", script)
    script = re.sub(r"tcp://[\d.:]+", "tcp://10.1.0.1:38371", script)
    assert script.split() == shown.replace("\\\n", " ").split()


def test_the_cluster_of_kubernetes_is_one() -> None:
    made = yaml.safe_load((ROOT / "examples/clusters/kubernetes.yaml").read_text())
    assert made["kind"] == "DaskCluster"
    (worker,) = made["spec"]["worker"]["spec"]["containers"]
    (scheduler,) = made["spec"]["scheduler"]["spec"]["containers"]
    assert worker["args"][-2:] == ["--dashboard-address", "8788"]
    assert worker["args"][worker["args"].index("--nthreads") + 1] == "1"
    assert worker["image"] == scheduler["image"]
