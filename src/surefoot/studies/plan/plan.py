"""Plan in one call: a pilot is trained, races are simulated, one of them is advised."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Unpack

from surefoot.candidates.base import Candidate
from surefoot.data.population import Population
from surefoot.studies.options import (
    RaceOptions,
    RunOptions,
    SelectOptions,
    TrainingOptions,
    lists_options,
    study_and_run,
)
from surefoot.studies.plan.advice import WISH, Advice, advise
from surefoot.studies.plan.study import Measured, PlanRow, pilot_study, plan_races, train_pilot
from surefoot.studies.select.study import SelectStudy


@dataclass(frozen=True)
class RacePlan:
    """What races would cost and find: ``rows`` by price, the ``advice`` and the ``pilot``."""

    rows: tuple[PlanRow, ...]
    advice: Advice
    pilot: Measured

    def __str__(self) -> str:
        head = f"{'race':<24}{'trainings':>10}{'minutes':>9}{'p(best)':>9}{'regret':>9}"
        lines = [
            f"{row.choice.name:<24}{row.forecast.trainings:>10,.0f}{row.seconds / 60.0:>9.1f}"
            f"{row.forecast.p_best:>9.2f}{row.forecast.regret:>9.2%}"
            for row in self.rows
        ]
        return "\n".join(
            [head, *lines, f"take {self.advice.row.choice.name}: {self.advice.reason}"]
        )


@lists_options(TrainingOptions, RaceOptions, RunOptions, SelectOptions, used_by=SelectStudy)
def plan(
    candidates: Iterable[Candidate],
    population: Population,
    *,
    size: int = 16,
    n: int = 4,
    races: int = 100,
    regret: float = WISH,
    **options: Unpack[SelectOptions],
) -> RacePlan:
    """Train a small pilot and simulate what races would cost and how well they would choose.

    The rules given are those of the race that others are compared with; the journal is the pilot's.

    Parameters
    ----------
    candidates, population
        As for `select`.
    size, n
        Candidates of the pilot and instances of each.
    races
        Simulated races of each kind.
    regret
        Expected share by which the winner may lose more than the best.
    **options

    Raises
    ------
    ConfigurationError
        If there are too few candidates or instances for a pilot.
    JournalMismatchError, EngineError
        As for `select`.

    Examples
    --------
    >>> import surefoot
    >>> photons = surefoot.load_population("photons:A", target="energy")
    >>> networks = surefoot.SearchSpace.product(
    ...     surefoot.convnet,
    ...     channels=[[2], [3]],
    ...     learning_rate=[1e-3, 3e-3, 1e-2, 3e-2],
    ... )
    >>> found = surefoot.plan(
    ...     networks, photons, loss="relative_rmse", n=3, races=5,
    ...     sampling=surefoot.Sampling(200, test_size=200),
    ...     stopping=surefoot.Stopping(max_epochs=2, reading="none"),
    ... )
    >>> len(found.pilot.table.keys), found.advice.row in found.rows
    (8, True)
    """
    made, run = study_and_run(population, options)
    study = SelectStudy(candidates=tuple(candidates), **made)
    small = pilot_study(study, size)
    with run.opened(small) as (record, executor):
        pilot = train_pilot(
            small, n, record, executor, run.watcher.outcome, retry_failed=run.retry_failed
        )
        rows = plan_races(study, pilot, executor.workers, races=races)
    return RacePlan(tuple(rows), advise(rows, regret), pilot)
