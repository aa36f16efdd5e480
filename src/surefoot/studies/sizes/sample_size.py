"""Sample size: how many examples does a candidate need to be robust, and where is its loss flat?

``n`` instances are trained at every size asked for; those of a number are compared on the same
luck. The rule: a size is *robust* when at least ``content`` of retrainings at it lose at most a
limit: a number of the user's, or (1 + tolerance) times the median loss at the largest size. Each
size's test is Wilks' distribution-free bound. Sizes are tested from the largest down, and the
testing ends at the first that does not pass; since a size is tested only after all larger ones
passed, no correction for their number is needed: with probability ``confidence`` every size from
the answer on is robust (a fixed sequence of tests; Maurer, Hothorn and Lehmacher 1995). When the
limit comes from a median, half of the allowed error goes to that median's lower bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surefoot import checks
from surefoot.candidates.base import Candidate
from surefoot.data.population import Population
from surefoot.errors import ConfigurationError, StatisticsError
from surefoot.journal import Journal
from surefoot.seeds.ledger import Role, study_generator
from surefoot.showing import Shown
from surefoot.statistics.certificate import Bound, needed, upper_bound
from surefoot.statistics.intervals import quantile_interval
from surefoot.statistics.plateau import flat_from
from surefoot.studies.base import CandidateStudy
from surefoot.studies.description import SizesDescription
from surefoot.studies.options import RunOptions, TrainingOptions, ask, lists_options
from surefoot.studies.sizes.base import MultiSizeStudy, recorded_losses

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class RobustRule:
    """When a size counts as robust, and as flat.

    The first four numbers are those of `sample_size`. The loss is flat from the size on from which
    every median lies within a share ``flat`` of the median at the largest size.
    """

    content: float = 0.90
    confidence: float = 0.95
    tolerance: float = 0.10
    limit: float | None = None
    flat: float = 0.05

    def __post_init__(self) -> None:
        checks.share(content=self.content, confidence=self.confidence)
        for name in ("tolerance", "flat"):
            if getattr(self, name) is None:
                raise ConfigurationError(f"{name} = None must be a number")
        checks.positive(tolerance=self.tolerance, flat=self.flat)
        checks.finite(limit=self.limit)

    @property
    def each(self) -> float:
        """The confidence of a single size's bound."""
        return self.confidence if self.limit is not None else (1.0 + self.confidence) / 2.0

    @property
    def needed(self) -> int:
        """The fewest instances per size with which a size can pass."""
        return needed(self.content, self.each)


@dataclass(frozen=True, eq=False, repr=False)
class SampleSizeResult(Shown):
    """What the losses [sizes, n] say, sizes ascending.

    ``limit`` is the loss that counts as robust (+inf when the median at the largest size has no
    lower bound), ``bounds`` the upper tolerance bound of every size. ``robust`` is the smallest
    robust size, None if not even the largest is. ``flat`` is the smallest size from which the
    median is flat, with ``flat_between`` its bootstrap interval; None when only the largest size
    itself is, so that no plateau is seen.
    """

    sizes: tuple[int, ...]
    losses: Floats
    rule: RobustRule
    limit: float
    bounds: tuple[Bound, ...]
    robust: int | None
    plateau: float
    flat: int | None
    flat_between: tuple[int, int]

    @property
    def medians(self) -> Floats:
        """Median loss of every size; +inf where half of the instances diverged or failed."""
        return np.asarray(np.median(self.losses, axis=1))

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """Return the findings, one sentence each."""
        return [self._robust_line(), self._rule_line(), self._flat_line(), *self._rise()]

    def _robust_line(self) -> str:
        n, rule = self.losses.shape[1], self.rule
        if n < rule.needed:
            return (
                f"robust size: none can be named from {n} instances per size; the rule takes "
                f"{rule.needed}"
            )
        if np.isinf(self.limit):
            lost = int(np.isinf(self.losses[-1]).sum())
            return (
                f"robust size: none; {lost} of {n} instances at {self.sizes[-1]:,} examples "
                "diverged or failed, so the median there has no lower bound to set a limit by"
            )
        if self.robust is None:
            largest = self.bounds[-1]
            return (
                f"robust size: none; at {self.sizes[-1]:,} examples {rule.content:.0%} of "
                f"retrainings are only known to lose at most {largest.value:.4g}, above "
                f"{self.limit:.4g}"
            )
        smallest = " (the smallest asked for)" if self.robust == self.sizes[0] else ""
        return (
            f"robust from {self.robust:,} examples on{smallest}: with {rule.confidence:.0%} "
            f"confidence, at every size asked for from there on at least {rule.content:.0%} of "
            f"retrainings lose at most {self.limit:.4g}"
        )

    def _rule_line(self) -> str:
        rule = self.rule
        if rule.limit is not None:
            return f"rule: the limit {rule.limit:.4g} was given; sizes tested from the largest down"
        return (
            f"rule: the limit is {1.0 + rule.tolerance:g} times the median loss at "
            f"{self.sizes[-1]:,} examples, taken at its lower bound; sizes tested from the largest "
            "down until one fails"
        )

    def _flat_line(self) -> str:
        share = f"{self.rule.flat:.0%}"
        if np.isinf(self.plateau):
            return f"plateau: none; the median at {self.sizes[-1]:,} examples is infinite"
        if self.flat is None:
            return (
                f"plateau: none seen; the median still falls by more than {share} up to "
                f"{self.sizes[-1]:,} examples, where it is {self.plateau:.4g}"
            )
        low, high = self.flat_between
        return (
            f"plateau: the median is within {share} of its value at {self.sizes[-1]:,} examples "
            f"({self.plateau:.4g}) from {self.flat:,} on ({low:,} to {high:,})"
        )

    def _rise(self) -> list[str]:
        """Say where the median rises with more examples, as in a double descent."""
        medians = self.medians
        lowest = np.minimum.accumulate(medians)
        if not np.isfinite(lowest[-1]):
            return []
        with np.errstate(invalid="ignore"):
            rises = np.where(np.isfinite(lowest), medians / lowest - 1.0, 0.0)
        worst = int(np.argmax(rises))
        if not rises[worst] > self.rule.flat:
            return [f"no size's median exceeds a smaller size's by more than {self.rule.flat:.0%}"]
        return [
            f"the median rises with more examples: by {rises[worst]:.0%} up to "
            f"{self.sizes[worst]:,}, above a smaller size's"
        ]


def find_robust_size(
    sizes: Sequence[int],
    losses: ArrayLike,
    rule: RobustRule,
    *,
    rng: np.random.Generator,
    n_resamples: int = 1000,
) -> SampleSizeResult:
    """Return what losses [sizes, n] say; sizes ascend, +inf is a diverged or failed instance.

    ``rng`` and ``n_resamples`` are of the bootstrap of the plateau, which resamples instances.
    `StatisticsError` if the median at the largest size is not positive and no limit is given.
    """
    table = np.asarray(losses, dtype=np.float64)
    bounds = tuple(upper_bound(row, rule.content, rule.each) for row in table)
    limit = _limit(table[-1], rule)
    robust = None
    for size, bound in zip(reversed(sizes), reversed(bounds), strict=True):
        if bound.content < rule.content - 1e-12 or not bound.value <= limit < np.inf:
            break
        robust = size
    first = flat_from(np.median(table, axis=1), rule.flat)
    n = table.shape[1]
    drawn = [
        flat_from(np.median(table[:, rng.integers(0, n, n)], axis=1), rule.flat)
        for _ in range(n_resamples)
    ]
    tails = [(1.0 - rule.confidence) / 2.0, (1.0 + rule.confidence) / 2.0]
    low, high = np.quantile(drawn, tails, method="inverted_cdf").astype(int)
    return SampleSizeResult(
        tuple(sizes),
        table,
        rule,
        limit,
        bounds,
        robust,
        float(np.median(table[-1])),
        sizes[first] if first < len(sizes) - 1 else None,
        (sizes[low], sizes[high]),
    )


def _limit(largest: Floats, rule: RobustRule) -> float:
    """The limit; the median's one-sided lower bound has confidence `RobustRule.each`."""
    if rule.limit is not None:
        return rule.limit
    # A two-sided interval whose tails are each at most 1 - each.
    median = quantile_interval(largest, 0.5, 2.0 * rule.each - 1.0)
    if median.estimate <= 0.0:
        raise StatisticsError(
            f"the median loss at the largest size is {median.estimate:g}: a tolerance needs a "
            "positive one, so give a limit instead"
        )
    return float((1.0 + rule.tolerance) * median.low)


@dataclass(frozen=True, kw_only=True, eq=False)
class SampleSizeStudy(MultiSizeStudy[SampleSizeResult], CandidateStudy[SampleSizeResult]):
    """How do this candidate's losses depend on the number of training examples?

    ``rule`` says when a size is robust.
    """

    role = Role.SAMPLE_SIZE
    renamed = (("rule", "content, confidence, tolerance and limit"),)

    n: int = 50
    rule: RobustRule = field(default_factory=RobustRule)

    def cautions(self) -> list[str]:
        """Say that no size can be named robust from so few instances."""
        if self.n >= self.rule.needed:
            return []
        return [
            f"no size can be named robust from {self.n} instances of each: "
            f"{self.rule.content:.4g} of retrainings with {self.rule.confidence:.4g} confidence "
            f"take {self.rule.needed}"
        ]

    def usual_sizes(self) -> list[int]:
        """Return the paper's sizes that the population allows."""
        return self.paper_sizes()

    def asked(self) -> dict[str, Any]:
        """Return sizes, instances and the rule."""
        return super().asked() | asdict(self.rule)

    def result(self, journal: Journal) -> SampleSizeResult:
        """Return the smallest robust size and where the loss is flat."""
        rng = study_generator(self.seed, Role.STATISTICS, int(self.role))
        return find_robust_size(self.ordered, self.losses(journal)[0], self.rule, rng=rng)


def recorded_sample_size(journal: Journal) -> SampleSizeResult:
    """Return what the losses of a journal say under the rule that it notes, or the usual one.

    Raises
    ------
    JournalError
        If it is of another kind of study, or holds too few instances yet.
    StatisticsError
        As `find_robust_size` raises it.
    """
    study = SizesDescription.read(journal.study)
    sizes, losses = recorded_losses(journal, Role.SAMPLE_SIZE)
    asked = journal.notes().get("asked", {})
    rule = RobustRule(**{name: asked[name] for name in asdict(RobustRule()) if name in asked})
    rng = study_generator(study.seed, Role.STATISTICS, int(Role.SAMPLE_SIZE))
    return find_robust_size(sizes, losses[0], rule, rng=rng)


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
