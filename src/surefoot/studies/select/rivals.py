"""What one winner's name does not say: who is as good, who may win next, who is steadier.

All of it rests on racing losses, which flatter the winner. The shortlist allows for that: its
level holds whoever the winner is and however it was chosen (`surefoot.statistics.comparison`). The
probability that the winner wins again does not: it is, if anything, too high.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, zip_longest

import numpy as np
from numpy.typing import NDArray

from surefoot.racing import ByTest, Criterion, LossTable, Max, Mean, Quantile, RaceState, Sd
from surefoot.racing.prediction import Prediction
from surefoot.statistics.comparison import (
    exceedance_p,
    pairs_needed,
    pareto,
    swap_test,
    wilcoxon,
    wins_next,
    within_reach,
)
from surefoot.statistics.intervals import Interval

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]

FEWEST = 5
"""Instances shared with the winner below which a mean and a spread are not compared with its."""
WORK = 90_000_000
"""Losses swapped before the rivals left are not tested: about a second."""
SHOWN = 5


@dataclass(frozen=True, eq=False)
class Rivals:
    """The winner among its rivals.

    Parameters
    ----------
    winner
        Key of the winner, or of the leader while the race goes on.
    tested
        Keys of the rivals with instances enough for a test to tell them from the winner.
    shortlist
        The winner, and those of them that the test does not find worse.
    untested
        Number of the rivals that no losses on so few instances could tell from the winner.
    skipped
        Number of the rivals left out to save time, the lowest in the ranking; only swaps take long.
    how, level
        What the tests compare, in words, and their level, all together.
    fewest, would_do
        Instances that each rival tested shares with the winner at least; and those that would do
        for one untested rival and for all of them.
    runner_up, beats
        Key of the next in the ranking, and the probability that the winner loses less than it on
        the next retraining; None without a shared instance.
    compared
        Keys of the candidates with at least five instances the winner has too, best first, the
        winner among them.
    location, spread
        Their mean and standard deviation after as many instances as the most trained of them has:
        of the racing losses, and predicted where some are missing; +inf after a divergence.
    front
        Those of them that no other beats in both.
    """

    winner: str
    tested: tuple[str, ...]
    shortlist: tuple[str, ...]
    untested: int
    skipped: int
    how: str
    level: float
    fewest: int
    would_do: tuple[int, int]
    runner_up: str | None
    beats: Interval | None
    compared: tuple[str, ...]
    location: Floats
    spread: Floats
    front: tuple[str, ...]

    def lines(self, labels: Mapping[str, str]) -> list[str]:
        """Return it in sentences; ``labels`` names candidates by key."""
        return list(self._sentences(labels))

    def _sentences(self, labels: Mapping[str, str]) -> Iterator[str]:
        if self.tested:
            yield self._found(labels)
            if self.skipped:
                yield f"The {self.skipped:,} lowest in the ranking were not tested, to save time."
            yield (
                f"{self.how} The chance that this calls the best candidate worse is about "
                f"{100.0 * self.level:.3g}% at most, whoever wins."
            )
        if self.untested:
            one, every = self.would_do
            other = "other " if self.tested else ""
            whom = f"{other}{self.untested:,} rivals share"
            if self.untested == 1:
                whom = f"{other or 'one '}rival shares"
            takes = f"{one} would do"
            if every > one:
                takes += f" for one of them, {every} for all"
            few = "too few instances with it for any test, whatever the losses"
            yield f"The {whom} {few}; {takes}."
        if chance := self.chance(labels):
            yield chance
        if len(self.compared) > 1:
            yield self._compromises(labels)

    def chance(self, labels: Mapping[str, str]) -> str:
        """Return how likely the winner beats the runner-up, in a sentence; "" without a pair."""
        if self.runner_up is None or self.beats is None:
            return ""
        chance = self.beats
        return (
            f"On the next retraining it beats the runner-up, {labels[self.runner_up]}, with a "
            f"probability of about {chance.estimate:.0%} ({chance.low:.0%} to "
            f"{chance.high:.0%}), judged by racing losses, which flatter the winner."
        )

    def _found(self, labels: Mapping[str, str]) -> str:
        """Return whom the tests tell from the winner."""
        rivals, alike = len(self.tested), self.shortlist[1:]
        worse = rivals - len(alike)
        shares = f"that share{'s' * (rivals == 1)} {self.fewest:,} instances or more with it"
        if rivals == 1:
            verdict = "cannot be told from it" if alike else "is worse"
            return f"The one rival {shares} {verdict}: {labels[self.tested[0]]}."
        if not alike:
            return f"All {rivals:,} rivals {shares} are worse."
        names = "; ".join(labels[key] for key in alike[:SHOWN])
        names += f"; and {len(alike) - SHOWN:,} more" if len(alike) > SHOWN else ""
        if not worse:
            return f"None of the {rivals:,} rivals {shares} can be told from it: {names}."
        return (
            f"Of the {rivals:,} rivals {shares}, {worse:,} {'is' if worse == 1 else 'are'} worse "
            f"and {len(alike):,} cannot be told from it: {names}."
        )

    def _compromises(self, labels: Mapping[str, str]) -> str:
        """Return whom nobody beats in both mean and spread."""
        values = {
            key: f"{mean:.4g} ± {sd:.2g}"
            for key, mean, sd in zip(self.compared, self.location, self.spread, strict=True)
        }
        steadier = [key for key in self.front if key != self.winner]
        if not steadier:
            return (
                f"It has both the lowest mean and the lowest spread of the {len(self.compared):,} "
                f"with {FEWEST} instances or more."
            )
        names = "; ".join(f"{labels[key]} ({values[key]})" for key in steadier[:SHOWN])
        own = values[self.winner]
        if self.winner not in self.front:
            return f"Its mean and spread, {own}, are beaten in both; not so: {names}."
        others = "another compromise" if len(steadier) == 1 else "other compromises"
        return f"Its mean and spread are {own}; {others} that nobody beats in both: {names}."


def rivals_of(
    table: LossTable, state: RaceState, criterion: Criterion, level: float = 0.05
) -> Rivals:
    """Return what racing losses say of the winner's rivals.

    Losses are paired by instance number; a candidate is compared on the instances it shares with
    the winner. Unpaired races are compared by number too, which is valid but sees less.

    A rival is tested one-sidedly, for being worse: nobody asks whether the winner is. Where the
    criterion is the mean or the median, by Wilcoxon's signed ranks, which compare typical losses;
    where it is the maximum, by the losses above the winner's largest; where it looks at the tail
    or the spread in another way, by swaps of the paired losses. All hold for a rival whose losses
    have the winner's distribution, and so for one that loses less. A rival of the same mean whose
    losses are distributed otherwise, without the winner's rare disasters for instance, may be
    called worse by Wilcoxon's test: it has no eye for what it has not seen often.

    `surefoot.statistics.comparison` says who is tested, and how the level is divided. It holds for
    numbers of instances fixed beforehand; a race fixes them by the losses. In simulated races of
    3 to 20 candidates as good as each other, the level 5 % became 1 to 5 % under the default
    schedule, and up to 6 % where a test decides who leaves.
    """
    winner, *rivals = state.ranking
    rows = {key: _known(table.row(key)) for key in state.ranking}
    own = rows[winner]
    pairs = {key: min(len(own), len(rows[key])) for key in rivals}
    number = [pairs[key] for key in rivals]
    enough = list(compress(rivals, within_reach(number, level)))
    paired = [(rows[key][: pairs[key]], own[: pairs[key]]) for key in enough]
    how, p = _worse(criterion, paired, level)
    tested = enough[: len(p)]
    untested = len(rivals) - len(enough)
    runner_up = rivals[0] if rivals else None
    shared = pairs[rivals[0]] if rivals else 0
    beats = wins_next(own[:shared], rows[rivals[0]][:shared]) if shared else None
    compared = (winner, *(key for key in rivals if pairs[key] >= FEWEST))
    location, spread = _location_and_spread([rows[key] for key in compared])
    return Rivals(
        winner=winner,
        tested=tuple(tested),
        shortlist=(winner, *compress(tested, (one * len(enough) > level for one in p))),
        untested=untested,
        skipped=len(enough) - len(tested),
        how=how,
        level=level,
        fewest=min((pairs[key] for key in enough), default=0),
        would_do=(
            pairs_needed(number, 1, level),
            pairs_needed([pairs[key] for key in enough], max(1, untested), level),
        ),
        runner_up=runner_up,
        beats=beats,
        compared=compared,
        location=location,
        spread=spread,
        front=tuple(compress(compared, pareto(location, spread))),
    )


def _worse(criterion: Criterion, pairs: Sequence[Pair], level: float) -> tuple[str, list[float]]:
    """Return what is compared, and the p-values that each first is worse than its second.

    Swaps end when `WORK` is done: then there are fewer p-values than pairs.
    """
    if criterion in (Max(), Quantile(1.0)):
        least = pairs_needed([], max(1, len(pairs)), level)
        how = (
            f"A rival is called worse for {least} losses or more above the winner's largest: "
            "instances tell no more of maxima."
        )
        return how, [exceedance_p(*pair) for pair in pairs]
    if ByTest().refusal(criterion, len(pairs)) is None:
        how = "Paired Wilcoxon tests compare typical losses, not rare ones."
        return how, [wilcoxon(*pair).pvalue for pair in pairs]
    how = f"Tests compare {criterion.name} under swaps of the paired losses."
    return how, _by_swaps(criterion, pairs, level)


def _by_swaps(criterion: Criterion, pairs: Sequence[Pair], level: float) -> list[float]:
    """Return the p-values of the swap test, as far as `WORK` goes."""
    if not pairs:
        return []
    bar, left, p = level / len(pairs), float(WORK), []
    share = WORK / sum(len(own) for _, own in pairs)
    draws = int(np.ceil(min(4.0 / bar, max(1.0 / bar, share))))
    for losses, own in pairs:
        if left <= 0.0:
            break
        found = swap_test(criterion.of, losses, own, bar, n_resamples=draws)
        left -= (found.n_resamples or 0) * len(own)
        p.append(found.pvalue)
    return p


def _location_and_spread(rows: list[Floats]) -> tuple[Floats, Floats]:
    """Return mean and standard deviation after as many instances as anybody has."""
    counts = np.array([len(row) for row in rows])
    most = int(counts.max())
    if most < 2:
        return np.concatenate(rows), np.full(len(rows), np.inf)
    losses = np.array(list(zip_longest(*rows, fillvalue=np.nan))).T
    model = Prediction(losses, counts)
    return model.criterion(Mean(), most), model.criterion(Sd(), most)


def _known(row: Floats) -> Floats:
    """Return the losses before the first that is missing."""
    missing = np.flatnonzero(np.isnan(row))
    return row[: missing[0]] if len(missing) else row
