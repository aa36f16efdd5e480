from typing import Any

import numpy as np
import pytest

from surefoot.data.arrays import encode
from surefoot.data.population import Population
from surefoot.errors import DataError
from surefoot.learning.losses import Loss


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


def test_labels_listed_beyond_those_found_keep_their_code() -> None:
    codes, labels = encode(["x", "z"], ["z", "y", "x"], "target")
    assert codes.tolist() == [2, 0]
    assert labels == ("z", "y", "x")
