from __future__ import annotations

import os
import signal

import pytest

from surefoot.errors import EngineError
from surefoot.executors.parallel_map import parallel_map


def double(number: int) -> tuple[int, int]:
    return 2 * number, os.getpid()


def fail(number: int) -> int:
    raise ValueError(f"not {number}")


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order_from_so_many_processes(workers: int) -> None:
    with parallel_map(workers) as mapped:
        found = list(mapped(double, range(20)))
    assert [value for value, _ in found] == list(range(0, 40, 2))
    here = {process == os.getpid() for _, process in found}
    assert here == {workers == 1}


def test_an_error_of_the_function_is_raised() -> None:
    with parallel_map(2) as mapped, pytest.raises(ValueError, match="not 0"):
        list(mapped(fail, range(3)))


def die(number: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_process_is_one_sentence() -> None:
    with pytest.raises(EngineError, match="killed"), parallel_map(2) as mapped:
        list(mapped(die, range(3)))
