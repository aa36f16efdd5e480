"""``surefoot rerace``: a recorded race under other rules, training nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from surefoot.cli.building import build_schedule
from surefoot.cli.console import console
from surefoot.cli.results import say_sentences
from surefoot.cli.tables import RaceTable
from surefoot.errors import RaceError, nearest
from surefoot.journal import Journal

INCOMPLETE = 3
"""Exit code when instances that the rules ask for are not recorded."""

RULES = ("rank", "test", "signs", "swaps", "quantile")
EXACT = "exact_max"


def run(journal_path: Path, options: dict[str, Any]) -> int:
    """Run the command and return its exit code; ``options`` None are left as they were."""
    from surefoot.cli.show_command import ranking_table, rounds_table
    from surefoot.studies.rerace import rerace

    out = console()
    given = {name: value for name, value in options.items() if value is not None}
    with Journal.read(journal_path) as journal:
        changes = changes_of(given, len(journal.study["candidates"]))
        found = rerace(journal, **changes)
        known = journal.candidates()
    labels = {key: one.label for key, one in known.items()}
    race = found.race
    out.print(
        f"Rerace of {journal_path}: {len(race.keys):,} candidates, "
        f"{race.statistic.name}, {found.record.table.count:,} recorded instances",
        style="bold",
        soft_wrap=True,
    )
    if found.state.rounds:
        out.print()
        out.print(rounds_table(found.record, found.state, known))
        out.print()
        out.print(ranking_table(found.state, found.record, known))
    say_sentences(out, "", found.lines(labels), "bold")
    return 0 if found.state.over else INCOMPLETE


def changes_of(given: dict[str, Any], candidates: int) -> dict[str, Any]:
    """Return the changed rules as `rerace` takes them.

    Raises
    ------
    RaceError
        If a rule or schedule is unknown, or an option belongs to another schedule.
    """
    changes: dict[str, Any] = {}
    for name in ("criterion", "limit"):
        if name in given:
            changes[name] = given[name]
    schedule = {
        name: given[name]
        for name in ("schedule", "keep", "per_round", "warmup", "budget", "cap")
        if name in given
    }
    if schedule.get("schedule") == EXACT:
        from surefoot.racing.exact_max import ByMax, ExactMax

        complete = schedule.get("cap", 32)
        changes |= {"schedule": ExactMax(complete), "rule": ByMax(complete)}
        changes.setdefault("criterion", "max")
    elif schedule:
        if "schedule" not in schedule:
            name = next(iter(schedule))
            raise RaceError(f"--{name.replace('_', '-')} belongs to a --schedule: name it too")
        try:
            table = RaceTable.model_validate(schedule)
        except ValidationError:
            known = ("default", "halving", "flat_budget", EXACT)
            raise RaceError(
                f"--schedule {schedule['schedule']!r} with {schedule} cannot be used: "
                + nearest(str(schedule["schedule"]), known)
            ) from None
        changes["schedule"] = build_schedule(table, candidates)
    if "rule" in given:
        changes["rule"] = _rule(given["rule"], given.get("level", 0.05))
    if "screen" in given:
        changes["screen"] = _screen(given["screen"])
    return changes


def _rule(name: str, level: float) -> Any:
    from surefoot.racing.by_interval import ByQuantileInterval, BySwaps
    from surefoot.racing.by_test import BySigns, ByTest
    from surefoot.racing.elimination import ByRank

    kinds: dict[str, Any] = {
        "test": ByTest,
        "signs": BySigns,
        "swaps": BySwaps,
        "quantile": ByQuantileInterval,
    }
    if name == "rank":
        return ByRank()
    if name not in kinds:
        raise RaceError(f"--rule {name!r} is unknown: {nearest(name, RULES)}")
    return kinds[name](level=level)


def _screen(text: str) -> Any:
    from surefoot.racing.screen import Screen

    if text in ("no", "none", "false"):
        return None
    try:
        return Screen(float(text))
    except ValueError:
        raise RaceError(f"--screen {text!r} is no tolerance such as 0.2, and not 'no'") from None
