"""Training one instance so that whatever an engine does becomes an outcome."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from surefoot.engines.base import Engine, Stopped, outcome_of
from surefoot.instances import Instance, Outcome, Setting, Status

IN_WORKER = "SUREFOOT_WORKER"
"""Environment variable set in worker processes."""


def train_guarded(
    engine: Engine, instance: Instance, setting: Setting, stop: NDArray[np.uint8]
) -> Outcome | None:
    """Train one instance; None when it was stopped.

    An exception that an engine lets escape is a *failed* outcome, a finished one whose loss is not
    finite a *diverged* one.
    """
    start = time.perf_counter()
    try:
        outcome = engine.train(instance, setting, stop).outcome
    except Stopped:
        return None
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
        return failed(instance, setting, engine.name, time.perf_counter() - start, message)
    if outcome.status is Status.FINISHED and not math.isfinite(outcome.loss):
        return replace(outcome, status=Status.DIVERGED, loss=math.inf)
    return outcome


def failed(
    instance: Instance, setting: Setting, engine: str, seconds: float, message: str
) -> Outcome:
    """Return the outcome of an instance that left nothing but a message."""
    curve = np.zeros(0, dtype=np.float32)
    return outcome_of(instance, setting, engine, Status.FAILED, curve, seconds, message)
