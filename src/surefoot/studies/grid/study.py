"""Grid: every candidate of a space ``n`` times on the same draws, and what each field does.

Made for questions such as which activation function, optimiser, normalisation or schedule (paper
§3.4 to §3.7): nothing is selected, so all candidates have all instances, paired, and a field's
values can be compared over the other fields and at their best.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.base import Candidate
from surefoot.checks import count, of_kind, share
from surefoot.data.population import Population
from surefoot.errors import ConfigurationError, JournalError
from surefoot.instances import Instance
from surefoot.journal import Journal
from surefoot.racing import Criterion, as_criterion
from surefoot.seeds.ledger import Role
from surefoot.showing import Shown
from surefoot.statistics.comparison import pairs_needed, worse_than
from surefoot.statistics.intervals import quantile
from surefoot.studies.base import FixedStudy, check_different, with_baseline
from surefoot.studies.description import GridDescription
from surefoot.studies.grid.effect import Effect, effect_of, ranked
from surefoot.studies.grid.fields import Fields
from surefoot.studies.options import RunOptions, TrainingOptions, ask, lists_options

Floats = NDArray[np.float64]
TOLD = 5
"""Best candidates that the words name."""


@dataclass(frozen=True, eq=False, repr=False)
class Grid(Shown):
    """The losses of every candidate of a grid, paired by instance, and what its fields do.

    Parameters
    ----------
    keys, labels
        Of the k candidates.
    fields
        Those in which the candidates differ.
    losses
        [k, n]; +inf where an instance diverged or failed. Instance i of every candidate has the
        same draw and the same streams.
    baseline
        The baseline's losses on the same draws [n]; None without any.
    by
        The fields asked about; all where that are none.
    criterion
        By which candidates are ordered and the best setting of other fields is chosen.
    confidence
        Of intervals and tests.
    unit
        Unit of the loss.
    """

    keys: tuple[str, ...]
    labels: tuple[str, ...]
    fields: Fields
    losses: Floats
    baseline: Floats | None
    by: tuple[str, ...]
    criterion: Criterion
    confidence: float = 0.95
    unit: str = ""

    @property
    def n(self) -> int:
        """Instances of each candidate."""
        return int(self.losses.shape[1])

    @property
    def asked(self) -> tuple[str, ...]:
        """The fields asked about, all unless some were named."""
        return self.by or self.fields.names

    @cached_property
    def effects(self) -> dict[str, Effect]:
        """The effect of every field, those asked about first."""
        return {name: self.effect(name) for name in dict.fromkeys((*self.by, *self.fields.names))}

    def effect(self, field: str) -> Effect:
        """Return what a field does; `ConfigurationError` if there is none of that name."""
        self.fields.check([field])
        return effect_of(
            self.fields, field, self.losses, self.criterion, self.confidence, self.unit
        )

    @cached_property
    def ranking(self) -> list[int]:
        """Places of the candidates by their criterion, best first."""
        return ranked(self.losses, self.criterion)

    @cached_property
    def alike(self) -> NDArray[np.bool_]:
        """Whom no test tells from the first of the ranking [k], itself included."""
        return np.asarray(worse_than(self.losses, self.ranking[0]) > 1.0 - self.confidence)

    @property
    def medians(self) -> Floats:
        """Medians of the candidates' losses [k]."""
        return quantile(self.losses, 0.5)

    def lines(self) -> list[str]:
        """Return who is best of all, how many are like it, and how the baseline does."""
        best, unit = self.ranking[0], f" {self.unit}" if self.unit else ""
        value = float(self.criterion.values(self.losses[best : best + 1])[0])
        lost = int(np.isinf(self.losses).sum())
        said = [
            f"{len(self.keys):,} candidates, {self.n} instances each on the same draws; "
            f"{lost:,} of {self.losses.size:,} trainings diverged or failed",
            f"the lowest {self.criterion.name} is {value:.4g}{unit}, of {self.labels[best]}; no "
            f"test tells {int(self.alike.sum()) - 1:,} of the others from it",
        ]
        if self.baseline is not None:
            median = float(quantile(self.baseline, 0.5))
            better = int((self.medians < median).sum())
            said.append(
                f"the baseline's median is {median:.4g}{unit}; that of {better:,} candidates is "
                "lower"
            )
        return said

    def overview(self) -> list[dict[str, object]]:
        """Return the best candidates."""
        values, medians = self.criterion.values(self.losses), self.medians
        return [
            {
                "candidate": self.labels[row],
                self.criterion.name: float(values[row]),
                "median of losses": float(medians[row]),
                "lost": int(np.isinf(self.losses[row]).sum()),
            }
            for row in self.ranking[:TOLD]
        ]

    def __str__(self) -> str:
        return "\n".join([*self.lines(), *(str(self.effects[name]) for name in self.asked)])


@dataclass(frozen=True, kw_only=True, eq=False)
class GridStudy(FixedStudy[Grid]):
    """What does each field of these candidates do to the losses?

    The journal's description holds neither the number of instances nor the fields asked about:
    more of both go on in the same journal.
    """

    candidates: tuple[Candidate, ...]
    n: int = 10
    by: Sequence[str] = ()
    baseline: Candidate | None = None
    criterion: Criterion | str = "mean"
    confidence: float = 0.95

    def __post_init__(self) -> None:
        super().__post_init__()
        count(0, n=self.n)
        share(confidence=self.confidence)
        of_kind("a list of names of fields", list, tuple, by=self.by)
        check_different(self.candidates, "a grid is of")
        if len(self.candidates) < 2:
            raise ConfigurationError(
                f"a grid needs two candidates or more, not {len(self.candidates)}"
            )
        if self.n < (least := self.measured.needs + 1):
            raise ConfigurationError(
                f"n = {self.n} instances of each candidate say nothing of how "
                f"{self.measured.name} varies: give {least} or more"
            )
        self.fields.check(self.by)

    def cautions(self) -> list[str]:
        """Say of which fields no test can tell the values apart, with so few instances."""
        said = []
        for name in self.by or self.fields.names:
            values = len(self.fields.levels(name))
            wanted = pairs_needed([], values - 1, 1.0 - self.confidence)
            if self.n < wanted:
                said.append(
                    f"{self.n} instances cannot tell the {values} values of {name} apart, whatever "
                    f"the losses: that takes {wanted}"
                )
        return said

    @property
    def measured(self) -> Criterion:
        """The criterion."""
        return as_criterion(self.criterion)

    @cached_property
    def fields(self) -> Fields:
        """The fields in which the candidates differ."""
        return Fields.of((one.family, one.spec()) for one in self.candidates)

    @cached_property
    def everyone(self) -> tuple[Candidate, ...]:
        """The candidates, and the baseline unless it is one of them."""
        return with_baseline(self.candidates, self.baseline)

    @cached_property
    def description(self) -> GridDescription:
        """The candidates and the baseline."""
        return self.described(GridDescription, "grid", self.candidates)

    def asked(self) -> dict[str, Any]:
        """Return instances, fields, and how settings are chosen and compared."""
        return {
            "n": self.n,
            "by": list(self.by),
            "criterion": self.measured.name,
            "confidence": self.confidence,
        }

    def instances(self) -> list[Instance]:
        """Return ``n`` instances of everyone, the first of each first.

        So what is recorded of an unfinished grid is a smaller one. Of one number, long trainings
        come first, so that no core idles at the end.
        """
        everyone = sorted(self.everyone, key=lambda one: -getattr(one, "flops", 0))
        return [
            self.instance(candidate.key, Role.GRID, number)
            for number in range(self.n)
            for candidate in everyone
        ]

    def result(self, journal: Journal) -> Grid:
        """Return the grid."""
        return recorded_grid(journal, self.asked())


def recorded_grid(journal: Journal, asked: dict[str, Any] | None = None) -> Grid:
    """Return the grid that a journal holds, as far as all candidates have instances.

    ``asked`` is what of the question its description does not hold, as the journal notes it unless
    given.

    Raises `JournalError` if it is of another kind of study, or not everybody has two instances yet.
    """
    study = GridDescription.read(journal.study)
    asked = journal.notes().get("asked", {}) if asked is None else asked
    known = {(m.candidate, m.instance): m.loss for m in journal.measures(Role.GRID)}
    everyone = list(study.candidates)
    if study.baseline is not None and study.baseline not in everyone:
        everyone.append(study.baseline)
    upto = max((number for _, number in known), default=-1) + 1
    n = min(upto, asked.get("n", upto))
    while n and not all((key, number) in known for key in everyone for number in range(n)):
        n -= 1
    criterion = as_criterion(asked.get("criterion", "mean"))
    if n < criterion.needs + 1:
        raise JournalError("too few instances are recorded yet: not everybody has two")
    losses = {key: np.array([known[key, number] for number in range(n)]) for key in everyone}
    told = journal.candidates()
    return Grid(
        keys=study.candidates,
        labels=tuple(told[key].label for key in study.candidates),
        fields=Fields.of((told[key].family, told[key].spec) for key in study.candidates),
        losses=np.array([losses[key] for key in study.candidates]),
        baseline=None if study.baseline is None else losses[study.baseline],
        by=tuple(asked.get("by", ())),
        criterion=criterion,
        confidence=asked.get("confidence", 0.95),
        unit=study.unit,
    )


@lists_options(TrainingOptions, RunOptions, used_by=GridStudy)
def grid(
    candidates: Iterable[Candidate],
    population: Population,
    *,
    n: int = 10,
    by: Sequence[str] = (),
    baseline: Candidate | None = None,
    criterion: str = "mean",
    confidence: float = 0.95,
    **options: Unpack[TrainingOptions],
) -> Grid:
    """Train every candidate of a space ``n`` times on the same draws; say what each field does.

    Parameters
    ----------
    candidates
        A `SearchSpace` or any iterable of candidates.
    n
        Instances of each.
    by
        Fields to tell of first, by their names in the candidates, such as ``activation``; all
        fields in which candidates differ are known to the result.
    baseline
        Who is shown beside them, on the same draws; None for nobody.
    criterion
        By which the best setting of the other fields is chosen for each value of a field.
    confidence
        Of intervals and tests.
    **options

    Raises
    ------
    ConfigurationError
        If there are fewer than two candidates or instances, or ``by`` names no field.
    JournalMismatchError, EngineError
        As for `select`.

    Examples
    --------
    >>> import surefoot
    >>> from surefoot.calorimeter.baselines import ScaledSum
    >>> photons = surefoot.load_population("photons:A", target="energy")
    >>> sums = surefoot.SearchSpace.product(
    ...     ScaledSum, window=["full", "3x3"], linear=[False, True]
    ... )
    >>> found = surefoot.grid(sums, photons, loss="relative_rmse", sample_size=500, n=8)
    >>> found.fields.names, found.effect("window").names
    (('linear', 'window'), ('full', '3x3'))
    """
    return ask(GridStudy, **locals())
