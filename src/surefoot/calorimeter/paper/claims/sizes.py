"""The claims about sample sizes, rivals and sources of spread: 14 to 26."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from surefoot.calorimeter.paper.claims.rules import (
    BARYCENTRE,
    M1,
    M2,
    M3,
    M4,
    SUM,
    TREES,
    above,
    all_of,
    alone_of,
    below,
    converged,
)
from surefoot.calorimeter.paper.evidence import Recorded
from surefoot.calorimeter.paper.measures import median, median_ratio, spread, spread_ratio
from surefoot.calorimeter.paper.verdicts import (
    NOT_SEEN,
    REVERSED,
    SEEN,
    Evidence,
    Finding,
    Found,
    claim,
)
from surefoot.errors import StatisticsError
from surefoot.statistics.certificate import needed
from surefoot.statistics.intervals import Interval
from surefoot.studies.sizes.sample_size import RobustRule, find_robust_size


def _near(study: Recorded, size: int) -> int:
    """Return the recorded size next to one."""
    return min(study.sizes, key=lambda one: abs(np.log(one / size)))


def _lowest(study: Recorded, name: str, rivals: Sequence[str], size: int) -> tuple[Found, str]:
    """Say whether a candidate's median is below those of all rivals, with the ratios."""
    own = study.losses(name, size)
    ratios = {one: median_ratio(own, study.losses(one, size), paired=True) for one in rivals}
    said = ", ".join(f"{ratio} of {one}'s" for one, ratio in ratios.items())
    found = [below(ratio) for ratio in ratios.values()]
    worse = REVERSED if REVERSED in found else NOT_SEEN
    word = SEEN if all(one == SEEN for one in found) else worse
    return word, f"at {size:,} examples {name} has {median(own):.4g}, {said}"


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
    return Finding(all_of(found), f"At {size:,} examples: {'; '.join(said)}.")


@claim(
    16,
    "Model 1 is robust from 18,000 examples on, model 2 from 2,000",
    "sizes-energy-A",
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
            found.append(above(ratio))
            averaged = f"with averaged weights {steady.estimate:.3g}"
            said.append(f"{dataset} {size:,}: {ratio}, {averaged}")
    return Finding(all_of(found), f"Spread as a multiple of the formula's: {'; '.join(said)}.")


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
    return _sources(e["initialisation-model_1"], above)


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
    return _sources(e["initialisation-model_2"], below)


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
        epochs = converged(study, M2), converged(study, M1)
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
    return Finding(all_of(found), f"{'; '.join(said)}.")


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
    return Finding(all_of(found), f"{'; '.join(said)}.")


def _sources(study: Recorded, word: Callable[[Interval], Found]) -> Finding:
    """Find which source's spread is larger, by instances that vary one of them alone."""
    alone = alone_of(study)
    ratio = spread_ratio(alone["sample"], alone["weights"])
    said = ", ".join(f"{name} {spread(losses):.3g}" for name, losses in alone.items())
    return Finding(word(ratio), f"Spreads: {said}; the sample's is {ratio} of the weights'.")


def _examples(size: int | None) -> str:
    return "no size" if size is None else f"{size:,} examples"
