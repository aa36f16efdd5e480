import numpy as np
import pytest

from surefoot.reports.views.chart import Band, Points
from surefoot.reports.views.duel import EQUIVALENT, duel
from tests.reports.views.marks import of


def test_pairs_are_of_the_same_instances(race):
    _, selection = race
    own, other = (selection.table.row(key) for key in selection.state.ranking[:2])
    gaps = np.sort((other - own)[np.isfinite(own) & np.isfinite(other)])
    differences, pairs = duel(selection).panels
    drawn = np.concatenate([mark.x for mark in of(differences, Points)])
    np.testing.assert_allclose(np.sort(drawn), gaps)
    (band,) = of(differences, Band)
    shared = own[np.isfinite(own) & np.isfinite(other)]
    assert band.high == -band.low == pytest.approx(EQUIVALENT * shared.mean())
    (points,) = of(pairs, Points)
    assert len(points.x) == len(gaps)
    assert (pairs.x.low, pairs.x.high) == (pairs.y.low, pairs.y.high)


def test_whoever_leads_is_called_what_it_is(race, half):
    assert duel(race[1]).title == "The winner against the runner-up"
    assert duel(half[1]).title == "The leader against the runner-up"
    sentence = race[1].rivals.chance(race[1].labels)
    assert sentence in duel(race[1]).words[1].sentences
