"""What a user does first, in an environment that has surefoot and nothing of its development.

    python -I tools/smoke_test.py VERSION

Run by `tools/smoke.py`, by the environment's Python and in an empty folder: a short race on the
command line and one in Python, on the photons that come with surefoot.
"""

import importlib.util
import subprocess
import sys
import sysconfig
from importlib.metadata import entry_points
from pathlib import Path

import surefoot

EXTRAS = ("torch", "sklearn", "xgboost", "pyarrow", "bokeh", "distributed", "psycopg", "pytest")
STUDY = """
[study]
name = "First steps"

[population]
source = "photons:A"
target = "energy"

[sampling]
size = 200
test_size = 200

[loss]
name = "relative_rmse"

[stopping]
max_epochs = 2
reading = "none"

[space]
channels = [[2]]
pool = ["max3", "average5"]
learning_rate = [1e-2, 3e-2]

[baseline]
family = "scaled_sum"

[race]
schedule = "halving"
warmup = 2

[certificate]
n = 5
"""


def run(*arguments: str) -> str:
    """Return what a command of surefoot prints; it ends well."""
    script = Path(sysconfig.get_path("scripts")) / "surefoot"
    done = subprocess.run([script, *arguments], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"surefoot {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


def main(version: str) -> None:
    """Try the installed surefoot, which is to be of a version."""
    home = Path(surefoot.__file__)
    assert home.is_relative_to(sys.prefix), f"{home} is not of the environment {sys.prefix}"
    assert surefoot.__version__ == version
    assert [name for name in EXTRAS if importlib.util.find_spec(name)] == []
    for name in ("py.typed", "reports/page.css", "reports/page.js"):
        assert (home.parent / name).is_file(), name

    assert run("--version") == f"surefoot {version}\n"
    assert "select" in run("--help")
    (command,) = entry_points(group="console_scripts", name="surefoot")
    assert command.dist is not None
    for one in command.dist.entry_points:
        if one.group in ("surefoot.commands", "surefoot.criteria", "surefoot.schedules"):
            one.load()

    Path("study.toml").write_text(STUDY)
    assert "4 candidates" in run("select", "study.toml", "--dry-run")
    assert "Winner" in run("select", "study.toml", "--journal", "first.db")
    assert "First steps" in run("select", "study.toml", "--journal", "first.db")
    assert "Winner" in run("show", "first.db")
    assert "as it was written" in run("check", "first.db", "--replay", "2")
    run("export", "first.db", "outcomes.csv")
    assert Path("outcomes.csv").read_text().count("\n") > 9
    run("plot", "first.db", "first.png")
    assert Path("first.png").stat().st_size > 10_000

    found = surefoot.select(
        surefoot.SearchSpace.product(surefoot.convnet, channels=[[2], [3]], pool=["average5"]),
        surefoot.load_population("photons:A", target="energy"),
        loss="relative_rmse",
        sampling=surefoot.Sampling(100, test_size=100),
        stopping=surefoot.Stopping(max_epochs=2, reading="none"),
        certify=5,
    )
    assert found.certificate is not None
    assert found.certificate.n == 5


if __name__ == "__main__":
    main(sys.argv[1])
