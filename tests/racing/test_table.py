import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import DataError
from surefoot.racing.table import LossTable

triples = st.dictionaries(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 9)),
    st.one_of(st.floats(0, 1e6), st.just(np.inf)),
    max_size=20,
).map(lambda cells: [(key, instance, loss) for (key, instance), loss in cells.items()])


@given(triples, st.randoms())
def test_a_table_does_not_depend_on_the_order_of_outcomes(outcomes, random):
    shuffled = list(outcomes)
    random.shuffle(shuffled)
    first = LossTable.from_outcomes(outcomes, "abc")
    second = LossTable.from_outcomes(shuffled, "abc")
    np.testing.assert_array_equal(first.losses, second.losses)
    assert first.count == len(outcomes) == first.counts().sum()
    for key, instance, loss in outcomes:
        assert first.has(key, instance)
        assert first.row(key)[instance] == loss


@given(triples, triples)
def test_extending_is_the_same_as_building_at_once(first, second):
    taken = {(key, instance) for key, instance, _ in first}
    second = [t for t in second if t[:2] not in taken]
    extended = LossTable.from_outcomes(first, "abc").extended(second)
    np.testing.assert_array_equal(
        extended.losses, LossTable.from_outcomes(first + second, "abc").losses
    )


def test_a_broken_training_counts_as_infinity_and_is_not_missing():
    table = LossTable.from_outcomes([("a", 0, float("nan"))])
    assert table.has("a", 0)
    assert table.row("a")[0] == np.inf


def test_rows_in_another_order_and_unknown_rows():
    table = LossTable.from_outcomes([("a", 0, 1.0), ("b", 1, 2.0)])
    picked = table.select(("b", "missing", "a"))
    np.testing.assert_array_equal(picked, [[np.nan, 2.0], [np.nan, np.nan], [1.0, np.nan]])
    assert not table.has("missing", 0)
    assert not table.has("a", 1)
    assert not table.has("a", 7)


def test_the_table_cannot_be_changed():
    table = LossTable.from_outcomes([("a", 0, 1.0)])
    with pytest.raises(ValueError, match="read-only"):
        table.losses[0, 0] = 2.0


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: LossTable(("a",), np.zeros(3)), r"shape \[1, instances\], not \[3\]"),
        (lambda: LossTable(("a", "a"), np.zeros((2, 1))), "'a' occurs twice"),
        (lambda: LossTable(("a",), np.array([[-np.inf]])), "loss -inf"),
        (lambda: LossTable.from_outcomes([("a", -1, 0.0)]), "instance -1 is negative"),
        (lambda: LossTable.from_outcomes([("abd", 0, 0.0)], ["abc"]), "did you mean 'abc'"),
        (lambda: LossTable.from_outcomes([("a", 0, 1.0), ("a", 0, 2.0)]), "two different losses"),
        (
            lambda: LossTable.from_outcomes([("a", 0, 1.0)]).extended([("a", 0, 2.0)]),
            "two different losses of instance 0",
        ),
        (lambda: LossTable.empty(["abc"]).row("abx"), "did you mean 'abc'"),
    ],
)
def test_bad_input_gets_one_sentence(build, message):
    with pytest.raises(DataError, match=message):
        build()


def test_the_same_outcome_twice_is_one_outcome():
    assert LossTable.from_outcomes([("a", 0, 1.0), ("a", 0, 1.0)]).count == 1
