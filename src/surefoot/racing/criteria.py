"""Criteria: the statistic of a candidate's losses that a race compares; lower is better.

A diverged or failed instance is a loss of +inf and counts as such in every criterion, by the
criterion's own definition. So mean, maximum, standard deviation and CVaR are +inf as soon as one
instance is; a quantile, the median and the interquartile range are +inf exactly when an order
statistic they use is; the minimum is +inf only when every instance is. Never NaN, never dropped.

Names are registered words joined by ``+``, each with an optional factor: ``mean``, ``median``,
``max``, ``quantile(0.9)``, ``cvar(0.1)``, ``q3+iqr``, ``mean+2*sd``.
"""

from __future__ import annotations

import inspect
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import partial
from typing import ClassVar

import numpy as np

from surefoot import registry
from surefoot.checks import of_kind
from surefoot.errors import ConfigurationError, StatisticsError, nearest
from surefoot.racing.table import Floats, Integers
from surefoot.statistics.intervals import quantile


@dataclass(frozen=True)
class Criterion(ABC):
    """A statistic of losses; its dataclass field, if it has one, is what stands in parentheses."""

    word: ClassVar[str]

    @property
    def name(self) -> str:
        """What study files, options and journals call it: the word and its parameter."""
        values = ",".join(f"{getattr(self, one.name):g}" for one in fields(self))
        return f"{self.word}({values})" if values else self.word

    @property
    def needs(self) -> int:
        """Instances below which it says nothing (2 for a spread): nobody is eliminated before."""
        return 1

    @property
    def depends_on_n(self) -> bool:
        """Whether its expectation moves with n, so that values compare at equal n only."""
        return False

    @abstractmethod
    def of(self, losses: Floats) -> Floats:
        """Return the statistic of each row of finite or +inf ``losses`` ``[candidates, n]``."""

    def values(self, losses: Floats, counts: Integers | None = None) -> Floats:
        """Return the statistic of each row, ``[candidates, n] -> [candidates]``, never NaN.

        With ``counts`` ``[candidates]``, that of the first so many losses of each row. Raises
        `StatisticsError` for n = 0, for NaN (not trained) and for -inf.
        """
        losses = np.asarray(losses, dtype=np.float64)
        if counts is not None:
            values = np.empty(len(losses))
            for count in np.unique(counts):
                rows = counts == count
                values[rows] = self.values(losses[rows, :count])
            return values
        if losses.ndim != 2 or losses.shape[1] == 0:
            raise StatisticsError(
                f"criterion '{self.name}' needs losses of shape [candidates, n] with n >= 1, "
                f"not {list(losses.shape)}"
            )
        if not (losses > -np.inf).all():
            raise StatisticsError(f"criterion '{self.name}' was given NaN or -inf among its losses")
        return self.of(losses)


@dataclass(frozen=True)
class Mean(Criterion):
    """Arithmetic mean, ``sum(x) / n``."""

    word = "mean"

    def of(self, losses: Floats) -> Floats:
        """Return the row means."""
        return np.asarray(losses.mean(axis=1))


@dataclass(frozen=True)
class Min(Criterion):
    """Smallest loss; finite while one instance is."""

    word = "min"
    depends_on_n = True

    def of(self, losses: Floats) -> Floats:
        """Return the row minima."""
        return np.asarray(losses.min(axis=1))


@dataclass(frozen=True)
class Max(Criterion):
    """Largest loss: the paper's strictest criterion."""

    word = "max"
    depends_on_n = True

    def of(self, losses: Floats) -> Floats:
        """Return the row maxima."""
        return np.asarray(losses.max(axis=1))


@dataclass(frozen=True)
class Quantile(Criterion):
    """Quantile at ``level``, linear between order statistics.

    With x sorted and h = (n - 1) p: ``x[floor h] + (h - floor h)(x[floor h + 1] - x[floor h])``
    (Hyndman and Fan 1996, type 7: NumPy's and R's default, which are NaN beside +inf).
    """

    level: float = 0.9
    word = "quantile"
    depends_on_n = True

    def __post_init__(self) -> None:
        if not 0.0 <= self.level <= 1.0:
            raise _no_share(self.word, self.level)

    @property
    def name(self) -> str:
        """``median``, ``q1``, ``q3`` or ``quantile(level)``."""
        return {0.5: "median", 0.25: "q1", 0.75: "q3"}.get(self.level, super().name)

    def of(self, losses: Floats) -> Floats:
        """Return the row quantiles; no order statistic of weight zero is touched."""
        return quantile(losses, self.level)


MEDIAN, Q1, Q3 = (partial(Quantile, level) for level in (0.5, 0.25, 0.75))


@dataclass(frozen=True)
class CVaR(Criterion):
    """Conditional value at risk: the mean of the worst ``tail`` share of the losses.

    With x sorted downwards and k = tail * n:
    ``(x[0] + ... + x[floor k - 1] + (k - floor k) x[floor k]) / k``, the largest loss for k <= 1
    (Rockafellar and Uryasev 2002, for an empirical distribution).
    """

    tail: float = 0.1
    word = "cvar"
    depends_on_n = True

    def __post_init__(self) -> None:
        if not 0.0 < self.tail <= 1.0:
            raise _no_share(self.word, self.tail)

    def of(self, losses: Floats) -> Floats:
        """Return the mean of each row's upper tail."""
        size = self.tail * losses.shape[1]
        weights = np.clip(size - np.arange(losses.shape[1]), 0.0, 1.0)
        used = int(np.count_nonzero(weights))
        worst = -np.sort(-losses, axis=1)[:, :used]
        return np.asarray(worst @ (weights[:used] / weights[:used].sum()))


@dataclass(frozen=True)
class Sd(Criterion):
    """Standard deviation with n - 1; 0 for one instance."""

    word = "sd"
    needs = 2

    def of(self, losses: Floats) -> Floats:
        """Return the row standard deviations, +inf for a row that holds +inf."""
        diverged = np.asarray(np.isinf(losses).any(axis=1))
        finite = np.where(diverged[:, None], 0.0, losses)
        spread = finite.std(axis=1, ddof=min(1, losses.shape[1] - 1))
        return np.where(diverged, np.inf, spread)


@dataclass(frozen=True)
class Iqr(Criterion):
    """Interquartile range, third minus first quartile; +inf when the third quartile is."""

    word = "iqr"
    needs = 2

    def of(self, losses: Floats) -> Floats:
        """Return the row interquartile ranges."""
        upper, lower = Q3().of(losses), Q1().of(losses)
        return np.where(np.isinf(upper), np.inf, upper - np.where(np.isinf(lower), 0.0, lower))


@dataclass(frozen=True)
class Weighted(Criterion):
    """A sum of criteria with positive factors, such as ``mean + 2 sd`` or ``q3 + iqr``."""

    terms: tuple[tuple[float, Criterion], ...]

    @property
    def name(self) -> str:
        """The terms joined by ``+``, such as ``mean+2*sd``."""
        return "+".join(
            term.name if factor == 1.0 else f"{factor:g}*{term.name}" for factor, term in self.terms
        )

    @property
    def needs(self) -> int:
        """The largest need of the terms."""
        return max(term.needs for _, term in self.terms)

    @property
    def depends_on_n(self) -> bool:
        """Whether a term does."""
        return any(term.depends_on_n for _, term in self.terms)

    def of(self, losses: Floats) -> Floats:
        """Return the weighted sums."""
        return np.asarray(sum(factor * term.of(losses) for factor, term in self.terms))


_NUMBER = r"\d+(?:\.\d*)?|\.\d+"
_TERM = re.compile(rf"(?:({_NUMBER})\*)?([a-z_][a-z_0-9]*)(?:\(({_NUMBER})\))?")


def as_criterion(criterion: Criterion | str) -> Criterion:
    """Return a criterion given as an object or by its name; spaces and case do not matter.

    ``quantile`` alone is ``quantile(0.9)`` and ``cvar`` alone ``cvar(0.1)``.
    Raises `ConfigurationError` with the nearest known name for a misspelt one.

    >>> as_criterion("mean + 2*sd").name
    'mean+2*sd'
    """
    if isinstance(criterion, Criterion):
        return criterion
    of_kind("a criterion or its name such as 'mean'", str, criterion=criterion)
    parts = re.sub(r"\s", "", criterion).lower().split("+")
    (factor, term), *more = terms = tuple(_term(criterion, part) for part in parts)
    return Weighted(terms) if more or factor != 1.0 else term


def _term(criterion: str, part: str) -> tuple[float, Criterion]:
    """Return the factor and the criterion that a part of a name between ``+`` says."""
    match = _TERM.fullmatch(part)
    if match is None:
        raise ConfigurationError(
            f"criterion '{criterion}' cannot be read at '{part}'; write for example "
            "'mean', 'quantile(0.9)' or 'mean+2*sd'"
        )
    factor, word, parameter = match.groups("")
    known = registry.names("criteria")
    if word not in known:
        raise ConfigurationError(
            f"'{word}' in criterion '{criterion}' is unknown; {nearest(word, [*known, 'q3+iqr'])}"
        )
    make = registry.lookup("criteria", word)
    if parameter and not inspect.signature(make).parameters:
        raise ConfigurationError(f"criterion '{criterion}': '{word}' takes no parameter")
    if factor and float(factor) <= 0.0:
        raise ConfigurationError(
            f"criterion '{criterion}' has the factor 0 for '{word}'; leave it out"
        )
    return float(factor or 1.0), make(float(parameter)) if parameter else make()


def _no_share(word: str, share: float) -> ConfigurationError:
    return ConfigurationError(
        f"{word}({share:g}) is undefined; its parameter is a share between 0 and 1"
    )
