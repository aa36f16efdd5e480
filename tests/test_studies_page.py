"""docs/studies.md: its links lead somewhere; its commands have the options they are shown with."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from surefoot.cli.main import app

DOCS = Path(__file__).parents[1] / "docs"
TEXT = (DOCS / "studies.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^\$ (surefoot .*)$", TEXT, flags=re.MULTILINE)


def test_links_and_figures_exist_and_are_small():
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert links
    for link in links:
        assert (DOCS / link).exists(), link
        assert (DOCS / link).stat().st_size < 150_000


@pytest.mark.parametrize("line", SHOWN)
def test_commands_are_spelt_as_they_are_parsed(line):
    _, name, *words = shlex.split(line)
    command = typer.main.get_command(app).commands[name]
    context = command.make_context(name, words, resilient_parsing=True)
    assert context.params
    known = {option for parameter in command.get_params(context) for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= known


def test_every_study_is_shown_that_no_other_page_shows():
    named = {shlex.split(line)[1] for line in SHOWN}
    assert named == {"plan", "rerace", "assess", "variance", "sample-size", "grid", "search"}
