"""Outcomes by number, and processes as the system shows them."""

from __future__ import annotations

from pathlib import Path

from surefoot.instances import Outcome


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
