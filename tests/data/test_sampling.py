"""How samples are drawn: what cannot be is refused, and classes keep their shares."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.data.population import Population, Sampling, allocate, stratified
from surefoot.errors import SamplingError
from surefoot.seeds.ledger import InstanceSeed, Role


def seed(instance: int = 0) -> InstanceSeed:
    return InstanceSeed(7, Role.RACE, instance)


def three_classes(n: int = 90) -> Population:
    labels = np.array(["photon", "electron", "pion"])[np.arange(n) % 9 // 4]
    return Population(np.arange(2 * n).reshape(n, 2), labels, name="beam", target_name="species")


@pytest.mark.parametrize("fields", [{"size": 0}, {"test_size": -3}])
def test_sizes_must_be_positive(fields: dict[str, int]) -> None:
    ((name, value),) = fields.items()
    with pytest.raises(SamplingError, match=f"sampling {name} = {value} must be at least 1"):
        Sampling(**fields)


def test_methods_are_two() -> None:
    with pytest.raises(SamplingError, match="'jackknife' is unknown: use 'bootstrap' or"):
        Sampling(10, "jackknife")


@given(
    size=st.integers(1, 500),
    strata=st.lists(st.integers(0, 200), min_size=1, max_size=8).filter(lambda s: sum(s) > 0),
)
def test_shares_add_up_and_are_within_one_of_their_proportion(size: int, strata: list[int]) -> None:
    shares = allocate(size, np.array(strata))
    assert shares.sum() == size
    exact = size * np.array(strata) / sum(strata)
    assert (np.abs(shares - exact) < 1).all()
    if size <= sum(strata):
        assert (shares <= strata).all()


@given(replace=st.booleans(), size=st.integers(1, 60), number=st.integers(0, 50))
def test_a_stratified_sample_keeps_each_share_and_takes_rows_of_the_pool(
    replace: bool, size: int, number: int
) -> None:
    rows = np.arange(100, 160, dtype=np.int32)
    codes = np.repeat([0, 1, 3], [30, 20, 10]).astype(np.int64)
    sample = stratified(rows, codes, size, replace, np.random.default_rng(number))
    counts = np.bincount(codes[sample - 100], minlength=4)
    assert counts.tolist() == allocate(size, np.array([30, 20, 0, 10])).tolist()
    assert replace or len(set(sample.tolist())) == size


def test_stratified_draws_keep_the_classes_and_differ_between_instances() -> None:
    halves = three_classes().split(1)
    sampling = Sampling(30, stratify=True, test_size=15)
    codes = halves.population.target[:, 0].astype(int)
    draws = [halves.draw(sampling, seed(i)) for i in range(5)]
    expected = allocate(30, np.bincount(codes[halves.pool])).tolist()
    assert all(np.bincount(codes[d.train], minlength=3).tolist() == expected for d in draws)
    assert all(d.test.size == 15 and set(d.test) <= set(halves.test) for d in draws)
    assert len({tuple(d.train) for d in draws}) == 5
    again = halves.draw(sampling, seed(3))
    assert again.train.tolist() == draws[3].train.tolist()
    assert len(set(codes[draws[0].train[:10]])) > 1


def test_a_bootstrap_of_a_rare_class_may_miss_it_but_a_stratified_one_does_not() -> None:
    labels = ["common"] * 195 + ["rare"] * 5
    halves = Population(np.arange(200.0), labels).split(3)
    codes = halves.population.target[:, 0]

    def rare(sampling: Sampling) -> list[int]:
        return [int(codes[halves.draw(sampling, seed(i)).train].sum()) for i in range(40)]

    assert 0 in rare(Sampling())
    assert len(set(rare(Sampling(stratify=True)))) == 1
    assert rare(Sampling(stratify=True))[0] > 0


def test_stratified_draws_of_numbers_are_refused() -> None:
    halves = Population(np.arange(10.0), -np.arange(10.0)).split(1)
    with pytest.raises(SamplingError, match="stratified draws need classes"):
        halves.draw(Sampling(stratify=True), seed())
