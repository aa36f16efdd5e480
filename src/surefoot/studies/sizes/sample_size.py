"""Sample size: how many examples does a candidate need to be robust?

``n`` instances are trained at every size asked for. Instance i has the same random streams at all
sizes, so that its smaller samples are the beginnings of its larger ones and sizes are compared on
the same luck.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Unpack

import numpy as np

from surefoot.candidates.base import Candidate
from surefoot.data.population import Population
from surefoot.errors import ConfigurationError, SamplingError
from surefoot.journal import Journal
from surefoot.seeds.ledger import Role, study_generator
from surefoot.studies.options import (
    RunOptions,
    TrainingOptions,
    ask,
    lists_options,
    refuse_renamed,
)
from surefoot.studies.sizes.base import MultiSizeStudy
from surefoot.studies.sizes.robustness import RobustRule, SampleSizeResult, find_robust_size


def paper_sizes() -> list[int]:
    """Return the paper's 45 sizes, ``floor(132.2611 · 1.1326135^i)`` for i = 0 … 44.

    These are the sizes of its figures, to the unit; with the constants cut to 132.261 and 1.13261
    the largest ones come out up to four too small.

    >>> sizes = paper_sizes()
    >>> len(sizes), sizes[0], sizes[-1]
    (45, 132, 31697)
    """
    return [int(132.2611 * 1.1326135**i) for i in range(45)]


def geometric_sizes(first: int, last: int, count: int) -> list[int]:
    """Return ``count`` sizes in equal ratios from ``first`` to ``last``, both included.

    >>> geometric_sizes(100, 10_000, 3)
    [100, 1000, 10000]

    Raises
    ------
    ConfigurationError
        If they are no range or too many for it.
    """
    if not 1 <= first < last or count < 2:
        raise ConfigurationError(
            f"{count} sizes from {first} to {last} are no range: give first < last and at least 2"
        )
    sizes = sorted({round(float(size)) for size in np.geomspace(first, last, count)})
    if len(sizes) < count:
        raise ConfigurationError(f"there are no {count} different sizes from {first} to {last}")
    return sizes


@dataclass(frozen=True, kw_only=True, eq=False)
class SampleSizeStudy(MultiSizeStudy[SampleSizeResult]):
    """How do this candidate's losses depend on the number of training examples?

    ``rule`` says when a size is robust.
    """

    role: ClassVar[Role] = Role.SAMPLE_SIZE

    candidate: Candidate
    n: int = 50
    rule: RobustRule = field(default_factory=RobustRule)

    @property
    def everyone(self) -> tuple[Candidate, ...]:
        """The candidate."""
        return (self.candidate,)

    def usual_sizes(self) -> list[int]:
        """Return the paper's sizes that the population allows, `SamplingError` if none."""
        first = paper_sizes()[0]
        if self.largest < first:
            raise SamplingError(
                f"the paper's sizes begin at {first}, but {self.setting.halves.population.name} "
                f"has {self.largest:,} examples for a sample: give sizes up to that"
            )
        return [size for size in paper_sizes() if size <= self.largest]

    def result(self, journal: Journal) -> SampleSizeResult:
        """Return the smallest robust size and where the loss is flat."""
        rng = study_generator(self.seed, Role.STATISTICS, int(self.role))
        return find_robust_size(self.ordered, self.losses(journal)[0], self.rule, rng=rng)


@lists_options(TrainingOptions, RunOptions, used_by=SampleSizeStudy)
def sample_size(
    candidate: Candidate,
    population: Population,
    *,
    sizes: Iterable[int] | None = None,
    n: int = 50,
    content: float = 0.90,
    confidence: float = 0.95,
    tolerance: float = 0.10,
    limit: float | None = None,
    equal_test: bool = True,
    **options: Unpack[TrainingOptions],
) -> SampleSizeResult:
    """Find how many training examples one candidate needs to be robust.

    Parameters
    ----------
    sizes
        Numbers of training examples; None for the paper's, as far as the population reaches.
    n
        Instances of every size.
    content, confidence
        Share of retrainings that must keep the limit, and the confidence of the answer.
    tolerance, limit
        How much above the median loss at the largest size the limit lies; or the limit itself, in
        the unit of the loss.
    equal_test
        Whether test samples are as large as training samples (the paper's choice).
    **options

    Raises
    ------
    SamplingError
        If a size is impossible.
    ConfigurationError
        If there are too few instances, or a number is impossible.
    JournalMismatchError, EngineError
        As for `select`.

    Examples
    --------
    >>> import surefoot
    >>> from surefoot.calorimeter.baselines import ScaledSum
    >>> photons = surefoot.load_population("photons:A", target="energy")
    >>> found = surefoot.sample_size(
    ...     ScaledSum(), photons, loss="relative_rmse", sizes=[100, 400], n=29
    ... )
    >>> found.losses.shape
    (2, 29)
    """
    refuse_renamed(options, rule="content, confidence, tolerance and limit")
    return ask(
        SampleSizeStudy,
        population,
        options,
        candidate=candidate,
        sizes=sizes,
        n=n,
        rule=RobustRule(content=content, confidence=confidence, tolerance=tolerance, limit=limit),
        equal_test=equal_test,
    )
