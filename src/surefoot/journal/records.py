"""What a journal records and gives back, in types."""

from __future__ import annotations

from typing import Any, NamedTuple

from surefoot.instances import Outcome
from surefoot.seeds.ledger import Role

Identity = tuple[str, Role, int, int]
"""What is recorded once: candidate key, role, instance number, training examples."""


class Known(NamedTuple):
    """A candidate as the journal describes it; ``spec`` and ``family`` rebuild it."""

    family: str
    spec: dict[str, Any]
    label: str


class Extension(NamedTuple):
    """A changed description under which everything recorded stays valid; the changes in words."""

    changes: tuple[str, ...]


class Extended(NamedTuple):
    """An extension recorded: when (UTC, ISO 8601), what in words, and the ``study`` before it.

    ``fresh`` outcomes of certificates and assessments were in the journal by then.
    """

    study: dict[str, Any]
    changes: tuple[str, ...]
    fresh: int
    recorded: str


class Measure(NamedTuple):
    """An outcome without its curve; the names are those of `Outcome`."""

    candidate: str
    role: Role
    instance: int
    sample: int
    loss: float
    seconds: float
    epochs: int


def identity(outcome: Outcome | Measure) -> Identity:
    """Return what identifies the instance of an outcome."""
    return outcome.candidate, outcome.role, outcome.instance, outcome.sample


def in_words(what: Identity) -> str:
    """Return how messages call an instance."""
    candidate, role, instance, sample = what
    return f"instance {instance} of {candidate} ({role.name.lower()}, {sample} examples)"
