"""The population: finite data in memory once, split into a pool and a test half, and drawn from.

Paper §2, §3.9: half of the examples (the pool) feed training samples, the other half (the test
half) only ever measures losses. A draw names rows; nothing is copied per instance.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surefoot.errors import DataError, SamplingError
from surefoot.seeds import InstanceSeed, Role, Stream, study_generator

Method = Literal["bootstrap", "subsample"]


@dataclass(frozen=True, eq=False)
class Population:
    """Features, targets and, optionally, side features and groups of N examples.

    Parameters
    ----------
    features
        [N, F] (any further axes are flattened row-major), converted to float32 once.
    target
        [N] or [N, outputs], float32.
    side
        [N, S] high-level variables that may join a network later (paper §3.8), or None.
    groups
        [N] labels; examples with one label are never split between pool and test half.
    name, target_name, target_unit, side_names
        For tables, figures and messages.

    Raises
    ------
    DataError
        If anything is empty, ragged, not numeric, not finite or of another length.
    """

    features: NDArray[np.float32]
    target: NDArray[np.float32]
    side: NDArray[np.float32] | None = None
    groups: NDArray[Any] | None = None
    name: str = "population"
    target_name: str = "target"
    target_unit: str = ""
    side_names: tuple[str, ...] = ()

    def __init__(
        self,
        features: ArrayLike,
        target: ArrayLike,
        side: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        *,
        name: str = "population",
        target_name: str = "target",
        target_unit: str = "",
        side_names: tuple[str, ...] = (),
    ) -> None:
        x = _matrix(features, f"features of {name}")
        y = _matrix(target, f"target {target_name} of {name}")
        _same_length(len(x), len(y), f"target {target_name} of {name}")
        s = None if side is None else _matrix(side, f"side features of {name}")
        if s is not None:
            _same_length(len(x), len(s), f"side features of {name}")
        g = None if groups is None else np.asarray(groups)
        if g is not None:
            if g.ndim != 1:
                raise DataError(f"groups of {name} have shape {g.shape}; they must be [N]")
            _same_length(len(x), len(g), f"groups of {name}")
        for attribute, value in (
            ("features", x),
            ("target", y),
            ("side", s),
            ("groups", g),
            ("name", name),
            ("target_name", target_name),
            ("target_unit", target_unit),
            ("side_names", tuple(side_names)),
        ):
            object.__setattr__(self, attribute, value)

    def __len__(self) -> int:
        return len(self.features)

    @property
    def outputs(self) -> int:
        """Number of target columns."""
        return int(self.target.shape[1])

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that change whenever any number of the population does."""
        digest = hashlib.sha256()
        for array in (self.features, self.target, self.side, self.groups):
            if array is not None:
                data = array if array.dtype != object else array.astype(str)
                digest.update(f"{data.dtype.str}{data.shape}".encode())
                digest.update(np.ascontiguousarray(data).tobytes())
            digest.update(b";")
        return digest.hexdigest()[:16]

    def split(self, seed: int, pool_fraction: float = 0.5) -> Halves:
        """Split into pool and test half, seeded, never splitting a group.

        Groups are shuffled by the study's SPLIT stream and join the pool until it holds at least
        ``pool_fraction`` of the examples.

        Raises
        ------
        DataError
            If a half would be empty.
        """
        generator = study_generator(seed, Role.SPLIT)
        if self.groups is None:
            labels = np.arange(len(self))
        else:
            labels = np.unique(self.groups, return_inverse=True)[1]
        sizes = np.bincount(labels)
        order = generator.permutation(sizes.size)
        before = np.cumsum(sizes[order]) - sizes[order]
        in_pool = np.zeros(sizes.size, dtype=bool)
        in_pool[order[before < pool_fraction * len(self)]] = True
        pool = np.flatnonzero(in_pool[labels]).astype(np.int32)
        test = np.flatnonzero(~in_pool[labels]).astype(np.int32)
        if not pool.size or not test.size:
            raise DataError(
                f"{self.name} has {len(self)} examples in {sizes.size} groups, which cannot be "
                f"split into a pool of {pool_fraction:.0%} and a test half: give more groups"
            )
        return Halves(self, pool, test)


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an instance's training and test samples are drawn.

    Parameters
    ----------
    size
        Training examples; None for as many as the pool holds.
    method
        ``bootstrap`` draws with replacement (the paper's), ``subsample`` without.
    test_size
        Test examples, drawn without replacement from the test half; None for all of them.

    Raises
    ------
    SamplingError
        If a size is not positive or the method is unknown.
    """

    size: int | None = None
    method: Method = "bootstrap"
    test_size: int | None = None

    def __post_init__(self) -> None:
        if self.method not in ("bootstrap", "subsample"):
            raise SamplingError(
                f"sampling method {self.method!r} is unknown: use 'bootstrap' or 'subsample'"
            )
        for name in ("size", "test_size"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SamplingError(f"sampling {name} = {value} must be at least 1")


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """Row numbers of one instance's training sample [n] and test sample [m], int32."""

    train: NDArray[np.int32]
    test: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Halves:
    """A population split into the rows of its pool and of its test half, both sorted int32."""

    population: Population
    pool: NDArray[np.int32]
    test: NDArray[np.int32]

    def check(self, sampling: Sampling) -> None:
        """Raise `SamplingError` if no draw of this kind is possible."""
        size = sampling.size
        if sampling.method == "subsample" and size is not None and size > self.pool.size:
            raise SamplingError(
                f"a sample of {size} examples cannot be drawn without replacement from a pool of "
                f"{self.pool.size}: use at most {self.pool.size}, or method = 'bootstrap'"
            )
        if sampling.test_size is not None and sampling.test_size > self.test.size:
            raise SamplingError(
                f"a test sample of {sampling.test_size} examples cannot be drawn from a test half "
                f"of {self.test.size}: use at most {self.test.size}, or leave test_size out"
            )

    def train_size(self, sampling: Sampling) -> int:
        """Return the number of training examples of a draw."""
        return int(self.pool.size if sampling.size is None else sampling.size)

    def draw(self, sampling: Sampling, seed: InstanceSeed) -> Draw:
        """Return the draw that belongs to an instance's seed.

        Raises
        ------
        SamplingError
            If the pool or the test half is too small.
        """
        self.check(sampling)
        generator = seed.generator(Stream.DRAW)
        n = self.train_size(sampling)
        if sampling.method == "bootstrap":
            train = self.pool[generator.integers(0, self.pool.size, size=n)]
        else:
            train = self.pool[generator.permutation(self.pool.size)[:n]]
        if sampling.test_size is None:
            test = self.test
        else:
            test = self.test[generator.permutation(self.test.size)[: sampling.test_size]]
        return Draw(train, test)


def _matrix(values: ArrayLike, what: str) -> NDArray[np.float32]:
    """Return values as a finite, non-empty, C-contiguous float32 matrix [N, columns]."""
    try:
        array = np.asarray(values)
        if array.dtype == object or array.dtype.kind not in "biuf":
            raise ValueError
    except ValueError:
        raise DataError(f"{what} are ragged or not numeric; they must be a matrix [N, F]") from None
    if array.ndim == 0 or array.size == 0:
        raise DataError(f"{what} are empty (shape {array.shape}); at least one example is needed")
    matrix = np.ascontiguousarray(array.reshape(len(array), -1), dtype=np.float32)
    rows = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if rows.size:
        column = int(np.flatnonzero(~np.isfinite(matrix[rows[0]]))[0])
        raise DataError(
            f"{what} hold {matrix[rows[0], column]} in example {rows[0]}, column {column} "
            f"({rows.size} such examples): all values must be finite"
        )
    return matrix


def _same_length(n: int, found: int, what: str) -> None:
    if n != found:
        raise DataError(
            f"{what} has {found} entries but there are {n} examples: lengths must agree"
        )
