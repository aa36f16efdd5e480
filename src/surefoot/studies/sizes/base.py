"""What studies of several sample sizes share: instances of the same luck at every size.

Instance i has the same random streams at all sizes and for all candidates, so that its smaller
samples are the beginnings of its larger ones and everything is compared on the same luck.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from surefoot.checks import count, of_kind
from surefoot.data.population import Sampling
from surefoot.errors import ConfigurationError, JournalError, SamplingError
from surefoot.instances import Instance
from surefoot.journal import Journal
from surefoot.seeds.ledger import Role
from surefoot.studies.base import Answer, FixedStudy
from surefoot.studies.description import SizesDescription
from surefoot.studies.sizes.series import PAPER, paper_sizes


@dataclass(frozen=True, kw_only=True, eq=False)
class MultiSizeStudy(FixedStudy[Answer]):
    """A study at several sizes of the training sample, ``n`` instances at each.

    The journal's description holds neither sizes nor their number of instances: more of both go on
    in the same journal.

    Raises `SamplingError` if a size is impossible, or larger than the pool (a bootstrap would hold
    each example several times and say nothing about a larger population); `ConfigurationError` if
    there are less than two instances.

    Parameters
    ----------
    sizes
        Numbers of training examples; None for the usual ones, ``paper`` for the paper's 45 as far
        as the population reaches.
    equal_test
        Whether the test sample is as large as the training sample (the paper's choice).
    """

    role: ClassVar[Role]

    sizes: Iterable[int] | Literal["paper"] | None = None
    n: int
    equal_test: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        count(0, n=self.n)
        of_kind("true or false", bool, equal_test=self.equal_test)
        if self.n < 2:
            raise ConfigurationError(
                f"n = {self.n} instances per size show no spread: give at least 2"
            )
        if not self.ordered:
            name = self.role.name.lower().replace("_", "-")
            raise SamplingError(f"a {name} study needs at least one size")
        if self.ordered[-1] > self.largest:
            raise SamplingError(
                f"a sample of {self.ordered[-1]:,} examples exceeds the {self.largest:,} that "
                f"{self.setting.halves.population.name} has for it: give sizes up to "
                f"{self.largest:,}"
            )
        for size in self.ordered:
            self.setting.halves.check(self.sampling(size))

    @abstractmethod
    def usual_sizes(self) -> Iterable[int]:
        """Return the sizes unless any are given."""

    def paper_sizes(self) -> list[int]:
        """Return the paper's sizes that the population allows, `SamplingError` if none."""
        first, *_ = known = paper_sizes()
        if self.largest < first:
            raise SamplingError(
                f"the paper's sizes begin at {first}, but {self.setting.halves.population.name} "
                f"has {self.largest:,} examples for a sample: give sizes up to that"
            )
        return [size for size in known if size <= self.largest]

    @cached_property
    def ordered(self) -> tuple[int, ...]:
        """The sizes in order, each once."""
        given = self.usual_sizes() if self.sizes is None else self.sizes
        given = self.paper_sizes() if given == PAPER else given
        of_kind("a list of whole numbers", Iterable, error=SamplingError, sizes=given)
        sizes = list(given)
        for size in sizes:
            count(1, most=1 << 31, error=SamplingError, size=size)
        return tuple(sorted({int(size) for size in sizes}))

    @cached_property
    def description(self) -> SizesDescription:
        """The candidates, without the sizes of a draw, which the study's sizes replace."""
        drawn = self.setting.sampling
        test_size = None if self.equal_test else drawn.test_size
        sampling = replace(drawn, size=None, test_size=test_size)
        return self.described(SizesDescription, self.role.name.lower(), sampling=sampling)

    @property
    def largest(self) -> int:
        """The largest size that the population allows."""
        halves = self.setting.halves
        return int(min(halves.pool.size, halves.test.size) if self.equal_test else halves.pool.size)

    def sampling(self, size: int) -> Sampling:
        """Return the sampling of a size."""
        sampling = self.setting.sampling
        return replace(
            sampling, size=size, test_size=size if self.equal_test else sampling.test_size
        )

    def asked(self) -> dict[str, Any]:
        """Return the sizes, and how many instances of each."""
        return {"sizes": list(self.ordered), "n": self.n}

    def instances(self) -> list[Instance]:
        """Return the instances of every candidate and size, long trainings first.

        So no core idles at the end.
        """
        everyone = sorted(self.everyone, key=lambda one: -getattr(one, "flops", 0))
        seeds = [self.instance(everyone[0].key, self.role, i).seed for i in range(self.n)]
        return [
            Instance(candidate, seed, self.sampling(size))
            for size in reversed(self.ordered)
            for candidate in everyone
            for seed in seeds
        ]

    def losses(self, journal: Journal) -> NDArray[np.float64]:
        """Return the recorded losses [k, sizes, n] of everyone, sizes in order."""
        known = {(m.candidate, m.sample, m.instance): m.loss for m in journal.measures(self.role)}
        return np.array(
            [
                [
                    [known[one.key, size, number] for number in range(self.n)]
                    for size in self.ordered
                ]
                for one in self.everyone
            ]
        )


def recorded_losses(journal: Journal, role: Role) -> tuple[tuple[int, ...], NDArray[np.float64]]:
    """Return the sizes a journal has instances of for all its candidates, and their losses.

    The losses are ``[k, sizes, n]``, candidates in the order of the study and sizes ascending; n is
    the number of instances that the journal notes as asked for, or that all have.

    Raises `JournalError` if no size has two instances of everybody yet.
    """
    keys = SizesDescription.read(journal.study).candidates
    known = {(m.candidate, m.sample, m.instance): m.loss for m in journal.measures(role)}
    asked = journal.notes().get("asked", {})
    recorded = {size for _, size, _ in known}
    sizes = sorted(recorded & set(asked.get("sizes", recorded)))

    def trained(key: str, size: int) -> int:
        number = 0
        while (key, size, number) in known:
            number += 1
        return number

    least = {size: min(trained(key, size) for key in keys) for size in sizes}
    n = min((count for count in least.values() if count > 1), default=0)
    n = min(n, asked.get("n", n))
    if n < 2:
        raise JournalError("too few instances are recorded yet: no size has two of everybody")
    kept = tuple(size for size in sizes if least[size] >= n)
    cube = [[[known[key, size, i] for i in range(n)] for size in kept] for key in keys]
    return kept, np.array(cube)
