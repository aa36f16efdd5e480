"""A study as plain JSON values, for its journal, and back to the objects of its race.

Everything that decides a result is in it, so that two journals with equal descriptions hold
the same numbers. Integers beyond JSON's safe range (the seed) are text.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
from collections.abc import Mapping
from typing import Any

from surefoot import registry
from surefoot.candidates.base import Candidate
from surefoot.data.population import Sampling
from surefoot.errors import JournalError, StudyFileError
from surefoot.instances import Setting
from surefoot.journal import Known
from surefoot.racing.criteria import Criterion, from_name
from surefoot.racing.race import Race
from surefoot.racing.rules.base import EliminationRule
from surefoot.racing.schedules.base import Schedule
from surefoot.racing.screen import Screen
from surefoot.seeds.ledger import InstanceSeed, Role, candidate_salt
from surefoot.studies.variance.cells import Cell

_PARTS = (
    "prediction.mixed_model",
    "rules.by_interval",
    "rules.by_test",
    "rules.exact_max",
    "schedules.closest",
    "schedules.top_two",
)
_ENDLESS = 1 << 31
"""Races by a test described before they had an end of their own go on as they did."""
_STRIDE = 1 << 24
"""Unpaired, instance i of the baseline on the draws of candidate number c is number
(c + 1)·2²⁴ + i, since it has other draws for every candidate."""


def describe(thing: Any) -> Any:
    """Return a frozen dataclass of rules (schedule, screen, rule) as plain JSON values."""
    if isinstance(thing, Criterion):
        return thing.name
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        fields = {f.name: describe(getattr(thing, f.name)) for f in dataclasses.fields(thing)}
        return {"kind": type(thing).__name__, **fields}
    if isinstance(thing, tuple | list):
        return [describe(item) for item in thing]
    return thing


def describe_setting(setting: Setting) -> dict[str, Any]:
    """Return what decides a setting: the data by their fingerprint, draws, loss and stopping."""
    halves, population = setting.halves, setting.halves.population
    rows = hashlib.sha256(halves.pool.tobytes() + b";" + halves.test.tobytes()).hexdigest()[:16]
    return {
        "population": {
            "name": population.name,
            "fingerprint": population.fingerprint,
            "examples": len(population),
            "target": population.target_name,
            "unit": population.target_unit,
        },
        "halves": {
            "pool": int(halves.pool.size),
            "test": int(halves.test.size),
            "fingerprint": rows,
        },
        "sampling": dataclasses.asdict(setting.sampling),
        "loss": str(setting.loss),
        "stopping": dataclasses.asdict(setting.stopping),
    }


def race_of(study: Mapping[str, Any]) -> Race:
    """Return the race of a described selection.

    Raises
    ------
    JournalError
        If the description is of another kind of study or names rules this surefoot lacks.
    """
    if study.get("kind") != "select":
        raise JournalError(f"a journal of kind {study.get('kind')!r} holds no race: use 'select'")
    screen = study["screen"]
    rule = _rebuild(study["rule"], EliminationRule)
    return Race(
        keys=tuple(study["candidates"]),
        criterion=from_name(study["criterion"]),
        schedule=_rebuild(study["schedule"], Schedule),
        screen=None if screen is None else _rebuild(screen, Screen),
        rule=rule,
        limit=study["limit"],
        most=study.get("most", None if rule.most is None else _ENDLESS),
    )


def rebuild_candidate(known: Known) -> Candidate:
    """Return the candidate that a journal describes.

    Raises
    ------
    JournalError
        If its family is not installed here.
    """
    try:
        family = registry.lookup("candidates", known.family)
    except StudyFileError as error:
        raise JournalError(f"candidate {known.label} cannot be rebuilt: {error}") from None
    candidate: Candidate = family.from_spec(known.spec)
    return candidate


def instance_seed(study: Mapping[str, Any], key: str, role: Role, number: int) -> InstanceSeed:
    """Return the luck of a candidate's instance in a described study.

    >>> study = {"seed": "7", "paired": True}
    >>> instance_seed(study, "00000000000000ff", Role.RACE, 3).instance
    3
    """
    seed = int(study["seed"])
    if role is Role.VARIANCE:
        return Cell.numbered(number).seed(seed)
    if study["paired"]:
        return InstanceSeed(seed, role, number)
    place, inner = divmod(number, _STRIDE)
    if not place:
        return InstanceSeed(seed, role, number, candidate_salt(key))
    owner = study["candidates"][place - 1]
    return InstanceSeed(seed, role, number, candidate_salt(owner), draw=inner, init=inner)


def baseline_number(place: int, number: int) -> int:
    """Return the number of the baseline's instance on a candidate's own draws.

    ``place`` is the candidate's place in the study, ``number`` the instance whose draw it shares.
    """
    return (place + 1) * _STRIDE + number


def baseline_place(number: int) -> tuple[int, int]:
    """Return ``(place, number)`` of `baseline_number`; place -1 for an instance of its own."""
    place, inner = divmod(number, _STRIDE)
    return place - 1, inner


def sampling_of(study: Mapping[str, Any]) -> Sampling:
    """Return the sampling of a described study."""
    return Sampling(**study["sampling"])


def _rebuild(described: Any, base: type[Any]) -> Any:
    """Return the object that `describe` described; its class is a subclass of ``base``."""
    known = _classes(base)
    kind = described["kind"]
    if kind not in known:
        raise JournalError(
            f"the journal's {base.__name__.lower()} {kind!r} is not known here: known are "
            + ", ".join(sorted(known))
        )
    fields = {name: value for name, value in described.items() if name != "kind"}
    for name, value in fields.items():
        if isinstance(value, dict) and "kind" in value:
            fields[name] = _rebuild(value, base)
        elif isinstance(value, list):
            fields[name] = tuple(
                _rebuild(item, base) if isinstance(item, dict) and "kind" in item else item
                for item in value
            )
    return known[kind](**fields)


def _classes(base: type[Any]) -> dict[str, type[Any]]:
    for part in _PARTS:
        importlib.import_module(f"surefoot.racing.{part}")
    found, waiting = {base.__name__: base}, [base]
    while waiting:
        for one in waiting.pop().__subclasses__():
            found[one.__name__] = one
            waiting.append(one)
    return found
