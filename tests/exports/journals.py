"""Journals of every kind of study, of fakes, for what is exported and shown of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import surefoot
from surefoot.executors.inline import InlineExecutor
from surefoot.executors.local.executor import LocalExecutor
from surefoot.studies.plan.pilot import pilot_study
from tests.fakes import Fake
from tests.studies.races import BASELINE, CANDIDATES, study

DIVERGING = Fake(quality=0.1, fate="diverge", when=(0,))
HOSTILE = "=1+1 \x1b[2J <script>alert(1)</script> $x_1$ \\input{y}"
POPULATION = surefoot.Population(
    np.random.default_rng(5).normal(size=(200, 3)),
    np.random.default_rng(6).uniform(1.0, 2.0, size=200),
    name="toys",
    target_name="energy",
    target_unit="GeV",
)


def race(path: Path, **changes: Any) -> surefoot.Selection:
    """Record a race in which one candidate diverges; return its selection."""
    fields = {
        "candidates": (*CANDIDATES, DIVERGING),
        "baseline": BASELINE,
        "screen": 0.4,
        "name": "A race",
    }
    asked = study(**(fields | changes))
    with asked.open(path) as journal, LocalExecutor(2, asked.engine) as executor:
        return asked.run(journal, executor=executor)


def every_kind(folder: Path) -> dict[str, Path]:
    """Record a study of every kind; return its journals by kind."""
    common: dict[str, Any] = {"engine": "fake", "workers": 1, "sample_size": 20, "loss": "rmse"}
    paths = {
        kind: folder / f"{kind}.db"
        for kind in (
            "select",
            "assess",
            "promise",
            "variance",
            "sample_size",
            "compare",
            "grid",
            "search",
            "pilot",
        )
    }
    race(paths["select"])
    one, other = CANDIDATES[:2]
    surefoot.assess(one, POPULATION, n=12, journal=paths["assess"], **common)
    surefoot.assess(one, POPULATION, promise=1e-9, journal=paths["promise"], **common)
    surefoot.variance(
        one, POPULATION, alone=5, draws=2, inits=2, tests=0, journal=paths["variance"], **common
    )
    surefoot.grid(CANDIDATES[:3], POPULATION, n=5, journal=paths["grid"], **common)
    surefoot.search(
        CANDIDATES[:6], POPULATION, trials=8, certify=5, journal=paths["search"], **common
    )
    del common["sample_size"]
    sizes = {"sizes": [20, 40], "n": 6}
    surefoot.sample_size(one, POPULATION, journal=paths["sample_size"], **sizes, **common)
    surefoot.compare([one, other], POPULATION, journal=paths["compare"], **sizes, **common)
    pilot_study(study(), 8, 3).run(paths["pilot"], executor=InlineExecutor("fake"))
    return paths
