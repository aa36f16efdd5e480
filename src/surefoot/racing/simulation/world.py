"""A simulated population of candidates that can be raced: losses appear when a race asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import partial

import numpy as np

from surefoot.errors import ConfigurationError
from surefoot.racing.criteria import Criterion
from surefoot.racing.curves import CurveTable
from surefoot.racing.race import Race
from surefoot.racing.replay import Replay
from surefoot.racing.simulation.pilot import Pilot
from surefoot.racing.state import RaceState
from surefoot.racing.table import Floats, Integers

QUANTILES = 200
"""The true criterion is that of so many equally probable losses; the true maximum is theirs."""

MOST = 4096
"""Instances of one candidate after which a simulated race is broken off."""


@dataclass(eq=False)
class World:
    """Candidates with known locations, deviations and divergence; every race sees the same losses.

    ``locations``, ``deviations`` and ``divergence`` ``[candidates]`` are m, s and p of
    `surefoot.racing.simulation.pilot`, ``residuals`` standardised own noise to draw from and
    ``shared`` the share of the noise that an instance's draw explains, the same draw for all where
    they are ``paired``. ``baseline`` is its location and deviation, for a screen, ``costs`` the
    mean cost of an instance of each candidate by the name of the unit, ``falls`` says how losses
    fall that end by some share of the candidate's location (logarithms, as those of `Falls`). Every
    candidate has the
    ``first`` instances from the start; ``rng`` makes all losses.
    """

    locations: Floats
    deviations: Floats
    divergence: Floats
    _: KW_ONLY
    residuals: Floats
    shared: float = 0.0
    paired: bool = True
    baseline: tuple[float, float] | None = None
    costs: Mapping[str, Floats] = field(default_factory=dict)
    falls: Callable[[Floats], Floats] | None = None
    first: int = 8
    rng: np.random.Generator

    def __post_init__(self) -> None:
        count = len(self.locations)
        self._draw_share = np.sqrt(self.shared)
        self._own_share = np.sqrt(1.0 - self.shared)
        self._draw_effects = self.rng.standard_normal((1 if self.paired else count, self.first))
        self._losses = np.full((count, self.first), np.nan)
        self._known = np.zeros(count, np.int64)
        self._train(np.arange(count))
        self.baseline_losses: Floats | None = None
        if self.baseline is not None:
            own = self._own_share * self._own(self._draw_effects.shape)
            noise = self._draw_share * self._draw_effects + own
            bars = np.exp(self.baseline[0] + self.baseline[1] * noise)
            self.baseline_losses = bars[0] if self.paired else bars

    @classmethod
    def like(
        cls, pilot: Pilot, candidates: int, rng: np.random.Generator, *, first: int = 8
    ) -> World:
        """Return a population of so many candidates of the pilot's kind, paired."""
        locations, deviations, rows = pilot.draw(candidates, rng)
        return cls(
            locations,
            deviations,
            pilot.divergence[rows],
            residuals=pilot.residuals,
            shared=pilot.shared,
            baseline=pilot.baseline,
            costs={unit: each[rows] for unit, each in pilot.costs.items()},
            falls=None if pilot.falls is None else partial(pilot.falls.like, rows),
            first=first,
            rng=rng,
        )

    def unpaired(self, rng: np.random.Generator) -> World:
        """Return the same candidates with new losses, each on draws of its own."""
        return replace(self, paired=False, rng=rng)

    def truth(self, criterion: Criterion) -> Floats:
        """Return the true criterion of every candidate, ``[candidates]``."""
        quantiles = noise_quantiles(self.residuals, self.shared)
        spectrum = np.exp(self.locations[:, None] + self.deviations[:, None] * quantiles)
        if self.divergence.any():
            broken = np.rint(self.divergence * QUANTILES)
            spectrum[np.arange(QUANTILES) >= QUANTILES - broken[:, None]] = np.inf
        return criterion.values(spectrum)

    def curves(self, instances: int, epochs: int) -> Floats:
        """Return the losses after each epoch of first instances ``[instances, rows, epochs]``."""
        if self.falls is None:
            raise ConfigurationError("the pilot holds no curves, which the race's rungs look at")
        losses = self.train(np.arange(len(self.locations)), instances)[:, :instances]
        logs = np.log(losses) - self.locations[:, None]
        fell = np.stack([self.falls(ends)[:, :epochs] for ends in logs.T])
        return np.asarray(losses.T[:, :, None] * np.exp(fell))

    def race(self, race: Race) -> tuple[RaceState, Floats]:
        """Run a race whose keys are the rows' numbers, in the order of the rows.

        Return its state and the instances that each candidate trained, of those that rungs ended
        as shares. A race that asks for more
        than 4,096 instances of a candidate ends there, with the best so far as its winner and the
        reason in `RaceState.stopped`. Raises `RaceError` as `Replay.run` does.
        """
        simulation = _Simulation(race, self)
        state = simulation.simulate()
        return state, simulation.trained

    def train(self, rows: Integers, upto: int) -> Floats:
        """Let these candidates have so many instances or more; return all losses.

        They are ``[candidates, instances]``, NaN where nobody has asked for them.
        """
        count, width = self._losses.shape
        if upto > width:
            more = max(upto, 4 * width, 128) - width
            self._losses = np.hstack([self._losses, np.full((count, more), np.nan)])
            if self.paired:
                effects = self.rng.standard_normal((1, more))
                self._draw_effects = np.hstack([self._draw_effects, effects])
        self._train(rows[self._known[rows] < upto])
        return self._losses

    def _train(self, rows: Integers) -> None:
        """Give these candidates losses up to the width of the table."""
        width = self._losses.shape[1]
        for start in np.unique(self._known[rows]).tolist():
            some = rows[self._known[rows] == start]
            if start == width:
                continue
            shape = (len(some), width - start)
            noise = self._own_share * self._own(shape)
            if self.paired:
                noise += self._draw_share * self._draw_effects[:, start:]
            elif start == 0:
                noise += self._draw_share * self._draw_effects[some]
            elif self._draw_share:
                noise += self._draw_share * self.rng.standard_normal(shape)
            losses = np.exp(self.locations[some, None] + self.deviations[some, None] * noise)
            broken = self.divergence[some]
            if broken.any():
                losses[self.rng.random(shape) < broken[:, None]] = np.inf
            self._losses[some, start:] = losses
            self._known[some] = width

    def _own(self, shape: tuple[int, ...]) -> Floats:
        place = self.rng.integers(0, len(self.residuals), shape, dtype=np.int32)
        return np.asarray(self.residuals[place])


def noise_quantiles(residuals: Floats, shared: float) -> Floats:
    """Return 200 equally probable values of the noise: own residuals and normal luck together."""
    levels = (np.arange(QUANTILES) + 0.5) / QUANTILES
    if shared == 0.0:
        return np.asarray(np.quantile(residuals, levels))
    from scipy import special

    luck = np.sqrt(shared) * special.ndtri(levels)
    own = np.sqrt(1.0 - shared) * np.quantile(residuals, levels)
    return np.asarray(np.quantile((luck[:, None] + own).ravel(), levels))


class _Simulation(Replay):
    """A race whose losses come into being when it asks for them."""

    def __init__(self, race: Race, world: World) -> None:
        super().__init__(race)
        self._world, self._each = world, world.costs.get(race.cost)

    def simulate(self) -> RaceState:
        known = self._world.train(np.arange(0), 0)
        try:
            costs = self._costs(known)
            return self._go_on(known, self._world.baseline_losses, costs, self._curves())
        except _TooMany:
            return self._finished(
                f"broken off: it asks for more than {MOST:,} instances of a candidate"
            )

    @property
    def trained(self) -> Floats:
        """Instances that each candidate trained."""
        paid = self.paid.astype(np.float64)
        return paid if self._ladder is None else paid + self._ladder.epochs / self.race.epochs

    def _curves(self) -> CurveTable | None:
        race = self.race
        if race.rungs is None or len(race.keys) == 0:
            return None
        width = max(race.rungs.at(race.epochs), default=0)
        prices = np.full(len(race.keys), 1.0) if self._each is None else self._each
        if width == 0 or not race.climbs:
            return CurveTable(np.empty((1, len(race.keys), width)), prices)
        curves = self._world.curves(race.rungs.instances(race.criterion), width)
        return CurveTable(curves, prices / race.epochs)

    def _missing(self, target: Integers) -> tuple[tuple[str, int], ...]:
        if int(target.max()) > MOST:
            raise _TooMany
        self.losses = self._world.train(self.alive[target > 0], int(target.max()))
        self.costs = self._costs(self.losses)
        return ()

    def _costs(self, losses: Floats) -> Floats | None:
        return None if self._each is None else np.broadcast_to(self._each[:, None], losses.shape)


class _TooMany(Exception):
    """A race asks for more instances than are simulated."""
