"""How the engine's functions become machine code: by less than Numba does for any function.

Numba makes machine code of every function that it compiles, five levels of small kernels each for
themselves and once more within each caller, and ways to call it from Python and C. An `inner`
function has neither: its code is optimised where it is used and nowhere else. Called from Python
it is the plain function. The functions that call them, `Outer` ones, are optimised once, whole,
where Numba does it piece by piece and then twice: without reference counts, with all vectors
written out, there is nothing for the other rounds. Steps are left out that serve what these
functions have none of: closures, generators, `with`, array expressions, inlining in Python.
"""

from __future__ import annotations

from typing import Any

import numba as nb
from numba.core import typed_passes, untyped_passes
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase
from numba.core.compiler_machinery import PassManager
from numba.extending import register_jitable

STEPS = (
    untyped_passes.TranslateByteCode,
    untyped_passes.FixupArgs,
    untyped_passes.IRProcessing,
    untyped_passes.GenericRewrites,
    untyped_passes.ReconstructSSA,
    typed_passes.NopythonTypeInference,
    typed_passes.PreLowerStripPhis,
    typed_passes.IRLegalization,
    typed_passes.AnnotateTypes,
    typed_passes.NativeLowering,
    typed_passes.NoPythonBackend,
)
"""From Python's byte code to LLVM's."""


class _Code(JITCodeLibrary):
    """LLVM code of a function, optimised as one with all that it calls."""

    def _optimize_functions(self, module: Any) -> None:
        module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        manager, *builder = self._codegen._module_pass_manager(
            opt=3, loop_vectorize=False, slp_vectorize=False
        )
        manager.run(self._final_module, *builder)


class _InnerCode(_Code):
    """LLVM code that waits for its callers: neither optimised nor made machine code."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """Say that there is no machine code."""
        self._ensure_finalized()
        return 0

    @property
    def codegen(self) -> Any:
        """Itself: all that is asked of it is `set_env`."""
        return self

    def set_env(self, name: str, environment: Any) -> None:
        """Keep no environment, which only code that makes Python objects needs."""


class Outer(CompilerBase):
    """Compiles a function that is called from Python or by address."""

    code: type[JITCodeLibrary] = _Code

    def define_pipelines(self) -> list[Any]:
        """Return the one list of steps."""
        name = self.state.func_id.func_qualname
        self.state.library = self.code(self.state.targetctx.codegen(), name)
        self.state.library.enable_object_caching()
        steps = PassManager("engine")
        for step in STEPS:
            steps.add_pass(step, step.__name__)
        steps.finalize()
        return [steps]


class _Inner(Outer):
    code = _InnerCode


OUTER: dict[str, Any] = {"error_model": "numpy", "_nrt": False}
"""Numba's options for functions that make no arrays."""

INNER: Any = {
    "nogil": True,
    "error_model": "numpy",
    "no_cfunc_wrapper": True,
    "pipeline_class": _Inner,
}
"""Options of `numba.extending.overload` for an inner function."""

inner = register_jitable(**INNER)
"""Make a function known to compiled code as an inner one."""

_CALLED = OUTER | {"nogil": True, "no_cfunc_wrapper": True}

outer = nb.njit(cache=True, pipeline_class=Outer, **_CALLED)
"""Make a function compile itself when it is first called from Python."""
