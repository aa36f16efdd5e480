"""A plan as a table and in words: what every race costs and finds, and which to take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from surefoot.cli.show.console import table
from surefoot.places import Place
from surefoot.racing.simulation.pilot import FEWEST_INSTANCES
from surefoot.seeds.ledger import Role
from surefoot.studies.duration import cores, duration_words
from surefoot.studies.plan.plan import OWN, efficient

if TYPE_CHECKING:
    from rich.table import Table

    from surefoot.studies.plan.pilot import PilotRecord
    from surefoot.studies.plan.plan import Advice, PlanRow
    from surefoot.studies.select.study import SelectStudy


def plan_table(rows: Sequence[PlanRow], pick: PlanRow) -> Table:
    """Return the rows as a table, cheapest first; ``*`` marks the efficient, ``>`` the pick."""
    risky = any(row.risk > 0.0 for row in rows)
    numbers = ["trainings", "time", "best", "in 1 %", "regret", "curse", *["breaks"] * risky]
    made = table("", "race", *numbers, right=numbers)
    for column in made.columns[1:]:
        column.no_wrap, column.overflow = True, "ellipsis"
    made.padding = (0, 1, 0, 0)
    best = efficient(rows)
    for row in rows:
        one = row.forecast
        regret = f"{100.0 * one.regret:.2f} ± {one.regret_error:.2%}"
        if np.isnan(one.regret_error):
            regret = "no winner" if np.isnan(one.regret) else f"{one.regret:.2%}"
        made.add_row(
            ">" if row is pick else "*" if row in best else "",
            row.choice.name,
            f"{one.trainings:,.0f}",
            duration_words(row.seconds),
            f"{one.p_best:.0%}",
            f"{one.p_within:.0%}",
            regret,
            "" if np.isnan(one.curse) else f"{one.curse:.1%}",
            *([f"{row.risk:.0%}"] if risky else []),
            style="bold" if row is pick else None,
        )
    return made


def races_in_words(rows: Sequence[PlanRow]) -> list[str]:
    """Return what the races are, each in a few words; a change of the study's own needs none."""
    chosen = (row.choice for row in rows if not row.choice.name.startswith(f"{OWN},"))
    return [f"{choice.name}: {choice.race.words}." for choice in chosen]


def advice_in_words(advice: Advice) -> list[str]:
    """Return which race to take, why, and what the study file must say to get it."""
    one, choice = advice.row.forecast, advice.row.choice
    said = [
        f"Take '{choice.name}': {one.trainings:,.0f} trainings in "
        f"{duration_words(advice.row.seconds)}. Of the races above it is {advice.reason} "
        f"({one.regret:.2%}).",
    ]
    if not choice.changes:
        return [*said, "The study file says so already."]
    return [
        *said,
        "In [race], in place of all that it says about schedule, rule, limit and max_instances:"
        if any(line.startswith("schedule") for line in choice.changes)
        else "In [race]:",
    ]


def notes(
    study: SelectStudy,
    pilot: PilotRecord,
    rows: Sequence[PlanRow],
    races: int,
    workers: int,
    where: Place,
) -> list[str]:
    """Return what the table rests on and what it leaves out."""
    counts = pilot.table.counts()
    least, most = int(counts.min()), int(counts.max())
    each = f"{least}" if least == most else f"{least} to {most}"
    found, criterion = pilot.pilot, study.race.criterion.name
    spread = float(np.exp(found.locations.std(ddof=1)) - 1.0)
    noise = float(np.exp(np.median(found.deviations)) - 1.0)
    said = [
        f"{races} simulated populations of {len(study.candidates):,} candidates like the "
        f"{len(pilot.table.keys)} of {where} with {each} instances each, the same for all races.",
        f"There, typical losses scatter by {spread:.0%} between candidates and by {noise:.0%} "
        f"between trainings of one; the draws explain {found.shared:.0%} of the latter's variance.",
        "best: probability that the winner is the best; in 1 %: that it is within 1 % of it; "
        f"regret: how much worse its true {criterion} is on average, with the standard "
        "error; curse: how much its racing value flatters it; *: no race is both cheaper and "
        "better.",
        f"time: the pilot's trainings took {pilot.seconds:.2g} s each on one core; on "
        f"{cores(workers)}, without the {study.certify} instances of each certificate.",
    ]
    if pilot.role is Role.RACE:
        noisy = int((np.isfinite(pilot.table.losses).sum(axis=1) >= FEWEST_INSTANCES).sum())
        said.append(
            f"Taken from a race, which shows how noisy trainings are only of its {noisy} last "
            "candidates, the better ones: a pilot of its own tells more."
        )
    if "max" in criterion or "cvar" in criterion:
        said.append(
            f"Beware: a pilot shows little of the tails that decide {criterion}. Take "
            "the regrets as several times too small, and the order of the races as right."
        )
    if any(row.risk > 0.0 for row in rows):
        said.append(
            "breaks: probability that the winner diverges at times, or that nobody is left; regret "
            "is that of the other races."
        )
    for row in rows:
        if row.forecast.screened > 0.0:
            said.append(
                f"{row.choice.name}: the screen removes the best candidate in "
                f"{row.forecast.screened:.0%} of the races."
            )
        if row.forecast.races < races:
            said.append(
                f"{row.choice.name}: its test is slow, so it ran in {row.forecast.races} of the "
                "populations."
            )
    other = pilot.differences(study)
    if other:
        said.append(
            f"Beware: {where} was trained otherwise than the study file says (there -> here): "
            + "; ".join(other[:4])
        )
    return said
