import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.calorimeter.simulation.chunks import in_order, ranges
from surefoot.errors import DataError


@given(st.integers(0, 1000), st.integers(0, 500), st.integers(1, 60))
def test_pieces_cover_every_event_once(first, count, chunk):
    pieces = list(ranges(first, count, chunk))
    covered = [event for start, length in pieces for event in range(start, start + length)]
    assert covered == list(range(first, first + count))
    assert all(1 <= length <= chunk for _, length in pieces)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_keep_their_order(workers):
    assert list(in_order(lambda a, b: a * b, ranges(0, 20, 3), workers)) == [
        a * b for a, b in ranges(0, 20, 3)
    ]


def test_a_slow_consumer_holds_the_workers_back():
    started, lock = [], threading.Lock()

    def work(first, _):
        with lock:
            started.append(first)
        return first

    stream = in_order(work, ranges(0, 100, 1), 2)
    next(stream)
    assert len(started) <= 3
    stream.close()


def test_errors_reach_the_consumer():
    def fail(first, _):
        raise ZeroDivisionError(first)

    with pytest.raises(ZeroDivisionError):
        list(in_order(fail, ranges(0, 4, 1), 2))


def test_impossible_sizes_are_refused():
    with pytest.raises(DataError, match="at least 1 event, not 0"):
        list(ranges(0, 5, 0))
    with pytest.raises(DataError, match="0 or more, not -5"):
        list(ranges(0, -5, 1))
    with pytest.raises(DataError, match="at least 1 worker is needed, not 0"):
        list(in_order(lambda a, b: a, ranges(0, 1, 1), 0))
