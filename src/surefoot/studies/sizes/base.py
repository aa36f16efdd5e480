"""What studies of several sample sizes share: instances of the same luck at every size.

Instance i has the same random streams at all sizes and for all candidates, so that its smaller
samples are the beginnings of its larger ones and everything is compared on the same luck.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from surefoot.data.population import Sampling
from surefoot.errors import ConfigurationError, SamplingError
from surefoot.executors.base import Executor
from surefoot.instances import Instance, Outcome
from surefoot.journal import Journal
from surefoot.seeds.ledger import Role
from surefoot.studies.base import Study
from surefoot.studies.description import SizesDescription
from surefoot.studies.runner import train


@dataclass(frozen=True, kw_only=True, eq=False)
class MultiSizeStudy(Study):
    """A study at several sizes of the training sample.

    ``equal_test`` draws a test sample as large as the training sample (the paper's choice). The
    journal's description holds neither sizes nor their number of instances: more of both go on in
    the same journal.
    """

    role: ClassVar[Role]

    equal_test: bool = True

    @cached_property
    def description(self) -> SizesDescription:
        """The candidates, without the sizes of a draw, which the study's sizes replace."""
        drawn = self.setting.sampling
        test_size = None if self.equal_test else drawn.test_size
        return SizesDescription(
            kind=self.role.name.lower(),
            candidates=tuple(candidate.key for candidate in self.everyone),
            equal_test=self.equal_test,
            **self.common() | {"sampling": replace(drawn, size=None, test_size=test_size)},
        )

    def sampling(self, size: int) -> Sampling:
        """Return the sampling of a size."""
        sampling = self.setting.sampling
        return replace(
            sampling, size=size, test_size=size if self.equal_test else sampling.test_size
        )

    def check_sizes(self, sizes: Iterable[int], n: int = 2) -> list[int]:
        """Return the sizes in order, each once; ``n`` are the instances at each.

        Raises
        ------
        SamplingError
            If a size is impossible, or larger than the pool (a bootstrap would hold each example
            several times and say nothing about a larger population).
        ConfigurationError
            If there is less than two instances.
        """
        if n < 2:
            raise ConfigurationError(f"n = {n} instances per size show no spread: give at least 2")
        ordered = sorted(set(sizes))
        if not ordered:
            raise SamplingError(
                f"a {self.description.kind.replace('_', '-')} study needs at least one size"
            )
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
        """Return ``n`` instances of every candidate and size, long trainings first.

        So no core idles at the end.
        """
        everyone = sorted(self.everyone, key=lambda one: -getattr(one, "flops", 0))
        seeds = [self.instance(everyone[0].key, self.role, number).seed for number in range(n)]
        return [
            Instance(candidate, seed, self.sampling(size))
            for size in sorted(sizes, reverse=True)
            for candidate in everyone
            for seed in seeds
        ]


def train_sizes(
    study: MultiSizeStudy,
    sizes: Iterable[int],
    n: int,
    journal: Journal,
    executor: Executor,
    each: Callable[[Outcome], None] | None = None,
    *,
    retry_failed: bool = False,
) -> tuple[list[int], NDArray[np.float64]]:
    """Train ``n`` instances at every size; return the sizes in order and losses [k, sizes, n].

    ``each`` is told every new outcome once it is recorded.

    Raises
    ------
    SamplingError
        If a size is impossible.
    JournalMismatchError, EngineError, KeyboardInterrupt
        As of `surefoot.studies.runner.train`.
    """
    ordered = study.check_sizes(sizes, n)
    instances = study.instances(ordered, n)
    train(study, instances, journal, executor, each, retry_failed=retry_failed)
    known = {(m.candidate, m.sample, m.instance): m.loss for m in journal.measures(study.role)}
    losses = [
        [[known[one.key, size, number] for number in range(n)] for size in ordered]
        for one in study.everyone
    ]
    return ordered, np.array(losses)
