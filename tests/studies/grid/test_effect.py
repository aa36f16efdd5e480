"""The effect of a field against losses whose truth is known, and against SciPy."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from surefoot.racing import as_criterion
from surefoot.studies.grid.effect import effect_of, ranked
from surefoot.studies.grid.fields import Fields

MEAN = as_criterion("mean")
SPECS = [{"kind": k, "rate": r} for k, r in product("abc", (1, 2))]
FIELDS = Fields.of(("toy", spec) for spec in SPECS)


def losses_of(values, n=12, noise=0.01, seed=0):
    """Losses [6, n] around a value per candidate, with luck that all share and some of its own."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(0.0, 0.2, n)
    return np.array(values)[:, None] + shared + rng.normal(0.0, noise, (len(values), n))


def test_both_comparisons_of_a_full_grid():
    #                 a1   a2   b1   b2   c1   c2
    losses = losses_of([2.0, 3.0, 1.9, 9.0, 2.5, 2.5])
    found = effect_of(FIELDS, "kind", losses, MEAN)
    assert found.names == ("a", "b", "c")
    assert (found.shared, found.settings) == (2, (2, 2, 2))
    table = losses.reshape(3, 2, -1)
    np.testing.assert_allclose(found.marginal.losses, np.median(table, axis=1))
    np.testing.assert_allclose(found.best.losses, table[[0, 1, 2], [0, 0, 0]], atol=0.06)
    # Over all settings b is poor, at its best it is the best.
    assert found.names[found.marginal.best] in "ac"
    assert found.names[found.best.best] == "b"
    assert found.best.alike.tolist() == [False, True, False]
    assert found.chosen[1] == "rate 1"


def test_pvalues_are_scipys_with_holms_factors():
    losses = losses_of([1.0, 1.0, 1.002, 1.002, 1.3, 1.3], noise=0.004)
    found = effect_of(FIELDS, "kind", losses, MEAN).marginal
    plain = [
        stats.wilcoxon(found.losses[row], found.losses[0], alternative="greater").pvalue
        for row in (1, 2)
    ]
    small, large = sorted(plain)
    expected = {small: 2.0 * small, large: max(2.0 * small, large)}
    np.testing.assert_allclose(found.pvalues[1:], [min(1.0, expected[one]) for one in plain])
    assert found.pvalues[0] == 1.0


def test_at_the_best_no_loss_judges_a_choice_it_took_part_in():
    # All settings are alike: choosing the lowest by its own loss would look better than any is.
    rng = np.random.default_rng(1)
    specs = [{"kind": k, "rate": r} for k, r in product("ab", range(40))]
    losses = rng.normal(1.0, 0.1, (80, 30))
    found = effect_of(Fields.of(("t", one) for one in specs), "kind", losses, MEAN)
    own = losses.reshape(2, 40, 30)
    flattered = [row[row.mean(axis=1).argmin()].mean() for row in own]
    assert max(flattered) < 0.97
    assert abs(found.best.losses.mean() - 1.0) < 0.04
    for value in (0, 1):
        for number in range(30):
            others = np.delete(own[value], number, axis=1)
            chosen = others.mean(axis=1).argmin()
            assert found.best.losses[value, number] == own[value, chosen, number]


def test_a_setting_that_diverges_is_one_of_many_and_is_counted():
    specs = [{"kind": k, "rate": r} for k, r in product("ab", (1, 2, 3))]
    losses = losses_of([1.0, 1.1, 1.2, 2.0, 2.1, 2.2])
    losses[2] = np.inf
    losses[3, 0] = np.inf
    found = effect_of(Fields.of(("t", one) for one in specs), "kind", losses, MEAN)
    assert np.isfinite(found.marginal.medians).all()
    assert found.marginal.lost == [(12, 36), (1, 36)]
    # Without its divergence the others choose rate 1 for b, so that one instance is lost there.
    assert found.best.lost == [(0, 12), (1, 12)]
    assert found.chosen == ("rate 1", "rate 2")


def test_values_without_a_setting_in_common_are_compared_over_their_own():
    specs = [{"kind": "a", "rate": 1}, {"kind": "b", "rate": 2}, {"kind": "b", "rate": 3}]
    found = effect_of(
        Fields.of(("t", one) for one in specs), "kind", losses_of([1.0, 2.0, 3.0]), MEAN
    )
    assert found.shared == 0
    assert "its own settings" in found.lines()[0]
    assert found.settings == (1, 2)


def test_only_settings_that_all_have_are_shared():
    specs = [*SPECS, {"kind": "a", "rate": 3}]
    losses = losses_of([1.0, 1.0, 1.1, 1.1, 1.2, 1.2, 50.0])
    found = effect_of(Fields.of(("t", one) for one in specs), "kind", losses, MEAN)
    assert (found.shared, found.settings) == (2, (3, 2, 2))
    assert found.marginal.losses[0].max() < 2.0


def test_one_field_alone_is_compared_once():
    fields = Fields.of(("t", {"kind": one}) for one in "abc")
    found = effect_of(fields, "kind", losses_of([1.0, 1.0, 2.0]), MEAN)
    (only,) = found.contrasts
    assert only is found.best
    assert found.lines()[0].startswith(("a has the lowest", "b has the lowest"))


@pytest.mark.parametrize("name", ["mean", "max", "median", "mean+2*sd"])
def test_the_criterion_chooses_the_setting(name):
    rng = np.random.default_rng(4)
    losses = rng.lognormal(0.0, 0.5, (6, 9))
    criterion = as_criterion(name)
    assert ranked(losses, criterion)[0] == np.argmin(criterion.values(losses))


@given(st.integers(0, 10_000), st.permutations(range(6)))
def test_the_order_of_candidates_changes_nothing(seed, order):
    losses = losses_of([1.0, 1.1, 1.0, 1.2, 1.0, 1.3], n=6, noise=0.1, seed=seed)
    fields = Fields.of(("toy", SPECS[row]) for row in order)
    first = effect_of(FIELDS, "kind", losses, MEAN)
    second = effect_of(fields, "kind", losses[list(order)], MEAN)
    place = [second.names.index(name) for name in first.names]
    np.testing.assert_array_equal(second.marginal.losses[place], first.marginal.losses)
    np.testing.assert_array_equal(second.best.losses[place], first.best.losses)
