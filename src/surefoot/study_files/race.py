"""From a ``[race]`` table, or the options of ``rerace``, to the rules of a race.

A key without meaning for the schedule or rule chosen is refused in a sentence that says where it
belongs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from surefoot.errors import ConfigurationError
from surefoot.study_files.schema import RaceTable

if TYPE_CHECKING:
    from surefoot.racing.criteria import Criterion
    from surefoot.racing.rules.base import EliminationRule
    from surefoot.racing.schedules.base import Schedule
    from surefoot.racing.screen import Screen

SCHEDULES: Mapping[str, tuple[str, ...]] = {
    "default": (),
    "halving": ("keep", "per_round", "warmup"),
    "flat_budget": ("budget", "keep", "per_round", "warmup", "cap"),
    "top_two": ("budget", "keep", "warmup", "cap", "finalists", "complete"),
    "exact_max": ("complete",),
}
"""The keys each schedule takes."""

RULES: Mapping[str, tuple[str, ...]] = {
    "rank": (),
    "prediction": (),
    "test": ("level", "few", "many"),
    "signs": ("level",),
    "swaps": ("level",),
    "quantile": ("level", "anytime"),
}
"""The keys each rule takes."""

SCHEDULE_KEYS = tuple(dict.fromkeys(key for keys in SCHEDULES.values() for key in keys))
RULE_KEYS = tuple(dict.fromkeys(key for keys in RULES.values() for key in keys))
PREDICTING = ("default", "top_two")
"""The schedules whose rule is by prediction unless the table names one."""
EXACT = "exact_max"
"""The schedule that has a rule of its own, and with it an end."""

_NEEDED = {
    "flat_budget": {"budget": "the trainings of a round"},
    "top_two": {
        "budget": "the trainings of a round",
        "complete": "the instances of the last two",
    },
}


def build_rules(race: RaceTable, candidates: int, criterion: Criterion) -> dict[str, Any]:
    """Return schedule, rule, most, limit and screen as `surefoot.racing.race.Race` takes them.

    Raises
    ------
    ConfigurationError
        If a key has no meaning beside the others, or is missing.
    ConfigurationError
        If a number is none that schedule, rule or screen can have.
    """
    return {
        "schedule": build_schedule(race, candidates, criterion),
        "rule": build_rule(race),
        "most": race.most,
        "limit": race.limit,
        "screen": build_screen(race),
    }


def build_schedule(race: RaceTable, candidates: int, criterion: Criterion) -> Schedule:
    """Return the schedule of a table; errors as in `build_rules`."""
    from surefoot.racing.rules.exact_max import ExactMax
    from surefoot.racing.schedules.base import Chain, FlatBudget, Halving
    from surefoot.racing.schedules.closest import FINALISTS
    from surefoot.racing.schedules.default import default_schedule, within
    from surefoot.racing.schedules.top_two import TopTwo

    given = _given(race, "schedule", race.schedule, SCHEDULES)
    for name, meaning in _NEEDED.get(race.schedule, {}).items():
        if name not in given:
            raise ConfigurationError(f"schedule = '{race.schedule}' needs {name}, {meaning}")
    match race.schedule:
        case "halving":
            return Halving(**given)
        case "flat_budget":
            return FlatBudget(**given)
        case "top_two":
            complete = given.pop("complete")
            return Chain((FlatBudget(**{"finalists": FINALISTS, **given}), TopTwo(cap=complete)))
        case "exact_max":
            return ExactMax(**given)
    total = race.limit if race.cost == "instances" else None
    return default_schedule(candidates, within(total, candidates), race.most, criterion.needs)


def build_rule(race: RaceTable) -> EliminationRule:
    """Return the rule of a table; errors as in `build_rules`."""
    from surefoot.racing.prediction.mixed_model import ByPrediction
    from surefoot.racing.rules.base import ByRank
    from surefoot.racing.rules.by_interval import ByQuantileInterval, BySwaps
    from surefoot.racing.rules.by_test import BySigns, ByTest
    from surefoot.racing.rules.exact_max import ByMax

    if race.schedule == EXACT:
        return ByMax() if race.complete is None else ByMax(race.complete)
    kinds: dict[str, Any] = {
        "rank": ByRank,
        "prediction": ByPrediction,
        "test": ByTest,
        "signs": BySigns,
        "swaps": BySwaps,
        "quantile": ByQuantileInterval,
    }
    usual = "prediction" if race.schedule in PREDICTING else "rank"
    chosen = race.rule or usual
    rule: EliminationRule = kinds[chosen](**_given(race, "rule", chosen, RULES))
    return rule


def build_screen(race: RaceTable) -> Screen | None:
    """Return the screen of a table, or None; errors as in `build_rules`."""
    from surefoot.racing.screen import Screen

    if race.screen is not False:
        return Screen(tolerance=race.screen, margin=race.screen_margin)
    if "screen_margin" in race.model_fields_set:
        raise ConfigurationError(
            f"screen_margin = '{race.screen_margin}' has no meaning without a screen: give its "
            "tolerance too, such as screen = 0.2"
        )
    return None


def _given(
    race: RaceTable, choice: str, chosen: str, kinds: Mapping[str, tuple[str, ...]]
) -> dict[str, Any]:
    """Return the keys given that belong to a choice; refuse those of others."""
    keys = dict.fromkeys(key for taken in kinds.values() for key in taken)
    given = {key: value for key in keys if (value := getattr(race, key)) is not None}
    for key, value in given.items():
        if key not in kinds[chosen]:
            homes = [kind for kind, taken in kinds.items() if key in taken]
            raise _meaningless(key, value, choice, chosen, homes)
    if choice == "schedule" and chosen == EXACT:
        others = [kind for kind in kinds if kind != EXACT]
        for key in ("rule", *RULE_KEYS, "most"):
            if key in race.model_fields_set:
                raise _meaningless(key, getattr(race, key), choice, chosen, others)
    return given


def _meaningless(
    key: str, value: Any, choice: str, chosen: str, homes: list[str]
) -> ConfigurationError:
    return ConfigurationError(
        f"{key} = {_shown(value)} has no meaning for {choice} = '{chosen}': it belongs to "
        f"{choice} = {_either(homes)}"
    )


def _either(words: list[str]) -> str:
    """Return ``'a', 'b' or 'c'``."""
    *others, last = (f"'{word}'" for word in words)
    return f"{', '.join(others)} or {last}" if others else last


def _shown(value: Any) -> str:
    """Return a value as a study file writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, str) else f"{value:g}"
