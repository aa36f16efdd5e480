"""The claims about selections and searches: 10 to 12 and 27 to 29."""

from __future__ import annotations

import numpy as np

from surefoot.calorimeter.paper.claims.rules import (
    M2,
    SUM,
    above,
    all_of,
    below,
    warmup_of,
)
from surefoot.calorimeter.paper.measures import median, median_ratio, spread_ratio
from surefoot.calorimeter.paper.verdicts import (
    NOT_SEEN,
    REVERSED,
    SEEN,
    Evidence,
    Finding,
    claim,
)
from surefoot.errors import StatisticsError
from surefoot.racing import Halving, Race, as_criterion
from surefoot.reports.views.criteria import CRITERIA


@claim(10, "The maximum is the strictest criterion", "selection", examples=32_000, candidates=6_912)
def strictest(e: Evidence) -> Finding:
    """Seen if, by no other of the criteria min, median, mean, q3 and q3+iqr, fewer candidates of
    the warm-up are at most 1.2 times the best candidate's median; reversed if by one they are.
    """
    losses = warmup_of(e["selection"])
    bar = 1.2 * float(np.median(losses, axis=1).min())
    shares = {name: float((as_criterion(name).values(losses) <= bar).mean()) for name in CRITERIA}
    found = SEEN if shares["max"] <= min(shares.values()) else REVERSED
    said = ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
    return Finding(found, f"Candidates within 1.2 times the best median by criterion: {said}.")


@claim(11, "The selection takes 41,567 trainings instead of 345,600")
def trainings(e: Evidence) -> Finding:
    """Seen if halving after a warm-up of five, counted by the race itself for 6,912 candidates,
    with 50 fresh instances of two, comes to 41,567; nothing is trained for it.
    """
    rules = Race(map(str, range(6_912)), "mean", schedule=Halving(warmup=5, keep=0.5))
    total = sum(one.trainings for one in rules.plan(1.0)) + 2 * 50
    found = SEEN if total == 41_567 else NOT_SEEN
    return Finding(found, f"{total:,} trainings, and {6_912 * 50:,} for 50 of every candidate.")


@claim(
    12,
    "The winner takes the sum as a side feature",
    "selection",
    examples=32_000,
    candidates=6_912,
)
def winner_takes_the_sum(e: Evidence) -> Finding:
    """Seen if the selection's winner has it and loses less than the best one without in fresh
    instances; reversed if the winner has not.
    """
    study = e["selection"]
    winner = study.winner
    if not winner:
        raise StatisticsError("the study selection has not ended")
    if not study.specs[winner].get("side"):
        return Finding(REVERSED, f"The winner is {study.names[winner]}, without the sum.")
    fresh = {one.candidate for one in study.told if one.role == "certify"} - {winner}
    if not fresh:
        raise StatisticsError("the best of the selection without the sum has no fresh instances")
    other = min(fresh, key=lambda key: median(study.losses(key, role="certify")))
    ratio = median_ratio(study.losses(winner, role="certify"), study.losses(other, role="certify"))
    words = f"The winner is {study.names[winner]}; its median is {ratio} of that of the best "
    return Finding(SEEN if ratio.high < 1.0 else NOT_SEEN, f"{words}without.")


@claim(27, "Selected on A, good on B", "energy-B", beside=("transfer",), examples=32_000)
def good_on_b(e: Evidence) -> Finding:
    """Seen if model 2, which the paper selected on A, trained afresh on B has a lower median there
    than the scaled sum at the largest size; reversed if a higher one. What the winner of a
    selection here does is told beside it.
    """
    study = e["energy-B"]
    ratio = median_ratio(study.losses(M2), study.losses(SUM), paired=True)
    words = f"Model 2, selected on A by the paper, has {ratio} of the scaled sum's median on B"
    return Finding(below(ratio), f"{words}.{_transferred(e)}")


@claim(
    28,
    "The networks of the search (NAS 1, NAS 2) have best losses equal to model 2's and larger "
    "spreads from 16,000 examples on",
    "nas",
    beside=("search",),
    examples=32_000,
)
def search(e: Evidence) -> Finding:
    """Seen if the lowest losses at the largest size are within 3 % of model 2's and both spreads
    are above model 2's at every size from 16,000 on; reversed if both are below it. What a search
    finds here is told beside it.
    """
    study = e["nas"]
    lowest = {name: float(study.losses(name).min()) for name in ("NAS 1", "NAS 2", M2)}
    equal = all(abs(one / lowest[M2] - 1.0) <= 0.03 for one in lowest.values())
    sizes = [size for size in study.sizes if size >= 16_000] or [study.sizes[-1]]
    ratios = {
        (name, size): spread_ratio(study.losses(name, size), study.losses(M2, size), paired=True)
        for name in ("NAS 1", "NAS 2")
        for size in sizes
    }
    spreads = all_of([above(one) for one in ratios.values()])
    found = spreads if equal or spreads == REVERSED else NOT_SEEN
    said = ", ".join(f"{name} {ratio} at {size:,}" for (name, size), ratio in ratios.items())
    best = ", ".join(f"{name} {value:.4g}" for name, value in lowest.items())
    words = f"Lowest losses: {best}; spreads as a multiple of model 2's: {said}.{_searched(e)}"
    return Finding(found, words)


@claim(
    29,
    "Position selects similar architectures, with one more fully connected layer",
    "selection",
    "selection-position",
    examples=32_000,
    candidates=6_912,
)
def position_selects(e: Evidence) -> Finding:
    """Seen if the winner for the position has exactly one hidden layer more than that for the
    energy; reversed if it has fewer.
    """
    energy, position = e["selection"], e["selection-position"]
    if not (energy.winner and position.winner):
        raise StatisticsError("a selection has not ended")
    layers = [len(one.specs[one.winner].get("hidden", ())) for one in (energy, position)]
    more = layers[1] - layers[0]
    found = SEEN if more == 1 else REVERSED if more < 0 else NOT_SEEN
    names = [one.names[one.winner] for one in (energy, position)]
    return Finding(found, f"{layers[0]} and {layers[1]} hidden layers: {names[0]}; {names[1]}.")


def _transferred(e: Evidence) -> str:
    """Say what the winner of our own selection does on B; "" if it has not got so far."""
    study, selection = e.aside("transfer"), e.aside("selection")
    if study is None or selection is None:
        return ""
    winner = next((key for key in study.names if key != study.baseline), "")
    if not {winner, study.baseline} <= {one.candidate for one in study.told}:
        return ""
    ratio = median_ratio(study.losses(winner), study.losses(study.baseline), paired=True)
    name = selection.names.get(winner, study.names[winner])
    found = f" The winner of our own selection on A from {len(selection.names):,} candidates at"
    return f"{found} {study.sizes[-1]:,} examples, {name}, has {ratio} of it there."


def _searched(e: Evidence) -> str:
    """Say how what a search found here stands to its rival; "" if it has not got so far."""
    study = e.aside("search")
    if study is None:
        return ""
    fresh = {one.candidate for one in study.told if one.role == "certify"}
    if study.baseline not in fresh or len(fresh) < 2:
        return ""
    rival = study.losses(study.baseline, role="certify")
    said = []
    for key in sorted(fresh - {study.baseline}):
        losses = study.losses(key, role="certify")
        both = median_ratio(losses, rival, paired=True), spread_ratio(losses, rival, paired=True)
        said.append(f"{study.names[key]} has {both[0]} of its median and {both[1]} of its spread")
    trials = len({o.candidate for o in study.told if o.role == "race"})
    found = (
        f" Our own search of {trials:,} networks at {study.sizes[-1]:,} examples, beside model 2: "
    )
    return f"{found}{', '.join(said)}."
