import itertools

import numpy as np

from surefoot.reports.views.chart import Line, Rule
from surefoot.reports.views.criteria import CRITERIA, by_criterion, race_criteria
from tests.reports.views.marks import named, of

RNG = np.random.default_rng(2)


def test_every_criterion_has_the_share_of_candidates_at_or_below_a_loss():
    losses = RNG.uniform(1.0, 2.0, (50, 1)) * RNG.uniform(0.9, 1.1, (50, 8))
    (panel,) = by_criterion(losses, "loss / mm", 1.7).panels
    assert [line.label for line in of(panel, Line)] == list(CRITERIA)
    line = named(panel, "max")
    for value in (1.2, 1.5, 1.9):
        shown = line.y[np.searchsorted(line.x, value, "right") - 1]
        assert shown == (losses.max(axis=1) <= value).mean()
    assert (line.y[-1], panel.x.label) == (1.0, "loss / mm")
    (rule,) = of(panel, Rule)
    assert rule.value == 1.7
    assert panel.title == "50 candidates, 8 instances each"


def test_a_stricter_criterion_never_lies_left_of_a_more_lenient_one():
    losses = RNG.lognormal(0.0, 0.2, (40, 6))
    (panel,) = by_criterion(losses, "loss").panels
    grid = np.linspace(panel.x.low, panel.x.high, 50)
    shares = [
        line.y[np.searchsorted(line.x, grid, "right") - 1]
        for line in (named(panel, name) for name in ("min", "median", "q3", "max"))
    ]
    for lenient, strict in itertools.pairwise(shares):
        assert (lenient >= strict).all()


def test_candidates_that_diverged_reach_no_finite_maximum():
    losses = RNG.uniform(1.0, 1.1, (10, 4))
    losses[:3, 0] = np.inf
    losses[9] = np.inf
    (panel,) = by_criterion(losses, "loss").panels
    assert named(panel, "max").y[-1] == 0.6
    assert named(panel, "min").y[-1] == 0.9
    assert panel.note == "4 of 10 candidates have no finite maximum"


def test_a_race_is_judged_by_the_instances_that_half_of_it_shares(race):
    _, selection = race
    (panel,) = race_criteria(selection).panels
    counts = (~np.isnan(selection.table.losses)).sum(axis=1)
    n = int(np.median(counts))
    assert panel.title == f"{(counts >= n).sum()} candidates, {n} instances each"
    known = [] if selection.baseline is None else [selection.baseline]
    assert [rule.value for rule in of(panel, Rule)] == known
