"""Transfer: is what a race selected on one population as good on another?

The paper selects on photons at normal incidence and retrains the selected networks on inclined
ones. Everything but the data stays as it was; selected candidates and baseline are compared on the
other population with paired instances.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.base import Candidate
from surefoot.candidates.trust import trust as trusting
from surefoot.data.population import Population
from surefoot.errors import ConfigurationError, JournalMismatchError, RaceError
from surefoot.instances import Setting
from surefoot.journal import Journal
from surefoot.showing import Shown
from surefoot.studies.description import Description, RaceDescription, rebuild_candidate
from surefoot.studies.options import RunOptions, lists_options, split_options
from surefoot.studies.race_record import recorded_certificates, recorded_race
from surefoot.studies.sizes.compare import Comparison, PairedStudy

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Transfer(Shown):
    """The result: a comparison on the other population, and what was lost at home.

    ``at_home`` [n] are in the order of the candidates, empty where nothing is known;
    ``populations`` names home and the other one.
    """

    comparison: Comparison
    at_home: tuple[Floats, ...]
    populations: tuple[str, str]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """Return in words how the winner stands to the baseline at home and on the other data."""
        found, (home, there) = self.comparison, self.populations
        reference = found.reference
        assert reference is not None
        own, other = found.medians[0, 0], found.medians[reference, 0]
        words = f"On {there} the median loss of {found.names[0]} is {_against(own, other)} that of "
        words += found.names[reference]
        if self.at_home[0].size and self.at_home[reference].size:
            own, other = np.median(self.at_home[0]), np.median(self.at_home[reference])
            words += f"; on {home} it is {_against(own, other)} it"
        lines = [
            f"{words}.",
            "On the next retraining there it loses less with a probability of about "
            f"{found.wins(0, reference, 0):.0%}.",
        ]
        best = found.best(0)
        if best not in (0, reference):
            lines.append(f"The best of those retrained is {found.names[best]}.")
        return lines


@dataclass(frozen=True, kw_only=True, eq=False)
class TransferStudy(PairedStudy[Transfer]):
    """How good are the best of a race, the winner first, and the baseline on other data?

    ``home`` is the name of the race's population, ``at_home`` the losses there of every candidate
    by key.
    """

    equal_test: bool = False
    n: int = 59
    home: str
    at_home: Mapping[str, Floats]

    def __post_init__(self) -> None:
        if len(self.everyone) < 2:
            raise ConfigurationError(
                f"the winner, {self.everyone[0].label}, is the baseline itself, so there is "
                "nothing to compare it with: ask for the best 2 or more"
            )
        super().__post_init__()

    def usual_sizes(self) -> list[int]:
        """Return the race's: the training examples of its instances."""
        return [self.setting.halves.train_size(self.setting.sampling)]

    def result(self, journal: Journal) -> Transfer:
        """Return the comparison there beside the losses at home."""
        at_home = tuple(self.at_home[one.key] for one in self.everyone)
        there = self.setting.halves.population.name
        return Transfer(self.comparison(journal), at_home, (self.home, there))


@lists_options(RunOptions, used_by=TransferStudy)
def transfer(
    race: str | os.PathLike[str],
    population: Population,
    *,
    best: int = 1,
    n: int = 59,
    baseline: Candidate | None = None,
    content: float = 0.95,
    confidence: float = 0.95,
    trust: str | Iterable[str] = (),
    **options: Unpack[RunOptions],
) -> Transfer:
    """Retrain the winner of a recorded race on another population, beside the baseline.

    Does what was best on one population stay good on another? Loss, draws, stopping rule and seed
    are the race's; all candidates are trained on the same draws.

    Parameters
    ----------
    race
        The file that `select` wrote.
    population
        The other data.
    best, n
        How many of the race's ranking, and instances of each.
    baseline
        Whom they are to beat; None for the race's own.
    content, confidence
        What the certificates are to promise.
    trust
        Packages, modules or import paths whose code the journal may name, in this process.
    **options

    Raises
    ------
    JournalError
        If there is no such journal, or it holds no race.
    JournalMismatchError
        If target or loss differ from the race's, or the data do not.
    RaceError
        If the race is not over, has fewer candidates, or no baseline is known.

    Examples
    --------
    >>> import tempfile, surefoot
    >>> from surefoot.calorimeter.baselines import ScaledSum
    >>> here, there = (
    ...     surefoot.load_population(f"photons:{name}", target="energy") for name in "AB"
    ... )
    >>> sums = surefoot.SearchSpace.product(ScaledSum, window=["3x3", "5x5"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     race = f"{folder}/race.db"
    ...     _ = surefoot.select(
    ...         sums, here, loss="relative_rmse", sample_size=500, baseline=ScaledSum(),
    ...         certify=5, journal=race,
    ...     )
    ...     found = surefoot.transfer(race, there, n=5)
    >>> found.populations, found.comparison.n
    (('photons:A', 'photons:B'), 5)
    """
    trusting(trust)
    with Journal.read(race) as record:
        asked = RaceDescription.read(record.study)
        if baseline is None and asked.baseline is None:
            raise ConfigurationError(
                "the race had no baseline to compare with on other data: give one"
            )
        if baseline is None:
            baseline = rebuild_candidate(record.candidates()[str(asked.baseline)])
        halves = asked.halves
        setting = Setting(
            population.split(asked.seed, halves.pool / (halves.pool + halves.test)),
            asked.sampling,
            asked.loss,
            asked.stopping,
        )
        own = {"seed": asked.seed, "n": n, "content": content, "confidence": confidence}
        others, run = split_options(options)
        study = transfer_study(record, setting, baseline, best, **own, **others)
    return study.run(**run)


def transfer_study(
    race: Journal, setting: Setting, baseline: Candidate, best: int = 1, **fields: Any
) -> TransferStudy:
    """Return the question about the ``best`` of a race's ranking on the data of a setting.

    The remaining fields are those of `TransferStudy`. Errors are those of `transfer`.
    """
    check_transfer(race, setting)
    chosen, home = selected(race, best)
    at_home = {one.key: losses for one, losses in chosen.items()}
    return TransferStudy(
        candidates=tuple(chosen),
        setting=setting,
        baseline=baseline,
        home=Description.read(race.study).population.name,
        at_home={baseline.key: home, **at_home},
        **fields,
    )


def selected(journal: Journal, best: int = 1) -> tuple[dict[Candidate, Floats], Floats]:
    """Return the ``best`` of a race with their losses, and the baseline's [n], maybe none.

    Losses are those of fresh instances where the race certified a candidate, else its racing
    losses, which flatter it. Errors are those of `transfer`.
    """
    record = recorded_race(journal)
    state = record.state()
    if state.winner is None:
        raise RaceError("the race of the journal has no winner yet: let it end first")
    if not 1 <= best <= len(state.ranking):
        raise ConfigurationError(
            f"best = {best} candidates cannot be retrained: the race has {len(state.ranking)}"
        )
    known, certificates = journal.candidates(), recorded_certificates(journal, state)
    found = {}
    for key in state.ranking[:best]:
        fresh, row = certificates.get(key), record.table.row(key)
        losses = row[~np.isnan(row)] if fresh is None else np.array(fresh.losses)
        found[rebuild_candidate(known[key])] = losses
    baseline = record.baseline()
    return found, np.empty(0) if baseline is None else baseline[~np.isnan(baseline)]


def check_transfer(journal: Journal, setting: Setting) -> None:
    """Raise `JournalMismatchError` if target or loss differ from the race's, or data do not."""
    study, population = Description.read(journal.study), setting.halves.population
    for what, old, new in (
        ("target", study.population.target, population.target_name),
        ("unit", study.population.unit, population.target_unit),
        ("loss", str(study.loss), str(setting.loss)),
    ):
        if old != new:
            raise JournalMismatchError(
                f"the race was about another {what} than asked for now ({old!r} -> {new!r}): "
                "transfer changes the data alone"
            )
    if study.population.fingerprint == population.fingerprint:
        raise JournalMismatchError(
            f"{population.name} is the population of the race itself: name other data, or assess "
            "the winner there"
        )


def _against(value: float, other: float) -> str:
    """Return how a loss lies to another one.

    >>> _against(0.018, 0.02), _against(0.022, 0.02)
    ('10.0 % below', '10.0 % above')
    """
    if not (np.isfinite(value) and np.isfinite(other) and other > 0.0):
        return "not to be compared with"
    share = 100.0 * (value / other - 1.0)
    return f"{abs(share):.1f} % {'below' if share < 0.0 else 'above'}"
