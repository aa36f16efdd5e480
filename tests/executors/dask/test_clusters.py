from __future__ import annotations

from pathlib import Path

import pytest
from distributed import Client

from surefoot.errors import ConfigurationError, EngineError
from surefoot.executors.base import Executor
from surefoot.executors.dask.clusters import open_cluster, workers_asked
from surefoot.executors.inline import InlineExecutor
from surefoot.executors.local.executor import LocalExecutor
from surefoot.executors.opening import open_executor, workers_of

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
EXAMPLES = sorted((Path(__file__).parents[3] / "examples/clusters").glob("*.toml"))


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("somewhere", "cluster 'somewhere' is not known: give an address such as tcp://"),
        ("local:", "has no number of workers from 1 to 1024: give local:4"),
        ("local:1000000", "has no number of workers from 1 to 1024"),
        ("local:0", "has no number of workers"),
        ("local:two", "has no number of workers"),
        ("missing.toml", "missing.toml cannot be read: No such file"),
        ("missing.json", "there is no scheduler file missing.json"),
    ],
)
def test_what_is_no_cluster_is_one_sentence(where: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        open_cluster(where)


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("surefoot.executors.dask.clusters._CONNECT", 0.5)
    with pytest.raises(EngineError, match=r"no scheduler answers at tcp://127.0.0.1:9 .*start one"):
        open_cluster("tcp://127.0.0.1:9")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("class = ", "is not TOML"),
        ("clas = 'SLURMCluster'", "'clas' is not known: did you mean 'class'"),
        ("class = 'Slurm'\njobs = 3", "'Slurm' is no cluster of dask-jobqueue: known .* SLURMC"),
        ("class = 'JobQueueCluster'\njobs = 3", "no cluster of dask-jobqueue"),
        ("class = 'os.system'\njobs = 3", "no cluster of dask-jobqueue"),
        ("class = 'SLURMCluster'", "jobs = None must be the number"),
        ("class = 'SLURMCluster'\njobs = true", "jobs = True must be the number"),
        ("class = 'SLURMCluster'\njobs = 0", "jobs = 0 must be the number"),
        ("class = 'SLURMCluster'\njobs = 2", "SLURMCluster refuses its options: .*memory"),
        ("class = 'SLURMCluster'\njobs = 2\n[options]\nmemry = '1GB'", "refuses its options"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "batch.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=words):
        open_cluster(file)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_make_jobs(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dask_jobqueue.core import Job

    scaled: list[int] = []
    monkeypatch.setattr(
        "dask_jobqueue.core.JobQueueCluster.scale", lambda self, jobs: scaled.append(jobs)
    )
    cluster = open_cluster(file)
    try:
        assert (scaled, cluster.asked, workers_asked(file)) == ([64], 64, 64)
        script = cluster.owner.job_script()
        assert issubclass(cluster.owner.job_cls, Job)
        assert "distributed.cli.dask_worker" in script
        assert "--nthreads 1" in script
        assert "--lifetime 110m" in script
        cluster.renew()
        assert scaled == [64, 64]
    finally:
        cluster.close()


def test_a_client_stays_open(threads: Client) -> None:
    with open_executor(threads, engine="direct") as executor:
        assert (executor.workers, executor.engine) == (2, "direct")
    assert threads.status == "running"


def test_an_asynchronous_client_is_refused(
    threads: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Client, "asynchronous", property(lambda self: True))
        with pytest.raises(ConfigurationError, match="asynchronous"):
            open_cluster(threads)


def test_executors_are_given_or_made() -> None:
    given: Executor = InlineExecutor()
    with open_executor(given) as executor:
        assert executor is given
    with open_executor(None, 3, "direct") as executor:
        assert isinstance(executor, LocalExecutor)
        assert (executor.workers, executor.engine) == (3, "direct")
    assert [workers_of(where, 3) for where in (given, None, "local:5")] == [1, 3, 5]


def test_a_cluster_has_workers_of_its_own() -> None:
    with pytest.raises(ConfigurationError, match="workers = 3 are asked for, but local:2 has"):
        open_executor("local:2", 3)
