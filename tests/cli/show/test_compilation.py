"""A long compilation is one line, in a terminal and elsewhere; a short one is none."""

from __future__ import annotations

import time

import pytest
from rich.console import Console

from surefoot.cli.show.console import COMPILING, busy
from surefoot.engines import compiling


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize(("long", "lines"), [(3.0, 1), (-3600.0, 0)])
def test_a_compilation_is_one_line_once_it_is_long(
    monkeypatch: pytest.MonkeyPatch, long: float, lines: int, terminal: bool
) -> None:
    out = Console(record=True, force_terminal=terminal, width=200)
    monkeypatch.setattr(compiling, "_running", [time.monotonic() - long])
    with busy(out, "measuring"):
        time.sleep(1.2)
    assert out.export_text().count(COMPILING) == lines
