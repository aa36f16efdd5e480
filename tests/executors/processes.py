"""Outcomes by number, and processes as the system shows them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from surefoot.instances import Outcome

ROOT = Path(__file__).parents[2]


def start_script(text: str, *arguments: str, file: Path | None = None) -> subprocess.Popen[str]:
    """Start a Python script, from a file if one is given, as the leader of a process group."""
    text = textwrap.dedent(text)
    if file is not None:
        file.write_text(text)
    return subprocess.Popen(
        [sys.executable, *(["-c", text] if file is None else [str(file)]), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        process_group=0,
    )


def by_instance(outcomes: list[Outcome]) -> dict[int, Outcome]:
    assert len({o.instance for o in outcomes}) == len(outcomes)
    return {o.instance: o for o in outcomes}


def children(parent: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(int(status.parent.name))
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
