"""docs/reliability.md: its Python runs; the parts of the campaign are those it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")


def test_the_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    programs = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert programs
    for program in programs:
        exec(compile(program, "docs/reliability.md", "exec"), {})


def test_every_part_of_the_campaign_is_told() -> None:
    parts = {path.name for path in (ROOT / "tests/campaign").glob("test_*.py")}
    assert set(re.findall(r"`(test_\w+\.py)`", PAGE)) == parts
    assert "SUREFOOT_CAMPAIGN=1 " in PAGE


def test_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", PAGE):
        assert (ROOT / "docs" / link).exists(), link
