"""docs/report.md: its Python runs, and its commands are spelt as they are parsed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from surefoot.cli.main import app

TEXT = (Path(__file__).parents[3] / "docs/report.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^ +(surefoot .*?)(?: +#.*)?$", TEXT, flags=re.MULTILINE)


def test_its_python_runs(capsys):
    for program in re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL):
        exec(compile(program, "docs/report.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "round 1, 2 candidates: 0 of 4 instances"
    assert re.fullmatch(r"<Selection: Winner Ridge.*> \d+", lines[-1])


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_are_spelt_as_they_are_parsed(line):
    _, name, *words = shlex.split(line)
    command = typer.main.get_command(app).commands[name]
    context = command.make_context(name, words, resilient_parsing=True)
    known = {option for parameter in command.get_params(context) for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= known


def test_there_are_commands():
    assert len(COMMANDS) >= 4
