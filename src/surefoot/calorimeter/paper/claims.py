"""The paper's claims and the rule of each: when it is seen, and when reversed.

Medians are compared by their ratio with a bootstrap interval of 95 %, spreads (interquartile
ranges) likewise; instances of one number are paired, since they share their draws.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from surefoot.calorimeter.paper.evidence import Recorded
from surefoot.calorimeter.paper.measures import median, median_ratio, spread, spread_ratio
from surefoot.calorimeter.paper.verdicts import (
    FEWEST,
    NOT_SEEN,
    REVERSED,
    SEEN,
    Evidence,
    Finding,
    Found,
    claim,
)
from surefoot.errors import StatisticsError
from surefoot.racing import Halving, Race, as_criterion
from surefoot.reports.views.criteria import CRITERIA
from surefoot.seeds.ledger import FactorLevels
from surefoot.statistics.certificate import needed
from surefoot.statistics.intervals import Interval
from surefoot.statistics.plateau import flat_from
from surefoot.studies.sizes.sample_size import RobustRule, find_robust_size

Floats = NDArray[np.float64]
M1, M2, M3, M4 = "model 1", "model 2", "model 3", "model 4"
SUM, BARYCENTRE, TREES = "scaled sum", "barycentre, S-curve", "XGBoost, paper's features"
STEADY = 1.10
"""A candidate is robust if its largest loss is at most this multiple of its median."""
CONVERGED = 0.10
"""A median curve has converged from where it stays within this share of its last value."""


def _below(ratio: Interval, at: float = 1.0) -> Found:
    """Seen if a ratio's whole interval is below a value, reversed if above."""
    return SEEN if ratio.high < at else REVERSED if ratio.low > at else NOT_SEEN


def _above(ratio: Interval, at: float = 1.0) -> Found:
    """Seen if a ratio's whole interval is above a value, reversed if below."""
    return SEEN if ratio.low > at else REVERSED if ratio.high < at else NOT_SEEN


def _all(found: Sequence[Found]) -> Found:
    """Seen if all are; reversed if one is and none is seen; else not seen."""
    if all(one == SEEN for one in found):
        return SEEN
    return REVERSED if REVERSED in found and SEEN not in found else NOT_SEEN


def _near(study: Recorded, size: int) -> int:
    """Return the recorded size next to one."""
    return min(study.sizes, key=lambda one: abs(np.log(one / size)))


def _lowest(study: Recorded, name: str, rivals: Sequence[str], size: int) -> tuple[Found, str]:
    """Say whether a candidate's median is below those of all rivals, with the ratios."""
    own = study.losses(name, size)
    ratios = {one: median_ratio(own, study.losses(one, size), paired=True) for one in rivals}
    said = ", ".join(f"{ratio} of {one}'s" for one, ratio in ratios.items())
    found = [_below(ratio) for ratio in ratios.values()]
    worse = REVERSED if REVERSED in found else NOT_SEEN
    word = SEEN if all(one == SEEN for one in found) else worse
    return word, f"at {size:,} examples {name} has {median(own):.4g}, {said}"


def best_of(study: Recorded, field: str) -> dict[str, Floats]:
    """Return the losses of the candidate of lowest mean for each value of a field.

    Raises `StatisticsError` unless all candidates have equally many instances.
    """
    counts = Counter(one.candidate for one in study.told)
    if len({counts[key] for key in study.specs if key != study.baseline}) > 1:
        raise StatisticsError(f"{study.study} is not complete yet")
    best: dict[str, Floats] = {}
    for key, spec in study.specs.items():
        if field in spec and any(one.candidate == key for one in study.told):
            losses, value = study.losses(key), str(spec[field])
            if value not in best or losses.mean() < best[value].mean():
                best[value] = losses
    if len(best) < 2:
        raise StatisticsError(f"the study {study.study} has fewer than two values of {field}")
    return best


def _order(best: Mapping[str, Floats]) -> str:
    ranked = sorted(best, key=lambda one: float(best[one].mean()))
    return ", ".join(f"{one} {best[one].mean():.4g} ± {spread(best[one]):.2g}" for one in ranked)


def _robust_from(study: Recorded, name: str) -> tuple[int | None, RobustRule]:
    """Return the smallest robust size, by the largest share that so many instances can promise."""
    comparison = study.comparison()
    if name not in comparison.names:
        raise StatisticsError(f"{study.study} has no instance of {name} yet")
    row, n = comparison.names.index(name), comparison.n
    content = next((share for share in (0.9, 0.75, 0.5) if needed(share, 0.975) <= n), None)
    if content is None:
        raise StatisticsError(
            f"{n} instances of a size of {study.study} are too few for robustness"
        )
    rule = RobustRule(content=content)
    rng = np.random.default_rng(0)
    result = find_robust_size(comparison.sizes, comparison.losses[row], rule, rng=rng)
    return result.robust, rule


def _converged(study: Recorded, name: str) -> int:
    """Return the epoch from which the median curve stays within `CONVERGED` of its last value."""
    curves = study.curves(name)
    if curves is None:
        raise StatisticsError(f"the study {study.study} has no curves of {name}")
    return flat_from(curves.quantiles([0.5])[0], CONVERGED) + 1


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
        _below(ratio), f"PReLU's spread is {ratio} of ReLU's; mean ± spread: {_order(best)}."
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
    return Finding(_above(ratio), f"The best, {best}, has {ratio} of the scaled sum's median.")


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
    return Finding(_above(share, 0.5), f"It is so for {share:.0%} of {len(losses):,} candidates.")


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
    epochs = _converged(study, "batch norm"), _converged(study, M2)
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
        found.append(_above(ratio))
        said.append(f"{ratio} on {name}")
    words = f"Spread of the best epoch as a share of the last's: {', '.join(said)}."
    return Finding(_all(found), words)


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


@claim(
    13,
    "Models 1 and 2 converge by epoch 50, model 2 faster; models 3 and 4 by 100",
    "sizes-energy",
    "sizes-position",
    examples=32_000,
)
def convergence(e: Evidence) -> Finding:
    """Seen if the median curves on B stay within 10 % of their last value from epoch 50 on for
    models 1 and 2, earlier for model 2, and from before epoch 100 on for models 3 and 4; reversed
    if model 1 is there before model 2.
    """
    energy, position = e["sizes-energy-B"], e["sizes-position-B"]
    epochs = {name: _converged(energy, name) for name in (M1, M2)}
    epochs |= {name: _converged(position, name) for name in (M3, M4)}
    both = max(epochs[M1], epochs[M2]) <= 50 and max(epochs[M3], epochs[M4]) < 100
    found = SEEN if both and epochs[M2] < epochs[M1] else NOT_SEEN
    said = ", ".join(f"{name} from epoch {epoch}" for name, epoch in epochs.items())
    return Finding(REVERSED if epochs[M1] < epochs[M2] else found, f"{said[:1].upper()}{said[1:]}.")


@claim(14, "There is no double descent", "sizes-energy", "sizes-position", examples=32_000)
def no_double_descent(e: Evidence) -> Finding:
    """Seen if no median of the four models on A or B rises by more than 10 % above that of the
    size before it, with its interval; reversed if one does.
    """
    worst, where = 0.0, ""
    rises = []
    for kind, models in (("energy", (M1, M2)), ("position", (M3, M4))):
        for dataset in "AB":
            study = e[f"sizes-{kind}-{dataset}"]
            for name in models:
                for before, after in pairwise(study.sizes):
                    ratio = median_ratio(study.losses(name, after), study.losses(name, before))
                    rises.append(ratio.low > 1.10)
                    if ratio.estimate > worst:
                        worst, where = ratio.estimate, f"{name} on {dataset} at {after:,} examples"
    if not rises:
        raise StatisticsError("the studies of sizes have one size each yet")
    found = REVERSED if any(rises) else SEEN
    return Finding(found, f"The largest step is to {worst:.3g} of the size before: {where}.")


@claim(
    15,
    "At the smallest samples model 1 is far worse than model 2 (132 examples: .075 against .037 "
    "on A, .131 against .062 on B)",
    "sizes-energy",
    examples=132,
)
def smallest_samples(e: Evidence) -> Finding:
    """Seen if model 1's median at 132 examples is more than 1.5 times model 2's on A and B,
    reversed if it is below model 2's.
    """
    found: list[Found] = []
    said = []
    for dataset in "AB":
        study = e[f"sizes-energy-{dataset}"]
        size = _near(study, 132)
        one, two = study.losses(M1, size), study.losses(M2, size)
        ratio = median_ratio(one, two, paired=True)
        found.append(SEEN if ratio.low > 1.5 else REVERSED if ratio.high < 1.0 else NOT_SEEN)
        said.append(f"{median(one):.3g} against {median(two):.3g} on {dataset}, {ratio} times")
    return Finding(_all(found), f"At {size:,} examples: {'; '.join(said)}.")


@claim(
    16,
    "Model 1 is robust from 18,000 examples on, model 2 from 2,000",
    "sizes-energy",
    examples=32_000,
)
def robust_sizes(e: Evidence) -> Finding:
    """Seen if, on A, a share of retrainings keeps 1.1 times the median at the largest size from a
    third or less of the examples on with model 2 than with model 1; reversed if with more. The
    share is the largest of 90, 75 and 50 % that so many instances can promise.
    """
    study = e["sizes-energy-A"]
    one, rule = _robust_from(study, M1)
    two, _ = _robust_from(study, M2)
    said = f"{rule.content:.0%} of retrainings within 1.1 of the largest size's median: model 1 "
    said += f"from {_examples(one)}, model 2 from {_examples(two)}."
    if two is None:
        return Finding(NOT_SEEN if one is None else REVERSED, said)
    if one is None or 3 * two <= one:
        return Finding(SEEN, said)
    return Finding(REVERSED if two > one else NOT_SEEN, said)


@claim(
    17,
    "Model 2 is less robust than the formula at every size, on A and B",
    "energy",
    examples=32_000,
)
def less_robust_than_the_formula(e: Evidence) -> Finding:
    """Seen if model 2's spread is above the scaled sum's at each of the four sizes on A and B,
    reversed if it is below it wherever there is a difference.
    """
    found, said = [], []
    for dataset in "AB":
        study = e[f"energy-{dataset}"]
        for size in study.sizes:
            formula = study.losses(SUM, size)
            ratio = spread_ratio(study.losses(M2, size), formula, paired=True)
            steady = spread_ratio(study.losses(f"{M2}, ema", size), formula, paired=True)
            found.append(_above(ratio))
            averaged = f"with averaged weights {steady.estimate:.3g}"
            said.append(f"{dataset} {size:,}: {ratio}, {averaged}")
    return Finding(_all(found), f"Spread as a multiple of the formula's: {'; '.join(said)}.")


@claim(
    18,
    "Model 2 has the lowest loss at 24,000 and 32,000 examples (A .0196 against .0199 and .0200, "
    "B .0229 against .0239)",
    "energy",
    examples=32_000,
)
def lowest_energy_loss(e: Evidence) -> Finding:
    """Seen if model 2's median is below those of the scaled sum and of XGBoost on the paper's
    features, at 24,000 and 32,000 examples on A and B; reversed if it is above one of them
    everywhere.
    """
    return _ahead(e, "energy", {"A": (24_000, 32_000), "B": (24_000, 32_000)}, M2, (SUM, TREES))


@claim(
    19,
    "Model 1: the sample matters slightly more than the initialisation",
    "initialisation-model_1",
    examples=32_000,
)
def sample_matters_more(e: Evidence) -> Finding:
    """Seen if the spread with random samples and fixed weights is above that with a fixed sample
    and random weights; reversed if below.
    """
    return _sources(e["initialisation-model_1"], _above)


@claim(
    20,
    "Model 2: the initialisation matters slightly more than the sample",
    "initialisation-model_2",
    examples=32_000,
)
def weights_matter_more(e: Evidence) -> Finding:
    """Seen if the spread with random samples and fixed weights is below that with a fixed sample
    and random weights; reversed if above.
    """
    return _sources(e["initialisation-model_2"], _below)


@claim(
    21,
    "Model 3 on A falls threefold between 9,000 and 15,000 examples (.547 to .191 cm)",
    "sizes-position-A",
    examples=15_000,
)
def model_3_falls(e: Evidence) -> Finding:
    """Seen if its median at the size next to 9,000 is more than twice that at the size next to
    15,000; reversed if it is below it.
    """
    study = e["sizes-position-A"]
    before, after = _near(study, 9_000), _near(study, 15_000)
    ratio = median_ratio(study.losses(M3, before), study.losses(M3, after))
    found = SEEN if ratio.low > 2.0 else REVERSED if ratio.high < 1.0 else NOT_SEEN
    medians = ", ".join(
        f"{median(study.losses(M3, one)):.4g} at {one:,}"
        for one in study.sizes
        if 0.8 * before <= one <= 1.2 * after
    )
    return Finding(found, f"It falls by a factor of {ratio}; medians in {study.unit}: {medians}.")


@claim(
    22,
    "Models 3 and 4 are robust from about 16,000 examples, and equal on A from 17,000",
    "sizes-position-A",
    examples=32_000,
)
def positions_are_robust(e: Evidence) -> Finding:
    """Seen if, on A, both keep 1.1 times their median at the largest size from at most 20,000
    examples on, and their medians from 17,000 on are within 10 %; reversed if neither.
    """
    study = e["sizes-position-A"]
    (one, rule), (two, _) = _robust_from(study, M3), _robust_from(study, M4)
    robust = all(size is not None and size <= 20_000 for size in (one, two))
    late = [size for size in study.sizes if size >= 17_000]
    if not late:
        raise StatisticsError("sizes-position-A has no size of 17,000 examples or more")
    ratios = {s: median_ratio(study.losses(M3, s), study.losses(M4, s), paired=True) for s in late}
    equal = all(one.low <= 1.10 and one.high >= 1 / 1.10 for one in ratios.values())
    said = ", ".join(f"{ratio} at {size:,}" for size, ratio in ratios.items())
    words = (
        f"{rule.content:.0%} of retrainings robust: model 3 from {_examples(one)}, model 4 from "
    )
    words += f"{_examples(two)}; model 3's median as a multiple of model 4's: {said}."
    return Finding(SEEN if robust and equal else NOT_SEEN if robust or equal else REVERSED, words)


@claim(
    23,
    "On B model 3 never nears model 4 (.735 against .268 cm)",
    "sizes-position-B",
    examples=32_000,
)
def model_3_on_b(e: Evidence) -> Finding:
    """Seen if model 3's median is more than 1.5 times model 4's at every size from 8,000 on;
    reversed if it is within 10 % of it at the largest.
    """
    study = e["sizes-position-B"]
    ratios = {
        size: median_ratio(study.losses(M3, size), study.losses(M4, size), paired=True)
        for size in study.sizes
        if size >= 8_000 or size == study.sizes[-1]
    }
    found = SEEN if all(one.low > 1.5 for one in ratios.values()) else NOT_SEEN
    if ratios[study.sizes[-1]].high < 1.10:
        found = REVERSED
    said = ", ".join(f"{ratio} at {size:,}" for size, ratio in ratios.items())
    return Finding(found, f"Model 3's median as a multiple of model 4's: {said}.")


@claim(24, "Model 4's loss on B is 2.3 times that on A", "position", examples=32_000)
def b_against_a(e: Evidence) -> Finding:
    """Seen if the ratio of the medians at 32,000 examples is within 15 % of 2.3, by its interval;
    reversed if it is below 1.
    """
    one, other = e["position-B"], e["position-A"]
    ratio = median_ratio(one.losses(M4), other.losses(M4))
    close = ratio.low <= 1.15 * 2.3 and ratio.high >= 2.3 / 1.15
    found = SEEN if close else REVERSED if ratio.high < 1.0 else NOT_SEEN
    both = f"{median(one.losses(M4)):.4g} on B, {median(other.losses(M4)):.4g} {one.unit} on A"
    return Finding(found, f"It is {ratio} times: {both}.")


@claim(
    25,
    "Model 4 is best at 32,000 examples on A (.116 against .119 and .142 cm) and above 16,000 on "
    "B (.268 against .321 and .459)",
    "position",
    examples=32_000,
)
def lowest_position_loss(e: Evidence) -> Finding:
    """Seen if model 4's median is below those of the barycentre and of XGBoost on the paper's
    features at 32,000 examples on A and at 24,000 and 32,000 on B; reversed if it is above one of
    them everywhere.
    """
    wanted = {"A": (32_000,), "B": (24_000, 32_000)}
    return _ahead(e, "position", wanted, M4, (BARYCENTRE, TREES))


@claim(
    26,
    "Inductive bias: smaller samples, faster training, robustness unchanged",
    "sizes-energy",
    examples=32_000,
)
def inductive_bias(e: Evidence) -> Finding:
    """Seen if, on A and B, model 2 converges earlier than model 1, has a lower median at every
    size up to 2,000, and the ratio of their spreads at the largest size is within a factor of 1.5,
    by its interval; reversed if model 2 is neither earlier nor lower.
    """
    found: list[Found] = []
    said = []
    for dataset in "AB":
        study = e[f"sizes-energy-{dataset}"]
        epochs = _converged(study, M2), _converged(study, M1)
        small = [size for size in study.sizes if size <= 2_100]
        lower = all(
            median_ratio(study.losses(M2, s), study.losses(M1, s), paired=True).high < 1.0
            for s in small
        )
        ratio = spread_ratio(study.losses(M2), study.losses(M1), paired=True)
        earlier, alike = epochs[0] < epochs[1], ratio.low <= 1.5 and ratio.high >= 1.0 / 1.5
        none = REVERSED if not (earlier or lower) else NOT_SEEN
        found.append(SEEN if earlier and lower and alike else none)
        said.append(
            f"{dataset}: epoch {epochs[0]} against {epochs[1]}, "
            f"{'lower' if lower else 'not lower'} up to 2,000, spread {ratio} of model 1's"
        )
    return Finding(_all(found), f"{'; '.join(said)}.")


@claim(27, "Selected on A, good on B", "transfer", examples=32_000, candidates=6_912)
def good_on_b(e: Evidence) -> Finding:
    """Seen if the winner of the selection on A, trained afresh on B, has a lower median there than
    the scaled sum; reversed if a higher one.
    """
    study, selection = e["transfer"], e["selection"]
    formula = study.baseline
    winner = next((key for key in study.names if key != formula), "")
    ratio = median_ratio(study.losses(winner), study.losses(formula), paired=True)
    name = selection.names.get(winner, study.names[winner])
    words = f"{name} has {ratio} of the scaled sum's median."
    return Finding(_below(ratio), words)


@claim(
    28,
    "The networks of the search (NAS 1, NAS 2) have best losses equal to model 2's and larger "
    "spreads from 16,000 examples on",
    "nas",
    "search",
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
    spreads = _all([_above(one) for one in ratios.values()])
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


def _ahead(
    e: Evidence, kind: str, wanted: Mapping[str, Sequence[int]], name: str, rivals: Sequence[str]
) -> Finding:
    """Find whether a model is ahead of all rivals at sizes by data set, at the largest if none."""
    found, said = [], []
    for dataset, sizes in wanted.items():
        study = e[f"{kind}-{dataset}"]
        for size in dict.fromkeys(_near(study, size) for size in sizes):
            word, words = _lowest(study, name, rivals, size)
            averaged = median_ratio(
                study.losses(f"{name}, ema", size), study.losses(rivals[0], size), paired=True
            )
            found.append(word)
            said.append(f"{dataset} {words}; averaged weights {averaged} of {rivals[0]}'s")
    return Finding(_all(found), f"{'; '.join(said)}.")


def _sources(study: Recorded, word: Callable[[Interval], Found]) -> Finding:
    """Find which source's spread is larger, by instances that vary one of them alone."""
    alone = alone_of(study)
    ratio = spread_ratio(alone["sample"], alone["weights"])
    said = ", ".join(f"{name} {spread(losses):.3g}" for name, losses in alone.items())
    return Finding(word(ratio), f"Spreads: {said}; the sample's is {ratio} of the weights'.")


def alone_of(study: Recorded) -> dict[str, list[float]]:
    """Return the losses where the sample, the initial weights, or both vary.

    Raises `StatisticsError` for too few.
    """
    alone: dict[str, list[float]] = {"sample": [], "weights": [], "both": []}
    for one in study.told:
        levels = FactorLevels.numbered(one.instance)
        if levels.order or levels.test:
            continue
        # The first instance belongs to all three experiments.
        if not levels.init:
            alone["sample"].append(one.loss)
        if not levels.draw:
            alone["weights"].append(one.loss)
        if levels.draw == levels.init:
            alone["both"].append(one.loss)
    if min(map(len, alone.values())) < FEWEST:
        raise StatisticsError(f"{study.study} has fewer than {FEWEST} instances of a source yet")
    return alone


def warmup_of(study: Recorded) -> Floats:
    """Return the first five losses of every candidate that has so many in the race."""
    raced: dict[str, list[float]] = {}
    for one in sorted(study.told, key=lambda one: one.instance):
        if one.role == "race" and one.candidate != study.baseline:
            raced.setdefault(one.candidate, []).append(one.loss)
    kept = [losses[:5] for losses in raced.values() if len(losses) >= 5]
    if len(kept) < 2:
        raise StatisticsError(f"no two candidates of {study.study} have five instances yet")
    return np.array(kept)


def _wilson(count: int, total: int) -> Interval:
    """Return a share with its Wilson interval (Journal of the American Statistical Association 22,
    1927, 209).
    """
    z, share = 1.96, count / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * np.sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2)
    return Interval(float(middle - half), float(middle + half), share, 0.95)


def _examples(size: int | None) -> str:
    return "no size" if size is None else f"{size:,} examples"
