"""The planner: what a race would cost and find, simulated in populations like a pilot's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from surefoot.errors import RaceError
from surefoot.racing.race import Race
from surefoot.racing.simulation.pilot import Pilot
from surefoot.racing.simulation.world import World
from surefoot.racing.state import RaceState
from surefoot.racing.table import Floats

EXACT = 1e-12


@dataclass(frozen=True)
class Scenario:
    """A race to simulate: whether draws are paired, and in how many populations at most."""

    race: Race
    paired: bool = True
    races: int | None = None


@dataclass(frozen=True)
class Forecast:
    """What a race is expected to do, over the ``races`` simulated ones.

    ``trainings`` is the mean number of instances and ``max_trainings`` the largest; ``costs`` are
    the mean sums of their costs by the name of the unit. ``p_best`` and ``p_within`` are the
    probabilities that the winner's true criterion is the smallest of all, and within 1 % of it.
    ``unstable`` is the probability of a winner whose true criterion is infinite since it diverges
    at times, ``lost`` that nobody wins (all are screened out or diverge) and ``screened`` that the
    screen removes the best. ``regret`` is the mean of (winner's - best) / best over the stable
    winners and ``regret_error`` its standard error; ``curse`` is the mean share by which the
    winner's racing value is too good.
    """

    name: str
    races: int
    trainings: float
    max_trainings: int
    costs: Mapping[str, float]
    p_best: float
    p_within: float
    regret: float
    regret_error: float
    curse: float
    unstable: float = 0.0
    lost: float = 0.0
    screened: float = 0.0


@dataclass(frozen=True)
class Run:
    """One simulated race; without a winner ``regret`` is NaN and ``failure`` says why."""

    trainings: int
    costs: Mapping[str, float]
    regret: float
    curse: float
    screened: bool
    failure: str = ""


Population = tuple[int, int]
"""Number and seed of a simulated population."""

Spread = Callable[
    [Callable[[Population], dict[str, Run]], Iterable[Population]], Iterable[dict[str, Run]]
]
"""A map, such as that of a pool of processes: the results in the order of the arguments."""


def simulate(
    pilot: Pilot,
    candidates: int,
    scenarios: Mapping[str, Scenario],
    *,
    rng: np.random.Generator,
    races: int = 100,
    each: Callable[[], None] | None = None,
    spread: Spread = map,
) -> list[Forecast]:
    """Run every race in the same ``races`` simulated populations of the pilot's kind.

    The ``scenarios``, races by name, are all of so many ``candidates`` and by the same criterion;
    one may ask for fewer populations. ``rng`` makes the populations' seeds, ``each`` is called
    after every population, and ``spread`` simulates them, one after the other unless given.
    Raises `RaceError` if every simulated candidate diverges, or no race has a winner in any
    population: the message is that of the last.
    """
    seeds = rng.integers(0, 2**63, races).tolist()
    population = partial(_population, pilot, candidates, scenarios)
    found: dict[str, list[Run]] = {name: [] for name in scenarios}
    for runs in spread(population, enumerate(seeds)):
        for name, run in runs.items():
            found[name].append(run)
        if each is not None:
            each()
    everything = [run for runs in found.values() for run in runs]
    if all(run.failure for run in everything):
        raise RaceError(everything[-1].failure)
    return [_forecast(name, runs) for name, runs in found.items()]


def _population(
    pilot: Pilot, candidates: int, scenarios: Mapping[str, Scenario], population: Population
) -> dict[str, Run]:
    """Return the races run in one population."""
    number, seed = population
    rng = np.random.default_rng(seed)
    first = max([8, *(one.race.plan()[0].upto for one in scenarios.values())])
    worlds = {True: World.like(pilot, candidates, rng, first=first)}
    if not all(scenario.paired for scenario in scenarios.values()):
        worlds[False] = worlds[True].unpaired(rng)
    truth = worlds[True].truth(next(iter(scenarios.values())).race.criterion)
    if np.isinf(truth).all():
        raise RaceError("every simulated candidate diverges; the pilot has no stable candidate")
    found = {}
    for name, scenario in scenarios.items():
        if scenario.races is not None and number >= scenario.races:
            continue
        world = worlds[scenario.paired]
        try:
            state, trained = world.race(scenario.race)
        except RaceError as error:
            once = {unit: float(one.sum()) for unit, one in world.costs.items()}
            found[name] = Run(candidates, once, np.nan, np.nan, True, str(error))
        else:
            found[name] = _run(state, trained, truth, world)
    return found


def _run(state: RaceState, trained: Floats, truth: Floats, world: World) -> Run:
    assert state.winner is not None
    best, winner = int(truth.argmin()), int(state.winner)
    last = state.rounds[-1]
    true, value = float(truth[winner]), float(last.values[last.keys.index(state.winner)])
    screened = any(
        one.name == "screen" and state.keys[best] not in one.survivors for one in state.rounds
    )
    return Run(
        int(trained.sum()),
        {unit: float(each @ trained) for unit, each in world.costs.items()},
        true / float(truth[best]) - 1.0,
        (true - value) / true if np.isfinite(true) else np.nan,
        screened,
    )


def _forecast(name: str, runs: Sequence[Run]) -> Forecast:
    count = len(runs)
    regret = np.array([run.regret for run in runs])
    stable = regret[np.isfinite(regret)]
    curse = np.array([run.curse for run in runs if not run.failure])
    trainings = np.array([run.trainings for run in runs])
    nan = float("nan")
    return Forecast(
        name,
        count,
        float(trainings.mean()),
        int(trainings.max()),
        {unit: float(np.mean([run.costs[unit] for run in runs])) for unit in runs[0].costs},
        float((regret <= EXACT).sum()) / count,
        float((regret <= 0.01).sum()) / count,
        float(stable.mean()) if len(stable) else nan,
        float(stable.std(ddof=1) / np.sqrt(len(stable))) if len(stable) > 1 else nan,
        float(np.nanmean(curse)) if np.isfinite(curse).any() else nan,
        float(np.isinf(regret).sum()) / count,
        float(np.isnan(regret).sum()) / count,
        sum(run.screened for run in runs) / count,
    )
