"""A study in Optuna's storage: one study, one trial per candidate, for optuna-dashboard."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from typing import Any

from surefoot.candidates.hyperparameters import Value, comparable
from surefoot.errors import ExportError, SurefootError, require
from surefoot.escaping import visible
from surefoot.exports.groups import Group, Grouped
from surefoot.replacing import may_overwrite
from surefoot.studies.search.samplers import quiet

_WIDE = 10.0
"""Positive numbers that span at least this factor are spread over a logarithmic scale."""


def write_trials(
    found: Grouped,
    url: str,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Write a study to a storage of Optuna's; return the number of trials.

    Every trial has the criterion as its value, after every instance as intermediate values, and the
    hyperparameters as parameters, whose distributions are inferred. Who left the race has broken a
    constraint, so that Optuna's best trial is the winner. A study that an earlier export of the
    same journal left is replaced, one from elsewhere only `overwriting`.

    Parameters
    ----------
    url
        Of a database, such as ``sqlite:///optuna.db``; or the path of a file of Optuna's own kind,
        such as ``optuna.log``.
    advance
        Told after every candidate how many of how many are written.

    Raises
    ------
    ExportError
        If Optuna cannot write there, or holds a study of this name from elsewhere; what was begun
        is deleted.
    MissingExtraError
        Without Optuna.
    """
    optuna = require("optuna", extra="optuna")
    name = visible(found.name)
    with quiet(optuna), _reported(url):
        storage = _storage(optuna, url)
        if name in optuna.get_all_study_names(storage):
            known = optuna.load_study(study_name=name, storage=storage)
            if not may_overwrite() and known.user_attrs.get("surefoot_study") != found.identity:
                raise ExportError(
                    f"{url} holds a study {name!r} that is not of this journal: give another "
                    "storage, or replace it with --overwrite (in Python overwrite=True)"
                )
            optuna.delete_study(study_name=name, storage=storage)
        try:
            study = optuna.create_study(storage=storage, study_name=name, direction="minimize")
            study.set_metric_names([f"{found.criterion} of {found.loss}"])
            constants, spaces = distributions(optuna, found.groups)
            for key, value in {**_about(found), "constant_hyperparameters": constants}.items():
                study.set_user_attr(key, value)
            for done, group in enumerate(found.groups, start=1):
                study.add_trial(_trial(optuna, found, group, spaces))
                advance(done, len(found.groups))
        except BaseException:
            with contextlib.suppress(Exception):
                optuna.delete_study(study_name=name, storage=storage)
            raise
        finally:
            storage.remove_session()
    return len(found.groups)


def distributions(
    optuna: Any, groups: Sequence[Group]
) -> tuple[dict[str, Value], dict[str, tuple[Any, dict[str, Value]]]]:
    """Return the hyperparameters that all share, and of each other one its distribution.

    With the latter stands its value by candidate; one that only some have, and those alike, has
    none. Numbers between two bounds are on a logarithmic scale if they span a factor of ten; all
    else is a choice.
    """
    specs = {one.key: one.hyperparameters for one in groups}
    constants: dict[str, Value] = {}
    spaces: dict[str, tuple[Any, dict[str, Value]]] = {}
    for name in dict.fromkeys(name for spec in specs.values() for name in spec):
        having = [key for key, spec in specs.items() if name in spec]
        column = comparable([specs[key][name] for key in having])
        if len(having) == len(specs) and len(set(column)) == 1:
            constants[name] = column[0]
            continue
        if len(set(column)) == 1:
            continue
        spaces[name] = _distribution(optuna, column), dict(zip(having, column, strict=True))
    return constants, spaces


def _distribution(optuna: Any, column: Sequence[Value]) -> Any:
    """Return the distribution of values that are `comparable`."""
    kinds = optuna.distributions
    numbers = [one for one in column if isinstance(one, int | float) and not isinstance(one, bool)]
    if len(numbers) < len(column) or not all(map(math.isfinite, numbers)):
        return kinds.CategoricalDistribution(list(dict.fromkeys(column)))
    low, high = min(numbers), max(numbers)
    kind = kinds.IntDistribution if isinstance(low, int) else kinds.FloatDistribution
    return kind(low, high, log=low > 0 and high >= _WIDE * low)


def _trial(
    optuna: Any,
    found: Grouped,
    group: Group,
    spaces: dict[str, tuple[Any, dict[str, Value]]],
) -> Any:
    own = {name: space for name, space in spaces.items() if group.key in space[1]}
    value = group.value
    finished = math.isfinite(value)
    states = optuna.trial.TrialState
    return optuna.trial.create_trial(
        state=states.COMPLETE if finished else states.FAIL,
        value=value if finished else None,
        params={name: column[group.key] for name, (_, column) in own.items()},
        distributions={name: distribution for name, (distribution, _) in own.items()},
        intermediate_values={n: one for n, one in group.values.items() if math.isfinite(one)},
        user_attrs=_attributes(found, group),
        system_attrs={"constraints": [float(group.left is not None)]},
    )


def _attributes(found: Grouped, group: Group) -> dict[str, Any]:
    """Return what people may want to know of a candidate, as plain values without infinities."""
    figures = {name: one for name, one in group.figures().items() if math.isfinite(one)}
    attributes: dict[str, Any] = {
        "candidate": group.key,
        "label": visible(found.title(group)),
        "family": group.known.family,
        "winner": group.key == found.winner,
        "hyperparameters": group.hyperparameters,
        **figures,
        "losses": [one if math.isfinite(one) else None for one in group.losses.tolist()],
    }
    if group.reason:
        attributes["left"] = visible(group.reason)
    if group.certificate is not None:
        attributes["certificate"] = visible(str(group.certificate))
    return attributes


def _about(found: Grouped) -> dict[str, Any]:
    about: dict[str, Any] = {
        "surefoot_study": found.identity,
        "surefoot_version": version("surefoot"),
        **{name: visible(words) for name, words in found.facts.items()},
    }
    if found.winner is not None:
        about["winner"] = found.winner
    return about


def _storage(optuna: Any, url: str) -> Any:
    if "://" in url:
        return optuna.storages.get_storage(url)
    if not url.endswith(".log"):
        raise ValueError("it is neither a URL nor a file that ends in .log")
    from optuna.storages.journal import JournalFileBackend

    return optuna.storages.JournalStorage(JournalFileBackend(url))


@contextlib.contextmanager
def _reported(url: str) -> Iterator[None]:
    """Turn whatever Optuna or its database raise into one sentence."""
    try:
        yield
    except SurefootError:
        raise
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ExportError(
            f"Optuna cannot write to {url!r}: {reason[0].rstrip('.')}; give the URL of a "
            "database, such as optuna:sqlite:///optuna.db"
        ) from error
