"""Results in plain values, as ``--json`` prints them for programs; no number is infinite or NaN."""

from __future__ import annotations

from typing import Any

from surefoot.exports.summary import finite
from surefoot.instances import Outcome
from surefoot.studies.journals import Listed
from surefoot.studies.replay import Checked, Replayed
from surefoot.studies.select.rerace import Rerace


def listed_values(listed: Listed) -> dict[str, Any]:
    """Return a journal of a list; its last write is UTC in ISO 8601, None if there is none."""
    return {
        "name": listed.name,
        "journal": str(listed.place),
        "state": listed.state,
        "kind": listed.kind,
        "progress": listed.progress,
        "instances": listed.instances,
        "written": None if listed.written is None else listed.written.isoformat(),
    }


def checked_values(checked: Checked) -> dict[str, Any]:
    """Return a journal's rows by table and its digest, None without, and what was replayed."""
    verified = checked.verified
    return {
        "journal": str(verified.journal),
        "rows": dict(verified.rows),
        "digest": verified.digest or None,
        "same": checked.same,
        "replayed": [replayed_values(one) for one in checked.replayed],
    }


def replayed_values(replayed: Replayed) -> dict[str, Any]:
    """Return an instance's record, its training again and where they differ, None if nowhere."""
    recorded = replayed.recorded
    return {
        "candidate": recorded.candidate,
        "label": replayed.label,
        "role": recorded.role.name.lower(),
        "instance": recorded.instance,
        "sample": recorded.sample,
        "same": replayed.same,
        "difference": replayed.difference or None,
        "recorded": _outcome_values(recorded),
        "again": _outcome_values(replayed.training.outcome),
    }


def rerace_values(found: Rerace) -> dict[str, Any]:
    """Return where a race ends under other rules, and what is missing where it does not."""
    state = found.state
    return {
        "criterion": found.race.criterion.name,
        "candidates": len(found.race.keys),
        "recorded": found.record.table.count,
        "used": found.used,
        "over": state.over,
        "winner": state.winner,
        "original_winner": found.original.winner,
        "ranking": [{"key": key, "label": found.known[key].label} for key in state.ranking],
        "survivors": list(state.survivors),
        "missing": dict(found.missing),
        "words": found.lines(),
    }


def _outcome_values(outcome: Outcome) -> dict[str, Any]:
    return {
        "status": str(outcome.status),
        "loss": finite(outcome.loss),
        "epochs": outcome.epochs,
        "seconds": outcome.seconds,
        "engine": outcome.engine,
    }
