"""Results in words: a title before the first line, sentences wrapped and indented beside it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

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


@dataclass(frozen=True)
class Paragraph:
    """A part of a result in words, however it is shown: terminal, page or notebook.

    ``layout`` is ``sentences`` to be wrapped, ``lines`` that stay whole, or a ``table`` of lines
    whose columns stand below each other. The first sentence of a ``bold`` one matters most;
    ``apart`` says whether it begins after an empty line.
    """

    title: str
    sentences: tuple[str, ...]
    bold: bool = False
    layout: Literal["sentences", "lines", "table"] = "sentences"
    apart: bool = True


def lines_of(paragraphs: Iterable[Paragraph]) -> Iterator[Line]:
    """Yield paragraphs as the lines of a terminal."""
    first = True
    for one in paragraphs:
        if one.apart and not first:
            yield Line("")
        first = False
        if one.layout == "sentences":
            yield from wrapped(one.title, one.sentences, bold=one.bold)
            continue
        for number, line in enumerate(one.sentences):
            head = one.title if number == 0 else ""
            yield titled(head, line, bold=one.bold and number == 0)
