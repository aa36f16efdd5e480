"""Sample size: how many examples does a candidate need to be robust?

``n`` instances are trained at every size asked for. Instance i has the same random streams at all
sizes, so that its smaller samples are the beginnings of its larger ones and sizes are compared on
the same luck.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from surefoot.candidates.base import Candidate
from surefoot.errors import SamplingError, StatisticsError
from surefoot.executors.base import Executor
from surefoot.instances import Outcome
from surefoot.journal import Journal
from surefoot.seeds.ledger import Role, study_generator
from surefoot.studies.runner import missing, train_missing
from surefoot.studies.sizes.base import SizedStudy
from surefoot.studies.sizes.robust_size import RobustRule, SampleSizeResult, judge


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
    StatisticsError
        If they are no range or too many for it.
    """
    if not 1 <= first < last or count < 2:
        raise StatisticsError(
            f"{count} sizes from {first} to {last} are no range: give first < last and at least 2"
        )
    sizes = sorted({round(float(size)) for size in np.geomspace(first, last, count)})
    if len(sizes) < count:
        raise StatisticsError(f"there are no {count} different sizes from {first} to {last}")
    return sizes


@dataclass(frozen=True, kw_only=True, eq=False)
class SampleSizeStudy(SizedStudy):
    """How do this candidate's losses depend on the number of training examples?

    ``equal_test`` draws a test sample as large as the training sample (the paper's choice).
    """

    role: ClassVar[Role] = Role.SAMPLE_SIZE

    candidate: Candidate

    @property
    def everyone(self) -> tuple[Candidate, ...]:
        """The candidate."""
        return (self.candidate,)


def paper_sizes_within(study: SizedStudy) -> tuple[list[int], int]:
    """Return the paper's sizes that the population allows, and how many it does not.

    Raises
    ------
    SamplingError
        If it allows none.
    """
    whole = paper_sizes()
    fitting = [size for size in whole if size <= study.largest]
    if not fitting:
        raise SamplingError(
            f"the paper's sizes begin at {whole[0]}, but {study.setting.halves.population.name} "
            f"has {study.largest:,} examples for a sample: give sizes up to that"
        )
    return study.check_sizes(fitting), len(whole) - len(fitting)


def sample_size(
    study: SampleSizeStudy,
    sizes: Iterable[int],
    n: int,
    journal: Journal,
    executor: Executor,
    each: Callable[[Outcome], None] | None = None,
    *,
    rule: RobustRule | None = None,
    retry_failed: bool = False,
) -> SampleSizeResult:
    """Run or resume a sample-size study; ``each`` is told every new outcome once it is recorded.

    Raises
    ------
    SamplingError
        If a size is impossible.
    JournalMismatchError
        If the journal is of another study.
    EngineError
        If no engine trains the candidate.
    KeyboardInterrupt
        On Ctrl-C, once everything finished is recorded.
    """
    if n < 2:
        raise StatisticsError(f"n = {n} instances per size show no spread: give at least 2")
    ordered = study.check_sizes(sizes)
    study.check(journal, executor.engine)
    retry = journal.failed(Role.SAMPLE_SIZE) if retry_failed else set()
    left = list(missing(study.instances(ordered, n), study.setting, journal, retry))
    train_missing(left, study.setting, journal, executor, retry=retry, each=each)
    return recorded_sample_size(study, ordered, n, journal, rule)


def recorded_sample_size(
    study: SampleSizeStudy,
    sizes: Iterable[int],
    n: int,
    journal: Journal,
    rule: RobustRule | None = None,
) -> SampleSizeResult:
    """Return what the recorded instances say; raises `KeyError` if one is missing."""
    known = {(m.sample, m.instance): m.loss for m in journal.measures(Role.SAMPLE_SIZE)}
    ordered = sorted(set(sizes))
    losses = np.array([[known[size, number] for number in range(n)] for size in ordered])
    rng = study_generator(study.seed, Role.STATISTICS, int(Role.SAMPLE_SIZE))
    return judge(ordered, losses, RobustRule() if rule is None else rule, rng=rng)
