"""docs/exports.md: every column with its unit, every target, and Python that runs."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from surefoot.exports.export import MLFLOW, OPTUNA, SUFFIXES
from surefoot.exports.groups import Group, grouped
from surefoot.exports.tables import COLUMNS, HYPERPARAMETER, outcome_rows
from surefoot.journal import Journal
from tests.exports.journals import race

TEXT = (Path(__file__).parents[1] / "docs/exports.md").read_text(encoding="utf-8")


def test_every_column_is_on_the_page_with_its_unit(tmp_path: Path) -> None:
    told = re.findall(r"^\| `(\w+)` \| (.*?) ?\| (.*) \|$", TEXT, flags=re.MULTILINE)
    assert told == [tuple(column[:1] + column[2:]) for column in COLUMNS]
    race(tmp_path / "r.db")

    with Journal.read(tmp_path / "r.db") as journal:
        names = list(outcome_rows(journal)[0])
    known = [column.name for column in COLUMNS]
    assert names[: len(known)] == known
    assert all(name.startswith(HYPERPARAMETER) for name in names[len(known) :])


def test_every_target_is_on_the_page() -> None:
    for target in (*SUFFIXES, f"{MLFLOW}URI", f"{OPTUNA}URL"):
        assert f"`{target}`" in TEXT


def test_every_figure_of_a_candidate_is_on_the_page(tmp_path: Path) -> None:

    race(tmp_path / "r.db")
    with Journal.read(tmp_path / "r.db") as journal:
        groups: tuple[Group, ...] = grouped(journal).groups
    figures = {name for one in groups for name in one.figures()}
    named = set(re.findall(r"`(\w+)`", TEXT[TEXT.index("## MLflow") : TEXT.index("## Optuna")]))
    assert figures <= named


def test_the_python_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    scope: dict[str, object] = {}
    exec(compile(program, "docs/exports.md", "exec"), scope)
    printed = capsys.readouterr().out
    assert printed.startswith("outcomes.csv: ")
    assert isinstance(scope["frame"], pd.DataFrame)
    assert "hyperparameter.alpha" in printed
