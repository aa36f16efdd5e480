"""A study in MLflow: one run, and in it one run per candidate, never one per instance."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import re
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

from surefoot.errors import ExportError, SurefootError, require
from surefoot.escaping import visible
from surefoot.exports.groups import Group, Grouped

EXPERIMENT = "surefoot"
"""Name of the experiment, unless ``MLFLOW_EXPERIMENT_NAME`` gives another."""
_PARENT, _STUDY, _CANDIDATE = "mlflow.parentRunId", "surefoot.study", "surefoot.candidate"
_AT_ONCE = {"metrics": 1000, "params": 100, "tags": 100}
"""What one request may hold."""
_FOLDERS = "MLFLOW_ALLOW_FILE_STORE"
_LONGEST = 5000
"""Characters of a value."""


def write_runs(
    found: Grouped, uri: str, advance: Callable[[int, int], None] = lambda done, total: None
) -> int:
    """Write a study to a tracking server or its database; return the number of candidates.

    Runs that an earlier export of the same journal left are deleted, as MLflow deletes, once the
    new ones are complete.

    Parameters
    ----------
    uri
        Such as ``sqlite:///mlflow.db`` or ``http://localhost:5000``; "" for MLflow's own, which
        ``MLFLOW_TRACKING_URI`` sets.
    advance
        Told after every candidate how many of how many are written.

    Raises
    ------
    ExportError
        If MLflow cannot write there; what was begun is deleted.
    MissingExtraError
        Without MLflow.
    """
    mlflow = require("mlflow", extra="mlflow")
    with _quiet(), _reported(uri):
        client = mlflow.MlflowClient(tracking_uri=uri or None)
        experiment = _experiment(client)
        own = f"tags.`{_STUDY}` = '{found.identity}'"
        earlier = [run.info.run_id for run in _search(client, experiment, own)]
        begun: list[str] = []
        try:
            parent = _run(mlflow, client, experiment, found.name, _study_of(found), begun)
            for done, group in enumerate(found.groups, start=1):
                content = _candidate_of(found, group)
                content["tags"][_PARENT] = parent
                _run(mlflow, client, experiment, found.title(group), content, begun)
                advance(done, len(found.groups))
            client.set_terminated(parent)
        except BaseException:
            for run in begun:
                with contextlib.suppress(Exception):
                    client.delete_run(run)
            raise
        for run in earlier:
            client.delete_run(run)
    return len(found.groups)


def _run(
    mlflow: Any,
    client: Any,
    experiment: str,
    name: str,
    content: dict[str, dict[str, Any]],
    begun: list[str],
) -> str:
    """Write a run; return its id. That of a study, which has no parent, is left running."""
    run: str = client.create_run(
        experiment, run_name=visible(name), tags=content["tags"]
    ).info.run_id
    begun.append(run)
    now, kinds = int(time.time() * 1000), mlflow.entities
    metrics = [
        kinds.Metric(_word(metric), value, now, step)
        for metric, values in content["metrics"].items()
        for step, value in values.items()
        if math.isfinite(value)
    ]
    params = [
        kinds.Param(_word(key), visible(str(value))[:_LONGEST])
        for key, value in content["params"].items()
    ]
    for kind, entries in (("metrics", metrics), ("params", params)):
        for start in range(0, len(entries), _AT_ONCE[kind]):
            client.log_batch(run, **{kind: entries[start : start + _AT_ONCE[kind]]})
    if _PARENT in content["tags"]:
        client.set_terminated(run)
    return run


def _study_of(found: Grouped) -> dict[str, dict[str, Any]]:
    """Return tags, parameters and metrics of the study's run: those of its winner among them."""
    best = [one for one in found.groups if one.key == found.winner]
    tags = {_STUDY: found.identity, "surefoot.version": version("surefoot")}
    tags |= {"surefoot.loss": found.loss, "surefoot.criterion": found.criterion}
    metrics = {"candidates": {0: float(len(found.groups))}}
    for winner in best:
        tags |= {"surefoot.winner": winner.key, "surefoot.winner.label": visible(winner.label)}
        if winner.certificate is not None:
            tags["mlflow.note.content"] = visible(str(winner.certificate))[:_LONGEST]
        metrics |= {name: {0: value} for name, value in winner.figures().items()}
    return {"tags": tags, "params": dict(found.facts), "metrics": metrics}


def _candidate_of(found: Grouped, group: Group) -> dict[str, dict[str, Any]]:
    """Return tags, parameters and metrics of a candidate's run; every loss is a step of one."""
    tags = {
        _STUDY: found.identity,
        _CANDIDATE: group.key,
        "surefoot.label": visible(group.label)[:_LONGEST],
        "surefoot.family": group.known.family,
        "surefoot.winner": str(group.key == found.winner),
        "surefoot.criterion": f"{found.criterion} {group.value:.6g}",
    }
    if group.reason:
        tags["surefoot.left"] = visible(group.reason)[:_LONGEST]
    if group.certificate is not None:
        tags["mlflow.note.content"] = visible(str(group.certificate))[:_LONGEST]
    metrics = {name: {0: value} for name, value in group.figures().items()}
    metrics["criterion"] = group.values or metrics["criterion"]
    metrics["loss"] = {one.instance: one.loss for one in group.outcomes}
    metrics["fresh_loss"] = {one.instance: one.loss for one in group.fresh}
    params = {"sample": group.sample, **group.hyperparameters}
    return {"tags": tags, "params": params, "metrics": metrics}


def _experiment(client: Any) -> str:
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
    known = client.get_experiment_by_name(name)
    found: str = client.create_experiment(name) if known is None else known.experiment_id
    return found


def _search(client: Any, experiment: str, words: str) -> Iterator[Any]:
    """Yield the runs of an experiment that a filter finds, page by page."""
    token: str | None = ""
    while token is not None:
        page = client.search_runs([experiment], words, page_token=token or None)
        yield from page
        token = page.token or None


def _word(name: str) -> str:
    """Return a name without what MLflow takes in none."""
    return re.sub(r"[^\w\-. :/]", "_", name, flags=re.ASCII)[:250]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep MLflow from telling of the tables that it makes."""
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    levels = [one.level for one in loggers]
    for one in loggers:
        one.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)


@contextlib.contextmanager
def _reported(uri: str) -> Iterator[None]:
    """Turn whatever MLflow or its database raise into one sentence."""
    try:
        yield
    except SurefootError:
        raise
    except Exception as error:
        text = str(error).strip() or type(error).__name__
        reason = text.splitlines()[0].partition(". ")[0].rstrip(".")
        hint = "mlflow:sqlite:///mlflow.db"
        if _FOLDERS in text:
            hint += f", or set {_FOLDERS}=true to write to a folder"
        raise ExportError(
            f"MLflow cannot write to {uri or 'its tracking URI'!r}: {reason}; give one such as "
            f"{hint}"
        ) from error
