"""The population: finite data in memory once, split into a pool and a test half, and drawn from.

Paper §2, §3.9: half of the examples (the pool) feed training samples, the other half (the test
half) only ever measures losses. A `Sampling` says how they are drawn; a `Draw` names rows, and
nothing is copied per instance.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surefoot import checks
from surefoot.checks import known
from surefoot.data.arrays import Frame, Label, encode, labels, matrix, sample_weights
from surefoot.data.categories import FrameColumns, category_codes, checked_categories
from surefoot.errors import DataError, SamplingError
from surefoot.learning.losses import Loss
from surefoot.seeds.ledger import InstanceSeed, Role, Stream, study_generator

_TIMES = 1000
"""Times that a bootstrap may hold each example of the pool."""
Method = Literal["bootstrap", "subsample"]
Rows = NDArray[np.int32]
Matrix = NDArray[np.float32]


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
    stratify
        Draw each class in proportion to its share of the half (classification only).

    Raises
    ------
    SamplingError
        If a size is not positive or the method is unknown.
    """

    size: int | None = None
    method: Method = "bootstrap"
    test_size: int | None = None
    stratify: bool = False

    def __post_init__(self) -> None:
        checks.one_of("sampling method", self.method, get_args(Method), error=SamplingError)
        sizes = {"size": self.size, "test_size": self.test_size}
        checks.at_least(1, of="sampling", error=SamplingError, **sizes)
        checks.of_kind("true or false", bool, error=SamplingError, stratify=self.stratify)
        for name, size in sizes.items():
            if size is not None:
                object.__setattr__(self, name, int(size))


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """Row numbers of one instance's training sample [n] and test sample [m], int32."""

    train: NDArray[np.int32]
    test: NDArray[np.int32]


class Population:
    """Features, targets and, optionally, side features and groups of N examples.

    Parameters
    ----------
    features
        [N, F] (any further axes are flattened row-major), converted to float32 once.
    target
        [N] or [N, outputs], float32; or [N] class labels, kept as codes [N, 1].
    side
        [N, S] high-level variables that may join a network later (paper §3.8), or None.
    groups
        [N] labels; examples with one label are never split between pool and test half.
    weights
        [N] positive numbers by which examples count in training and in the test loss, or None.
    order
        [N] values, such as times, by which examples are split: those that come first are the pool,
        equal values stay together, and the seed decides nothing. None splits at random.
    missing
        Whether features may be missing (NaN), for estimators that take that.
    categories
        What the codes 0, 1, … of features that are categories mean, by place; estimators get them
        as categories of a data frame, functions as codes.
    classes
        True if the target's numbers are class labels, or the labels in the order of their codes.
        Strings and booleans are class labels in any case. Read back as the labels, or None.
    name, target_name, target_unit, feature_names, side_names
        For tables, figures and messages.
    target_among_features
        Whether a feature may equal the target in every example, which is refused otherwise.

    Raises
    ------
    DataError
        If anything is empty, ragged, masked, not numeric, not finite, of another length, or holds
        whole numbers that float32 cannot tell apart.
    """

    def __init__(
        self,
        features: ArrayLike,
        target: ArrayLike,
        side: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        *,
        weights: ArrayLike | None = None,
        order: ArrayLike | None = None,
        missing: bool = False,
        categories: Mapping[int, Sequence[str]] | None = None,
        name: str = "population",
        target_name: str = "target",
        target_unit: str = "",
        side_names: tuple[str, ...] = (),
        feature_names: tuple[str, ...] = (),
        classes: bool | Sequence[Label] | None = None,
        target_among_features: bool = False,
    ) -> None:
        what = f"target {target_name} of {name}"
        self.features: Final = matrix(features, f"features of {name}", missing=missing)
        values, self.classes = encode(target, classes, what)
        n = len(self.features)
        self.target: Final = matrix(values, what, n)
        self.side = None if side is None else matrix(side, f"side features of {name}", n)
        self.groups = None if groups is None else labels(groups, f"groups of {name}", n)
        self.weights = None if weights is None else sample_weights(weights, f"weights of {name}", n)
        self.order = None if order is None else labels(order, f"order of {name}", n)
        if order is not None and groups is not None:
            raise DataError(
                f"{name} has both groups and an order, which split it in two ways: give one"
            )
        self.categories = checked_categories(categories or {}, self.features, name)
        self.name, self.target_name, self.target_unit = name, target_name, target_unit
        self.side_names, self.feature_names = tuple(side_names), tuple(feature_names)
        if not target_among_features:
            self._check_features(self.features, "feature", self.feature_names)
            if self.side is not None:
                self._check_features(self.side, "side feature", self.side_names)
        self.origin: Mapping[str, Any] | None = None
        """Where a study file found it, as plain JSON values; None if made in Python."""

    def _check_features(self, columns: Matrix, what: str, names: tuple[str, ...]) -> None:
        """Raise `DataError` if a column is the target under whatever name."""
        for place, target in enumerate(self.target.T):
            if (target == target[0]).all():
                continue
            for column in np.flatnonzero(columns[0] == target[0]).tolist():
                if (columns[:, column] == target).all():
                    which = repr(names[column]) if names else f"number {column}"
                    of = f"output {place} of " if self.target.shape[1] > 1 else ""
                    raise DataError(
                        f"{what} {which} of {self.name} equals {of}the target {self.target_name} "
                        "in every example: leave it out, or say target_among_features = true"
                    )

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        target: str | Sequence[str],
        *,
        features: Sequence[str] | None = None,
        side: Sequence[str] = (),
        groups: str | None = None,
        weights: str | None = None,
        order: str | None = None,
        missing: bool = False,
        categories: bool | Sequence[str] = False,
        classes: bool | Sequence[Label] | None = None,
        name: str = "frame",
        target_unit: str = "",
        target_among_features: bool = False,
    ) -> Self:
        """Make a population of named columns of a pandas or polars frame.

        ``features`` are all columns without another part, unless given. ``target`` may be several
        columns; one column of text, booleans or, with ``classes``, numbers holds classes.
        ``categories`` names features that are categories, True all that hold text; ``missing``
        lets values of features be missing.

        Raises
        ------
        DataError
            If a column is missing, not numeric or has missing values; the message names it.
        """
        table = Frame(frame)
        targets = [target] if isinstance(target, str) else list(target)
        taken = {*targets, *side, groups, weights, order}
        inputs = [one for one in table.names if one not in taken] if features is None else features
        one = table.column(targets[0])
        labelled = len(targets) == 1 and (classes is not None or one.dtype.kind not in "iuf")
        chosen = table.text(inputs) if categories is True else categories or ()
        for column in chosen:
            known("category", column, inputs, error=DataError)
        meaning = {name: category_codes(table.column(name))[1] for name in chosen}
        return cls(
            table.numbers(inputs, meaning, missing=missing),
            one if labelled else table.numbers(targets),
            table.numbers(side) if side else None,
            None if groups is None else table.column(groups),
            weights=None if weights is None else table.column(weights),
            order=None if order is None else table.column(order),
            missing=missing,
            categories={list(inputs).index(name): labels for name, labels in meaning.items()},
            name=name,
            target_name=", ".join(targets),
            target_unit=target_unit,
            side_names=tuple(side),
            feature_names=tuple(inputs),
            classes=classes,
            target_among_features=target_among_features,
        )

    def __len__(self) -> int:
        return len(self.features)

    @property
    def outputs(self) -> int:
        """Outputs a model needs: the number of classes, else of target columns."""
        return len(self.classes) if self.classes is not None else int(self.target.shape[1])

    @cached_property
    def missing(self) -> bool:
        """Whether a feature of any example is missing."""
        return bool(np.isnan(self.features).any())

    def columns(self, takes_side: bool = False) -> FrameColumns | None:
        """Return how the features, and side features after them, are columns of a data frame.

        None without categories: then they are a plain matrix.
        """
        if not self.categories:
            return None
        parts = [("feature", self.features, self.feature_names)]
        if takes_side and self.side is not None:
            parts.append(("side", self.side, self.side_names))
        found: list[str] = []
        for word, values, names in parts:
            found += names or [f"{word} {place}" for place in range(values.shape[1])]
        return FrameColumns(tuple(found), self.categories)

    def at(self, rows: Rows) -> tuple[Matrix, Matrix | None, Matrix]:
        """Return the features, the side features or None, and the target of some rows."""
        side = None if self.side is None else self.side[rows]
        return self.features[rows], side, self.target[rows]

    def found_at(self, origin: Mapping[str, Any]) -> Self:
        """Return the same population that knows where it came from; arrays are shared."""
        known = copy.copy(self)
        known.origin = dict(origin)
        return known

    def check_loss(self, loss: Loss) -> None:
        """Raise `DataError` if a loss cannot be measured on this population's target."""
        if loss.classification is not (self.classes is not None):
            kind, found, hint = (
                ("classification", "numbers", "make the population with classes=True")
                if loss.classification
                else ("regression", "classes", "use cross_entropy, brier or error_rate")
            )
            raise DataError(
                f"the loss {loss} is one of {kind}, but the target {self.target_name} of "
                f"{self.name} holds {found}: {hint}"
            )
        loss.check_target(self.target)

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that change whenever any number of the population does."""
        digest = hashlib.sha256()
        for array in (self.features, self.target, self.side, self.groups):
            if array is not None:
                data = array if array.dtype != object else array.astype(str)
                digest.update(f"{data.dtype.str}{data.shape}".encode())
                digest.update(np.ascontiguousarray(data).view(np.uint8).data)
            digest.update(b";")
        if self.classes is not None:
            digest.update(repr(self.classes).encode())
        for name, array in (("weights", self.weights), ("order", self.order)):
            if array is not None:
                data = array if array.dtype != object else array.astype(str)
                digest.update(f"{name}{data.dtype.str}".encode())
                digest.update(np.ascontiguousarray(data).view(np.uint8).data)
        if self.categories:
            digest.update(repr(self.categories).encode())
        return digest.hexdigest()[:16]

    def split(self, seed: int, pool_fraction: float = 0.5) -> Halves:
        """Split into pool and test half, seeded, never splitting a group.

        Groups are shuffled by the study's SPLIT stream and join the pool until it holds at least
        ``pool_fraction`` of the examples. With an ``order`` they join it in that order instead.

        Raises `DataError` if a half would be empty.
        """
        generator = study_generator(seed, Role.SPLIT)
        labels = np.arange(len(self))
        together = self.groups if self.order is None else self.order
        if together is not None:
            labels = np.unique(together, return_inverse=True)[1]
        sizes = np.bincount(labels)
        order = generator.permutation(sizes.size) if self.order is None else np.arange(sizes.size)
        before = np.cumsum(sizes[order]) - sizes[order]
        in_pool = np.zeros(sizes.size, dtype=bool)
        in_pool[order[before < pool_fraction * len(self)]] = True
        pool = np.flatnonzero(in_pool[labels]).astype(np.int32)
        test = np.flatnonzero(~in_pool[labels]).astype(np.int32)
        if not pool.size or not test.size:
            raise DataError(
                f"{self.name} has {len(self)} examples in {sizes.size} groups, which cannot be "
                f"split into a pool of {pool_fraction:.0%} and a test half: give more of them"
            )
        return Halves(self, pool, test)


@dataclass(frozen=True, eq=False)
class Halves:
    """A population split into the rows of its pool and of its test half, both sorted int32."""

    population: Population
    pool: Rows
    test: Rows

    def check(self, sampling: Sampling) -> None:
        """Raise `SamplingError` if no draw of this kind is possible."""
        if sampling.stratify and self.population.classes is None:
            raise SamplingError(
                f"stratified draws need classes, but the target {self.population.target_name} of "
                f"{self.population.name} holds numbers: leave stratify out"
            )
        size = sampling.size
        if sampling.method == "subsample" and size is not None and size > self.pool.size:
            raise SamplingError(
                f"a sample of {size} examples cannot be drawn without replacement from a pool of "
                f"{self.pool.size}: use at most {self.pool.size}, or method = 'bootstrap'"
            )
        if size is not None and size > _TIMES * self.pool.size:
            raise SamplingError(
                f"a sample of {size} examples from a pool of {self.pool.size} holds each more than "
                f"{_TIMES} times: ask for fewer"
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
        """Return the draw that belongs to an instance's seed; raises as `check`."""
        self.check(sampling)
        generator = seed.generator(Stream.DRAW)

        def sample(rows: Rows, size: int, replace: bool) -> Rows:
            if not sampling.stratify:
                return pick(rows, size, replace, generator)
            codes = self.population.target[rows, 0].astype(np.int64)
            return stratified(rows, codes, size, replace, generator)

        train = sample(self.pool, self.train_size(sampling), sampling.method == "bootstrap")
        if sampling.test_size is None:
            return Draw(train, self.test)
        if seed.test is not None:
            generator = seed.generator(Stream.TEST)
        return Draw(train, sample(self.test, sampling.test_size, False))


def pick(rows: Rows, size: int, replace: bool, generator: np.random.Generator) -> Rows:
    """Draw ``size`` of the rows [n], with or without replacement."""
    if not replace:
        return rows[generator.permutation(rows.size)[:size]]
    return rows[generator.integers(0, rows.size, size=size)] if size else rows[:0]


def allocate(size: int, strata: NDArray[np.int64]) -> NDArray[np.int64]:
    """Share ``size`` examples among strata [classes] in proportion, by largest remainders.

    >>> allocate(10, np.array([30, 60, 5])).tolist()
    [3, 6, 1]
    """
    quota = size * strata / strata.sum()
    share: NDArray[np.int64] = np.floor(quota).astype(np.int64)
    order = np.argsort(share - quota, kind="stable")
    share[order[: size - int(share.sum())]] += 1
    return share


def stratified(
    rows: Rows, codes: NDArray[np.int64], size: int, replace: bool, generator: np.random.Generator
) -> Rows:
    """Draw ``size`` of the rows [n] with classes ``codes`` [n], each class in proportion.

    The sample is shuffled, so that its order says nothing of the classes.
    """
    strata = np.bincount(codes)
    classes = np.split(rows[np.argsort(codes, kind="stable")], np.cumsum(strata)[:-1])
    shares = allocate(size, strata)
    parts = [pick(one, share, replace, generator) for one, share in zip(classes, shares)]
    return generator.permutation(np.concatenate(parts))
