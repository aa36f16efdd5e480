"""The claims about how networks are built and trained: 1 to 9 and 13."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from surefoot.calorimeter.paper.claims.rules import (
    M1,
    M2,
    M3,
    M4,
    STEADY,
    SUM,
    Floats,
    above,
    all_of,
    below,
    best_of,
    converged,
    warmup_of,
)
from surefoot.calorimeter.paper.measures import median, median_ratio, spread, spread_ratio
from surefoot.calorimeter.paper.verdicts import (
    NOT_SEEN,
    REVERSED,
    SEEN,
    Evidence,
    Finding,
    claim,
)
from surefoot.errors import StatisticsError
from surefoot.statistics.intervals import Interval


def _order(best: Mapping[str, Floats]) -> str:
    ranked = sorted(best, key=lambda one: float(best[one].mean()))
    return ", ".join(f"{one} {best[one].mean():.4g} ± {spread(best[one]):.2g}" for one in ranked)


@claim(
    1,
    "ReLU is the best of seven activations in mean and spread",
    "activations",
    examples=32_000,
)
def relu(e: Evidence) -> Finding:
    """Seen if ReLU's best learning rate and batch size have a lower median than those of every
    other activation, and no larger spread than the steadiest; reversed if some other's is lower.
    """
    best = best_of(e["activations"], "activation")
    own = best.pop("relu")
    ratios = [median_ratio(own, other, paired=True) for other in best.values()]
    steadiest = min(best.values(), key=spread)
    found = SEEN if all(one.high < 1.0 for one in ratios) else NOT_SEEN
    if spread_ratio(own, steadiest, paired=True).low > 1.0:
        found = NOT_SEEN
    if any(one.low > 1.0 for one in ratios):
        found = REVERSED
    return Finding(found, f"Mean ± spread at the best setting: {_order({'relu': own, **best})}.")


@claim(
    2,
    "PReLU serves the position, where ReLU models are not robust enough",
    "activations-position",
    examples=32_000,
)
def prelu(e: Evidence) -> Finding:
    """Seen if PReLU's best setting has a smaller spread than ReLU's, reversed if a larger one."""
    best = best_of(e["activations-position"], "activation")
    ratio = spread_ratio(best["prelu"], best["relu"], paired=True)
    return Finding(
        below(ratio), f"PReLU's spread is {ratio} of ReLU's; mean ± spread: {_order(best)}."
    )


@claim(3, "NAdam and AdamW are the best of seven optimisers", "optimisers", examples=32_000)
def optimisers(e: Evidence) -> Finding:
    """Seen if NAdam and AdamW have the two lowest means at their best settings; reversed if the
    medians of both are above that of another one.
    """
    best = best_of(e["optimisers"], "optimizer")
    two = {"nadam", "adamw"}
    first = sorted(best, key=lambda one: float(best[one].mean()))
    if set(first[:2]) == two:
        return Finding(SEEN, f"Mean ± spread: {_order(best)}.")
    leader = best[first[0]]
    behind = [median_ratio(best[one], leader, paired=True).low > 1.0 for one in two if one in best]
    return Finding(REVERSED if all(behind) else NOT_SEEN, f"Mean ± spread: {_order(best)}.")


@claim(
    4,
    "A ResNet of 11.1 million parameters is far worse than the baseline",
    "resnet",
    examples=32_000,
)
def resnet(e: Evidence) -> Finding:
    """Seen if the ResNet's median is more than 1.2 times the scaled sum's, reversed if below it."""
    study = e["resnet"]
    ratio = median_ratio(study.losses("ResNet"), study.losses(SUM), paired=True)
    found = SEEN if ratio.low > 1.2 else REVERSED if ratio.high < 1.0 else NOT_SEEN
    return Finding(found, f"Its median is {ratio} of the scaled sum's.")


@claim(
    5,
    "Networks of fully connected layers alone never reach the baseline",
    "dense",
    examples=32_000,
)
def dense(e: Evidence) -> Finding:
    """Seen if the best one's median is above the scaled sum's, reversed if it is below."""
    study = e["dense"]
    others = [name for name in study.names.values() if name != SUM]
    if not others:
        raise StatisticsError("dense has no instance yet")
    best = min(others, key=lambda one: median(study.losses(one)))
    ratio = median_ratio(study.losses(best), study.losses(SUM), paired=True)
    return Finding(above(ratio), f"The best, {best}, has {ratio} of the scaled sum's median.")


@claim(
    6,
    "Most convolutional networks are not robust to initialisation",
    "selection",
    examples=32_000,
    candidates=6_912,
)
def most_are_not_robust(e: Evidence) -> Finding:
    """Seen if, of the candidates of the selection's warm-up, the largest of five losses exceeds
    1.1 times their median for more than half, with a Wilson interval above one half; reversed if
    below.
    """
    losses = warmup_of(e["selection"])
    shaky = int((losses.max(axis=1) > STEADY * np.median(losses, axis=1)).sum())
    share = _wilson(shaky, len(losses))
    return Finding(above(share, 0.5), f"It is so for {share:.0%} of {len(losses):,} candidates.")


@claim(
    7,
    "Batch norm is faster, not steadier; dropout does not help",
    "regularisation",
    examples=32_000,
)
def regularisation(e: Evidence) -> Finding:
    """Seen if batch norm converges at an earlier epoch and no spread, its or a dropout's, is
    smaller than model 2's; reversed if all of them are smaller.
    """
    study = e["regularisation"]
    others = [name for name in study.names.values() if name != M2]
    ratios = {one: spread_ratio(study.losses(one), study.losses(M2), paired=True) for one in others}
    epochs = converged(study, "batch norm"), converged(study, M2)
    helps = [ratio.high < 1.0 for ratio in ratios.values()]
    found = SEEN if epochs[0] < epochs[1] and not any(helps) else NOT_SEEN
    said = ", ".join(f"{one} {ratio}" for one, ratio in ratios.items())
    words = f"Converged from epoch {epochs[0]} with batch norm, {epochs[1]} without; spreads as a "
    return Finding(REVERSED if all(helps) else found, f"{words}share of model 2's: {said}.")


@claim(
    8,
    "Schedules of the learning rate (factor, cycles, warm-up) do not stabilise",
    "schedules",
    examples=32_000,
)
def schedules(e: Evidence) -> Finding:
    """Seen if no spread with a factor, with cycles or with a warm-up is smaller than with the
    constant rate; reversed if one of them is.
    """
    study = e["schedules"]
    constant = study.losses("constant")
    others = [name for name in study.names.values() if name != "constant"]
    ratios = {one: spread_ratio(study.losses(one), constant, paired=True) for one in others}
    papers = [ratios[one] for one in ("factor", "cyclical", "warm-up")]
    found = REVERSED if any(one.high < 1.0 for one in papers) else SEEN
    said = ", ".join(f"{one} {ratio}" for one, ratio in ratios.items())
    return Finding(found, f"Spreads as a share of the constant rate's: {said}.")


@claim(
    9,
    "The loss of the best epoch varies less predictably than that of the last",
    "energy",
    examples=32_000,
)
def best_epoch(e: Evidence) -> Finding:
    """Seen if model 2's best epochs have a larger spread than its last ones on A and B, reversed
    if a smaller one.
    """
    found, said = [], []
    for name in "AB":
        told = e[f"energy-{name}"].of(M2)
        best, last = ([getattr(one, what) for one in told] for what in ("best", "loss"))
        ratio = spread_ratio(best, last, paired=True)
        found.append(above(ratio))
        said.append(f"{ratio} on {name}")
    words = f"Spread of the best epoch as a share of the last's: {', '.join(said)}."
    return Finding(all_of(found), words)


@claim(
    13,
    "Models 1 and 2 converge by epoch 50, model 2 faster; models 3 and 4 by 100",
    "sizes-energy-B",
    "sizes-position-B",
    examples=32_000,
)
def convergence(e: Evidence) -> Finding:
    """Seen if the median curves on B stay within 10 % of their last value from epoch 50 on for
    models 1 and 2, earlier for model 2, and from before epoch 100 on for models 3 and 4; reversed
    if model 1 is there before model 2.
    """
    energy, position = e["sizes-energy-B"], e["sizes-position-B"]
    epochs = {name: converged(energy, name) for name in (M1, M2)}
    epochs |= {name: converged(position, name) for name in (M3, M4)}
    both = max(epochs[M1], epochs[M2]) <= 50 and max(epochs[M3], epochs[M4]) < 100
    found = SEEN if both and epochs[M2] < epochs[M1] else NOT_SEEN
    said = ", ".join(f"{name} from epoch {epoch}" for name, epoch in epochs.items())
    return Finding(REVERSED if epochs[M1] < epochs[M2] else found, f"{said[:1].upper()}{said[1:]}.")


def _wilson(count: int, total: int) -> Interval:
    """Return a share with its Wilson interval (Journal of the American Statistical Association 22,
    1927, 209).
    """
    z, share = 1.96, count / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * np.sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2)
    return Interval(float(middle - half), float(middle + half), share, 0.95)
