"""The planner: what a race would cost and find, simulated on the losses of a pilot.

A pilot of some candidates with a few paired instances each says how far candidates lie apart, how
noisy they are, how much of the noise the shared draws explain and how often they diverge. From
these, populations of as many candidates as wanted are made, and every race is run in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from surefoot.errors import RaceError
from surefoot.racing.criteria import Criterion, from_name
from surefoot.racing.elimination import ByRank, EliminationRule
from surefoot.racing.race import Race
from surefoot.racing.schedule import Schedule
from surefoot.racing.table import Floats, LossTable

FEWEST_CANDIDATES, FEWEST_INSTANCES = 8, 3


@dataclass(frozen=True)
class Forecast:
    """What one schedule is expected to do, over the simulated races.

    ``trainings`` is the mean number of instances and ``most`` the largest; ``p_best`` and
    ``p_within`` are the probabilities that the winner's true criterion is the smallest, and within
    1 % of it; ``regret`` is the mean of (winner's - best) / best and ``regret_error`` its standard
    error; ``curse`` is the mean share by which the winner's racing value is too good.
    """

    name: str
    trainings: float
    most: int
    p_best: float
    p_within: float
    regret: float
    regret_error: float
    curse: float


@dataclass(frozen=True, eq=False)
class Pilot:
    """What a pilot says about a population of candidates, on the logarithm of the loss.

    A candidate is a location, a noise deviation and a divergence probability, resampled jointly
    from the pilot's candidates; the locations' spread is shrunk by what noise alone adds to it,
    and smoothed so that no two candidates are the same. ``residuals`` are standardised noise,
    ``shared`` the share of its variance common to all candidates of an instance.
    """

    locations: Floats
    deviations: Floats
    divergence: Floats
    residuals: Floats
    shared: float

    @classmethod
    def of(cls, table: LossTable) -> Pilot:
        """Estimate from a loss table; candidates with fewer than three finite losses are left out.

        Raises `RaceError` for fewer than eight usable candidates or for losses that are not
        positive.
        """
        losses = table.losses
        finite = np.isfinite(losses)
        if (losses[finite] <= 0.0).any():
            raise RaceError("the planner simulates the logarithm of losses; they must be positive")
        usable = finite.sum(axis=1) >= FEWEST_INSTANCES
        if usable.sum() < FEWEST_CANDIDATES:
            raise RaceError(
                f"the pilot has {int(usable.sum())} candidates with {FEWEST_INSTANCES} finite "
                f"losses or more; planning takes at least {FEWEST_CANDIDATES}"
            )
        logs = np.log(np.where(finite, losses, np.nan)[usable])
        counts = np.isfinite(logs).sum(axis=1)
        means = np.nanmean(logs, axis=1)
        centred = logs - means[:, None]
        shared = _shared_share(centred)
        deviations = np.nanstd(logs, axis=1, ddof=1)
        steadier = _steadier(deviations, counts)
        scale = np.where(steadier > 0.0, steadier, 1.0) * np.sqrt((counts - 1) / counts)
        residuals = (centred / scale[:, None])[np.isfinite(centred)]
        residuals -= residuals.mean()
        size = float(residuals.std())
        own = (1.0 - shared) * deviations**2 / counts
        apart = float(means.var(ddof=1))
        shrink = np.sqrt(max(0.0, apart - float(own.mean())) / apart) if apart > 0.0 else 0.0
        trained = (~np.isnan(losses)).sum(axis=1)[usable]
        return cls(
            means.mean() + shrink * (means - means.mean()),
            steadier,
            np.asarray(np.isposinf(losses).sum(axis=1)[usable] / trained, np.float64),
            residuals / size if size > 0.0 else residuals,
            shared,
        )

    def populations(
        self, candidates: int, instances: int, criterion: Criterion, rng: np.random.Generator
    ) -> Iterator[tuple[Floats, Floats]]:
        """Yield true criterion values ``[candidates]`` and losses ``[candidates, instances]``.

        The true value is the criterion over the whole distribution of the noise (200 of its
        quantiles); a maximum's is that over these 200.
        """
        quantiles = np.quantile(self.residuals, (np.arange(200) + 0.5) / 200.0)
        pilots = len(self.locations)
        # A smoothed bootstrap (Silverman 1986, section 6.4) that keeps the variance.
        spread, centre = float(self.locations.std(ddof=1)), float(self.locations.mean())
        width = 0.9 * pilots**-0.2
        kept = 1.0 / np.sqrt(1.0 + width**2)
        while True:
            pick = rng.integers(0, pilots, candidates)
            smooth = (
                self.locations[pick] - centre + width * spread * rng.standard_normal(candidates)
            )
            location = centre + kept * smooth
            deviation, broken = self.deviations[pick], self.divergence[pick]
            noise = np.sqrt(1.0 - self.shared) * rng.choice(self.residuals, (candidates, instances))
            noise += np.sqrt(self.shared) * rng.choice(self.residuals, instances)
            losses = np.exp(location[:, None] + deviation[:, None] * noise)
            losses[rng.random(losses.shape) < broken[:, None]] = np.inf
            spectrum = np.exp(location[:, None] + deviation[:, None] * quantiles)
            diverging = np.rint(broken * 200.0).astype(np.int64)
            spectrum[np.arange(200) >= 200 - diverging[:, None]] = np.inf
            yield criterion.values(spectrum), losses


def simulate(
    pilot: Pilot,
    candidates: int,
    schedules: Mapping[str, Schedule],
    *,
    rng: np.random.Generator,
    criterion: Criterion | str = "mean",
    rules: Mapping[str, EliminationRule] | None = None,
    races: int = 50,
    each: Callable[[], None] | None = None,
) -> list[Forecast]:
    """Race every schedule in the same ``races`` simulated populations of the pilot's kind.

    ``rules`` names the elimination rule of a schedule; by rank where it does not. The number of
    instances simulated per candidate is the most a schedule plans for one. ``each`` is called after
    every population. Raises `RaceError` when
    no simulated candidate survives, since nothing can be raced then.
    """
    statistic = from_name(criterion) if isinstance(criterion, str) else criterion
    keys = tuple(f"{i:08d}" for i in range(candidates))
    chosen = rules or {}
    contests = {
        name: Race(keys, statistic, schedule, rule=chosen.get(name, ByRank()))
        for name, schedule in schedules.items()
    }
    instances = max(planned.upto for race in contests.values() for planned in race.plan())
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in contests}
    worlds = pilot.populations(candidates, instances, statistic, rng)
    for _ in range(races):
        truth, losses = next(worlds)
        if np.isinf(truth).all():
            raise RaceError("every simulated candidate diverges; the pilot has no stable candidate")
        table = LossTable(keys, losses)
        for name, race in contests.items():
            state = race.replay(table)
            if state.winner is None:
                raise RaceError(f"schedule '{name}' asked for more instances than it had planned")
            true = float(truth[int(state.winner)])
            value = state.values[state.winner]
            curse = (true - value) / true if np.isfinite(true) else np.nan
            found[name].append((state.trainings, true / float(truth.min()) - 1.0, curse))
        if each is not None:
            each()
    return [_forecast(name, rows) for name, rows in found.items()]


def _forecast(name: str, rows: Sequence[tuple[float, float, float]]) -> Forecast:
    trainings, regret, curse = np.array(rows).T
    finite = regret[np.isfinite(regret)]
    error = float(regret.std(ddof=1) / np.sqrt(len(regret))) if len(finite) > 1 else float("nan")
    return Forecast(
        name,
        float(trainings.mean()),
        int(trainings.max()),
        float((regret <= 1e-12).mean()),
        float((regret <= 0.01).mean()),
        float(regret.mean()),
        error,
        float(np.nanmean(curse)) if np.isfinite(curse).any() else float("nan"),
    )


def _shared_share(centred: Floats) -> float:
    """Share of the noise variance common to the candidates of an instance, in [0, 0.95].

    The variance of an instance's mean over candidates, less what independent noise gives it.
    """
    seen = np.isfinite(centred)
    columns = seen.sum(axis=0) >= FEWEST_CANDIDATES
    if columns.sum() < FEWEST_INSTANCES:
        return 0.0
    part = centred[:, columns]
    total = float(np.nanvar(part))
    if total <= 0.0:
        return 0.0
    means = np.nanmean(part, axis=0)
    between = float(means.var(ddof=1))
    share = (between - total / float(seen[:, columns].sum(axis=0).mean())) / total
    return float(np.clip(share, 0.0, 0.95))


def _steadier(deviations: Floats, counts: Floats) -> Floats:
    """Shrink the logarithms of noisy deviations towards their mean.

    log s of n losses scatters by about 1 / sqrt(2 (n - 1)) by itself.
    """
    positive = deviations > 0.0
    if positive.sum() < 2:
        return deviations
    logs = np.log(deviations[positive])
    scatter = float((1.0 / (2.0 * (counts[positive] - 1))).mean())
    apart = float(logs.var(ddof=1))
    shrink = np.sqrt(max(0.0, apart - scatter) / apart) if apart > 0.0 else 0.0
    steadier = deviations.copy()
    steadier[positive] = np.exp(logs.mean() + shrink * (logs - logs.mean()))
    return steadier
