"""The race that is disturbed, as a coordinator of its own runs it too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import surefoot
from surefoot.racing import Halving
from surefoot.testing import toy_population
from tests.fakes import Fake

SECONDS = 0.4


def race(executor: Any, journal: Path) -> str:
    """Run or resume the race; return its winner."""
    fakes = [Fake(quality=1.0 + 0.02 * place, noise=0.3, seconds=SECONDS) for place in range(24)]
    return surefoot.select(
        fakes,
        toy_population(),
        schedule=Halving(warmup=12, keep=0.6),
        certify=60,
        executor=executor,
        engine="fake",
        journal=journal,
        seed=11,
    ).winner.key
