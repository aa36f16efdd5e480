"""The end of a selection in words: winner, layers, certificate."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from surefoot.candidates.base import Candidate
from surefoot.candidates.convnet.network import ConvNet
from surefoot.studies.select.rivals import honesty

if TYPE_CHECKING:
    from rich.console import Console

    from surefoot.racing.state import RaceState
    from surefoot.statistics.certificate import Certificate
    from surefoot.studies.race_record import RaceRecord

WIDTH = 96
MARGIN = 14


def say_winner(
    out: Console,
    winner: Candidate,
    record: RaceRecord,
    state: RaceState,
    certificates: Mapping[str, Certificate],
    labels: Mapping[str, str],
    unit: str,
) -> None:
    """Print the winner, its layers, the certificates and how it compares with the baseline."""
    value, judged = state.values[winner.key], state.instances()[winner.key]
    criterion = record.race.statistic.name
    out.print()
    _head(out, "Winner", f"{winner.label}  (key {winner.key})", "bold")
    unit = f" {unit}" if unit else ""
    words = f"{criterion} {value:.4g}{unit} over {judged} racing instance"
    words += "s" if judged > 1 else ""
    baseline = _baseline(record)
    if baseline is not None:
        words += f"; the baseline, {labels[str(record.study.baseline)]}: {baseline:.4g}{unit}"
    _head(out, "", words)
    if state.stopped:
        left = len(state.survivors)
        _paragraph(out, "", f"The race ended with {left:,} candidates left: {state.stopped}.")
    if isinstance(winner, ConvNet):
        out.print()
        for line in winner.summary().splitlines():
            _head(out, "", line)
    for key, certificate in certificates.items():
        out.print()
        first, *others = str(certificate).splitlines()
        title = "Certificate" if key == winner.key else "Also certified"
        if key != winner.key:
            _head(out, title, labels[key])
            title = ""
        _paragraph(out, title, first, "bold")
        for line in others:
            _paragraph(out, "", line)
    if len(state.ranking) > 1:
        found = honesty(record.table, state, record.race.statistic)
        say_sentences(out, "Rivals", found.lines(labels))


def say_sentences(out: Console, name: str, sentences: Iterable[str], style: str = "") -> None:
    """Print sentences after a name, wrapped; the first of them in a style."""
    out.print()
    for sentence in sentences:
        _paragraph(out, name, sentence, style)
        name = style = ""


def _baseline(record: RaceRecord) -> float | None:
    losses = record.baseline()
    return None if losses is None or np.isnan(losses).all() else float(np.nanmean(losses))


def say_paths(out: Console, paths: Mapping[str, str]) -> None:
    """Print names and paths, one a line."""
    out.print()
    for name, path in paths.items():
        _head(out, name, path)


def _head(out: Console, name: str, text: str, style: str = "") -> None:
    out.print((f"{name:<{MARGIN}}" + text).rstrip(), style=style, soft_wrap=True)


def _paragraph(out: Console, name: str, text: str, style: str = "") -> None:
    """Print a sentence after a name, wrapped and indented like the others."""
    for line in textwrap.wrap(text, WIDTH - MARGIN):
        _head(out, name, line, style)
        name = ""
