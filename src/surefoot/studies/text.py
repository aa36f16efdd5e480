"""Results in words: a title before the first line, sentences wrapped and indented beside it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from surefoot.escaping import one_line

WIDTH = 96
MARGIN = 14


class Line(NamedTuple):
    """A line of a result in words, and whether it matters most of its paragraph."""

    text: str
    bold: bool = False


def titled(title: str, text: str, *, bold: bool = False) -> Line:
    """Return a line after a title, however long."""
    return Line(f"{title:<{MARGIN}}{one_line(text)}".rstrip(), bold)


def wrapped(title: str, sentences: Iterable[str], *, bold: bool = False) -> Iterator[Line]:
    """Yield sentences after a title, each from a line of its own; the first may be bold."""
    for sentence in sentences:
        for line in textwrap.wrap(sentence, WIDTH - MARGIN):
            yield titled(title, line, bold=bold)
            title = ""
        bold = False
