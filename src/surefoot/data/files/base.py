"""The seam of data files: named columns of equal length, read some rows at a time."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import DataError, SurefootError, nearest

ROWS = 8_192
"""Rows per chunk: 7 MB of 225 single-precision numbers."""


@dataclass(frozen=True, eq=False)
class Jagged:
    """Rows of different lengths: ``counts`` [n] entries each of ``content``, one row after another.

    >>> Jagged(np.arange(4.0), np.array([2, 2])).matrix.tolist()
    [[0.0, 1.0], [2.0, 3.0]]
    """

    content: NDArray[Any]
    counts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def matrix(self) -> NDArray[Any] | None:
        """The rows as a matrix [n, width] if all are of one length, else None."""
        if len(self.counts) and (self.counts == self.counts[0]).all():
            return self.content.reshape(len(self.counts), -1)
        return None


Values = NDArray[Any] | Jagged
"""A column's rows: [n], [n, width] (further axes flattened row-major), or of different lengths."""
Chunk = Mapping[str, NDArray[Any]]
"""Rows to be written: equally long columns [n] or [n, width] by name."""


class DataFile(ABC):
    """Named columns of a file; nothing but their names is in memory. A context manager."""

    kind: ClassVar[str]
    """What messages call such a file: ROOT file, npz file."""
    noun: ClassVar[str]
    """What the file's own people call a column: branch, array, column."""
    name: str
    """What messages call this one."""
    rows: int
    """Number of rows."""
    columns: list[str]
    """The names of all columns."""
    tabular: ClassVar[bool] = False
    """Whether all columns without another part are the features unless any are named."""
    _file: Any

    @abstractmethod
    def about(self) -> str | bytes | None:
        """Return the text that `write_data_file` left of its metadata, None if there is none."""

    @abstractmethod
    def chunks(self, columns: Sequence[str], rows: int = ROWS) -> Iterator[dict[str, Values]]:
        """Yield the named columns, about ``rows`` rows at a time; `DataError` if unreadable."""

    def __enter__(self) -> DataFile:
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        """What the file says of itself, if surefoot wrote it; else empty."""
        with self.reading():
            text = self.about()
        try:
            found = json.loads(text or "{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def check(self, column: str) -> str:
        """Return a column's name; raise `DataError` with the nearest one if there is no such."""
        if column not in self.columns:
            raise DataError(
                f"{self.name} has no {self.noun} {column!r}: {nearest(column, self.columns)}"
            )
        return column

    def error(self, column: str, what: str) -> DataError:
        """Return the error that a column ``what``: holds no numbers, is ragged."""
        return DataError(f"{self.noun} {column!r} of {self.name} {what}")

    def place(self, row: int) -> str:
        """Return what messages call a row, which are counted from 0."""
        return f"row {row}"

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Turn whatever a broken file makes a library raise into one sentence about the file."""
        try:
            yield
        except (SurefootError, MemoryError):
            raise
        except Exception as error:
            reason = str(error).strip().splitlines()
            detail = f" ({reason[0].strip(' ,:')[:120]})" if reason else ""
            raise DataError(
                f"{self.name} cannot be read: it is truncated, damaged or no {self.kind}{detail}"
            ) from error
