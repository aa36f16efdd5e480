from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.data.labels import allocate, encode, stratified
from surefoot.data.population import Population, Sampling
from surefoot.errors import DataError, SamplingError
from surefoot.learning.losses.base import Loss
from surefoot.seeds.ledger import InstanceSeed, Role


def seed(instance: int = 0) -> InstanceSeed:
    return InstanceSeed(7, Role.RACE, instance)


def three_classes(n: int = 90) -> Population:
    labels = np.array(["photon", "electron", "pion"])[np.arange(n) % 9 // 4]
    return Population(np.arange(2 * n).reshape(n, 2), labels, name="beam", target_name="species")


def test_text_becomes_sorted_codes_and_numbers_stay_numbers() -> None:
    population = three_classes()
    assert population.classes == ("electron", "photon", "pion")
    assert population.outputs == 3
    assert population.target.shape == (90, 1)
    assert population.target[:9, 0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0, 2]
    assert Population(np.ones((3, 1)), [1, 2, 3]).classes is None
    assert Population(np.ones((3, 1)), np.array(["a", "b", "a"], dtype=object)).classes == (
        "a",
        "b",
    )


def test_numbers_are_classes_when_asked_for_and_a_list_gives_their_order() -> None:
    population = Population(np.ones((4, 1)), [5, 3, 5, 9], classes=True)
    assert population.classes == (3, 5, 9)
    assert population.target[:, 0].tolist() == [1, 0, 1, 2]
    ordered = Population(np.ones((3, 1)), ["no", "yes", "no"], classes=["yes", "no", "perhaps"])
    assert ordered.target[:, 0].tolist() == [1, 0, 1]
    assert ordered.outputs == 3
    assert Population(np.ones((2, 1)), [True, False]).classes == (False, True)


@pytest.mark.parametrize(
    ("target", "classes", "message"),
    [
        (["a", "a"], None, "holds 1 class; a classification needs at least two"),
        (["a", "b"], ["a", "c"], "holds the label 'b', not among its classes"),
        (["a", "b"], False, "text such as 'a', which must be classes"),
        ([1.0, np.nan], True, "holds nan in example 1: a label must be finite"),
        ([[1, 2], [3, 4]], True, "cannot be classes: give one label each"),
        (["a", None], None, "ragged or not numeric"),
    ],
)
def test_labels_that_cannot_be_classes_are_named(
    target: list[object], classes: Any, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        Population(np.ones((2, 1)), target, classes=classes)


def test_the_fingerprint_knows_the_labels() -> None:
    x, codes = np.ones((4, 1)), [0, 1, 0, 1]
    plain = Population(x, codes)
    named = Population(x, ["a", "b", "a", "b"])
    renamed = Population(x, ["a", "c", "a", "c"])
    assert len({p.fingerprint for p in (plain, named, renamed)}) == 3


def test_a_loss_of_the_wrong_kind_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"rmse is one of regression.*species of beam holds classes"
    ):
        three_classes().check_loss(Loss("rmse"))
    with pytest.raises(DataError, match=r"brier is one of classification.*holds numbers"):
        Population(np.ones((3, 1)), [1, 2, 3]).check_loss(Loss("brier"))
    three_classes().check_loss(Loss("error_rate"))


@settings(deadline=None)
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


@settings(deadline=None)
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
    halves = Population(np.arange(10.0), np.arange(10.0)).split(1)
    with pytest.raises(SamplingError, match="stratified draws need classes"):
        halves.draw(Sampling(stratify=True), seed())


def test_labels_listed_beyond_those_found_keep_their_code() -> None:
    codes, labels = encode(["x", "z"], ["z", "y", "x"], "target")
    assert codes.tolist() == [2, 0]
    assert labels == ("z", "y", "x")
