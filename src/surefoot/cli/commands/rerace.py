"""``surefoot rerace``: a recorded race under other rules, training nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from surefoot.cli.show.console import console, say_sentences
from surefoot.errors import ConfigurationError, nearest
from surefoot.journal import Journal
from surefoot.study_files.race import (
    EXACT,
    RULE_KEYS,
    RULES,
    SCHEDULE_KEYS,
    SCHEDULES,
    build_rule,
    build_schedule,
    build_screen,
)
from surefoot.study_files.schema import RaceTable

if TYPE_CHECKING:
    from surefoot.racing.race import Race

INCOMPLETE = 3
"""Exit code when instances that the rules ask for are not recorded."""


def run(journal_path: Path, options: dict[str, Any]) -> int:
    """Run the command and return its exit code; ``options`` None are left as they were."""
    from surefoot.cli.show.race import say_race
    from surefoot.studies.description import RaceDescription
    from surefoot.studies.select.rerace import replay_race

    out = console()
    given = {name: value for name, value in options.items() if value is not None}
    with Journal.read(journal_path) as journal:
        changes = changes_of(given, RaceDescription.read(journal.study).race)
        found = replay_race(journal, **changes)
        known = journal.candidates()
    labels = {key: one.label for key, one in known.items()}
    race = found.race
    out.print(
        f"Rerace of {journal_path}: {len(race.keys):,} candidates, "
        f"{race.statistic.name}, {found.record.table.count:,} recorded instances",
        style="bold",
        soft_wrap=True,
    )
    say_race(out, found.record, found.state, known)
    say_sentences(out, "", found.lines(labels), "bold")
    return 0 if found.state.over else INCOMPLETE


def changes_of(given: dict[str, Any], own: Race) -> dict[str, Any]:
    """Return the changed rules of a race as `replay_race` takes them.

    Raises
    ------
    ConfigurationError, StudyFileError
        If a rule or schedule is unknown, or an option belongs to another one.
    """
    from surefoot.racing.criteria import from_name
    from surefoot.racing.prediction.mixed_model import ByPrediction
    from surefoot.racing.rules.base import ByRank
    from surefoot.racing.rules.exact_max import ByMax

    table = _table({name: value for name, value in given.items() if name != "criterion"})
    named = table.model_fields_set
    for choice, keys in (("schedule", SCHEDULE_KEYS), ("rule", RULE_KEYS)):
        lost = [key for key in keys if key in named and choice not in named]
        if lost:
            raise ConfigurationError(f"{_option(lost[0])} belongs to a --{choice}: name it too")
    changes: dict[str, Any] = {name: given[name] for name in ("most", "limit") if name in named}
    criterion = own.statistic
    if "criterion" in given:
        changes["criterion"] = criterion = from_name(given["criterion"])
    usual = isinstance(own.rule, ByRank | ByPrediction | ByMax) or table.schedule == EXACT
    if "rule" in named or ("schedule" in named and usual):
        changes["rule"] = build_rule(table)
    if "schedule" in named:
        changes["schedule"] = build_schedule(table, len(own.keys), criterion)
    if "screen" in named or "screen_margin" in named:
        changes["screen"] = build_screen(table)
    return changes


def _table(given: dict[str, Any]) -> RaceTable:
    """Return the options as the table of a study file, where the same words mean the same."""
    try:
        return RaceTable.model_validate(given | _screen(given.get("screen")))
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
    known = {"schedule": SCHEDULES, "rule": RULES}.get(name)
    right = RaceTable.model_fields[name].description
    hint = f"it must be {right}" if known is None else nearest(str(given[name]), known)
    raise ConfigurationError(f"{_option(name)} {given[name]!r} cannot be used: {hint}")


def _screen(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    if text in ("no", "none", "false"):
        return {"screen": False}
    try:
        return {"screen": float(text)}
    except ValueError:
        raise ConfigurationError(
            f"--screen {text!r} is no tolerance such as 0.2, and not 'no'"
        ) from None


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
