"""Functions that only compiled code calls, compiled as a part of what calls them.

Numba makes machine code of every function that it compiles, five levels of small kernels each for
themselves and once more within each caller, and a way to call it from Python. An `inner` function
has neither: its code is optimised where it is used and nowhere else, which takes a third off the
time that the engine takes to compile. Called from Python it is the plain function.
"""

from __future__ import annotations

from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.extending import register_jitable


class _Code(JITCodeLibrary):
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


class _Compiler(CompilerBase):
    def define_pipelines(self) -> list[Any]:
        name = self.state.func_id.func_qualname
        self.state.library = _Code(self.state.targetctx.codegen(), name)
        self.state.library.enable_object_caching()
        return [DefaultPassBuilder.define_nopython_pipeline(self.state)]


inner = register_jitable(nogil=True, error_model="numpy", pipeline_class=_Compiler)
"""Make a function known to compiled code as an inner one."""
