"""The criteria, schedules and rules that are registered, by name: one table for all who read them.

Study files, the options of ``rerace``, journals, the planner and ``docs/race.md`` know a schedule
or rule only from here, and here nothing is known but what it says of itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from surefoot import registry
from surefoot.errors import ConfigurationError, JournalError, nearest
from surefoot.racing.parts import Key, Part, either, shown
from surefoot.racing.screen import Screen

Kind = Literal["schedules", "rules", "rungs"]

ONE: Mapping[Kind, str] = {"schedules": "schedule", "rules": "rule", "rungs": "rungs"}
"""What one of a kind is called, in words and as a key of ``[race]``."""


def registered(kind: Kind) -> dict[str, type[Any]]:
    """Return the schedules or rules by name, in the order of their places in tables.

    A rule that goes with one schedule alone is none of them.
    """
    found = {name: registry.lookup(kind, name) for name in registry.names(kind)}
    return dict(sorted(found.items(), key=lambda item: (item[1].place, item[0])))


def keys(kind: Kind) -> dict[str, list[tuple[str, Key]]]:
    """Return the keys of all of a kind, each with the names and words of those that take it."""
    found: dict[str, list[tuple[str, Key]]] = {}
    for name, part in registered(kind).items():
        for one in part.parameters():
            found.setdefault(one.name, []).append((name, one))
    return found


def in_words(kind: Kind) -> str:
    """Return the names of a kind, with the criteria they can judge if not any.

    >>> in_words("schedules")
    'default, halving, flat_budget, top_two, exact_max (max)'
    """
    rules = {name: getattr(one, "own_rule", one) for name, one in registered(kind).items()}
    said = {name: "any" if rule is None else rule.judges for name, rule in rules.items()}
    return ", ".join(n if judged == "any" else f"{n} ({judged})" for n, judged in said.items())


def make(kind: Kind, part: Any, given: Mapping[str, Any] = MappingProxyType({})) -> Any:
    """Return a schedule or rule from its name and some of its keys; an object as it is.

    Raises `ConfigurationError` if the name is unknown, a key is missing or belongs to another, or
    a number is none that it can have.
    """
    if not isinstance(part, str):
        return part
    one, known = ONE[kind], registered(kind)
    if part not in known:
        raise ConfigurationError(f"{one} = '{part}' is not known: {nearest(part, known)}")
    own = {key.name: key for key in known[part].parameters()}
    for key, value in given.items():
        if key not in own:
            homes = [home for home, _ in keys(kind).get(key, ())]
            raise meaningless(key, value, f"{one} = '{part}'", f"{one} = {either(homes)}")
    for key, words in own.items():
        if words.needed and key not in given:
            raise ConfigurationError(
                f"{one} = '{part}' needs {key}, {words.domain.words}: {words.help}"
            )
    return known[part](**given)


def meaningless(key: str, value: Any, beside: str, home: str) -> ConfigurationError:
    """Return the refusal of a key that means nothing beside another."""
    return ConfigurationError(
        f"{key} = {shown(value)} has no meaning for {beside}: it belongs to {home}"
    )


def describe(part: Any) -> Any:
    """Return a schedule, rule or screen as plain JSON values, its stable name as ``kind``."""
    if isinstance(part, Part):
        fields = {one.name: describe(getattr(part, one.name)) for one in dataclasses.fields(part)}
        return {"kind": part.name, **fields}
    return [describe(item) for item in part] if isinstance(part, tuple) else part


def rebuild(kind: Kind | Literal["screen"], described: Any) -> Any:
    """Return the schedule, rule or screen that `describe` described.

    Raises `JournalError` if it is none that is known here, or takes other numbers.
    """
    if described is None:
        return None
    known: dict[str, type[Part]] = {Screen.name: Screen}
    if kind != "screen":
        own = registered("schedules").values()
        inner = {
            "schedules": [stage for one in own for stage in one.stages],
            "rules": [one.own_rule for one in own if one.own_rule],
            "rungs": [],
        }
        known = {one.name: one for one in inner[kind]} | registered(kind)
    name = described["kind"]
    if name not in known:
        raise JournalError(
            f"the journal's {kind.removesuffix('s')} '{name}' is not known here: known are "
            + ", ".join(sorted(known))
        )
    fields = {
        key: tuple(rebuild(kind, item) if isinstance(item, Mapping) else item for item in value)
        if isinstance(value, list)
        else value
        for key, value in described.items()
        if key != "kind"
    }
    if kind == "rungs" and fields.keys() < {one.name for one in dataclasses.fields(known[name])}:
        raise JournalError(
            f"the journal's rungs '{name}' are those of an earlier surefoot, which judged by "
            "another rule: read it with that one, or race anew"
        )
    try:
        return known[name](**fields)
    except TypeError:
        raise JournalError(
            f"the journal's '{name}' has other numbers than this surefoot's: {', '.join(fields)}"
        ) from None


_FORMER_KINDS = {
    "ByMax": "exact_max",
    "ByPrediction": "prediction",
    "ByQuantileInterval": "quantile",
    "ByRank": "rank",
    "BySigns": "signs",
    "BySwaps": "swaps",
    "ByTest": "test",
    "Chain": "chain",
    "Closest": "closest",
    "ExactMax": "exact_max",
    "FlatBudget": "flat_budget",
    "Halving": "halving",
    "Screen": "screen",
    "TopTwo": "pairs",
}
_FORMER_KEYS = {
    "few": "pairwise_test",
    "many": "friedman_above",
    "most": "max_instances",
    "resamples": "n_resamples",
}


def renamed(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return keys by the names of today, of which some were called otherwise."""
    return {_FORMER_KEYS.get(key, key): value for key, value in keys.items()}


def modern(described: Any) -> Any:
    """Return the description of a study or of a part of its race with the names of today.

    Journals once named classes for ``kind``, and some numbers otherwise.

    >>> modern({"most": 64, "rule": {"kind": "ByTest", "many": 8}})
    {'max_instances': 64, 'rule': {'kind': 'test', 'friedman_above': 8}}
    """
    if isinstance(described, list):
        return [modern(item) for item in described]
    if not isinstance(described, Mapping):
        return described
    found = renamed(described)
    inner = found.keys() & {"schedule", "rule", "screen", "parts"}
    found |= {key: modern(found[key]) for key in inner}
    if isinstance(found.get("kind"), str):
        found["kind"] = _FORMER_KINDS.get(found["kind"], found["kind"])
    return found
