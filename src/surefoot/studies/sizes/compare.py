"""Compare: several candidates at several sample sizes, on the same draws.

Networks with and without side features, boosted trees and the classical baseline (paper §4): ``n``
instances of each candidate at each size, all paired, so that two candidates' losses of one instance
differ by the candidates alone. Nothing is selected here, so every loss is a fresh one and every
candidate has its certificate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from surefoot.candidates.base import Candidate
from surefoot.errors import RaceError, StatisticsError
from surefoot.executors.base import Executor
from surefoot.instances import Outcome
from surefoot.journal import Journal
from surefoot.seeds.ledger import Role
from surefoot.studies.runner import missing, train_missing
from surefoot.studies.sizes.base import SizedStudy
from surefoot.studies.sizes.comparison import Comparison

PAPER_SIZES = (8_000, 16_000, 24_000, 32_000)
"""Training examples at which the paper compares networks, baseline and boosted trees."""
PAPER_INSTANCES = 50


@dataclass(frozen=True, kw_only=True, eq=False)
class CompareStudy(SizedStudy):
    """Which of these candidates loses least, and from how many examples on?

    Parameters
    ----------
    candidates
        Those compared, all different.
    equal_test
        Whether the test sample is as large as the training sample (the paper's choice).

    Raises
    ------
    RaceError
        If there are fewer than two, or one is given twice.
    """

    role: ClassVar[Role] = Role.COMPARE

    candidates: tuple[Candidate, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "candidates", tuple(self.candidates))
        if len(self.candidates) < 2:
            raise RaceError(
                f"a comparison needs two candidates or more, not {len(self.candidates)}"
            )
        seen: set[str] = set()
        for candidate in self.candidates:
            if candidate.key in seen:
                raise RaceError(f"{candidate.label} is given twice: compare different candidates")
            seen.add(candidate.key)

    @property
    def everyone(self) -> tuple[Candidate, ...]:
        """The candidates."""
        return self.candidates


def compare(
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
    """Run or resume a comparison; ``each`` is told every new outcome once it is recorded.

    Parameters
    ----------
    sizes, n
        Training examples, and instances at each size.
    names
        Names of the candidates, in their order; their labels by default.
    reference
        Key of the candidate that the others are to beat, such as the baseline; None for none.
    content, confidence
        What the certificates are to promise.

    Raises
    ------
    SamplingError
        If a size is impossible.
    JournalMismatchError
        If the journal is of another study.
    EngineError
        If no engine trains a candidate.
    KeyboardInterrupt
        On Ctrl-C, once everything finished is recorded.
    """
    if n < 2:
        raise StatisticsError(f"n = {n} instances per size show no spread: give at least 2")
    ordered = study.check_sizes(sizes)
    study.check(journal, executor.engine)
    retry = journal.failed(Role.COMPARE) if retry_failed else set()
    left = list(missing(study.instances(ordered, n), study.setting, journal, retry))
    train_missing(left, study.setting, journal, executor, retry=retry, each=each)
    return recorded_comparison(
        study,
        ordered,
        n,
        journal,
        names=names,
        reference=reference,
        content=content,
        confidence=confidence,
    )


def recorded_comparison(
    study: CompareStudy,
    sizes: Iterable[int],
    n: int,
    journal: Journal,
    *,
    names: Sequence[str] | None = None,
    reference: str | None = None,
    content: float = 0.95,
    confidence: float = 0.95,
) -> Comparison:
    """Return what the recorded instances say; raises `KeyError` if one is missing."""
    known = {(m.candidate, m.sample, m.instance): m.loss for m in journal.measures(Role.COMPARE)}
    ordered = sorted(set(sizes))
    losses = np.array(
        [
            [[known[one.key, size, number] for number in range(n)] for size in ordered]
            for one in study.candidates
        ]
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
