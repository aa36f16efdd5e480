"""Sample size: how many examples does a candidate need to be robust?

``n`` instances are trained at every size asked for. Instance i has the same random streams at all
sizes, so that its smaller samples are the beginnings of its larger ones and sizes are compared on
the same luck.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from surefoot.candidates.base import Candidate
from surefoot.engines.base import Instance, Outcome
from surefoot.errors import SamplingError, StatisticsError
from surefoot.executors.base import Executor
from surefoot.journal import Journal
from surefoot.population import Sampling
from surefoot.seeds import Role, study_generator
from surefoot.studies.description import instance_seed
from surefoot.studies.robust_size import RobustRule, SampleSizeResult, judge
from surefoot.studies.runner import missing, train_missing
from surefoot.studies.study import Study


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
class SampleSizeStudy(Study):
    """How do this candidate's losses depend on the number of training examples?

    ``equal_test`` draws a test sample as large as the training sample (the paper's choice). The
    journal's description holds neither sizes nor their number of instances: more of both go on in
    the same journal.
    """

    candidate: Candidate
    equal_test: bool = True

    @property
    def everyone(self) -> tuple[Candidate, ...]:
        """The candidate."""
        return (self.candidate,)

    def rules(self) -> dict[str, Any]:
        """Return the candidate and how test samples are drawn."""
        return {
            "kind": "sample_size",
            "candidates": [self.candidate.key],
            "paired": True,
            "equal_test": self.equal_test,
        }

    def description(self) -> dict[str, Any]:
        """Return the common description without the sizes of a draw, which the sizes replace."""
        common = super().description()
        common["sampling"]["size"] = None
        if self.equal_test:
            common["sampling"]["test_size"] = None
        return common

    def sampling(self, size: int) -> Sampling:
        """Return the sampling of a size."""
        sampling = self.setting.sampling
        return replace(
            sampling, size=size, test_size=size if self.equal_test else sampling.test_size
        )

    def check_sizes(self, sizes: Iterable[int]) -> list[int]:
        """Return the sizes in order, each once.

        Raises
        ------
        SamplingError
            If a size is impossible, or larger than the pool (a bootstrap would hold each example
            several times and say nothing about a larger population).
        """
        ordered = sorted(set(sizes))
        if not ordered:
            raise SamplingError("a sample-size study needs at least one size")
        largest = self.largest
        if ordered[-1] > largest:
            raise SamplingError(
                f"a sample of {ordered[-1]:,} examples exceeds the {largest:,} that "
                f"{self.setting.halves.population.name} has for it: give sizes up to {largest:,}"
            )
        for size in ordered:
            self.setting.halves.check(self.sampling(size))
        return ordered

    @property
    def largest(self) -> int:
        """The largest size that the population allows."""
        halves = self.setting.halves
        return int(min(halves.pool.size, halves.test.size) if self.equal_test else halves.pool.size)

    def instances(self, sizes: Iterable[int], n: int) -> list[Instance]:
        """Return ``n`` instances of every size, large sizes first so that no core idles late."""
        luck = self.rules() | {"seed": str(self.seed)}
        key = self.candidate.key
        return [
            Instance(
                self.candidate,
                instance_seed(luck, key, Role.SAMPLE_SIZE, number),
                self.sampling(size),
            )
            for size in sorted(sizes, reverse=True)
            for number in range(n)
        ]


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
