"""What other people's text may not do, at every exit."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from rich.table import Table

import surefoot
from surefoot.cli.main import main
from surefoot.cli.show import console as consoles
from surefoot.escaping import csv_cell, markdown, one_line, visible
from surefoot.exports.tables import TABLES
from surefoot.reports.files import save
from surefoot.studies.text import titled
from surefoot.testing import toy_population

HOSTILE = "\x1b[2J\x9b31m\u202eevil\u2066\u200b <img src=x onerror=y> $\\input{x}$ [red]*x*\n# y"
RAW = ("\x1b", "\x9b", "\u202e", "\u2066", "\u200b")


@given(st.text())
def test_nothing_unseen_is_left(text: str) -> None:
    shown = visible(text)
    assert not any(raw in shown for raw in RAW)
    assert visible(shown) == shown
    assert "\n" not in one_line(text)
    assert not csv_cell(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert "<" not in markdown(text)


@pytest.mark.parametrize(
    "text", ["StandardScaler → Ridge(alpha=0.5)", "relative_rmse", "32c3m2-64c3m2/1 fc9-1", "µm²"]
)
def test_honest_text_stays(text: str) -> None:
    assert visible(text) == one_line(text) == csv_cell(text) == markdown(text) == text


def test_a_terminal_is_not_driven(capsys: pytest.CaptureFixture[str]) -> None:
    out = consoles.console()
    table = Table("name")
    table.add_row(HOSTILE)
    out.print(HOSTILE, style="bold")
    out.print(table)
    said = capsys.readouterr().out
    assert not any(raw in said for raw in RAW)
    assert "\\u001b[2J" in said
    assert "[red]" in said
    assert titled("Winner", HOSTILE).text.count("\n") == 0


def test_an_error_is_one_harmless_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = tmp_path / "study.toml"
    study.write_text('[study]\nseed = 1\n"\\u001b[2J\\u202e\\n" = 3\n')
    with pytest.raises(SystemExit):
        main(["select", str(study)])
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert not any(raw in said for raw in RAW)


def test_a_table_holds_no_formula(tmp_path: Path) -> None:
    row = {"label": "=HYPERLINK(1)", "message": HOSTILE, "loss": -1.5}
    TABLES[".csv"]([row], tmp_path / "rows.csv")
    (read,) = csv.DictReader(io.StringIO((tmp_path / "rows.csv").read_text()))
    assert read["label"] == "'=HYPERLINK(1)"
    assert not any(raw in read["message"] for raw in RAW)
    assert float(read["loss"]) == -1.5


def test_a_model_card_holds_no_markup_of_others(tmp_path: Path) -> None:
    population = toy_population()
    object.__setattr__(population, "target_name", HOSTILE)
    candidate = surefoot.EstimatorCandidate("sklearn.linear_model.Ridge", {"solver": "auto"})
    chosen = surefoot.select(
        [candidate, surefoot.EstimatorCandidate("sklearn.linear_model.Ridge", {"alpha": 2.0})],
        population,
        loss="rmse",
        certify=0,
        journal=tmp_path / "race.db",
    )
    card = (surefoot.save(chosen, tmp_path / "winner") / "README.md").read_text()
    assert "<img" not in card
    assert "\n# y" not in card
    assert not any(raw in card for raw in RAW)


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_a_figure_reads_no_formula(tmp_path: Path, suffix: str) -> None:
    figure = Figure()
    axes = figure.subplots()
    axes.plot(np.array([1.0, 10.0, 100.0]), label=HOSTILE)
    axes.set_yscale("log")
    axes.set_title(HOSTILE)
    axes.legend()
    axes.set_xticks([0, 1], ["$\\frac{1}$", HOSTILE])
    path = save(figure, tmp_path / f"figure{suffix}")
    if suffix == ".svg":
        text = path.read_text()
        ElementTree.fromstring(text)
        assert "<img" not in text
        assert not any(raw in text for raw in RAW)
    assert axes.get_title().startswith("\\u001b[2J")
