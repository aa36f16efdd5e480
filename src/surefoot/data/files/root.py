"""Trees and ntuples of ROOT files, through uproot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import awkward as ak
import numpy as np
import uproot

from surefoot.data.files.base import ROWS, Chunk, DataFile, Jagged, Values
from surefoot.errors import DataError, nearest

METADATA = "metadata"
"""Name of the string beside a tree in which surefoot writes what the file holds, as JSON."""


class RootFile(DataFile):
    """One tree of a ROOT file: scalar, fixed-size and jagged branches, of any number type."""

    kind: ClassVar[str] = "ROOT file"
    noun: ClassVar[str] = "branch"

    def __init__(self, path: Path, tree: str | None) -> None:
        self.name = str(path)
        with self.reading():
            self._file = uproot.open(path)
            try:
                name = self._tree_name(path, tree)
                self._tree = self._file[name]
                self.rows, self.columns = int(self._tree.num_entries), list(self._tree.keys())
            except BaseException:
                self._file.close()
                raise
        self.name = f"{path}:{name}"

    def _tree_name(self, path: Path, tree: str | None) -> str:
        kinds = self._file.classnames(cycle=False)
        trees = [name for name, kind in kinds.items() if _is_tree(kind)]
        if tree is None:
            if len(trees) != 1:
                found = ", ".join(trees) or "none"
                raise DataError(f"{path} does not hold one tree ({found}): give {path}:tree")
            return str(trees[0])
        if tree not in trees:
            raise DataError(f"{path} has no tree {tree!r}: {nearest(tree, trees or ['none'])}")
        return tree

    def about(self) -> str | None:
        """Return the text of its metadata; see `DataFile.about`."""
        return str(self._file[METADATA]) if METADATA in self._file else None

    def chunks(self, columns: Sequence[str], rows: int = ROWS) -> Iterator[dict[str, Values]]:
        """Yield the named columns; see `DataFile.chunks`."""
        wanted = [self.check(column) for column in columns]
        with self.reading():
            batches = self._tree.iterate(
                filter_name=lambda name: name in wanted, step_size=rows, library="ak", how=dict
            )
            for batch in batches:
                yield {name: self._values(batch[name], name) for name in wanted}

    def _values(self, array: Any, name: str) -> Values:
        """Return one branch's rows; text as an array of strings."""
        kind = ak.type(array).content
        if isinstance(kind, ak.types.RecordType | ak.types.UnionType):
            raise self.error(name, "holds records: name one of its sub-branches")
        if kind.parameter("__array__") in ("string", "bytestring"):
            return np.asarray(array.to_list())
        if array.ndim == 1:
            return np.asarray(ak.to_numpy(array, allow_missing=False))
        if isinstance(kind, ak.types.RegularType):
            return np.asarray(ak.to_numpy(array, allow_missing=False)).reshape(len(array), -1)
        flat = ak.flatten(array, axis=None)
        counts = ak.num(array, axis=1) if array.ndim == 2 else ak.count(array, axis=-1)
        while counts.ndim > 1:
            counts = ak.sum(counts, axis=-1)
        return Jagged(ak.to_numpy(flat), ak.to_numpy(counts).astype(np.int64))


def _is_tree(kind: str) -> bool:
    return kind in ("TTree", "TNtuple", "TNtupleD", "TChain") or kind.endswith("RNTuple")


def write_root(
    path: Path,
    first: Chunk,
    chunks: Iterable[Chunk],
    about: str,
    *,
    tree: str,
    title: str,
    compression: Any,
) -> None:
    """Write chunks, of which ``first`` is the first, with the text ``about`` beside them."""
    with uproot.recreate(path, compression=compression or uproot.ZSTD(3)) as file:
        file[METADATA] = about
        types = {name: (values.dtype, values.shape[1:]) for name, values in first.items()}
        written = file.mktree(tree, types, title=title, initial_basket_capacity=64)
        for chunk in chunks:
            written.extend(dict(chunk))
