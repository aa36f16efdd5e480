"""The README's Python runs as printed, and its commands and links exist."""

import re
from pathlib import Path

import pytest

from surefoot.cli.main import app

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_example_runs_and_certifies(capsys, tmp_path, monkeypatch):
    (program,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    statements = [line for line in program.splitlines() if line]
    assert len(statements) <= 10
    monkeypatch.chdir(tmp_path)
    scope = {}
    exec(compile(program, "README.md", "exec"), scope)
    printed = capsys.readouterr().out
    assert printed.startswith(f"Winner        {scope['selection'].winner.label}")
    assert "With 95 % confidence, at least 95 % of retrainings" in printed
    assert scope["selection"].certificate.n == 59


def test_links_lead_somewhere():
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link


@pytest.mark.parametrize("target", re.findall(r"^    make (\w+)", TEXT, flags=re.MULTILINE))
def test_make_targets_exist(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


def test_commands_named_exist():
    known = {command.name or command.callback.__name__ for command in app.registered_commands}
    named = set(re.findall(r"surefoot (select|show|replay|export|plot)", TEXT))
    named |= set(re.findall(r"`(show|replay|export|plot)`", TEXT))
    assert named == {"select", "show", "replay", "export", "plot"}
    assert named <= known
