"""The studies as functions of one call each: the library's front door. Here those of races.

What they share is written once, in `surefoot.studies.shared`: the keyword parameters of `Training`
(loss, sample_size, sampling, stopping, seed, journal, engine, workers, executor, watch,
retry_failed), which every study that trains takes, and those of `Racing` (criterion, schedule,
screen, baseline, rule, limit, most, paired) for races. All of them raise kinds of `SurefootError`,
with one sentence that says what is wrong and what would be right.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Unpack

from surefoot import registry
from surefoot.candidates.base import Candidate
from surefoot.data.population import Population
from surefoot.errors import ConfigurationError
from surefoot.journal import Journal
from surefoot.racing.criteria import as_criterion
from surefoot.racing.prediction.mixed_model import ByPrediction
from surefoot.racing.rules.base import ByRank
from surefoot.racing.schedules.default import default_schedule, within
from surefoot.racing.screen import Screen
from surefoot.studies.base import SelectStudy
from surefoot.studies.plan.advice import WISH, Advice, advise
from surefoot.studies.plan.study import Measured, PlanRow, pilot_study, plan_races, train_pilot
from surefoot.studies.select import rerace as reracing
from surefoot.studies.select import run as selecting
from surefoot.studies.select.rerace import Rerace
from surefoot.studies.select.selection import Selection
from surefoot.studies.shared import Given, Racing, Rules, Running, Training, lists_options

RULES = frozenset({*Rules.__annotations__, "baseline", "paired"})


@lists_options(Training, Running, Rules, Racing)
def select(
    candidates: Iterable[Candidate],
    population: Population,
    *,
    certify: int = 59,
    content: float = 0.95,
    confidence: float = 0.95,
    **options: Unpack[Racing],
) -> Selection:
    """Select the candidate that is most robust against retraining, and certify it.

    Parameters
    ----------
    candidates
        A `SearchSpace` or any iterable of candidates.
    population
        The data; half of them only ever measure losses.
    certify, content, confidence
        Fresh instances of the winner, and what they are to promise.
    **options

    Returns
    -------
    Selection
        The winner, its certificate and where every candidate left.

    Raises
    ------
    ConfigurationError
        If there are no candidates, or the rules do not fit together.
    JournalMismatchError
        If the journal is of another study.
    EngineError
        If no engine trains a candidate.

    Examples
    --------
    >>> import surefoot
    >>> from surefoot.calorimeter.baselines import ScaledSum
    >>> photons = surefoot.load_population("photons:A", target="energy")
    >>> sums = surefoot.SearchSpace.product(ScaledSum, window=["full", "3x3"])
    >>> found = surefoot.select(sums, photons, loss="relative_rmse", sample_size=500, certify=5)
    >>> found.winner.label, len(found.certificate.losses)
    ('scaled sum', 5)
    """
    given, study = _selection(
        candidates, population, options, certify=certify, content=content, confidence=confidence
    )
    with given.open(study) as (record, executor):
        return selecting.select(
            study, record, executor, given.watch, retry_failed=given.retry_failed
        )


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


@lists_options(Training, Running, Rules, Racing)
def plan(
    candidates: Iterable[Candidate],
    population: Population,
    *,
    size: int = 16,
    n: int = 4,
    races: int = 100,
    regret: float = WISH,
    **options: Unpack[Racing],
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
    given, study = _selection(candidates, population, options)
    small = pilot_study(study, size)
    with given.open(small) as (record, executor):
        pilot = train_pilot(
            small, n, record, executor, given.told.outcome, retry_failed=given.retry_failed
        )
        rows = plan_races(study, pilot, executor.workers, races=races)
    return RacePlan(tuple(rows), advise(rows, regret), pilot)


def rerace(journal: str | os.PathLike[str], **rules: Unpack[Rules]) -> Rerace:
    """Run a recorded race again under other rules, training nothing.

    Parameters
    ----------
    journal
        The file that `select` wrote.
    **rules
        Any of criterion, schedule, screen, rule, limit and most, as for `select`; what is not given
        stays as it was. None takes a screen or limit away.

    Returns
    -------
    Rerace
        Where the race ends; ``state.winner`` is None where it asks for instances that nobody
        trained.

    Raises
    ------
    JournalError
        If there is no such journal, or it holds no race.
    ConfigurationError
        If the rule cannot judge the criterion.

    Examples
    --------
    >>> import tempfile, surefoot
    >>> from surefoot.calorimeter.baselines import ScaledSum
    >>> from surefoot.racing.schedules.base import Halving
    >>> photons = surefoot.load_population("photons:A", target="energy")
    >>> sums = surefoot.SearchSpace.product(ScaledSum, window=["full", "3x3"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = surefoot.select(
    ...         sums, photons, loss="relative_rmse", sample_size=500, certify=0,
    ...         schedule=Halving(), journal=f"{folder}/race.db",
    ...     )
    ...     found = surefoot.rerace(f"{folder}/race.db", criterion="max")
    >>> found.race.statistic.name, found.state.over, len(found.missing)
    ('max', True, 0)
    """
    with Journal.read(journal) as record:
        changes: dict[str, Any] = dict(rules)
        if "criterion" in changes:
            changes["criterion"] = as_criterion(changes["criterion"])
        if "screen" in changes:
            changes["screen"] = _screen(changes["screen"])
        return reracing.rerace(record, **changes)


def _selection(
    candidates: Iterable[Candidate], population: Population, options: Racing, **certificate: Any
) -> tuple[Given, SelectStudy]:
    """Return the selection that parameters describe, and those that say how it is trained."""
    everyone = tuple(candidates)
    if not everyone:
        raise ConfigurationError("a race needs at least one candidate; none was given")
    known: Mapping[str, Any] = options
    given = Given(
        population=population, **{name: known[name] for name in known if name not in RULES}
    )
    rules = {name: known[name] for name in known if name in RULES}
    limit, most, schedule = (rules.get(name) for name in ("limit", "most", "schedule"))
    needs = as_criterion(rules.get("criterion", "mean")).needs
    rules["schedule"] = schedule or default_schedule(
        len(everyone), within(limit, len(everyone)), most, needs
    )
    rules["rule"] = rules.get("rule") or (ByPrediction() if schedule is None else ByRank())
    rules["screen"] = _screen(rules.get("screen"))
    rules["baseline"] = _baseline(rules.get("baseline"))
    study = SelectStudy(
        candidates=everyone,
        setting=given.setting(),
        seed=given.seed,
        engine=given.asked,
        **rules,
        **certificate,
    )
    return given, study


def _screen(screen: Screen | float | None) -> Screen | None:
    return screen if isinstance(screen, Screen | None) else Screen(float(screen))


def _baseline(baseline: Candidate | str | None) -> Candidate | None:
    if not isinstance(baseline, str):
        return baseline
    named: Any = registry.lookup("candidates", baseline)
    candidate: Candidate = named()
    return candidate
