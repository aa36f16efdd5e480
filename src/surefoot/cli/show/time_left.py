"""How long a race still takes, from measured rates.

An instance's work is ``operations per example x examples`` of an epoch for a network and the number
of training examples for any other candidate. Seconds per work are measured for each family of
candidates: on the outcomes so far, or by a short probe of the engine where there are none yet.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from surefoot.candidates.base import Candidate
    from surefoot.instances import Outcome, Setting

PROBES = 3
PROBE_EXAMPLES = 1024
REMEMBERED = 200
FORWARD_SHARE = 1.0 / 3.0
"""Work of a test example as a share of a training example's: one pass of three."""


def work_of(candidate: Candidate, setting: Setting) -> float:
    """Return the work of an instance: of one epoch for a network, of the whole for another."""
    train = setting.halves.train_size(setting.sampling)
    flops = float(getattr(candidate, "flops", 0))
    if not flops:
        return float(train)
    test = setting.sampling.test_size or setting.halves.test.size
    return flops * (train + FORWARD_SHARE * test)


def has_epochs(candidate: Candidate) -> bool:
    """Say whether its training time grows with the number of epochs, as a network's."""
    return hasattr(candidate, "flops")


class TimeLeft:
    """Seconds left of a race, from the outcomes so far.

    Parameters
    ----------
    candidates
        Those of the race.
    setting
        What their instances share.
    workers
        Instances that run at once.
    """

    def __init__(self, candidates: Iterable[Candidate], setting: Setting, workers: int) -> None:
        self._work = {c.key: (c.family, work_of(c, setting)) for c in candidates}
        self._workers = workers
        self._rates: dict[str, deque[float]] = {}
        self._latest: deque[float] = deque(maxlen=REMEMBERED)
        self._summed: tuple[Sequence[str], dict[str, tuple[int, float]]] = ((), {})

    def record(self, outcome: Outcome) -> None:
        """Take note of how long an instance took."""
        if outcome.candidate in self._work:
            family, work = self._work[outcome.candidate]
            rates = self._rates.setdefault(family, deque(maxlen=REMEMBERED))
            rates.append(outcome.seconds / work)
            self._latest.append(outcome.seconds)

    def seconds(self, trainings: int, keys: Sequence[str]) -> float | None:
        """Return the seconds that so many trainings, spread over these candidates, will take.

        None before the first outcome. Rates are medians of the latest outcomes, so that the first
        ones, which wait for the engine to compile, do not count for long. A family not measured
        yet counts as the median instance.
        """
        if not self._latest or not keys:
            return None
        usual = median(self._latest)
        rates = {family: median(measured) for family, measured in self._rates.items()}
        total = sum(
            work * rates[family] if family in rates else count * usual
            for family, (count, work) in self._families(keys).items()
        )
        return trainings * total / len(keys) / self._workers

    def _families(self, keys: Sequence[str]) -> dict[str, tuple[int, float]]:
        """Return number and work of the candidates of each family; quick for the same sequence."""
        if self._summed[0] is not keys:
            sums: dict[str, tuple[int, float]] = {}
            for family, work in map(self._work.__getitem__, keys):
                count, total = sums.get(family, (0, 0.0))
                sums[family] = count + 1, total + work
            self._summed = keys, sums
        return self._summed[1]


def probe(candidates: Sequence[Candidate], setting: Setting, engine: str) -> dict[str, float]:
    """Return measured seconds per work on one core, for each family of candidates.

    Some candidates of each family, spread over the range of sizes, train for one epoch on a small
    sample, three times, and the quickest counts, so that compiling does not. Nothing is recorded
    and no seed of the race is used.
    """
    import numpy as np

    from surefoot.data.population import Sampling
    from surefoot.engines.choose import Chooser
    from surefoot.instances import Instance, Setting
    from surefoot.learning.stopping import Stopping
    from surefoot.seeds.ledger import InstanceSeed, Role

    size = min(PROBE_EXAMPLES, setting.halves.pool.size)
    small = Setting(
        setting.halves,
        Sampling(size, test_size=min(size, setting.halves.test.size)),
        setting.loss,
        Stopping(max_epochs=1, min_epochs=1, reading="none"),
    )
    chooser = Chooser(engine)
    rates: dict[str, float] = {}
    for family in dict.fromkeys(c.family for c in candidates):
        ordered = sorted(
            (c for c in candidates if c.family == family),
            key=lambda c: (work_of(c, setting), c.key),
        )
        seconds = work = 0.0
        for place in {len(ordered) * (2 * i + 1) // (2 * PROBES) for i in range(PROBES)}:
            trainer = chooser.choose(ordered[place], small)
            instance = Instance(ordered[place], InstanceSeed(0, Role.PILOT, 0))
            seconds += min(
                trainer.train(instance, small, np.zeros(1, dtype=np.uint8)).outcome.seconds
                for _ in range(3)
            )
            work += work_of(ordered[place], small)
        rates[family] = seconds / work
    return rates


def mean_seconds(
    candidates: Sequence[Candidate], setting: Setting, rates: dict[str, float], epochs: int
) -> float:
    """Return the seconds of an instance on one core, averaged over the candidates."""
    each = (
        rates[c.family] * work_of(c, setting) * (epochs if has_epochs(c) else 1) for c in candidates
    )
    return sum(each) / len(candidates)


def words(seconds: float) -> str:
    """Return a duration in words, as precise as an estimate is.

    >>> words(0.2), words(8), words(200), words(30_000), words(900_000)
    ('0.2 s', '8 s', '3 min 20 s', '8.3 h', '250 h (10 days)')
    """
    if 0.0 < seconds < 0.95:
        return f"{seconds:.1g} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if seconds < 100 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 3600:,.0f} h ({seconds / 86400:.0f} days)"
