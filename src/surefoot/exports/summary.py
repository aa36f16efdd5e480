"""`summary`: what a journal says in plain values, for programs."""

from __future__ import annotations

import math
import os
from contextlib import nullcontext
from typing import Any

from surefoot.exports.groups import Group, Grouped, grouped
from surefoot.journal import Journal


def summary(journal: Journal | str | os.PathLike[str]) -> dict[str, Any]:
    """Return the study of a journal, its winner and every candidate's figures as JSON values.

    A number that is not finite is None. ``candidates`` come as a report has them, the best of a
    race first, each with its losses, hyperparameters, figures (see docs/exports.md) and, where it
    was certified, its certificate.

    Parameters
    ----------
    journal
        An open journal, its file, or where it is on a server; of any kind of study, also of one
        that still runs.

    Raises
    ------
    JournalError
        If the journal cannot be read.
    RaceError
        If all candidates of its race were screened out.
    """
    opened = nullcontext(journal) if isinstance(journal, Journal) else Journal.read(journal)
    with opened as recorded:
        found, count = grouped(recorded), recorded.count()
    study = found.study
    return {
        "name": found.name,
        "kind": study.kind,
        "population": study.population.name,
        "loss": str(study.loss),
        "unit": study.unit,
        "criterion": found.criterion,
        "instances": count,
        "winner": found.winner,
        "study": dict(found.facts),
        "candidates": [_candidate(found, one) for one in found.groups],
    }


def _candidate(found: Grouped, group: Group) -> dict[str, Any]:
    told: dict[str, Any] = {
        "key": group.key,
        "label": group.label,
        "family": group.known.family,
        "sample": group.sample,
        "winner": group.key == found.winner,
        "reason": group.reason,
        "hyperparameters": group.hyperparameters,
        "figures": {name: finite(value) for name, value in group.figures().items()},
        "losses": [finite(one) for one in group.losses.tolist()],
    }
    if (certificate := group.certificate) is not None:
        told["certificate"] = {
            "sentence": certificate.sentence(),
            "bound": finite(certificate.bound.value),
            "content": certificate.bound.content,
            "confidence": certificate.confidence,
            "losses": [finite(one) for one in certificate.losses],
        }
    return told


def finite(value: float) -> float | None:
    """Return a number as JSON may hold it: None unless it is finite."""
    return value if math.isfinite(value) else None
