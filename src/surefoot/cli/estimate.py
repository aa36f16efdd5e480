"""How long a race still takes, from measured rates.

Instances are compared by their work, ``operations per example x examples x epochs``; a candidate of
another family than networks counts as one unit. The rate is measured where there are outcomes, and
by a short probe of the engine where there are none yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from surefoot.candidates.base import Candidate
    from surefoot.engines.base import Outcome, Setting

PROBES = 3
PROBE_EXAMPLES = 1024
FORWARD_SHARE = 1.0 / 3.0
"""Work of a test example as a share of a training example's: one pass of three."""


def work_of_epoch(candidate: Candidate, setting: Setting) -> float:
    """Return the operations of one epoch: the training sample, then the test sample."""
    flops = float(getattr(candidate, "flops", 0))
    if not flops:
        return 1.0
    train = setting.halves.train_size(setting.sampling)
    test = setting.sampling.test_size or setting.halves.test.size
    return flops * (train + FORWARD_SHARE * test)


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
        self._work = {c.key: work_of_epoch(c, setting) for c in candidates}
        self._workers = workers
        self._seconds = 0.0
        self._done = 0.0

    def record(self, outcome: Outcome) -> None:
        """Take note of how long an instance took."""
        if outcome.candidate in self._work:
            self._seconds += outcome.seconds
            self._done += self._work[outcome.candidate]

    def seconds(self, trainings: int, keys: Sequence[str]) -> float | None:
        """Return the seconds that so many trainings, spread over these candidates, will take.

        None before the first outcome.
        """
        if not self._done or not keys:
            return None
        mean = sum(self._work[key] for key in keys) / len(keys)
        return trainings * mean * self._seconds / self._done / self._workers


def probe(candidates: Sequence[Candidate], setting: Setting, engine: str) -> float:
    """Return measured seconds per unit of work on one core.

    A few candidates spread over the range of sizes train for one epoch on a small sample, twice,
    and the second time counts, so that compiling does not. Nothing is recorded and no seed of the
    race is used.
    """
    import numpy as np

    from surefoot.engines.base import Instance, Setting
    from surefoot.engines.choose import Chooser
    from surefoot.population import Sampling
    from surefoot.seeds import InstanceSeed, Role
    from surefoot.stopping import Stopping

    size = min(PROBE_EXAMPLES, setting.halves.pool.size)
    small = Setting(
        setting.halves,
        Sampling(size, test_size=min(size, setting.halves.test.size)),
        setting.loss,
        Stopping(max_epochs=1, min_epochs=1, reading="none"),
    )
    chooser = Chooser(engine)
    ordered = sorted(candidates, key=lambda c: (work_of_epoch(c, setting), c.key))
    chosen = [ordered[len(ordered) * (2 * i + 1) // (2 * PROBES)] for i in range(PROBES)]
    seconds = work = 0.0
    for candidate in chosen:
        trainer = chooser.choose(candidate, small)
        for again in (False, True):
            instance = Instance(candidate, InstanceSeed(0, Role.PILOT, 0))
            outcome = trainer.train(instance, small, np.zeros(1, dtype=np.uint8)).outcome
            if again:
                seconds += outcome.seconds
                work += work_of_epoch(candidate, small)
    return seconds / work


def words(seconds: float) -> str:
    """Return a duration in words, as precise as an estimate is.

    >>> words(8), words(200), words(30_000), words(900_000)
    ('8 s', '3 min 20 s', '8.3 h', '250 h (10 days)')
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    if seconds < 100 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 3600:,.0f} h ({seconds / 86400:.0f} days)"
