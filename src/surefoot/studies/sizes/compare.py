"""Compare: several candidates at several sample sizes, on the same draws.

Networks with and without side features, boosted trees and the classical baseline (paper §4): ``n``
instances of each candidate at each size, all paired, so that two candidates' losses of one instance
differ by the candidates alone. Nothing is selected here, so every loss is a fresh one and every
candidate has its certificate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Unpack

from surefoot.candidates.base import Candidate
from surefoot.data.population import Population
from surefoot.errors import ConfigurationError
from surefoot.executors.base import Executor
from surefoot.instances import Outcome
from surefoot.journal import Journal
from surefoot.seeds.ledger import Role
from surefoot.studies.options import RunOptions, TrainingOptions, lists_options, study_and_run
from surefoot.studies.sizes.base import MultiSizeStudy, train_sizes
from surefoot.studies.sizes.comparison import Comparison

PAPER_SIZES = (8_000, 16_000, 24_000, 32_000)
"""Training examples at which the paper compares networks, baseline and boosted trees."""
PAPER_INSTANCES = 50
USUAL_SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
"""Sizes unless given, as shares of the largest."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CompareStudy(MultiSizeStudy):
    """Which of these candidates loses least, and from how many examples on?

    Parameters
    ----------
    candidates
        Those compared, all different.
    equal_test
        Whether the test sample is as large as the training sample (the paper's choice).

    Raises
    ------
    ConfigurationError
        If there are fewer than two, or one is given twice.
    """

    role: ClassVar[Role] = Role.COMPARE

    candidates: tuple[Candidate, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "candidates", tuple(self.candidates))
        if len(self.candidates) < 2:
            raise ConfigurationError(
                f"a comparison needs two candidates or more, not {len(self.candidates)}"
            )
        seen: set[str] = set()
        for candidate in self.candidates:
            if candidate.key in seen:
                raise ConfigurationError(
                    f"{candidate.label} is given twice: compare different candidates"
                )
            seen.add(candidate.key)

    @property
    def everyone(self) -> tuple[Candidate, ...]:
        """The candidates."""
        return self.candidates

    def usual_sizes(self) -> list[int]:
        """Return a sixteenth, an eighth, a quarter and half of the examples there are."""
        return [max(2, int(share * self.largest)) for share in USUAL_SHARES]


@lists_options(TrainingOptions, RunOptions, used_by=CompareStudy)
def compare(
    candidates: Iterable[Candidate] | Mapping[str, Candidate],
    population: Population,
    *,
    baseline: Candidate | None = None,
    sizes: Iterable[int] | None = None,
    n: int = 20,
    content: float = 0.95,
    confidence: float = 0.95,
    equal_test: bool = True,
    **options: Unpack[TrainingOptions],
) -> Comparison:
    """Compare candidates at several sample sizes, on the same draws.

    Parameters
    ----------
    candidates
        Those compared, all different; a mapping gives them names.
    baseline
        Whom the others are to beat, compared as well; None for nobody.
    sizes
        Numbers of training examples; None for four up to half of what the population has.
    n
        Instances of each candidate at each size.
    content, confidence
        What the certificates are to promise.
    equal_test
        Whether test samples are as large as training samples (the paper's choice).
    **options

    Raises
    ------
    ConfigurationError
        If there are fewer than two candidates, or one is given twice.
    SamplingError
        If a size is impossible.
    JournalMismatchError, EngineError
        As for `select`.

    Examples
    --------
    >>> import surefoot
    >>> from surefoot.calorimeter.baselines import ScaledSum
    >>> photons = surefoot.load_population("photons:A", target="energy")
    >>> found = surefoot.compare(
    ...     {"core": ScaledSum(window="3x3")}, photons, baseline=ScaledSum(),
    ...     loss="relative_rmse", sizes=[200, 400], n=10,
    ... )
    >>> found.names, found.losses.shape
    (('core', 'scaled sum'), (2, 2, 10))
    """
    named = (
        candidates.items() if isinstance(candidates, Mapping) else ((None, c) for c in candidates)
    )
    everyone = [(name or one.label, one) for name, one in named]
    if baseline is not None and baseline.key not in {one.key for _, one in everyone}:
        everyone.append((baseline.label, baseline))
    made, run = study_and_run(population, options)
    study = CompareStudy(
        candidates=tuple(one for _, one in everyone),
        **made,
        equal_test=equal_test,
    )
    return run.ask(
        run_comparison,
        study,
        study.usual_sizes() if sizes is None else sizes,
        n,
        names=[name for name, _ in everyone],
        reference=None if baseline is None else baseline.key,
        content=content,
        confidence=confidence,
    )


def run_comparison(
    study: CompareStudy,
    sizes: Iterable[int],
    n: int,
    journal: Journal,
    executor: Executor,
    each: Callable[[Outcome], None] | None = None,
    *,
    names: Sequence[str] | None = None,
    reference: str | None = None,
    content: float = 0.95,
    confidence: float = 0.95,
    retry_failed: bool = False,
) -> Comparison:
    """Run or resume a comparison; other parameters and errors are those of `train_sizes`.

    Parameters
    ----------
    names
        Names of the candidates, in their order; their labels by default.
    reference
        Key of the candidate that the others are to beat, such as the baseline; None for none.
    content, confidence
        What the certificates are to promise.
    """
    ordered, losses = train_sizes(
        study, sizes, n, journal, executor, each, retry_failed=retry_failed
    )
    keys = [candidate.key for candidate in study.candidates]
    population = study.setting.halves.population
    return Comparison(
        names=tuple(names or (candidate.label for candidate in study.candidates)),
        sizes=tuple(ordered),
        losses=losses,
        reference=None if reference is None else keys.index(reference),
        content=content,
        confidence=confidence,
        unit=study.setting.loss.unit(population.target_unit),
    )
