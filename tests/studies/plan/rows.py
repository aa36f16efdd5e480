"""Races of a plan with forecasts made up."""

from __future__ import annotations

from surefoot.racing.race import Race
from surefoot.racing.schedules.rounds import Halving
from surefoot.racing.simulation.planner import Forecast
from surefoot.studies.plan.plan import OWN, Choice, PlanRow

RACE = Race(("a", "b"), "mean", Halving())


def row(name: str, seconds: float, regret: float, error: float = 0.001) -> PlanRow:
    forecast = Forecast(name, 50, 100.0, 120, {}, 0.5, 0.6, regret, error, 0.01)
    return PlanRow(Choice(RACE, name=name), forecast, seconds)


ROWS = [
    row(OWN, 4_000.0, 0.02),
    row("dominated", 9_000.0, 0.03),
    row("good", 20_000.0, 0.004),
    row("rich", 90_000.0, 0.0, 0.0),
]
