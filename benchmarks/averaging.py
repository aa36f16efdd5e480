"""What does a race save when its candidates average their weights?

Every candidate of a study file is trained many times at a constant learning rate, with an
exponential average of its weights. The journal keeps each training's loss with the averaged weights
and with the plain ones, so that one recording is two tables of paired losses, the same trainings
measured twice. The default race then runs on both, many times: the first half of the instances, in
random order, feeds it, and the other half says how far its winner is from the best candidate.
Beside what happened stands what the planner would have said, from a pilot of sixteen candidates and
four instances of the same table.

    python benchmarks/averaging.py examples/energy.toml examples/position.toml --json averaging.json

Every loss is kept in a journal (``--journals DIRECTORY``) as soon as it is there: an interrupted
recording goes on where it was. ``--quick`` records eight instances of sixteen candidates.
"""

from __future__ import annotations

import argparse
import json
import platform
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import surefoot
from surefoot.racing.replay import Replay
from surefoot.racing.schedules.stages import default_schedule
from surefoot.racing.simulation.pilot import Pilot
from surefoot.racing.simulation.planner import Scenario, simulate
from surefoot.racing.table import LossTable
from surefoot.seeds.ledger import Role
from surefoot.studies.plan.pilot import PilotStudy
from surefoot.studies.select.study import SelectStudy
from surefoot.studies.watch import Watcher

AVERAGE = "ema(2 epochs)"
PILOT_CANDIDATES, PILOT_INSTANCES = 16, 4
BUDGETS = (1.5, 2.0, 3.0, 4.0, 6.0, None)
"""Trainings a candidate that the default race may spend; None for its own limit."""


@dataclass(frozen=True)
class Recorded:
    """Losses ``[candidates, instances]`` of one way to measure, and the baseline's ``[instances]``.

    ``seed`` shuffles, ``race`` is the study's.
    """

    study: SelectStudy
    losses: np.ndarray
    baseline: np.ndarray

    @property
    def feeding(self) -> int:
        """Instances that feed a race; the others are the truth."""
        return self.losses.shape[1] // 2

    def keys(self) -> tuple[str, ...]:
        """Names of the rows."""
        return tuple(candidate.key for candidate in self.study.candidates)

    def raced(self, number: int, budget: float | None) -> tuple[int, float]:
        """Return the trainings that one race spent and its winner's regret."""
        rng = np.random.default_rng([self.study.seed, number])
        columns = rng.permutation(self.feeding)
        size, most = len(self.losses), self.feeding
        limit = None if budget is None else round(budget * size)
        schedule = default_schedule(size, limit, max_instances=most)
        race = replace(self.study.race, max_instances=most, limit=limit)
        race = race.changed(schedule=schedule)
        replay = Replay(race)
        state = replay.run(LossTable(self.keys(), self.losses[:, columns]), self.baseline[columns])
        truth = race.criterion.values(self.losses[:, self.feeding :])
        assert state.winner is not None
        winner = self.keys().index(state.winner)
        return int(replay.paid.sum()), float(truth[winner] / truth.min() - 1.0)

    def foreseen(self, races: int) -> dict[str, float]:
        """Return what the planner says of the default race from a pilot of this table."""
        rng = np.random.default_rng([self.study.seed, int(Role.PILOT)])
        rows = rng.permutation(len(self.losses))[:PILOT_CANDIDATES]
        table = LossTable(
            tuple(self.keys()[row] for row in rows), self.losses[rows, :PILOT_INSTANCES]
        )
        pilot = Pilot.of(table, baseline=self.baseline[:PILOT_INSTANCES])
        numbers = tuple(f"{number:08d}" for number in range(len(self.losses)))
        race = replace(self.study.race, keys=numbers, max_instances=self.feeding)
        scenario = Scenario(race, True, races)
        (found,) = simulate(pilot, len(numbers), {"default": scenario}, rng=rng, races=races)
        return {"trainings": found.trainings, "regret": found.regret, "p_within": found.p_within}


def record(
    path: Path, journal: Path, instances: int, most: int | None, workers: int | None
) -> dict[str, Recorded]:
    """Train what the journal lacks; return the losses of averaged and of plain weights."""
    study = surefoot.read_study(path)
    assert isinstance(study, SelectStudy)
    assert study.baseline is not None
    averaged = tuple(
        replace(one, average=AVERAGE, schedule="constant") for one in study.candidates[:most]
    )
    study = replace(study, candidates=averaged)
    pilot = PilotStudy(
        setting=study.setting,
        seed=study.seed,
        engine=study.engine,
        candidates=averaged,
        baseline=study.baseline,
        size=len(averaged),
        n=instances,
    )
    everyone = {candidate.key: row for row, candidate in enumerate(averaged)}
    shape = (len(averaged) + 1, instances)
    tables = {"averaged": np.full(shape, np.nan), "plain": np.full(shape, np.nan)}
    with pilot.open(journal) as kept, Progress() as progress:
        bar = progress.add_task(path.stem, total=shape[0] * instances, completed=kept.count())

        class Bar(Watcher):
            def outcome(self, outcome: surefoot.Outcome) -> None:
                progress.advance(bar)

        pilot.run(kept, workers=workers, watch=Bar())
        for outcome in kept.outcomes():
            if outcome.instance < instances:
                at = everyone.get(outcome.candidate, len(averaged)), outcome.instance
                plain = outcome.plain_loss
                tables["averaged"][at] = outcome.loss
                tables["plain"][at] = outcome.loss if plain is None else plain
    return {way: Recorded(study, found[:-1], found[-1]) for way, found in tables.items()}


def measure(recorded: Recorded, races: int) -> dict[str, Any]:
    """Return the spread of the losses, and what races spent and missed at every budget."""
    quartiles = np.quantile(recorded.losses, (0.25, 0.5, 0.75), axis=1)
    best = int(np.argmin(recorded.study.race.criterion.values(recorded.losses)))
    found: dict[str, Any] = {
        "noise": float(np.median((quartiles[2] - quartiles[0]) / quartiles[1])),
        "noise_of_best": float((quartiles[2] - quartiles[0])[best] / quartiles[1, best]),
        "best": float(recorded.study.race.criterion.values(recorded.losses)[best]),
        "baseline": float(recorded.study.race.criterion.values(recorded.baseline[None])[0]),
        "planner": recorded.foreseen(races),
        "races": [],
    }
    for budget in BUDGETS:
        spent, regret = np.array([recorded.raced(number, budget) for number in range(races)]).T
        found["races"].append(
            {
                "budget": budget,
                "trainings": float(spent.mean()),
                "regret": float(regret.mean()),
                "regret_error": float(regret.std(ddof=1) / np.sqrt(races)),
                "p_within": float((regret <= 0.01).mean()),
            }
        )
    return found


def table(found: dict[str, dict[str, Any]], size: int) -> Table:
    """Return what was measured of one study file as a table."""
    made = Table("weights", "noise", "limit", "trainings", "regret", "within 1 %")
    for way, one in found.items():
        for row in one["races"]:
            limit = "own" if row["budget"] is None else f"{row['budget'] * size:.0f}"
            cells = f"{row['trainings']:.0f}", f"{row['regret']:.2%} ± {row['regret_error']:.2%}"
            made.add_row(way, f"{one['noise']:.2%}", limit, *cells, f"{row['p_within']:.0%}")
        told = one["planner"]
        cells = f"{told['trainings']:.0f}", f"{told['regret']:.2%}", f"{told['p_within']:.0%}"
        made.add_row(way, "", "planner", *cells)
    return made


def main() -> None:
    """Record, race and tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("studies", type=Path, nargs="+", help="study files of selections")
    parser.add_argument("--instances", type=int, default=64, help="of each candidate")
    parser.add_argument("--races", type=int, default=200, help="on each table")
    parser.add_argument("--journals", type=Path, default=Path("."), help="where losses are kept")
    parser.add_argument("--workers", type=int, help="instances at once; one per core by default")
    parser.add_argument("--quick", action="store_true", help="16 candidates, 8 instances")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    instances, most = (8, 16) if options.quick else (options.instances, None)
    races = 20 if options.quick else options.races
    everything: dict[str, Any] = {
        "machine": platform.processor() or platform.machine(),
        "instances": instances,
    }
    for path in options.studies:
        journal = options.journals / f"averaging-{path.stem}.db"
        recorded = record(path, journal, instances, most, options.workers)
        found = {way: measure(one, races) for way, one in recorded.items()}
        everything[path.stem] = found
        Console().print(table(found, len(recorded["plain"].losses)), f"{path.stem}\n")
    if options.json:
        options.json.write_text(json.dumps(everything, indent=1) + "\n")


if __name__ == "__main__":
    main()
