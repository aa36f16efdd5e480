"""Variance: where does the spread of a candidate's losses come from?

Four designs share their instances. Three are the paper's (its section on initialisation): the
initialisation varied alone on one fixed sample, the sample varied alone with fixed initial weights,
and both. The fourth is crossed, every draw with every initialisation (and several batch orders if
wished), which tells the sources' variances apart. A few instances are measured on further test
samples, with everything else the same.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, Unpack

from surefoot.candidates.base import Candidate
from surefoot.checks import MOST, count, is_whole, share, short
from surefoot.data.population import Population
from surefoot.errors import ConfigurationError, JournalError, StatisticsError
from surefoot.instances import Instance
from surefoot.journal import Journal
from surefoot.seeds.ledger import FactorLevels, Role, study_generator
from surefoot.studies.base import CandidateStudy
from surefoot.studies.description import Description
from surefoot.studies.options import RunOptions, TrainingOptions, ask, lists_options
from surefoot.studies.variance.analysis import FEWEST, VarianceResult, analyse
from surefoot.studies.variance.design import Design

_LEAST = {"alone": FEWEST, "draws": 2, "inits": 2, "tested": 1, "tests": 1}


@dataclass(frozen=True, kw_only=True, eq=False)
class VarianceStudy(CandidateStudy[VarianceResult]):
    """Where does the spread of this candidate's losses come from?

    The journal's description holds nothing of the design: a larger one goes on in the same journal.
    """

    renamed = (("design", "alone, draws, inits, replicates, tested and tests"),)

    alone: int = 20
    draws: int = 8
    inits: int = 8
    replicates: int = 1
    tested: int = 4
    tests: int = 5
    confidence: float = 0.95

    def __post_init__(self) -> None:
        super().__post_init__()
        share(confidence=self.confidence)
        for name, least in _LEAST.items():
            number = getattr(self, name)
            if not is_whole(number) or not 0 <= number <= MOST // 100:
                right = f"a whole number from 0 to {MOST // 100:,}"
                raise ConfigurationError(f"{name} = {short(number)} must be {right}")
            if number and number < least:
                raise ConfigurationError(
                    f"{name} = {number} says nothing about a spread: give {least} or more, or 0"
                )
        count(1, most=MOST // 100, replicates=self.replicates)
        count(0, of="draws x inits x", replicates=self.draws * self.inits * self.replicates)
        count(0, of="tested x", tests=self.tested * self.tests)
        if bool(self.draws) != bool(self.inits):
            raise ConfigurationError(
                f"a crossed design of {self.draws} draws and {self.inits} initialisations is none: "
                "give both, or 0 for both"
            )
        if not self.alone and not self.draws:
            raise ConfigurationError("alone = 0 and draws = 0 leave no instance: give one of them")

    @cached_property
    def description(self) -> Description:
        """The candidate."""
        return self.described(Description, "variance")

    @property
    def whole_test(self) -> bool:
        """Whether every instance is measured on the whole test half."""
        size = self.setting.sampling.test_size
        return size is None or size == self.setting.halves.test.size

    @cached_property
    def design(self) -> Design:
        """Which instances it trains."""
        return Design(**{one.name: getattr(self, one.name) for one in fields(Design)})

    def asked(self) -> dict[str, Any]:
        """Return the design and the confidence."""
        numbers = asdict(self.design)
        del numbers["whole_test"]
        return {**numbers, "confidence": self.confidence}

    def instances(self) -> list[Instance]:
        """Return the instances of all designs, each once."""
        key = self.candidate.key
        return [self.instance(key, Role.VARIANCE, levels.number) for levels in self.design.levels()]

    def result(self, journal: Journal) -> VarianceResult:
        """Return what the losses say."""
        return _read(journal, self.design, self.seed, self.confidence)


def recorded_variance(journal: Journal) -> VarianceResult:
    """Return what the losses of a journal say, of the design it notes, or as far as that goes.

    Raises `JournalError` if the journal is of another kind of study; `StatisticsError` if it holds
    too few instances yet.
    """
    study = Description.read(journal.study)
    if study.kind != "variance":
        raise JournalError(f"a journal of kind {study.kind!r} holds no variance study")
    known = {FactorLevels.numbered(one.instance) for one in journal.measures(Role.VARIANCE)}
    size = study.sampling.test_size
    whole = size is None or size == study.halves.test
    asked = dict(journal.notes().get("asked", {}))
    confidence = asked.pop("confidence", 0.95)
    design = Design(**asked, whole_test=whole)
    if not asked or not known.issuperset(design.levels()):
        design = Design.within(known, whole)
    if not design.alone and not design.draws:
        raise StatisticsError("too few instances are recorded yet to tell where the spread is from")
    return _read(journal, design, study.seed, confidence)


def _read(journal: Journal, design: Design, seed: int, confidence: float) -> VarianceResult:
    """Return what the recorded losses of a design say."""
    losses = {
        FactorLevels.numbered(measure.instance): measure.loss
        for measure in journal.measures(Role.VARIANCE)
    }

    def of(levels: list[FactorLevels]) -> list[float]:
        return [losses[one] for one in levels]

    alone: dict[str, Any] = {name: of(levels) for name, levels in design.experiments().items()}
    return analyse(
        **alone,
        crossed=[[of(group) for group in row] for row in design.crossed()],
        test=[of(group) for group in design.test()],
        rng=study_generator(seed, Role.STATISTICS, int(Role.VARIANCE)),
        confidence=confidence,
        whole_test=design.whole_test,
    )


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
    draws, inits
        Size of the crossed design; 0 for none.
    replicates
        Batch orders (with noise) per draw and initialisation; with 1 the batch order belongs to
        the initial weights, as in every other study.
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
    return ask(VarianceStudy, **locals())
