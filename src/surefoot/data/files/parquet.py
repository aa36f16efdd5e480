"""Parquet files, through pyarrow (extra ``parquet``)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from surefoot.data.files.base import ROWS, Chunk, DataFile, Jagged, Values
from surefoot.errors import require

METADATA = b"surefoot"
"""Key of the schema's metadata under which surefoot writes what the file holds, as JSON."""
BUFFER = 1 << 20
"""Bytes of a column read ahead; without it and with pre-buffering the whole file is kept."""


class ParquetFile(DataFile):
    """Columns of a Parquet file: numbers, text, lists of numbers."""

    kind: ClassVar[str] = "Parquet file"
    noun: ClassVar[str] = "column"
    tabular: ClassVar[bool] = True

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._arrow = require("pyarrow", extra="parquet")
        parquet = require("pyarrow.parquet", extra="parquet")
        with self.reading():
            self._file = parquet.ParquetFile(
                path, pre_buffer=False, buffer_size=BUFFER, page_checksum_verification=True
            )
            self.rows = int(self._file.metadata.num_rows)
            self.columns = list(map(str, self._file.schema_arrow.names))

    def about(self) -> bytes | None:
        """Return the text of its metadata; see `DataFile.about`."""
        text: bytes | None = (self._file.schema_arrow.metadata or {}).get(METADATA)
        return text

    def chunks(self, columns: Sequence[str], rows: int = ROWS) -> Iterator[dict[str, Values]]:
        """Yield the named columns; see `DataFile.chunks`."""
        wanted = [self.check(column) for column in columns]
        with self.reading():
            for batch in self._file.iter_batches(batch_size=rows, columns=wanted):
                yield {name: self._values(batch.column(name), name) for name in wanted}

    def _values(self, column: Any, name: str) -> Values:
        types = self._arrow.types
        if types.is_dictionary(column.type):
            column = column.dictionary_decode()
        kind = column.type
        if types.is_fixed_size_list(kind) or types.is_list(kind) or types.is_large_list(kind):
            if column.null_count:
                raise self.error(name, "has missing values: drop them")
            content = self._values(column.flatten(), name)
            if types.is_fixed_size_list(kind) and not isinstance(content, Jagged):
                return content.reshape(len(column), -1)
            if types.is_fixed_size_list(kind):
                counts = np.full(len(column), kind.list_size, dtype=np.int64)
            else:
                counts = column.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)
            if isinstance(content, Jagged):
                ends = np.concatenate([[0], np.cumsum(content.counts)])
                stops = np.concatenate([[0], np.cumsum(counts)])
                return Jagged(content.content, np.diff(ends[stops]))
            return Jagged(content.ravel(), counts * math.prod(content.shape[1:]))
        return np.asarray(column.to_numpy(zero_copy_only=False))


def write_parquet(path: Path, first: Chunk, chunks: Iterable[Chunk], about: str) -> None:
    """Write chunks, of which ``first`` is the first, with the text ``about`` in the schema."""
    arrow = require("pyarrow", extra="parquet")
    parquet = require("pyarrow.parquet", extra="parquet")

    def table(chunk: Chunk) -> Any:
        return arrow.table(
            {
                name: arrow.array(values)
                if values.ndim == 1
                else arrow.FixedSizeListArray.from_arrays(
                    arrow.array(values.ravel()), values.shape[1]
                )
                for name, values in chunk.items()
            }
        ).replace_schema_metadata({METADATA: about})

    with parquet.ParquetWriter(
        path, table(first).schema, compression="zstd", write_page_checksum=True
    ) as file:
        for chunk in chunks:
            file.write_table(table(chunk))
