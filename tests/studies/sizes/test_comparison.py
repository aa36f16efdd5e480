import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import StatisticsError
from surefoot.studies.sizes.comparison import Comparison

RNG = np.random.default_rng(0)
LUCK = RNG.normal(0.0, 0.01, 59)


def comparison(*rows, **changes):
    losses = np.array(rows, dtype=float)[:, None, :]
    names = tuple("abcdef"[: len(rows)])
    return Comparison(names, (1000,), losses, **changes)


def test_a_small_steady_advantage_is_seen_because_losses_are_paired():
    found = comparison(1.0 + LUCK, 1.001 + LUCK, 1.0 + RNG.normal(0.0, 0.05, 59), reference=1)
    assert found.alike(0)[0] == 0
    assert 1 not in found.alike(0)
    chance = found.wins(0, 1, 0)
    assert chance.estimate == 1.0
    assert chance.low > 0.95
    assert "a has the lowest median loss" in found.lines()[0]


def test_candidates_of_equal_losses_cannot_be_told_apart():
    found = comparison(1.0 + LUCK, 1.0 + LUCK[::-1])
    assert sorted(found.alike(0)) == [0, 1]
    assert "no test tells" in found.lines()[0]


def test_the_bound_of_59_losses_is_the_largest():
    found = comparison(1.0 + LUCK, 2.0 + LUCK)
    assert found.certificate(0, 0).bound.value == (1.0 + LUCK).max()
    assert found.certificate(0, 0).reached


@given(
    st.lists(st.one_of(st.floats(0.1, 10.0), st.just(np.inf)), min_size=2, max_size=12),
    st.sampled_from([0.25, 0.5, 0.75]),
)
def test_quantiles_agree_with_numpy_and_divergences_are_large(losses, share):
    found = comparison(losses, losses).quantiles(share)[0, 0]
    finite = np.minimum(losses, 1e30)
    expected = np.quantile(finite, share)
    if expected > 1e20:
        assert np.isinf(found)
    else:
        assert found == pytest.approx(expected)


def test_who_diverges_often_has_no_spread_and_no_bound():
    diverging = np.where(np.arange(59) % 2, np.inf, 1.0)
    found = comparison(diverging, 2.0 + LUCK)
    assert np.isinf(found.spreads[0, 0])
    assert np.isinf(found.certificate(0, 0).bound.value)
    assert "the steadiest is b" in found.lines()[0]


def test_shapes_that_do_not_agree():
    with pytest.raises(StatisticsError, match=r"losses of 2 candidates at 1 sizes have shape"):
        Comparison(("a", "b"), (10,), np.ones((3, 1, 4)))


def test_the_share_that_a_bound_holds_for_is_rounded_down():
    assert "at least 95 % of" in Comparison(("a",), (10,), np.ones((1, 1, 59))).bound_line()
    assert "at least 86 % of" in Comparison(("a",), (10,), np.ones((1, 1, 20))).bound_line()
