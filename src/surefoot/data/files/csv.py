"""CSV files: a header of names, then one example per line; separated by commas, semicolons or tabs.

A column holds numbers if every cell that is not empty is one, truth values if every cell is
``true`` or ``false``, and text otherwise. What is empty, or one of `MISSING`, is NaN
among numbers and "" in text.
"""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from surefoot.data.files.base import ROWS, DataFile, Values
from surefoot.errors import DataError

Kind = Literal["numbers", "truth", "text"]

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
"""Cells that hold nothing."""
_TRUTH = {"true": True, "false": False}
KINDS: tuple[Kind, ...] = get_args(Kind)


class CsvFile(DataFile):
    """Columns of a CSV file: numbers, truth values, text."""

    kind: ClassVar[str] = "CSV file"
    noun: ClassVar[str] = "column"
    tabular: ClassVar[bool] = True

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        with self.reading():
            self._file = path.open(newline="", encoding="utf-8-sig")
        try:
            with self.reading():
                header = self._file.readline()
            self._separator = max(",;\t", key=header.count)
            self.columns = self._header()
            self._kinds, self.rows = self._survey()
        except BaseException:
            self._file.close()
            raise

    def about(self) -> None:
        """Return None: a CSV file says nothing of itself."""

    def place(self, row: int) -> str:
        """Return what a row is called: the header is line 1."""
        return f"line {row + 2}"

    def chunks(self, columns: Sequence[str], rows: int = ROWS) -> Iterator[dict[str, Values]]:
        """Yield the named columns; see `DataFile.chunks`."""
        places = {column: self.columns.index(self.check(column)) for column in columns}
        for stretch in self._stretches(rows):
            cells = list(zip(*stretch, strict=True))
            yield {
                column: _values(cells[place], self._kinds[place])
                for column, place in places.items()
            }

    def _header(self) -> list[str]:
        self._file.seek(0)
        with self.reading():
            names = [name.strip() for name in next(self._reader(), [])]
        if not any(names):
            raise DataError(f"{self.name} is empty: its first line must name its columns")
        if "" in names:
            raise DataError(f"{self.name} has no name for column {names.index('') + 1}: give one")
        twice, count = Counter(names).most_common(1)[0]
        if count > 1:
            raise DataError(f"{self.name} has {count} columns of the name {twice!r}: rename them")
        return names

    def _survey(self) -> tuple[list[Kind], int]:
        """Return the kinds of all columns and the number of rows, by a pass over the file."""
        possible: list[set[Kind]] = [{"numbers", "truth"} for _ in self.columns]
        rows = 0
        for stretch in self._stretches(ROWS):
            rows += len(stretch)
            for kinds, cells in zip(possible, zip(*stretch, strict=True), strict=True):
                for kind in tuple(kinds):
                    try:
                        _values(cells, kind)
                    except (ValueError, KeyError):
                        kinds.remove(kind)
        return [next((k for k in KINDS if k in kinds), "text") for kinds in possible], rows

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(self._file, delimiter=self._separator, strict=True)

    def _stretches(self, rows: int) -> Iterator[list[list[str]]]:
        """Yield so many rows at a time; lines without anything are none."""
        self._file.seek(0)
        reader, width, start = self._reader(), len(self.columns), 0
        with self.reading():
            next(reader)
        while True:
            with self.reading():
                stretch = list(itertools.islice(filter(None, reader), rows))
            if not stretch:
                return
            for number, cells in enumerate(stretch, start=start):
                if len(cells) != width:
                    raise DataError(
                        f"{self.name} has {len(cells)} cells in {self.place(number)}, but "
                        f"{width} columns: quote cells that hold {self._separator!r}"
                    )
            yield stretch
            start += len(stretch)


def _values(cells: Sequence[str], kind: Kind) -> NDArray[Any]:
    """Return cells as numbers, of which NaN are missing, truth values or text, "" if missing.

    Raises `ValueError` or `KeyError` if they are something else.
    """
    stripped = [cell.strip() for cell in cells]
    if kind == "truth":
        return np.array([_TRUTH[one.lower()] for one in stripped])
    if kind == "numbers":
        return np.array(["nan" if one in MISSING else one for one in stripped]).astype(np.float64)
    return np.array(["" if one in MISSING else one for one in stripped])
