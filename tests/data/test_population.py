"""Populations, their halves and draws: nothing leaks between the halves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.data.population import Halves, Population, Sampling
from surefoot.errors import DataError, SamplingError
from surefoot.seeds.ledger import InstanceSeed, Role

seeds = st.integers(0, 2**64 - 1)


def numbered(n: int, groups: list[int] | None = None) -> Population:
    return Population(np.arange(3.0 * n).reshape(n, 3), np.arange(n) + 1.0, groups=groups)


def halves_of(n: int = 100, seed: int = 1) -> Halves:
    return numbered(n).split(seed)


def test_arrays_are_converted_once_and_then_shared() -> None:
    features = np.ones((4, 15, 15), dtype=np.float32)
    population = Population(features, [1, 2, 3, 4], side=np.ones(4))
    assert population.features.shape == (4, 225)
    assert np.shares_memory(population.features, features)
    assert population.target.shape == (4, 1)
    assert population.side is not None
    assert population.side.shape == (4, 1)
    kinds = {a.dtype for a in (population.features, population.target, population.side)}
    assert kinds == {np.dtype(np.float32)}
    assert len(population) == 4
    assert population.outputs == 1
    assert Population(features, np.ones((4, 2))).outputs == 2


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([[1.0, 2.0], [3.0, np.nan]], "features of tiny hold nan in example 1, column 1"),
        ([[1.0, -np.inf], [3.0, 1.0]], "features of tiny hold -inf in example 0, column 1"),
        ([[1.0, 2.0], [1e200, 1.0]], r"features of tiny hold 1e\+200 in example 1, column 0"),
        ([[1.0, 2.0], [3.0]], "features of tiny are ragged or not numeric"),
        ([["a", "b"], ["c", "d"]], "features of tiny are ragged or not numeric"),
        ([[None, 1.0], [1.0, 2.0]], "features of tiny are ragged or not numeric"),
        (np.empty((0, 225)), r"features of tiny are empty \(shape \(0, 225\)\)"),
        (np.empty((2, 0)), r"features of tiny are empty \(shape \(2, 0\)\)"),
        (3.0, r"features of tiny are empty \(shape \(\)\)"),
        (np.array([[1j, 2], [3, 4]]), "features of tiny are ragged or not numeric"),
    ],
)
def test_features_that_cannot_be_used_are_named(features, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Population(features, [1.0, 2.0], name="tiny")


def test_the_number_of_bad_examples_is_told() -> None:
    features = np.ones((50, 4))
    features[7:19, 2] = np.nan
    with pytest.raises(DataError, match=r"example 7, column 2 \(12 such examples\)"):
        Population(features, np.ones(50))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"target": [1.0]}, "target energy of tiny has 1 entries but there are 2 examples"),
        ({"target": [1.0, np.inf]}, "target energy of tiny hold inf in example 1"),
        ({"side": [[1.0]] * 3}, "side features of tiny has 3 entries but there are 2 examples"),
        ({"side": [[1.0], [np.nan]]}, "side features of tiny hold nan in example 1"),
        ({"groups": [1, 2, 3]}, "groups of tiny has 3 entries but there are 2 examples"),
        ({"groups": [[1], [2]]}, r"groups of tiny have shape \(2, 1\); they must be \[N\]"),
    ],
)
def test_other_parts_that_cannot_be_used_are_named(parts, message: str) -> None:
    given_parts = {"features": np.ones((2, 3)), "target": [1.0, 2.0], **parts}
    with pytest.raises(DataError, match=message):
        Population(**given_parts, name="tiny", target_name="energy")


def test_the_fingerprint_changes_with_any_number() -> None:
    x, y = np.ones((6, 3)), np.arange(6.0)
    base = Population(x, y)
    assert base.fingerprint == Population(x.tolist(), y, name="other").fingerprint
    changed = [Population(x + np.eye(6, 3) * 1e-6, y), Population(x, y + np.eye(6)[4])]
    changed += [Population(x, y, side=-y), Population(x, y, groups=y)]
    changed += [Population(x, y, groups=list("abcabc")), Population(x[:5], y[:5])]
    prints = {population.fingerprint for population in (base, *changed)}
    assert len(prints) == 7
    assert all(len(p) == 16 and int(p, 16) >= 0 for p in prints)


@given(groups=st.lists(st.integers(0, 30), min_size=2, max_size=200), seed=seeds)
def test_a_split_never_divides_a_group_and_loses_no_example(groups: list[int], seed: int) -> None:
    population = numbered(len(groups), groups)
    try:
        halves = population.split(seed)
    except DataError:
        largest = max(groups.count(label) for label in groups)
        assert len(set(groups)) == 1 or largest > len(groups) / 2
        return
    labels = np.array(groups)
    assert not set(labels[halves.pool]) & set(labels[halves.test])
    together = np.sort(np.concatenate([halves.pool, halves.test]))
    np.testing.assert_array_equal(together, np.arange(len(groups)))
    assert halves.pool.dtype == halves.test.dtype == np.int32
    assert (np.diff(halves.pool) > 0).all()
    assert (np.diff(halves.test) > 0).all()
    assert halves.pool.size >= len(groups) / 2


@given(n=st.integers(2, 300), seed=seeds, fraction=st.floats(0.05, 0.95))
def test_without_groups_the_pool_has_its_fraction_to_the_example(n, seed, fraction) -> None:
    try:
        halves = numbered(n).split(seed, fraction)
    except DataError:
        assert n * (1 - fraction) < 1
        return
    assert halves.pool.size == int(np.ceil(fraction * n))


def test_splits_follow_the_seed() -> None:
    np.testing.assert_array_equal(halves_of(seed=3).pool, halves_of(seed=3).pool)
    assert set(halves_of(seed=3).pool) != set(halves_of(seed=4).pool)


def test_every_example_is_as_often_in_the_pool() -> None:
    counts = np.zeros(20)
    for seed in range(400):
        counts[halves_of(20, seed).pool] += 1
    assert abs(counts - 200).max() < 5 * np.sqrt(400 * 0.25)


def test_a_population_of_one_group_cannot_be_split() -> None:
    with pytest.raises(DataError, match="has 5 examples in 1 groups, which cannot be split"):
        numbered(5, [1] * 5).split(0)


@given(
    n=st.integers(4, 200),
    size=st.none() | st.integers(1, 300),
    test_size=st.none() | st.integers(1, 120),
    bootstrap=st.booleans(),
    number=st.integers(0, 2**48 - 1),
)
def test_draws_come_from_their_half_alone(n, size, test_size, bootstrap, number) -> None:
    halves = halves_of(n)
    sampling = Sampling(size, "bootstrap" if bootstrap else "subsample", test_size)
    seed = InstanceSeed(1, Role.RACE, number)
    too_many = (not bootstrap and (size or 0) > halves.pool.size) or (
        (test_size or 0) > halves.test.size
    )
    if too_many:
        with pytest.raises(SamplingError):
            halves.draw(sampling, seed)
        return
    draw = halves.draw(sampling, seed)
    assert draw.train.dtype == draw.test.dtype == np.int32
    assert draw.train.size == (size or halves.pool.size) == halves.train_size(sampling)
    assert draw.test.size == (test_size or halves.test.size)
    assert set(draw.train) <= set(halves.pool)
    assert set(draw.test) <= set(halves.test)
    assert np.unique(draw.test).size == draw.test.size
    if not bootstrap:
        assert np.unique(draw.train).size == draw.train.size
    again = halves.draw(sampling, seed)
    np.testing.assert_array_equal(draw.train, again.train)
    np.testing.assert_array_equal(draw.test, again.test)


def test_a_bootstrap_draws_every_row_alike_and_with_replacement() -> None:
    halves = halves_of(60)
    counts = np.zeros(60)
    for number in range(300):
        train = halves.draw(Sampling(30), InstanceSeed(1, Role.RACE, number)).train
        counts += np.bincount(train, minlength=60)
        assert np.unique(train).size < 30
    assert counts[halves.test].sum() == 0
    assert abs(counts[halves.pool] - 300).max() < 5 * np.sqrt(300)


def test_roles_and_instances_draw_differently() -> None:
    halves = halves_of()
    draws = {
        tuple(halves.draw(Sampling(), InstanceSeed(1, role, number)).train.tolist())
        for role in (Role.RACE, Role.CERTIFY)
        for number in range(20)
    }
    assert len(draws) == 40


def test_impossible_draws_say_what_would_be_possible() -> None:
    halves, seed = halves_of(), InstanceSeed(1, Role.RACE, 0)
    with pytest.raises(SamplingError, match="use at most 50, or method = 'bootstrap'"):
        halves.draw(Sampling(51, "subsample"), seed)
    with pytest.raises(SamplingError, match="use at most 50, or leave test_size out"):
        halves.draw(Sampling(test_size=51), seed)
    assert halves.draw(Sampling(51), seed).train.size == 51


def test_where_a_population_was_found_changes_nothing_of_it() -> None:
    population = numbered(10)
    known = population.found_at({"source": "a.npz"})
    assert population.origin is None
    assert known.origin == {"source": "a.npz"}
    assert known.fingerprint == population.fingerprint
    assert np.shares_memory(known.features, population.features)
