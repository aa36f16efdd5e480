from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.data.population import Sampling
from surefoot.errors import ConfigurationError
from surefoot.seeds.ledger import MAX_NUMBER, FactorLevels, Stream
from tests.fakes import fake_setting

levels = st.builds(
    FactorLevels,
    st.integers(0, 65534),
    st.integers(0, 65535),
    st.integers(0, 255),
    st.integers(0, 255),
)


@given(levels)
def test_a_number_says_which_cell_it_is(cell: FactorLevels) -> None:
    assert 0 <= cell.number < MAX_NUMBER
    assert FactorLevels.numbered(cell.number) == cell


@given(levels, levels)
def test_streams_are_shared_exactly_where_cells_agree(
    one: FactorLevels, other: FactorLevels
) -> None:
    a, b = one.seed(7), other.seed(7)
    same = {
        Stream.DRAW: one.draw == other.draw,
        Stream.INIT: one.init == other.init,
        Stream.ORDER: (one.init, one.order) == (other.init, other.order)
        and (one.order == 0 or one.draw == other.draw),
    }
    for stream, expected in same.items():
        assert (a.key(stream) == b.key(stream)) == expected
    assert (
        a.key(Stream.ORDER)[1] & (MAX_NUMBER - 1) == b.key(Stream.NOISE)[1] & (MAX_NUMBER - 1)
        or not same[Stream.ORDER]
    )


def test_a_test_sample_varies_by_itself() -> None:
    halves, sampling = fake_setting().halves, Sampling(20, test_size=30)
    first, own, again, whole = (
        halves.draw(sampling, FactorLevels(3, 4, test=test).seed(1)) for test in (0, 1, 1, 2)
    )
    np.testing.assert_array_equal(first.train, own.train)
    np.testing.assert_array_equal(own.test, again.test)
    assert not np.array_equal(first.test, own.test)
    assert not np.array_equal(own.test, whole.test)
    assert len(set(own.test.tolist())) == 30


@pytest.mark.parametrize(
    ("numbers", "message"),
    [((65535, 0), "draw 65535 of a variance study"), ((0, 0, 256), "order 256"), ((0, -1), "init")],
)
def test_numbers_out_of_range_are_refused(numbers: tuple[int, ...], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        FactorLevels(*numbers)
