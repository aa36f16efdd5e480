"""What a user does first, in an environment that has surefoot and nothing of its development.

    python -I tools/smoke_test.py VERSION

Run by `tools/smoke.py`, by the environment's Python and in an empty folder: a short race on the
command line and one in Python, on the photons that come with surefoot.
"""

import importlib.util
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import entry_points
from pathlib import Path

import surefoot

EXTRAS = ("torch", "sklearn", "xgboost", "pyarrow", "bokeh", "distributed", "psycopg", "pytest")
STUDY = Path(__file__).resolve().parents[1] / "packaging/conda/study.toml"


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

    shutil.copyfile(STUDY, "study.toml")
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
