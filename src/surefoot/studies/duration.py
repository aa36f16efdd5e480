"""How long trainings take, before any is trained and while they are, from measured rates.

An instance's work is ``operations per example x examples`` of an epoch for a network, where no
operations are known as if there were one, and the number of training examples for any other
candidate. Seconds per work are measured for each family of
candidates: on the outcomes so far, or by a short probe of the engine where there are none yet.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from surefoot.candidates.base import Candidate
from surefoot.data.population import Sampling
from surefoot.engines import compiling
from surefoot.engines.base import Engine
from surefoot.engines.choose import Chooser
from surefoot.engines.devices import AUTO
from surefoot.errors import EngineError
from surefoot.instances import Instance, Outcome, Setting, Status
from surefoot.learning.stopping import Stopping
from surefoot.seeds.ledger import InstanceSeed, Role

PROBES = 3
PROBE_EXAMPLES = 1024
PROBE_EPOCHS = 16
PROBE_SECONDS = 0.2
"""A candidate is probed for so many epochs as take about that long, and at most `PROBE_EPOCHS`."""
REMEMBERED = 200
_ONE_EPOCH = Stopping(max_epochs=1, min_epochs=1, reading="none")
_PATHS = frozenset({"class", "factory", "function", "optimizer", "loss", "schedule"})
FORWARD_SHARE = 1.0 / 3.0
"""Work of a test example as a share of a training example's: one pass of three."""


def work_of(candidate: Candidate, setting: Setting) -> float:
    """Return the work of an instance: of one epoch for a network, of the whole for another."""
    train = setting.halves.train_size(setting.sampling)
    if not has_epochs(candidate):
        return float(train)
    test = setting.sampling.test_size or setting.halves.test.size
    return float(getattr(candidate, "flops", 1)) * (train + FORWARD_SHARE * test)


def has_epochs(candidate: Candidate) -> bool:
    """Say whether its training time grows with the number of epochs, as a network's."""
    return hasattr(candidate, "flops") or hasattr(candidate, "batch_size")


class TimeLeft:
    """Seconds left of a race, from the outcomes so far, with so many instances at once."""

    def __init__(self, candidates: Iterable[Candidate], setting: Setting, workers: int) -> None:
        self._work = {c.key: (c.family, work_of(c, setting)) for c in candidates}
        self._workers = workers
        self._rates: dict[str, deque[float]] = {}
        self._latest: deque[float] = deque(maxlen=REMEMBERED)
        self._summed: tuple[Sequence[str], dict[str, tuple[int, float]]] = ((), {})

    def record(self, outcome: Outcome) -> None:
        """Take note of how long an instance took that has ended, unless its engine was compiled."""
        if compiling.within(outcome.seconds):
            return
        if outcome.candidate in self._work and outcome.status is not Status.PAUSED:
            family, work = self._work[outcome.candidate]
            rates = self._rates.setdefault(family, deque(maxlen=REMEMBERED))
            rates.append(outcome.seconds / work)
            self._latest.append(outcome.seconds)

    def seconds(self, trainings: int, keys: Sequence[str]) -> float | None:
        """Return the seconds that so many trainings, spread over these candidates, will take.

        None before the first outcome. Rates are medians of the latest outcomes, so that the first
        ones of other processes, which wait for the engine to compile, do not count for long. A
        family not measured yet counts as the median instance.
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
            works: dict[str, list[float]] = {}
            for family, work in map(self._work.__getitem__, keys):
                works.setdefault(family, []).append(work)
            self._summed = keys, {name: (len(one), sum(one)) for name, one in works.items()}
        return self._summed[1]


def example_steps(
    candidates: Iterable[Candidate], setting: Setting, engine: str = AUTO
) -> list[str]:
    """Train one example step of each kind of candidate; return in words which failed and why.

    A kind is a family with the same classes and functions. A step is an instance of one epoch on a
    small sample; nothing is recorded and no seed of the race is used.

    Raises `EngineError` if no engine trains a candidate, or all steps fail.
    """
    small = _one_step(setting)
    chooser, failed = Chooser(engine), list[str]()
    kinds = {(one.family, *_names(one.spec())): one for one in candidates}
    for one in kinds.values():
        instance = Instance(one, InstanceSeed(0, Role.PILOT, 0))
        outcome = chooser.choose(one, small).train(instance, small).outcome
        if outcome.status is Status.FAILED:
            failed.append(f"{one.label} fails: {outcome.message}")
    if failed and len(failed) == len(kinds):
        raise EngineError(f"an example step of every kind of candidate fails: {'; '.join(failed)}")
    return failed


def _one_step(setting: Setting) -> Setting:
    """Return a setting of one epoch on samples no larger than they are, and not large."""
    halves, sampling = setting.halves, setting.sampling
    size = min(PROBE_EXAMPLES, halves.train_size(sampling))
    test = min(PROBE_EXAMPLES, sampling.test_size or halves.test.size)
    small = replace(sampling, size=size, test_size=test)
    return replace(setting, sampling=small, stopping=_ONE_EPOCH)


def _names(spec: Any) -> Iterator[str]:
    """Yield the import paths that stand anywhere in a spec."""
    if isinstance(spec, Mapping):
        for name, value in spec.items():
            if name in _PATHS and isinstance(value, str):
                yield value
            else:
                yield from _names(value)
    elif isinstance(spec, list | tuple):
        for value in spec:
            yield from _names(value)


def probe(candidates: Sequence[Candidate], setting: Setting, engine: str) -> dict[str, float]:
    """Return measured seconds per work on one core, for each family of candidates.

    Some candidates of each family, spread over the range of sizes, train on a sample no larger than
    the setting's, and small: for one epoch, twice, so that compiling does not count, and then for
    several if that is quick, so that drawing and initialising count little. Nothing is recorded and
    no seed of the race is used.
    """
    small = _one_step(setting)
    chooser = Chooser(engine)
    rates: dict[str, float] = {}
    for family in dict.fromkeys(c.family for c in candidates):
        members = [one for one in candidates if one.family == family]
        ordered = sorted(members, key=lambda one: (work_of(one, setting), one.key))
        seconds = work = 0.0
        for place in {len(ordered) * (2 * i + 1) // (2 * PROBES) for i in range(PROBES)}:
            trainer = chooser.choose(ordered[place], small)
            instance = Instance(ordered[place], InstanceSeed(0, Role.PILOT, 0))
            seconds += _seconds_of_epoch(trainer, instance, small)
            work += work_of(ordered[place], small)
        rates[family] = seconds / work
    return rates


def _seconds_of_epoch(trainer: Engine, instance: Instance, small: Setting) -> float:
    """Return measured seconds of an epoch, of the whole training if there are none."""
    once = min(trainer.train(instance, small).outcome.seconds for _ in range(2))
    epochs = min(PROBE_EPOCHS, int(PROBE_SECONDS / max(once, 1e-9)))
    if epochs < 2 or not has_epochs(instance.candidate):
        return once
    several = replace(small, stopping=replace(small.stopping, max_epochs=epochs))
    return min(once, trainer.train(instance, several).outcome.seconds / epochs)


def seconds_of(
    candidate: Candidate, setting: Setting, rates: Mapping[str, float], epochs: int
) -> float:
    """Return the seconds of an instance on one core, at measured `rates` and so many epochs."""
    passes = epochs if has_epochs(candidate) else 1
    return rates[candidate.family] * work_of(candidate, setting) * passes


def seconds_of_each(
    instances: Iterable[Instance], setting: Setting, rates: Mapping[str, float], epochs: int
) -> list[float]:
    """Return the seconds of each instance on one core, at measured `rates` and so many epochs."""
    known: dict[tuple[Candidate, Sampling], float] = {}
    seconds = []
    for one in instances:
        kind = candidate, sampling = one.candidate, one.sampling or setting.sampling
        if kind not in known:
            sized = replace(setting, sampling=sampling)
            known[kind] = seconds_of(candidate, sized, rates, epochs)
        seconds.append(known[kind])
    return seconds


def mean_seconds(
    candidates: Sequence[Candidate], setting: Setting, rates: Mapping[str, float], epochs: int
) -> float:
    """Return the seconds of an instance on one core, averaged over the candidates."""
    return sum(seconds_of(c, setting, rates, epochs) for c in candidates) / len(candidates)


def estimate(
    instances: Iterable[Instance], setting: Setting, engine: str = AUTO, workers: int = 1
) -> str:
    """Return in words what instances would cost, measured by a short `probe`.

    Nothing is recorded. Each is taken to train to the last epoch it may. A line more says of each
    kind of candidate that cannot be trained why not.

    Raises `EngineError` if no engine trains a candidate, or an example step of each fails.
    """
    todo = list(instances)
    candidates = list({one.candidate.key: one.candidate for one in todo}.values())
    failed = example_steps(candidates, setting, engine)
    rates = probe(candidates, setting, engine)
    epochs = setting.stopping.max_epochs
    seconds = sum(seconds_of_each(todo, setting, rates, epochs))
    cost = (
        f"{len(todo):,} trainings, about {duration_words(seconds / workers)} on {cores(workers)} "
        f"(speed measured just now, at most {epochs} epochs each)"
    )
    return "\n".join([cost, *failed])


def cores(workers: int) -> str:
    """Return a number of cores in words."""
    return "1 core" if workers == 1 else f"{workers} cores"


def duration_words(seconds: float) -> str:
    """Return a duration in words, as precise as an estimate is.

    >>> [duration_words(seconds) for seconds in (0.2, 8, 200, 30_000, 900_000)]
    ['0.2 s', '8 s', '3 min 20 s', '8.3 h', '250 h (10 days)']
    """
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1g} s" if 0.0 < seconds < 0.95 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if seconds < 100 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 3600:,.0f} h ({seconds / 86400:.0f} days)"
