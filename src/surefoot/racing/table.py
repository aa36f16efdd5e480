"""The loss table: what a race knows, one row per candidate and one column per instance number.

A cell is NaN while the instance is not trained, +inf when it diverged or failed, and the test loss
otherwise. The table is a value: it is built from outcomes, never changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from surefoot.errors import DataError, nearest

_WIDEST = 1_000_000
"""Instances of a candidate that a race may have."""
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


def repeated(keys: Iterable[str]) -> list[str]:
    """Return the keys that occur more than once."""
    return [key for key, count in Counter(keys).items() if count > 1]


@dataclass(frozen=True, eq=False)
class LossTable:
    """Losses of every candidate and instance, ``losses[candidate, instance]``.

    Parameters
    ----------
    keys
        The candidates' keys, one per row, all different.
    losses
        ``[candidates, instances]``, in the unit of the loss: NaN = not trained, +inf = diverged or
        failed. It is copied and made read-only.

    Raises `DataError` when the shapes disagree, a key occurs twice or a loss is -inf.
    """

    keys: tuple[str, ...]
    losses: Floats

    def __post_init__(self) -> None:
        keys = tuple(self.keys)
        losses = np.array(self.losses, dtype=np.float64)
        if losses.ndim != 2 or losses.shape[0] != len(keys):
            raise DataError(
                f"a loss table of {len(keys)} candidates needs losses of shape "
                f"[{len(keys)}, instances], not {list(losses.shape)}"
            )
        for twice in repeated(keys):
            raise DataError(f"candidate '{twice}' occurs twice in the loss table; keys are unique")
        if np.isneginf(losses).any():
            row = int(np.argwhere(np.isneginf(losses))[0, 0])
            raise DataError(f"candidate '{keys[row]}' has the loss -inf; a loss is finite or +inf")
        losses.setflags(write=False)
        object.__setattr__(self, "keys", keys)
        object.__setattr__(self, "losses", losses)

    @classmethod
    def empty(cls, keys: Iterable[str]) -> LossTable:
        """Return a table in which nothing is trained yet."""
        names = tuple(keys)
        return cls(names, np.empty((len(names), 0)))

    @classmethod
    def from_outcomes(
        cls, outcomes: Iterable[tuple[str, int, float]], keys: Iterable[str] | None = None
    ) -> LossTable:
        """Build a table from (key, instance, loss) triples, in any order.

        An outcome always counts: a loss of NaN becomes +inf, so that a broken training is never
        mistaken for a missing one. Without ``keys`` the rows are the keys in order of appearance.
        Raises `DataError` for an unknown key, a negative instance or two different losses of one
        instance (the same loss twice is accepted).
        """
        triples = list(outcomes)
        names = tuple(dict.fromkeys(t[0] for t in triples)) if keys is None else tuple(keys)
        return cls.empty(names).extended(triples)

    def extended(self, outcomes: Iterable[tuple[str, int, float]]) -> LossTable:
        """Return this table with more (key, instance, loss) triples in it; same rules."""
        triples = list(outcomes)
        if not triples:
            return self
        index = self._index
        try:
            rows = np.fromiter((index[t[0]] for t in triples), np.int64, len(triples))
        except KeyError as error:
            raise DataError(
                f"an outcome is of candidate {error}, which is not in this race; "
                + nearest(str(error.args[0]), self.keys[:50])
            ) from None
        columns = np.fromiter((t[1] for t in triples), np.int64, len(triples))
        losses = np.fromiter((t[2] for t in triples), np.float64, len(triples))
        losses[np.isnan(losses)] = np.inf
        if columns.min() < 0:
            raise DataError(f"instance {columns.min()} is negative; instances count from 0")
        width = max(self.instances, int(columns.max()) + 1)
        if width > _WIDEST:
            raise DataError(f"instance {width - 1:,} is beyond the {_WIDEST:,} that a table holds")
        merged = np.full((len(self.keys), width), np.nan)
        merged[:, : self.instances] = self.losses
        known = merged[rows, columns]
        merged[rows, columns] = losses
        differs = (merged[rows, columns] != losses) | (~np.isnan(known) & (known != losses))
        if differs.any():
            first = int(np.argmax(differs))
            raise DataError(
                f"candidate '{triples[first][0]}' has two different losses of instance "
                f"{columns[first]}; an instance is trained once"
            )
        return LossTable(self.keys, merged)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {key: row for row, key in enumerate(self.keys)}

    @property
    def instances(self) -> int:
        """Number of columns: one more than the largest instance number seen."""
        return int(self.losses.shape[1])

    @property
    def count(self) -> int:
        """Number of outcomes in the table, diverged and failed ones included."""
        return int(np.count_nonzero(~np.isnan(self.losses)))

    def counts(self) -> Integers:
        """Return the number of outcomes of each candidate, ``[candidates]``."""
        return np.asarray((~np.isnan(self.losses)).sum(axis=1), np.int64)

    def has(self, key: str, instance: int) -> bool:
        """Say whether this instance has an outcome."""
        known = key in self._index and 0 <= instance < self.instances
        return known and not np.isnan(self.losses[self._index[key], instance])

    def row(self, key: str) -> Floats:
        """Return the losses of one candidate, ``[instances]``, read-only.

        Raises `DataError` for a key that is not in the table.
        """
        if key not in self._index:
            raise DataError(
                f"candidate '{key}' is not in the loss table; " + nearest(key, self.keys[:50])
            )
        row: Floats = self.losses[self._index[key]]
        return row

    def select(self, keys: tuple[str, ...]) -> Floats:
        """Return the losses of these candidates in this order; a row of NaN for an unknown key.

        The result is ``[len(keys), instances]``.
        """
        if keys == self.keys:
            return self.losses
        rows = np.fromiter((self._index.get(key, -1) for key in keys), np.int64, len(keys))
        padded = np.vstack([self.losses, np.full((1, self.instances), np.nan)])
        picked: Floats = padded[rows]
        return picked
