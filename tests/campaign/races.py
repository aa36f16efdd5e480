"""Short races in processes of their own, and what their journals hold, to the last bit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from surefoot.journal import Journal
from tests.campaign import mutations
from tests.campaign.studies import tables, write_data

COMMAND = ("-m", "surefoot", "select", "s.toml", "-j", "r.db", "-f", "r.png", "--overwrite")


def write_race(folder: Path, name: str = "sums", **race: Any) -> Path:
    """Write a study of the campaign and its data into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_data(folder)
    study = tables()[name]
    study["race"] = study.get("race", {}) | race
    (folder / "s.toml").write_text(mutations.toml(study))
    return folder


def start(folder: Path, workers: int = 1, **options: Any) -> subprocess.Popen[str]:
    """Start the race of a folder, or go on with it, in a session of its own."""
    return subprocess.Popen(
        [sys.executable, *COMMAND, "-w", str(workers)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **({"env": os.environ | {"NUMBA_NUM_THREADS": "1"}} | options),
    )


def finish(folder: Path, workers: int = 1, **options: Any) -> tuple[int, str]:
    """Run the race of a folder to its end; return exit code and what it said of errors."""
    process = start(folder, workers, **options)
    _, said = process.communicate(timeout=300)
    return process.returncode, said


def content(folder: Path) -> list[tuple[Any, ...]]:
    """Return all that a journal's outcomes say but how long they took, sorted."""
    with Journal.read(folder / "r.db") as journal:
        return sorted(
            (one.candidate, one.role, one.instance, one.sample, str(one.status), one.loss.hex(),
             one.curve.tobytes(), one.plain.tobytes(), one.engine, one.message)
            for one in journal.outcomes()
        )  # fmt: skip


def is_one_sentence(said: str) -> bool:
    """Say whether what a command said of errors is a sentence, beside logged warnings."""
    lines = [line for line in said.splitlines() if line.startswith("surefoot: ")]
    return len(lines) == 1 and "Traceback" not in said
