"""The printer of progress: lines in a file, one line that renews itself where that can be."""

from __future__ import annotations

import io
import sys
import types

import pytest

from surefoot.errors import ConfigurationError
from surefoot.instances import Outcome
from surefoot.studies import base
from surefoot.studies.printing import NotebookProgress, ProgressPrinter, in_notebook
from surefoot.studies.watch import Watcher
from tests.studies.races import run, study


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that goes on by a step whenever it is asked."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def test_a_file_gets_a_line_a_while_and_the_end_of_each_round() -> None:
    log = io.StringIO()
    found = run(study(), watch=ProgressPrinter(every=20.0, stream=log, clock=Clock(1.0)))
    lines = log.getvalue().splitlines()
    assert lines[0] == "round 1, 24 candidates: 0 of 24 instances"
    assert "round 1, 24 candidates: 24 of 24 instances" in lines
    assert lines[-1] == f"certificate of {found.winner.label}: 12 of 12 instances"
    assert any(" left" in line for line in lines)
    assert len(lines) < found.table.count + 12


def test_a_terminal_gets_one_line_a_round_that_renews_itself() -> None:
    shown = Terminal()
    run(study(), watch=ProgressPrinter(stream=shown, clock=Clock(1.0)))
    *rounds, rest = shown.getvalue().split("\n")
    assert rest == ""
    assert all(one.startswith("\r") for one in rounds)
    first = rounds[0].split("\r")[1:]
    assert len(first) == 25
    assert first[12].startswith("━" * 10 + "─" * 10 + " round 1, 24 candidates: 12 of 24")
    assert len(set(map(len, first[-2:]))) == 1


def test_diverged_instances_are_counted() -> None:
    log = io.StringIO()
    printer = ProgressPrinter(every=0.0, stream=log)
    asked = study(certify=0)
    asked.candidates[0].__dict__.update(fate="diverge", when=(0,))
    try:
        run(asked, watch=printer)
    finally:
        asked.candidates[0].__dict__.update(fate="", when=())
    assert "1 diverged or failed" in log.getvalue()


def test_a_function_is_called_with_every_outcome() -> None:
    seen: list[Outcome] = []
    found = run(study(), watch=seen.append)
    assert len(seen) == found.table.count + 12
    assert all(isinstance(one, Outcome) for one in seen)


@pytest.mark.parametrize("watch", [5, "progress", ProgressPrinter, Watcher])
def test_what_is_no_watcher_is_refused(watch: object) -> None:
    with pytest.raises(ConfigurationError, match="watch"):
        run(study(), watch=watch)


def test_a_notebook_shows_progress_and_a_terminal_s_ipython_does_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not in_notebook()
    shell = types.SimpleNamespace()
    ipython = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    assert not in_notebook()
    shell.kernel = "a kernel"
    assert in_notebook()
    assert base.NotebookProgress is NotebookProgress
    found = run(study())
    assert (
        f"━━━━ certificate of {found.winner.label}: 12 of 12 instances" in capsys.readouterr().out
    )
