"""It is known since when an engine is being compiled, and of nothing else."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import numba as nb
import pytest
from numba.core import event

from surefoot.engines import compiling


class Beginnings(event.Listener):
    """Asks while Numba compiles."""

    def __init__(self) -> None:
        self.seen: list[float | None] = []
        self.collections: list[tuple[int, int, int]] = []

    def on_start(self, event: object) -> None:
        """Ask."""
        self.seen.append(compiling.began())
        self.collections.append(gc.get_threshold())

    def on_end(self, event: object) -> None:
        """Nothing is compiled any more."""


@pytest.fixture
def listener() -> Iterator[Beginnings]:
    compiling.follow_compiler(__name__)
    found = Beginnings()
    event.register("numba:compile", found)
    yield found
    event.unregister("numba:compile", found)


@pytest.fixture
def seen(listener: Beginnings) -> list[float | None]:
    return listener.seen


def test_it_is_known_while_a_function_of_the_engine_is_compiled(seen: list[float | None]) -> None:
    function = nb.njit(lambda x: x + 1)
    assert compiling.began() is None
    assert function(1) == 2
    assert function(2) == 3
    assert [isinstance(one, float) for one in seen] == [True]
    assert compiling.began() is None


def test_what_others_compile_is_no_engine(seen: list[float | None]) -> None:
    exec("import numba; numba.njit(lambda x: x + 1)(1)", {"__name__": "other"})
    assert seen == [None]


def test_a_compilation_counts_for_what_was_going_on_meanwhile(
    seen: list[float | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(compiling.time, "monotonic", lambda: now)
    nb.njit(lambda x: x + 2)(1)
    now = 103.0
    assert compiling.within(4.0)
    assert not compiling.within(2.0)


def test_kernels_compiled_one_after_the_other_are_one_compilation(
    seen: list[float | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 200.0
    monkeypatch.setattr(compiling.time, "monotonic", lambda: now)
    for moment in (200.0, 201.0, 220.0, 300.0):
        now = moment
        nb.njit(lambda x: x + 3)(1)
    assert seen == [200.0, 200.0, 200.0, 300.0]


def test_garbage_is_collected_rarely_while_an_engine_is_compiled(listener: Beginnings) -> None:
    usual = gc.get_threshold()
    nb.njit(lambda x: x + 4)(1)
    assert listener.collections == [compiling.COLLECTIONS]
    assert gc.get_threshold() == usual != compiling.COLLECTIONS
