"""Does what is released install in bare environments, and work there?

    python tools/smoke.py          # or make smoke: some minutes on two cores

Builds the source distribution and, from it, the wheel; compares both with the files of the
repository; installs the wheel without extras into fresh environments outside the repository, with
the newest dependencies for every supported Python that is installed and with the oldest that the
metadata allow for the oldest of them, and the source distribution for this Python; in each
`tools/smoke_test.py` runs. Needs the package ``build``. Ends with 1 if anything is wrong.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import tomllib
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
TEST = ROOT / "tools/smoke_test.py"


@dataclass(frozen=True)
class Trial:
    """A fresh environment: its Python, what is installed in it, and with which dependencies."""

    version: str
    python: str
    distribution: Path
    pins: tuple[str, ...] = ()

    def __str__(self) -> str:
        kind = "wheel" if self.distribution.suffix == ".whl" else "source distribution"
        return f"Python {self.version}, {kind}, {'oldest' if self.pins else 'newest'} dependencies"


def main() -> int:
    """Build, compare, install and try; return the exit code."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    with TemporaryDirectory(prefix="surefoot-smoke-") as name:
        folder = Path(name)
        build = ["-m", "build", "--quiet", "--outdir", str(folder), str(ROOT)]
        subprocess.run([sys.executable, *build], check=True)
        (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
        wrong = missing(wheel, source)
        print(f"{wheel.name}, {source.name}: {wrong or 'all files of the repository are in them'}")

        pythons = {version: found for version in versions if (found := find(version))}
        for version in sorted(set(versions) - set(pythons)):
            print(f"Python {version} is not installed: left out")
        oldest = tuple(floor(one) for one in project["dependencies"])
        first, this = next(iter(pythons)), ".".join(map(str, sys.version_info[:2]))
        trials = [Trial(first, pythons[first], wheel, oldest)]
        trials += [Trial(version, python, wheel) for version, python in pythons.items()]
        trials += [Trial(this, sys.executable, source)]
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            works = threads.map(partial(tried, project["version"]), range(len(trials)), trials)
            well = all([*works])
    return 0 if well and not wrong else 1


def missing(wheel: Path, source: Path) -> str:
    """Return in words which of the repository's files the distributions lack."""
    tracked = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z"], check=True, capture_output=True, text=True
    ).stdout.split("\0")[:-1]
    with zipfile.ZipFile(wheel) as packed:
        inside = set(packed.namelist())
    with tarfile.open(source) as packed:
        shipped = {name.partition("/")[2] for name in packed.getnames()}
    lacks = [f"{source.name} lacks {one}" for one in tracked if one not in shipped]
    of_package = [one.removeprefix("src/") for one in tracked if one.startswith("src/")]
    lacks += [f"{wheel.name} lacks {one}" for one in of_package if one not in inside]
    return "; ".join(lacks)


def find(version: str) -> str | None:
    """Return a Python of a version: this one, one on the path or one of pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    others = sorted(map(str, pyenv.glob(f"{version}.*/bin/python")))
    for name in (sys.executable, f"python{version}", *others):
        if (python := shutil.which(name)) is not None:
            asked = subprocess.run([python, "--version"], capture_output=True, text=True)
            if asked.stdout.startswith(f"Python {version}."):
                return python
    return None


def floor(requirement: str) -> str:
    """Return the oldest version that a requirement allows: ``numpy>=1.26`` is ``numpy==1.26``."""
    name, _, version = requirement.partition(">=")
    assert version, f"{requirement!r} has no oldest version"
    return f"{name}=={version}"


def tried(version: str, number: int, trial: Trial) -> bool:
    """Say whether a distribution of a version installs in a fresh environment and works there."""
    begun = time.monotonic()
    home = trial.distribution.parent / str(number)
    environment, folder = home / "environment", home / "folder"
    folder.mkdir(parents=True)
    python = environment / "bin/python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    commands = [
        [trial.python, "-m", "venv", "--without-pip", str(environment)],
        [*pip, "--no-compile", str(trial.distribution), *trial.pins],
        [str(python), "-I", str(TEST), version],
    ]
    for command in commands:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            print(f"{trial}: FAILED\n{' '.join(command)}\n{done.stdout}{done.stderr}", flush=True)
            return False
    print(f"{trial}: works ({time.monotonic() - begun:.0f} s)", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
