"""Compare: several candidates at several sample sizes, on the same draws.

Networks with and without side features, boosted trees and the classical baseline (paper §4): ``n``
instances of each candidate at each size, all paired, so that two candidates' losses of one instance
differ by the candidates alone. Nothing is selected here, so every loss is a fresh one and every
candidate has its certificate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Unpack

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.base import Candidate
from surefoot.checks import share
from surefoot.data.population import Population
from surefoot.errors import ConfigurationError
from surefoot.journal import Journal
from surefoot.learning.stopping import Stopping
from surefoot.seeds.ledger import Role
from surefoot.showing import Shown
from surefoot.statistics.certificate import Certificate, content_reached, percent
from surefoot.statistics.comparison import shortlist, wins_next
from surefoot.statistics.intervals import Interval, interquartile_range, quantile
from surefoot.studies.base import Answer, check_different, with_baseline
from surefoot.studies.description import SizesDescription
from surefoot.studies.options import RunOptions, TrainingOptions, ask, lists_options
from surefoot.studies.sizes.base import MultiSizeStudy, recorded_losses

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Shown):
    """Losses of every candidate at every size, paired by instance, and what follows from them.

    Parameters
    ----------
    names
        Names of the k candidates.
    sizes
        Numbers of training examples, ascending.
    losses
        [k, sizes, n]; +inf where an instance diverged or failed. Entry i of every candidate has
        the same draw and the same streams.
    reference
        Place of the candidate that the others are to beat, such as the baseline; None for none.
    content, confidence
        What the certificates are to promise.
    unit
        Unit of the loss.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    losses: Floats
    reference: int | None = None
    content: float = 0.95
    confidence: float = 0.95
    unit: str = ""

    @property
    def n(self) -> int:
        """Instances of each candidate at each size."""
        return int(self.losses.shape[2])

    @property
    def medians(self) -> Floats:
        """Medians of the losses [k, sizes]."""
        return self.quantiles(0.5)

    def quantiles(self, level: float) -> Floats:
        """Return a quantile of the losses [k, sizes]; +inf where it rests on a divergence."""
        return quantile(self.losses, level)

    @property
    def spreads(self) -> Floats:
        """Interquartile ranges [k, sizes]; +inf where a quarter or more diverged."""
        return interquartile_range(self.losses)

    def certificate(self, candidate: int, size: int) -> Certificate:
        """Return the certificate of a candidate (by place) at a size (by place)."""
        return Certificate(
            tuple(self.losses[candidate, size]), self.content, self.confidence, unit=self.unit
        )

    def best(self, size: int) -> int:
        """Return the place of the candidate with the lowest median at a size (by place)."""
        return int(np.argmin(self.medians[:, size]))

    def alike(self, size: int) -> list[int]:
        """Return who cannot be told from the best at a size, the best first.

        One-sided paired Wilcoxon tests with Holm's correction at level 1 − confidence.
        """
        best = self.best(size)
        kept = shortlist(self.losses[:, size], best, 1.0 - self.confidence)
        return [best, *(row for row in np.flatnonzero(kept).tolist() if row != best)]

    def wins(self, candidate: int, rival: int, size: int) -> Interval:
        """Return the probability that a candidate loses less than its rival on the next draw."""
        return wins_next(self.losses[candidate, size], self.losses[rival, size], self.confidence)

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def overview(self) -> list[dict[str, object]]:
        """Return every candidate at every size: median, largest loss and certified bound."""
        return [
            {
                "examples": size,
                "candidate": name,
                "median": float(self.medians[row, place]),
                "largest": float(max(self.certificate(row, place).losses)),
                "bound": self.certificate(row, place).bound.value,
            }
            for place, size in enumerate(self.sizes)
            for row, name in enumerate(self.names)
        ]

    def lines(self) -> list[str]:
        """Return who is best, who is steadiest and who beats the reference, size by size."""
        return [self._line(place) for place in range(len(self.sizes))]

    def bound_line(self) -> str:
        """Return what the certificates' bounds mean, with the share that n instances reach."""
        share = min(self.content, content_reached(self.n, self.confidence))
        return (
            f"With {100 * self.confidence:g} % confidence, at least "
            f"{percent(share)} of a candidate's retrainings lose at most "
            "its bound; each bound by itself, on this pool and test half."
        )

    def _line(self, place: int) -> str:
        best, *others = self.alike(place)
        unit = f" {self.unit}" if self.unit else ""
        if not np.isfinite(self.medians[:, place]).any():
            return (
                f"{self.sizes[place]:,} examples: nobody has a finite median loss, since half of "
                "the instances or more diverged or failed."
            )
        words = f"{self.sizes[place]:,} examples: {self.names[best]} has the lowest median loss, "
        words += f"{self.medians[best, place]:.4g}{unit}"
        if others:
            named = ", ".join(self.names[row] for row in others)
            words += f"; no test tells {named} from it"
        steady = int(np.argmin(self.spreads[:, place]))
        if np.isfinite(self.spreads[steady, place]):
            words += (
                f"; the steadiest is {self.names[steady]}, with half of its losses within "
                f"{self.spreads[steady, place]:.2g}{unit}"
            )
        return words + "."


PAPER_SIZES = (8_000, 16_000, 24_000, 32_000)
"""Training examples at which the paper compares networks, baseline and boosted trees."""
PAPER_INSTANCES = 50
PAPER_STOPPING = Stopping(max_epochs=120, reading="explosion")
"""At an explosion from epoch 100 on, the paper's rule by the word (§3.7); the cap is ours."""
USUAL_SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
"""Sizes unless given, as shares of the largest."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PairedStudy(MultiSizeStudy[Answer]):
    """Candidates, all different, and a baseline that is compared as well, at several sizes.

    ``names`` are those of `everyone`; whoever has none is called by its label.
    """

    role: ClassVar[Role] = Role.COMPARE

    candidates: tuple[Candidate, ...]
    names: tuple[str, ...] = ()
    baseline: Candidate | None = None
    n: int = 20
    content: float = 0.95
    confidence: float = 0.95

    def __post_init__(self) -> None:
        super().__post_init__()
        share(content=self.content, confidence=self.confidence)
        if len(self.everyone) < 2:
            raise ConfigurationError(
                f"a comparison needs two candidates or more, not {len(self.everyone)}"
            )
        check_different(self.candidates, "compare")

    @cached_property
    def everyone(self) -> tuple[Candidate, ...]:
        """The candidates, and the baseline unless it is one of them."""
        return with_baseline(self.candidates, self.baseline)

    def usual_sizes(self) -> list[int]:
        """Return a sixteenth, an eighth, a quarter and half of the examples there are."""
        return [max(2, int(share * self.largest)) for share in USUAL_SHARES]

    def asked(self) -> dict[str, Any]:
        """Return sizes, instances, names, whom the others are to beat, and what is promised."""
        return super().asked() | {
            "names": list(self.names),
            "baseline": None if self.baseline is None else self.baseline.key,
            "content": self.content,
            "confidence": self.confidence,
        }

    def comparison(self, journal: Journal) -> Comparison:
        """Return how the candidates stand to each other, and to the baseline."""
        labels = (candidate.label for candidate in self.everyone[len(self.names) :])
        population = self.setting.halves.population
        return Comparison(
            names=(*self.names, *labels),
            sizes=self.ordered,
            losses=self.losses(journal),
            reference=None if self.baseline is None else self.everyone.index(self.baseline),
            content=self.content,
            confidence=self.confidence,
            unit=self.setting.loss.unit(population.target_unit),
        )


class CompareStudy(PairedStudy[Comparison]):
    """Which of these candidates loses least, and from how many examples on?"""

    def result(self, journal: Journal) -> Comparison:
        """Return the comparison."""
        return self.comparison(journal)


def recorded_comparison(journal: Journal) -> Comparison:
    """Return the comparison that a journal holds, with the names and promises that it notes.

    Raises `JournalError` if it is of another kind of study, or holds too few instances yet.
    """
    study = SizesDescription.read(journal.study)
    sizes, losses = recorded_losses(journal, Role.COMPARE)
    asked, known = journal.notes().get("asked", {}), journal.candidates()
    names, baseline = asked.get("names", []), asked.get("baseline")
    labels = [known[key].label for key in study.candidates[len(names) :]]
    return Comparison(
        names=(*names, *labels),
        sizes=sizes,
        losses=losses,
        reference=study.candidates.index(baseline) if baseline in study.candidates else None,
        content=asked.get("content", 0.95),
        confidence=asked.get("confidence", 0.95),
        unit=study.unit,
    )


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
    names: tuple[str, ...] = ()
    if isinstance(candidates, Mapping):
        names, candidates = tuple(map(str, candidates)), tuple(candidates.values())
    return ask(CompareStudy, **locals())
