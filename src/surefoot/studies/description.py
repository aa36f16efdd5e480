"""What decides a study's results, as its journal keeps it: typed, with one writer and one reader.

Two journals with equal descriptions hold the same numbers. `Description.json` writes plain JSON
values, in which integers beyond JSON's safe range (the seed) are text; `Description.read` reads
those of every journal ever written.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from types import NoneType
from typing import Any, ClassVar, Self

from surefoot import registry
from surefoot.candidates.base import Candidate
from surefoot.candidates.making import making, whole
from surefoot.checks import short
from surefoot.data.population import Sampling
from surefoot.errors import ConfigurationError, JournalError, SurefootError, UntrustedError
from surefoot.instances import Setting
from surefoot.journal import Known
from surefoot.journal.descriptions import canonical, mismatches
from surefoot.learning.losses import Loss, parse_loss
from surefoot.learning.stopping import Stopping
from surefoot.racing import (
    Criterion,
    EliminationRule,
    Race,
    Rungs,
    Schedule,
    Screen,
    as_criterion,
)
from surefoot.racing.race import Cost
from surefoot.racing.registry import describe, rebuild
from surefoot.seeds.ledger import FactorLevels, InstanceSeed, Role, candidate_salt

_ENDLESS = 1 << 31
"""Races by a test described before they had an end of their own go on as they did."""
_STRIDE = 1 << 24
"""Unpaired, instance i of the baseline on the draws of candidate number c is number
(c + 1)·2²⁴ + i, since it has other draws for every candidate."""


@dataclass(frozen=True)
class DescribedPopulation:
    """A population by the fingerprint of its data; ``unit`` is the target's."""

    name: str
    fingerprint: str
    examples: int
    target: str
    unit: str


@dataclass(frozen=True)
class DescribedHalves:
    """Numbers of examples in pool and test half, and a fingerprint of which they are."""

    pool: int
    test: int
    fingerprint: str


@dataclass(frozen=True)
class DescribedPromise:
    """The loss promised, and how many instances may exceed it."""

    limit: float
    allowed: int


@dataclass(frozen=True, kw_only=True)
class DescribedSetting:
    """What all instances share: data, draws, loss and stopping rule."""

    optional: ClassVar[frozenset[str]] = frozenset()
    """Fields that the JSON leaves out where they are None."""

    population: DescribedPopulation
    halves: DescribedHalves
    sampling: Sampling
    loss: Loss
    stopping: Stopping

    @classmethod
    def of(cls, setting: Setting) -> DescribedSetting:
        """Return the description of a setting."""
        halves, data = setting.halves, setting.halves.population
        rows = hashlib.sha256(halves.pool.tobytes() + b";" + halves.test.tobytes()).hexdigest()
        target, unit = data.target_name, data.target_unit
        return DescribedSetting(
            population=DescribedPopulation(data.name, data.fingerprint, len(data), target, unit),
            halves=DescribedHalves(int(halves.pool.size), int(halves.test.size), rows[:16]),
            sampling=setting.sampling,
            loss=setting.loss,
            stopping=setting.stopping,
        )

    def parts(self) -> dict[str, Any]:
        """Return the fields by name."""
        return {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}

    def json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            name: _CODECS[name][0](value) if name in _CODECS and value is not None else value
            for name, value in self.parts().items()
            if value is not None or name not in self.optional
        }

    @property
    def unit(self) -> str:
        """Unit of the losses."""
        return self.loss.unit(self.population.unit)


@dataclass(frozen=True, kw_only=True)
class Description(DescribedSetting):
    """What every study's description holds; that of a variance study holds no more.

    ``candidates`` are the keys of those asked about, in their order; ``paired`` says whether
    instance i shares its luck between them; ``engine`` is the one asked for, since a journal holds
    the outcomes of one choice only.
    """

    kind: str
    candidates: tuple[str, ...]
    paired: bool = True
    seed: int
    engine: str

    @classmethod
    def read(cls, study: Mapping[str, Any]) -> Self:
        """Return the description that a journal holds.

        Raises `JournalError` if it is of another kind of study, lacks something, or names what this
        surefoot does not know.
        """
        kind = str(study.get("kind"))
        if kind not in KINDS:
            raise JournalError(f"a journal of kind {kind!r} is not known here: use " + _kinds(cls))
        if not issubclass(KINDS[kind], cls):
            what = "race" if cls is RaceDescription else f"study of kind {_kinds(cls)}"
            raise JournalError(f"a journal of kind {kind!r} holds no {what}: use {_kinds(cls)}")
        found = {}
        for one in dataclasses.fields(KINDS[kind]):
            if one.name in study:
                found[one.name] = _decoded(one.name, study[one.name])
            elif one.default is dataclasses.MISSING:
                raise JournalError(f"the journal's study does not say its {one.name}")
        made: Any = KINDS[kind](**found)
        assert isinstance(made, cls)
        return made

    def mismatches(self, setting: Setting) -> list[str]:
        """Return how a setting differs from this study's, as ``what: there -> here``."""
        theirs, ours = self.json(), DescribedSetting.of(setting).json()
        return mismatches({name: theirs[name] for name in ours}, ours)

    def instance_seed(self, key: str, role: Role, number: int) -> InstanceSeed:
        """Return the luck of a candidate's instance."""
        if role is Role.VARIANCE:
            return FactorLevels.numbered(number).seed(self.seed)
        if self.paired:
            return InstanceSeed(self.seed, role, number)
        place, inner = baseline_place(number)
        if place < 0:
            return InstanceSeed(self.seed, role, number, candidate_salt(key))
        salt = candidate_salt(self.candidates[place])
        return InstanceSeed(self.seed, role, number, salt, draw=inner, init=inner)


@dataclass(frozen=True, kw_only=True)
class RaceDescription(Description):
    """A selection: the rules of its race and what its certificate is to promise."""

    optional = frozenset({"max_instances", "rungs"})

    criterion: Criterion
    schedule: Schedule
    screen: Screen | None
    rungs: Rungs | None = None
    rule: EliminationRule
    limit: float | None
    max_instances: int | None = None
    baseline: str | None
    cost: Cost
    certify: int
    certify_best_of: str = ""
    content: float
    confidence: float

    @cached_property
    def race(self) -> Race:
        """The rules of the race."""
        endless = self.max_instances is None and self.rule.max_instances is not None
        most = _ENDLESS if endless else self.max_instances
        epochs = shortest(self.stopping)
        return Race.of(self.candidates, self, max_instances=most, epochs=epochs, recipes=())


@dataclass(frozen=True, kw_only=True)
class AssessDescription(Description):
    """An assessment: how many instances, and what they are to promise."""

    optional = frozenset({"promise"})

    n: int
    content: float
    confidence: float
    promise: DescribedPromise | None = None


@dataclass(frozen=True, kw_only=True)
class PilotDescription(Description):
    """A pilot: its candidates are those of the study it is taken from."""

    optional = frozenset({"baseline"})

    baseline: str | None = None


@dataclass(frozen=True, kw_only=True)
class GridDescription(Description):
    """A grid: its candidates, and whom they are shown beside; more instances go on."""

    optional = frozenset({"baseline"})

    baseline: str | None = None


@dataclass(frozen=True, kw_only=True)
class SearchDescription(Description):
    """A search: who proposes, how a trial is judged, and what its certificates are to promise."""

    criterion: Criterion
    sampler: str
    trials: int
    instances: int
    at_once: int
    certify: int
    content: float
    confidence: float


@dataclass(frozen=True, kw_only=True)
class SizesDescription(Description):
    """A study of several sample sizes, which are no part of it."""

    equal_test: bool

    def mismatches(self, setting: Setting) -> list[str]:
        """Return how a setting differs from this study's but for its sampling."""
        return super().mismatches(dataclasses.replace(setting, sampling=self.sampling))


def shortest(stopping: Stopping) -> int:
    """Return the epochs of the shortest training: rungs are within them."""
    if stopping.reading == "none":
        return stopping.max_epochs
    return min(stopping.max_epochs, max(stopping.min_epochs, stopping.window))


def recipes_of(described: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[int, ...]:
    """Return a number for each candidate, given by family and spec: alike for alike curves.

    Those of a schedule, a warm-up and an average of the weights fall alike: early losses say as
    much of the last ones. Empty if all are.
    """
    names = ("schedule", "warmup", "average")
    told = [canonical({"family": f, **{n: spec.get(n) for n in names}}) for f, spec in described]
    place = {one: number for number, one in enumerate(dict.fromkeys(told))}
    return tuple(place[one] for one in told) if len(place) > 1 else ()


KINDS: Mapping[str, type[Description]] = {
    "select": RaceDescription,
    "assess": AssessDescription,
    "variance": Description,
    "pilot": PilotDescription,
    "sample_size": SizesDescription,
    "compare": SizesDescription,
    "grid": GridDescription,
    "search": SearchDescription,
}


def _kinds(kind: type[Description]) -> str:
    return " or ".join(f"'{name}'" for name, one in KINDS.items() if issubclass(one, kind))


def _decoded(name: str, value: Any) -> Any:
    """Return a field from its JSON value; `JournalError` for one that surefoot never writes."""
    if value is not None and name in _CODECS:
        try:
            if name == "candidates" and not all(isinstance(key, str) for key in value):
                raise TypeError("keys are text")
            return _CODECS[name][1](value)
        except SurefootError:
            raise
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise JournalError(
                f"the journal's study is damaged: its {name} = {short(value)} cannot be read "
                f"({type(error).__name__}: {error})"
            ) from None
    kinds = _PLAIN.get(name, (object,))
    if not isinstance(value, kinds):
        right = " or ".join(kind.__name__ for kind in kinds)
        raise JournalError(f"the journal's {name} = {short(value)} is damaged: it must be {right}")
    return value


def rebuild_candidate(known: Known) -> Candidate:
    """Return the candidate that a journal describes.

    Raises `JournalError` if its family is not installed here, or takes no such fields;
    `UntrustedError` if it names code that nobody has trusted.
    """
    try:
        with making("it"):
            return whole(registry.lookup("candidates", known.family).from_spec(known.spec))
    except UntrustedError as error:
        raise UntrustedError(f"candidate {known.label} of the journal: {error}") from None
    except ConfigurationError as error:
        raise JournalError(f"candidate {known.label} cannot be rebuilt: {error}") from None


def baseline_number(place: int, number: int) -> int:
    """Return the number of the baseline's instance on a candidate's own draws.

    ``place`` is the candidate's place in the study, ``number`` the instance whose draw it shares.
    """
    return (place + 1) * _STRIDE + number


def baseline_place(number: int) -> tuple[int, int]:
    """Return ``(place, number)`` of `baseline_number`; place -1 for an instance of its own."""
    place, inner = divmod(number, _STRIDE)
    return place - 1, inner


def _coded(kind: type[Any]) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    return dataclasses.asdict, lambda fields: kind(**fields)


_PLAIN: Mapping[str, tuple[type, ...]] = {
    "at_once": (int,),
    "baseline": (str, NoneType),
    "certify": (int,),
    "certify_best_of": (str,),
    "confidence": (float, int),
    "content": (float, int),
    "cost": (str,),
    "engine": (str,),
    "equal_test": (bool,),
    "instances": (int,),
    "max_instances": (int, NoneType),
    "n": (int,),
    "paired": (bool,),
    "sampler": (str,),
    "trials": (int,),
}
"""Types of the fields that are JSON themselves."""
_CODECS: Mapping[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "candidates": (list, tuple),
    "seed": (str, int),
    "population": _coded(DescribedPopulation),
    "halves": _coded(DescribedHalves),
    "sampling": _coded(Sampling),
    "loss": (str, parse_loss),
    "stopping": _coded(Stopping),
    "promise": _coded(DescribedPromise),
    "criterion": (lambda criterion: criterion.name, as_criterion),
    "schedule": (describe, partial(rebuild, "schedules")),
    "rule": (describe, partial(rebuild, "rules")),
    "screen": (describe, partial(rebuild, "screen")),
    "rungs": (describe, partial(rebuild, "rungs")),
    "limit": (float, float),
}
"""Writer and reader of the fields that are not JSON themselves; None stays None."""
