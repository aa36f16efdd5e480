"""What a race has come to: its rounds, who is left, who won and what is still to train."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeVar

from surefoot.racing.rungs.base import RungCheck
from surefoot.racing.table import Floats, Integers

RoundName = Literal["rung", "screen", "race"]


@dataclass(frozen=True)
class PlannedRound:
    """A round before anything is trained.

    ``trainings`` new instances for ``survivors`` candidates, up to ``upto`` instances each, of
    which ``keep`` stay (None: the screen or a test decides). After a screen or under a test the
    survivors are not known beforehand: then ``exact`` is false and the numbers hold if the screen
    and the test remove nobody. ``epoch`` is the last one trained, None for all; of a rung, whose
    survivors are known even less, ``keep`` is what is reckoned with, and ``trainings`` end there.
    """

    number: int
    name: RoundName
    survivors: int
    trainings: int
    upto: int
    keep: int | None
    exact: bool
    epoch: int | None = None

    @property
    def all_stay(self) -> bool:
        """Whether nobody is to leave."""
        return self.keep == self.survivors


@dataclass(frozen=True)
class Elimination:
    """One candidate's end: in which round (from 1), at which value, and the reason in words."""

    key: str
    round: int
    value: float
    reason: str


@dataclass(frozen=True, eq=False)
class Round:
    """A completed round, number from 1.

    ``keys`` took part, best first as the rule ranked them; ``values`` is their criterion (their
    first loss in the screen, predicted at a rung) over ``counts`` instances each; ``trainings``
    instances were asked for anew, up to ``epoch`` unless that is None; the ``survivors`` went on,
    in the same order. ``reason(place)`` says in words why the one at a place of ``keys`` left.
    """

    number: int
    name: RoundName
    keys: tuple[str, ...]
    values: Floats
    counts: Integers
    trainings: int
    survivors: tuple[str, ...]
    reason: Callable[[int], str]
    epoch: int | None = None

    @property
    def all_stay(self) -> bool:
        """Whether nobody left."""
        return len(self.survivors) == len(self.keys)

    @cached_property
    def eliminations(self) -> tuple[Elimination, ...]:
        """Those who left, worst first."""
        staying = set(self.survivors)
        return tuple(
            Elimination(key, self.number, float(self.values[place]), self.reason(place))
            for place, key in reversed(tuple(enumerate(self.keys)))
            if key not in staying
        )


AnyRound = TypeVar("AnyRound", PlannedRound, Round)


def stretches(rounds: Sequence[AnyRound]) -> list[list[AnyRound]]:
    """Return rounds in stretches, each of which ends when somebody leaves.

    A race in pairs or by a test has dozens of rounds in which all stay, of which a table shows one.
    """
    found: list[list[AnyRound]] = []
    for one in rounds:
        if found and found[-1][-1].all_stay and one.name == "race" == found[-1][-1].name:
            found[-1].append(one)
        else:
            found.append([one])
    return found


def stretch_name(name: RoundName, first: int, last: int) -> str:
    """Return what a table calls a stretch of rounds.

    >>> stretch_name("race", 4, 4), stretch_name("race", 4, 33), stretch_name("rung", 1, 1)
    ('round 4', 'rounds 4–33', 'rung 1')
    """
    if name == "screen":
        return name
    if name == "rung":
        return f"rung {first}"
    return f"round {first}" if first == last else f"rounds {first}–{last}"


def stretch_word(name: RoundName, first: int, last: int) -> str:
    """Return what a column of rounds calls a stretch.

    >>> stretch_word("race", 4, 33), stretch_word("rung", 1, 1)
    ('4–33', 'rung 1')
    """
    return stretch_name(name, first, last).removeprefix("rounds ").removeprefix("round ")


@dataclass(frozen=True, eq=False)
class RaceState:
    """The outcome of a replay.

    While the race runs, ``need`` lists the (candidate key, instance) pairs to train for the current
    round and ``baseline_need`` the instances on whose draws the baseline is to be assessed;
    ``winner`` is None. When it is over both are empty. ``current`` is the round under way;
    ``stopped`` says why a race ended before its schedule did, else it is empty. The instances
    needed are to be trained ``until`` an epoch, None for to the end. ``rungs`` is the risk that the
    rungs took, once it is measured.
    """

    keys: tuple[str, ...]
    rounds: tuple[Round, ...]
    survivors: tuple[str, ...]
    need: tuple[tuple[str, int], ...] = ()
    baseline_need: tuple[int, ...] = ()
    winner: str | None = None
    current: PlannedRound | None = None
    stopped: str = ""
    until: int | None = None
    rungs: RungCheck | None = None

    @property
    def over(self) -> bool:
        """Whether the race has its winner."""
        return self.winner is not None

    @property
    def trainings(self) -> int:
        """Instances the completed rounds asked for."""
        return sum(r.trainings for r in self.rounds)

    @cached_property
    def eliminations(self) -> tuple[Elimination, ...]:
        """Every elimination so far, in the order of the rounds."""
        return tuple(e for r in self.rounds for e in r.eliminations)

    @cached_property
    def ranking(self) -> tuple[str, ...]:
        """All candidates from best to worst: the later out the better, then by value, then key."""
        if not self.rounds:
            return tuple(sorted(self.keys))
        last_out_first = (key for one in reversed(self.rounds) for key in one.survivors + one.keys)
        return tuple(dict.fromkeys(last_out_first))

    @cached_property
    def values(self) -> dict[str, float]:
        """Each candidate's value in the last round it took part in; NaN before its first."""
        return self._latest(float("nan"), lambda one: one.values)

    def instances(self) -> dict[str, int]:
        """Return the number of instances judged of each candidate."""
        return self._latest(0, lambda one: one.counts)

    def _latest(self, before: Any, of: Callable[[Round], Floats | Integers]) -> dict[str, Any]:
        latest = dict.fromkeys(self.keys, before)
        for one in self.rounds:
            latest.update(zip(one.keys, of(one).tolist(), strict=True))
        return latest


def trainings_after(plan: Sequence[PlannedRound], current: PlannedRound) -> int:
    """Return how many trainings the rounds of a plan after the current one take.

    Where other candidates are left than were planned, as after a screen, in their proportion.
    """
    alike = [one for one in plan if one.number == current.number]
    share = current.survivors / alike[0].survivors if alike else 1.0
    return round(share * sum(one.trainings for one in plan if one.number > current.number))


def ends_early(plan: Iterable[PlannedRound]) -> bool:
    """Say whether a race may end before its plan does, since a test decides who leaves."""
    return any(one.name == "race" and one.keep is None for one in plan)
