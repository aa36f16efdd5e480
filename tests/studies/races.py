"""A race of fakes, for the tests of everything that asks of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from surefoot.executors.local.executor import LocalExecutor
from surefoot.journal import MEMORY
from surefoot.racing.schedules.rounds import Halving
from surefoot.racing.screen import Screen
from surefoot.studies.select.selection import Selection
from surefoot.studies.select.study import SelectStudy
from tests.fakes import Fake, fake_setting

CANDIDATES = tuple(Fake(quality=1.0 + 0.05 * i, noise=0.15) for i in range(24))
BASELINE = Fake(quality=1.61, noise=0.11)


def study(**changes: object) -> SelectStudy:
    """The paper's race unless asked otherwise."""
    fields = {
        "schedule": Halving(),
        "candidates": CANDIDATES,
        "setting": fake_setting(),
        "seed": 2**64 - 5,
        "engine": "fake",
        "certify": 12,
        "content": 0.8,
        "confidence": 0.9,
    }
    return SelectStudy(**(fields | changes))


def run(asked: SelectStudy, path: str | Path = MEMORY, **options: object) -> Selection:
    with asked.open(path) as journal, LocalExecutor(2, asked.engine) as executor:
        return asked.run(journal, executor=executor, **options)


def slow_study(engine: str) -> SelectStudy:
    slow = tuple(replace(c, seconds=0.03) for c in CANDIDATES)
    return study(candidates=slow, engine=engine, baseline=BASELINE, screen=Screen(0.2))
