"""Variance: where does the spread of a candidate's losses come from?

Four designs share their instances. Three are the paper's (its section on initialisation): the
initialisation varied alone on one fixed sample, the sample varied alone with fixed initial weights,
and both. The fourth is crossed, every draw with every initialisation (and several batch orders if
wished), which tells the sources' variances apart. A few instances are measured on further test
samples, with everything else the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Unpack

from surefoot.candidates.base import Candidate
from surefoot.data.population import Population
from surefoot.errors import ConfigurationError
from surefoot.executors.base import Executor
from surefoot.instances import Instance, Outcome
from surefoot.journal import Journal
from surefoot.seeds.ledger import Role, study_generator
from surefoot.studies.base import Study
from surefoot.studies.description import Description
from surefoot.studies.options import (
    RunOptions,
    TrainingOptions,
    lists_options,
    refuse_renamed,
    study_and_run,
)
from surefoot.studies.runner import train
from surefoot.studies.variance.analysis import FEWEST, analyse
from surefoot.studies.variance.factors import FactorLevels
from surefoot.studies.variance.result import VarianceResult


@dataclass(frozen=True, kw_only=True)
class VarianceDesign:
    """How many instances of which kind.

    Parameters
    ----------
    alone
        Instances of each of the paper's three experiments; 0 for none.
    draws, inits
        Size of the crossed design; 0 for none.
    replicates
        Batch orders (with noise) per draw and initialisation; with 1 the batch order belongs to
        the initial weights, as in every other study.
    tested, tests
        Instances measured on further test samples, and on how many each.

    Raises
    ------
    ConfigurationError
        If a design is too small to say anything.
    """

    alone: int = 20
    draws: int = 8
    inits: int = 8
    replicates: int = 1
    tested: int = 4
    tests: int = 5

    def __post_init__(self) -> None:
        for name, least in (
            ("alone", FEWEST),
            ("draws", 2),
            ("inits", 2),
            ("tested", 1),
            ("tests", 1),
        ):
            number = getattr(self, name)
            if number and number < least:
                raise ConfigurationError(
                    f"{name} = {number} says nothing about a spread: give {least} or more, or 0"
                )
        if self.replicates < 1:
            raise ConfigurationError(f"replicates = {self.replicates} batch orders: give 1 or more")
        if bool(self.draws) != bool(self.inits):
            raise ConfigurationError(
                f"a crossed design of {self.draws} draws and {self.inits} initialisations is none: "
                "give both, or 0 for both"
            )
        if not self.alone and not self.draws:
            raise ConfigurationError("alone = 0 and draws = 0 leave no instance: give one of them")

    def init(self) -> list[FactorLevels]:
        """Initialisation alone: the first sample, fixed."""
        return [FactorLevels(0, i) for i in range(self.alone)]

    def draw(self) -> list[FactorLevels]:
        """Sample alone: the first initial weights, fixed."""
        return [FactorLevels(i, 0) for i in range(self.alone)]

    def both(self) -> list[FactorLevels]:
        """Sample and initialisation anew for every instance."""
        return [FactorLevels(i, i) for i in range(self.alone)]

    def crossed(self) -> list[list[list[FactorLevels]]]:
        """Every draw with every initialisation, ``[draws][inits][replicates]``."""
        orders = range(1, self.replicates + 1) if self.replicates > 1 else range(1)
        return [
            [[FactorLevels(d, i, order) for order in orders] for i in range(self.inits)]
            for d in range(self.draws)
        ]

    def test(self) -> list[list[FactorLevels]]:
        """Instances that differ in their test sample alone, ``[tested][tests + 1]``."""
        if not self.tests:
            return []
        return [
            [FactorLevels(i, i, 0, t) for t in range(self.tests + 1)] for i in range(self.tested)
        ]

    def levels(self, *, whole_test: bool = False) -> list[FactorLevels]:
        """Return every instance once; ``whole_test`` leaves out test samples of their own."""
        every = [*self.init(), *self.draw(), *self.both()]
        every += [one for row in self.crossed() for group in row for one in group]
        if not whole_test:
            every += [one for group in self.test() for one in group]
        return list(dict.fromkeys(every))


@dataclass(frozen=True, kw_only=True, eq=False)
class VarianceStudy(Study):
    """Where does the spread of this candidate's losses come from?

    The journal's description holds nothing of the design: a larger one goes on in the same journal.
    """

    candidate: Candidate

    @property
    def everyone(self) -> tuple[Candidate, ...]:
        """The candidate."""
        return (self.candidate,)

    @cached_property
    def description(self) -> Description:
        """The candidate."""
        return Description(kind="variance", candidates=(self.candidate.key,), **self.common())

    @property
    def whole_test(self) -> bool:
        """Whether every instance is measured on the whole test half."""
        size = self.setting.sampling.test_size
        return size is None or size == self.setting.halves.test.size

    def instances(self, design: VarianceDesign) -> list[Instance]:
        """Return the instances of a design."""
        return [
            self.instance(self.candidate.key, Role.VARIANCE, levels.number)
            for levels in design.levels(whole_test=self.whole_test)
        ]


@lists_options(TrainingOptions, RunOptions, used_by=VarianceStudy)
def variance(
    candidate: Candidate,
    population: Population,
    *,
    alone: int = 20,
    draws: int = 8,
    inits: int = 8,
    replicates: int = 1,
    tested: int = 4,
    tests: int = 5,
    confidence: float = 0.95,
    **options: Unpack[TrainingOptions],
) -> VarianceResult:
    """Find where the spread of one candidate's losses comes from.

    Parameters
    ----------
    alone
        Instances of each of the paper's three experiments; 0 for none.
    draws, inits, replicates
        Size of the crossed design, 0 for none, and batch orders of each of its instances.
    tested, tests
        Instances measured on further test samples, and on how many each.
    confidence
        Of the intervals.
    **options

    Raises
    ------
    ConfigurationError
        If the design is too small to say anything.
    JournalMismatchError, EngineError
        As for `select`.

    Examples
    --------
    >>> import surefoot
    >>> from surefoot.calorimeter.baselines import ScaledSum
    >>> photons = surefoot.load_population("photons:A", target="energy")
    >>> found = surefoot.variance(
    ...     ScaledSum(), photons, loss="relative_rmse", sample_size=500,
    ...     alone=5, draws=0, inits=0, tests=0,
    ... )
    >>> float(found.experiments[0].sd.estimate)  # nothing of a formula is initialised
    0.0
    """
    refuse_renamed(options, design="alone, draws, inits, replicates, tested and tests")
    design = VarianceDesign(
        alone=alone, draws=draws, inits=inits, replicates=replicates, tested=tested, tests=tests
    )
    made, run = study_and_run(population, options)
    study = VarianceStudy(candidate=candidate, **made)
    return run.ask(run_variance, study, design, confidence=confidence)


def run_variance(
    study: VarianceStudy,
    design: VarianceDesign,
    journal: Journal,
    executor: Executor,
    each: Callable[[Outcome], None] | None = None,
    *,
    confidence: float = 0.95,
    retry_failed: bool = False,
) -> VarianceResult:
    """Run or resume a variance study; errors are those of `surefoot.studies.runner.train`."""
    instances = study.instances(design)
    train(study, instances, journal, executor, each, retry_failed=retry_failed)
    losses = {
        FactorLevels.numbered(measure.instance): measure.loss
        for measure in journal.measures(Role.VARIANCE)
    }

    def of(levels: list[FactorLevels]) -> list[float]:
        return [losses[one] for one in levels]

    return analyse(
        init=of(design.init()),
        draw=of(design.draw()),
        both=of(design.both()),
        crossed=[[of(group) for group in row] for row in design.crossed()],
        test=[] if study.whole_test else [of(group) for group in design.test()],
        rng=study_generator(study.seed, Role.STATISTICS, int(Role.VARIANCE)),
        confidence=confidence,
        whole_test=study.whole_test,
    )
