"""The table for papers: what stands in it, and that nothing of others is a command in it."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pylatexenc.latex2text import LatexNodes2Text
from pylatexenc.latexwalker import LatexWalker

import surefoot
from surefoot.escaping import one_line, tex
from surefoot.exports.tex import number, plus_minus
from surefoot.statistics.intervals import Interval
from tests.exports.journals import HOSTILE, every_kind, race
from tests.fakes import Fake

ALIKE = {ord(one): "''" for one in "\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}"}
ALIKE |= {0x2C6: "^", 0x2DC: "~", 0x2CB: "`", 0x300: "`", 0x2019: "'", 0x2018: "`", 0xA0: " "}
PRINTABLE = st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="`")


def read(text: str) -> str:
    """Return what TeX prints of a text, by another program than surefoot."""
    nodes, *_ = LatexWalker(text, tolerant_parsing=False).get_latex_nodes()
    return LatexNodes2Text().nodelist_to_text(nodes).translate(ALIKE)


@given(st.text(PRINTABLE))
def test_text_is_printed_as_it_is_and_no_command(text: str) -> None:
    printed = read(tex(text))
    assert " ".join(printed.split()) == " ".join(one_line(text).replace('"', "''").split())


@pytest.mark.parametrize("kind", ["select", "compare"])
def test_the_table_has_a_row_of_as_many_cells_for_each_candidate(tmp_path: Path, kind: str) -> None:
    path = every_kind(tmp_path)[kind]
    count = surefoot.export(path, tmp_path / "t.tex", best=4).count
    lines = (tmp_path / "t.tex").read_text().splitlines()
    rows = [line.removesuffix(r" \\").split(" & ") for line in lines if line.endswith(r"\\")]
    assert len(rows) == count + 1
    assert {len(row) for row in rows} == {len(rows[0])}
    (columns,) = re.findall(r"\\begin\{tabular\}\{([lr]+)\}", "\n".join(lines))
    assert len(columns) == len(rows[0])
    assert [line for line in lines if line.endswith("rule")] == [
        "\\toprule",
        "\\midrule",
        "\\bottomrule",
    ]
    assert count == (5 if kind == "select" else 4)  # the best and the baseline; 2 at 2 sizes


def test_the_winners_row_has_its_means_and_its_bound(tmp_path: Path) -> None:
    selection = race(tmp_path / "r.db", criterion="median", schedule=None)
    surefoot.export(tmp_path / "r.db", tmp_path / "t.tex")
    text = (tmp_path / "t.tex").read_text()
    assert text.startswith("% written by surefoot: A race; needs \\usepackage{booktabs}\n")
    head, first = (line for line in text.splitlines() if line.startswith(("rank", "1 &")))
    cells = dict(zip(head.split(" & "), first.removesuffix(r" \\").split(" & ")))
    certificate = selection.certificate
    assert cells["candidate"] == selection.winner.label
    assert cells["median"] == number(selection.value)
    assert cells[r"bound \\"] == number(certificate.bound.value)
    assert cells["$n$ fresh"] == str(certificate.n)
    assert f"at least {certificate.kept} of".replace("%", r"%") in text


def test_labels_and_names_of_others_are_no_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setattr(
        Fake, "label", property(lambda self: f"{HOSTILE} \\\\ [2cm] & {self.quality}")
    )
    race(tmp_path / "r.db", name=f"{HOSTILE}\n\\input{{y}}")
    surefoot.export(tmp_path / "r.db", tmp_path / "t.tex")
    lines = (tmp_path / "t.tex").read_text().splitlines()
    assert all(
        line.startswith("%") for line in lines if "input" in line and "backslash" not in line
    )
    assert "\x1b" not in "".join(lines)
    assert not any(re.search(r"(?<!\\)\[", line) and "{[}" not in line for line in lines[6:])


@given(st.floats(1e-12, 1e12), st.floats(1e-6, 10.0))
def test_a_number_and_its_spread_are_read_back(value: float, share: float) -> None:
    half = share * value
    text = plus_minus(Interval(value - half, value + half, value, 0.95))
    found = re.fullmatch(r"\$\(?([\d.]+) \\pm ([\d.]+)\)?(?: \\times 10\^\{(-?\d+)\})?\$", text)
    assert found is not None
    scale = 10.0 ** int(found[3] or 0)
    assert float(found[2]) * scale == pytest.approx(half, rel=0.06)
    assert float(found[1]) * scale == pytest.approx(value, abs=0.06 * half)
    assert float(read_number(number(value))) == pytest.approx(value, rel=1e-3)


def read_number(text: str) -> float:
    mantissa, _, power = text.strip("$}").partition(r" \times 10^{")
    return float(mantissa) * 10.0 ** int(power or 0)


def test_without_a_spread_there_is_the_mean_alone() -> None:
    assert plus_minus(Interval(-math.inf, math.inf, math.inf, 0.95)) == r"$\infty$"
    assert plus_minus(Interval(0.25, 0.25, 0.25, 0.95)) == "$0.25$"
