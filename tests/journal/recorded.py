"""A small study and its outcomes, for journals to record."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from surefoot.instances import Outcome, Status
from surefoot.seeds.ledger import Role
from tests.fakes import Fake

FAKE = Fake(quality=0.3, when=(1, 2))
STUDY = {"seed": str(2**64 - 1), "stopping": {"max_epochs": 100}, "candidates": [FAKE.key]}


def outcome(number: int = 0, loss: float = 0.25, **changes: object) -> Outcome:
    curve = np.array([1.5, np.nan, 0.25], np.float32)
    made = Outcome(FAKE.key, Role.RACE, number, 20, Status.FINISHED, loss, curve, 0.125, "fake", "")
    return replace(made, **changes)
