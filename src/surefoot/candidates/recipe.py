"""Recipe of a training beside optimiser, rate, batch and decay: fields of all trained networks.

``objective``
    ``root`` or ``square``: what is trained of a loss that reports the root of a mean, whatever the
    loss itself says; None for the loss's own. Other losses have no such choice.
``schedule``, ``warmup``
    Schedule of the learning rate, and epochs of warm-up before it (`surefoot.learning.schedules`).
``average``
    Average of the weights that is tested and shipped (`surefoot.learning.averaging`).
``clip``
    Largest norm of a batch's gradient over all parameters; a longer one is shortened to it.

A field left at its default is not part of a candidate's spec, key and label.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from surefoot.candidates.fields import is_import_path, number, put, settle, whole
from surefoot.checks import MOST, at_least, known, not_negative, positive
from surefoot.errors import CandidateError, ConfigurationError
from surefoot.learning.averaging import parse_average
from surefoot.learning.losses import OBJECTIVES
from surefoot.learning.schedules import Schedule, parse_schedule

if TYPE_CHECKING:
    from surefoot.learning.losses import Loss

DEFAULTS: dict[str, Any] = {
    "objective": None,
    "schedule": "constant",
    "warmup": 0.0,
    "average": "none",
    "clip": None,
}


def schedule_of(candidate: Any) -> Schedule:
    """Return a candidate's schedule, constant where a module brings one of torch's."""
    own = candidate.schedule is None or is_import_path(candidate.schedule)
    return Schedule() if own else parse_schedule(candidate.schedule)


def settle_recipe(candidate: Any) -> None:
    """Check how a frozen candidate is trained and write the fields in their shortest form.

    A schedule that is None is left so.

    Raises `CandidateError` if a field is out of range or unknown.
    """
    settle(candidate, learning_rate=number, decay=number, batch_size=whole, warmup=number)
    positive(learning_rate=candidate.learning_rate, error=CandidateError)
    not_negative(decay=candidate.decay, error=CandidateError)
    at_least(1, most=MOST, batch_size=candidate.batch_size, error=CandidateError)
    if candidate.objective is not None:
        known("objective", candidate.objective, OBJECTIVES, error=CandidateError)
    try:
        if candidate.schedule is not None:
            put(candidate, schedule=str(parse_schedule(candidate.schedule)))
        put(candidate, average=str(parse_average(candidate.average)))
    except ConfigurationError as error:
        raise CandidateError(str(error)) from None
    if not 0 <= candidate.warmup < math.inf:
        raise CandidateError(f"warmup = {candidate.warmup} must be a number of epochs, 0 or more")
    if candidate.clip == "none":
        put(candidate, clip=None)
    if candidate.clip is not None:
        settle(candidate, clip=number)
        if not 0 < candidate.clip < math.inf:
            raise CandidateError(f"clip = {candidate.clip} must be a positive norm, or 'none'")


def recipe_spec(candidate: Any) -> dict[str, Any]:
    """Return the fields of a recipe that are not at their defaults, as plain JSON values."""
    return {n: v for n, d in DEFAULTS.items() if (v := getattr(candidate, n)) not in (d, None)}


def recipe_label(candidate: Any) -> str:
    """Return the recipe in words, empty or after a blank: `` cosine warmup 5 ema(2 epochs)``."""
    given = recipe_spec(candidate)
    words = [given["objective"]] if "objective" in given else []
    words += [str(schedule_of(candidate))] if schedule_of(candidate) != Schedule() else []
    words += [f"warmup {candidate.warmup:g}"] if "warmup" in given else []
    words += [str(given["average"])] if "average" in given else []
    words += [f"clip {candidate.clip:g}"] if "clip" in given else []
    return "".join(f" {word}" for word in words)


def trained_loss(candidate: Any, measured: Loss) -> Loss:
    """Return the loss that a candidate is trained on in a study that measures ``measured``."""
    loss: Loss = candidate.loss or measured
    if loss.rooted and candidate.objective is not None:
        loss = replace(loss, objective=candidate.objective)
    return loss.trained
