"""A table of candidates for a paper, in LaTeX with the package booktabs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from surefoot.errors import ExportError
from surefoot.escaping import one_line, tex
from surefoot.exports.groups import Group, Grouped
from surefoot.replacing import MARK, replaced
from surefoot.statistics.certificate import percent
from surefoot.statistics.intervals import Interval, mean_interval

BEST = 10
"""Candidates of a race in its table."""


def write_table(found: Grouped, file: Path, best: int = BEST) -> int:
    """Write the candidates, of a race the ``best``, as a tabular; return how many there are.

    A mean stands with half the width of its interval. Raises `ExportError` if the file cannot be
    written.
    """
    shown = [one for one in found.groups if one.rank is None or one.rank <= best]
    text = "\n".join([*_comments(found, shown), *_tabular(found, shown), ""])
    with replaced(file, ExportError) as part:
        part.write_text(text, encoding="utf-8")
    return len(shown)


def _comments(found: Grouped, shown: Sequence[Group]) -> list[str]:
    """Return what the table is of and what its columns mean, and its package."""
    study = found.study
    left_out = len(found.groups) - len(shown)
    said = [
        f"{MARK}: {found.name}; needs \\usepackage{{booktabs}}",
        f"{study.kind} of {len(found.groups)} candidates on {study.population.name}; losses: "
        f"{found.loss}",
    ]
    if left_out:
        said.append(f"{left_out} candidates of lower rank are left out")
    if shown:
        level = percent(shown[0].confidence)
        said.append(f"mean ± half the width of its {level} interval (Student's t)")
    certified = next((one.certificate for one in shown if one.certificate is not None), None)
    if certified is not None:
        said.append(
            f"bound: with {percent(certified.confidence)} confidence at least {certified.kept} of "
            "retrainings lose at most this; each bound by itself"
        )
    if any(one.rank is not None for one in shown):
        said.append("the losses of a race flatter those who lead it; fresh losses do not")
    return [f"% {one_line(line)}" for line in said]


def _tabular(found: Grouped, shown: Sequence[Group]) -> list[str]:
    race = any(one.rank is not None for one in shown)
    sizes = len({one.sample for one in shown}) > 1
    other = found.criterion if race and found.criterion != "mean" else ""
    heads, kinds = ["candidate"], "l"
    if race:
        heads, kinds = ["rank", *heads], "rl"
    unit = f" / {tex(found.study.unit)}" if found.study.unit else ""
    heads += ["examples"] * sizes + ["$n$", f"mean{unit}"] + [tex(other) + unit] * bool(other)
    heads += ["$n$ fresh", f"mean fresh{unit}"] * race + [f"bound{unit}"]
    kinds += "r" * (len(heads) - len(kinds))
    lines = [f"\\begin{{tabular}}{{{kinds}}}", r"\toprule"]
    lines += [_row(heads), r"\midrule"]
    for one in shown:
        cells = [str(one.rank or "")] * race + [tex(one.label)]
        cells += [f"{one.sample:,}"] * sizes + [str(len(one.losses)), plus_minus(one.mean)]
        cells += [number(one.value)] * bool(other)
        certificate = one.certificate
        if race:
            cells += ["", ""]
            if certificate is not None:
                fresh = mean_interval(certificate.losses, one.confidence)
                cells[-2:] = [str(certificate.n), plus_minus(fresh)]
        cells.append("" if certificate is None else number(certificate.bound.value))
        lines.append(_row(cells))
    return [*lines, r"\bottomrule", r"\end{tabular}"]


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def plus_minus(interval: Interval) -> str:
    r"""Return an estimate with half its interval's width, to two digits of the latter.

    >>> plus_minus(Interval(0.0185, 0.0189, 0.0187, 0.95))
    '$0.01870 \\pm 0.00020$'
    >>> plus_minus(Interval(-math.inf, math.inf, 0.25, 0.95))
    '$0.25$'
    """
    half = (interval.high - interval.low) / 2.0
    if not (math.isfinite(half) and math.isfinite(interval.estimate) and half > 0.0):
        return number(interval.estimate)
    power = _power(max(abs(interval.estimate), half))
    scale = 10.0**power
    digits = max(0, 1 - math.floor(math.log10(half / scale)))
    words = rf"{interval.estimate / scale:.{digits}f} \pm {half / scale:.{digits}f}"
    return rf"$({words}) \times 10^{{{power}}}$" if power else f"${words}$"


def number(value: float) -> str:
    r"""Return a number to four digits.

    >>> number(0.0187), number(1.5e-07), number(math.inf)
    ('$0.0187$', '$1.5 \\times 10^{-7}$', '$\\infty$')
    """
    if not math.isfinite(value):
        return r"$\infty$"
    power = _power(value)
    return rf"${value / 10.0**power:.4g} \times 10^{{{power}}}$" if power else f"${value:.4g}$"


def _power(value: float) -> int:
    """Return the power of ten to write beside a number, 0 for one of a usual size."""
    size = math.floor(math.log10(abs(value))) if value else 0
    return 0 if -4 <= size < 4 else size
