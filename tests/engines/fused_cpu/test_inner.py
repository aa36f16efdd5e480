from __future__ import annotations

import numba as nb
from numba.core import event

from surefoot.engines.fused_cpu.inner import inner, outer


@inner
def square(x):
    return x * x


@inner
def quartic(x):
    return square(square(x))


class Compiled(event.Listener):
    """Keeps what Numba compiled, by name."""

    def __init__(self) -> None:
        self.functions: dict[str, nb.core.dispatcher.Dispatcher] = {}

    def on_start(self, event: event.Event) -> None:
        """Keep a function."""
        one = event.data["dispatcher"]
        self.functions[one.py_func.__name__] = one

    def on_end(self, event: event.Event) -> None:
        """What is kept is kept."""


def test_an_inner_function_is_compiled_within_its_callers_alone() -> None:
    with event.install_listener("numba:compile", Compiled()) as compiled:
        assert nb.njit(quartic)(3) == 81
    for function in (quartic, square):
        (kept,) = compiled.functions[function.__name__].overloads.values()
        name = kept.fndesc.llvm_func_name
        made = kept.library.get_pointer_to_function(name) != 0
        assert made == (function is quartic)
        assert function(2.0) in (4.0, 16.0)  # the plain function to Python


def test_an_outer_function_is_optimised_once_with_all_that_it_calls() -> None:
    @outer
    def both(x):
        return quartic(x) + square(x)

    assert both(2.0) == 20.0
    (kept,) = both.overloads.values()
    rounds = [one.name for one in kept.metadata["llvm_pass_timings"]]
    assert rounds == []  # of Numba's own
    defined = [one.name for one in kept.library.get_defined_functions()]
    assert not [name for name in defined if "quartic" in name or "square" in name]  # all inlined
