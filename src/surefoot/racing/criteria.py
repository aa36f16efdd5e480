"""Criteria: the statistic of a candidate's losses that a race compares; lower is better.

A diverged or failed instance is a loss of +inf and counts as such in every criterion, by the
criterion's own definition. So mean, maximum, standard deviation and CVaR are +inf as soon as one
instance is; a quantile, the median and the interquartile range are +inf exactly when an order
statistic they use is; the minimum is +inf only when every instance is. Never NaN, never dropped.

Names are words joined by ``+``, each with an optional factor: ``mean``, ``median``, ``min``,
``max``, ``q1``, ``q3``, ``quantile(0.9)``, ``cvar(0.1)``, ``sd``, ``iqr``, ``q3+iqr``,
``mean+2*sd``.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from surefoot.errors import ConfigurationError, StatisticsError, nearest
from surefoot.racing.table import Floats


class Criterion(ABC):
    """A statistic of losses; one subclass per statistic."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name `from_name` understands."""

    @property
    def needs(self) -> int:
        """Instances below which it says nothing (2 for a spread): nobody is eliminated before."""
        return 1

    @property
    def sized(self) -> bool:
        """Whether its expectation moves with n, so that values compare at equal n only."""
        return False

    @abstractmethod
    def of(self, losses: Floats) -> Floats:
        """Return the statistic of each row of finite or +inf ``losses`` ``[candidates, n]``."""

    def values(self, losses: Floats) -> Floats:
        """Return the statistic of each row, ``[candidates, n] -> [candidates]``, never NaN.

        Raises `StatisticsError` for n = 0, for NaN (not trained) and for -inf.
        """
        losses = np.asarray(losses, dtype=np.float64)
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

    name = "mean"

    def of(self, losses: Floats) -> Floats:
        """Return the row means."""
        return np.asarray(losses.mean(axis=1))


@dataclass(frozen=True)
class Min(Criterion):
    """Smallest loss; finite while one instance is."""

    name = "min"
    sized = True

    def of(self, losses: Floats) -> Floats:
        """Return the row minima."""
        return np.asarray(losses.min(axis=1))


@dataclass(frozen=True)
class Max(Criterion):
    """Largest loss: the paper's strictest criterion."""

    name = "max"
    sized = True

    def of(self, losses: Floats) -> Floats:
        """Return the row maxima."""
        return np.asarray(losses.max(axis=1))


@dataclass(frozen=True)
class Quantile(Criterion):
    """Quantile at ``level``, linear between order statistics.

    With x sorted and h = (n - 1) p: ``x[floor h] + (h - floor h)(x[floor h + 1] - x[floor h])``
    (Hyndman and Fan 1996, type 7: NumPy's and R's default).
    """

    level: float
    sized = True

    def __post_init__(self) -> None:
        _check_share("quantile", self.level, closed=True)

    @property
    def name(self) -> str:
        """``median``, ``q1``, ``q3`` or ``quantile(level)``."""
        names = {0.5: "median", 0.25: "q1", 0.75: "q3"}
        return names.get(self.level, f"quantile({self.level:g})")

    def of(self, losses: Floats) -> Floats:
        """Return the row quantiles."""
        return _quantile(np.sort(losses, axis=1), self.level)


@dataclass(frozen=True)
class CVaR(Criterion):
    """Conditional value at risk: the mean of the worst ``tail`` share of the losses.

    With x sorted downwards and k = tail * n:
    ``(x[0] + ... + x[floor k - 1] + (k - floor k) x[floor k]) / k``, the largest loss for k <= 1
    (Rockafellar and Uryasev 2002, for an empirical distribution).
    """

    tail: float
    sized = True

    def __post_init__(self) -> None:
        _check_share("cvar", self.tail, closed=False)

    @property
    def name(self) -> str:
        """``cvar(tail)``."""
        return f"cvar({self.tail:g})"

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

    name = "sd"
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

    name = "iqr"
    needs = 2

    def of(self, losses: Floats) -> Floats:
        """Return the row interquartile ranges."""
        ordered = np.sort(losses, axis=1)
        upper, lower = _quantile(ordered, 0.75), _quantile(ordered, 0.25)
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
    def sized(self) -> bool:
        """Whether a term is."""
        return any(term.sized for _, term in self.terms)

    def of(self, losses: Floats) -> Floats:
        """Return the weighted sums."""
        return np.asarray(sum(factor * term.of(losses) for factor, term in self.terms))


def _quantile(ordered: Floats, level: float) -> Floats:
    """Quantile of rows sorted upwards; touches no order statistic whose weight is zero."""
    position = (ordered.shape[1] - 1) * level
    low = int(np.floor(position + 1e-12))
    share = position - low
    if share < 1e-12:
        return np.array(ordered[:, low])
    below, above = ordered[:, low], ordered[:, low + 1]
    return np.asarray((1.0 - share) * below + share * above)


def _check_share(word: str, share: float, *, closed: bool) -> None:
    inside = 0.0 <= share <= 1.0 if closed else 0.0 < share <= 1.0
    if not inside:
        raise ConfigurationError(
            f"{word}({share:g}) is undefined; its parameter is a share between 0 and 1"
        )


PLAIN: dict[str, Criterion] = {
    "mean": Mean(),
    "median": Quantile(0.5),
    "min": Min(),
    "max": Max(),
    "q1": Quantile(0.25),
    "q3": Quantile(0.75),
    "sd": Sd(),
    "iqr": Iqr(),
}
_WITH_PARAMETER = {"quantile": Quantile, "cvar": CVaR}
_DEFAULTS = {"quantile": 0.9, "cvar": 0.1}
_NUMBER = r"\d+(?:\.\d*)?|\.\d+"
_TERM = re.compile(rf"(?:({_NUMBER})\*)?([a-z_][a-z_0-9]*)(?:\(({_NUMBER})\))?")


def as_criterion(criterion: Criterion | str) -> Criterion:
    """Return a criterion given as an object or by its name; errors as in `from_name`."""
    return from_name(criterion) if isinstance(criterion, str) else criterion


def from_name(name: str) -> Criterion:
    """Return the criterion of this name; spaces and case do not matter.

    ``quantile`` alone is ``quantile(0.9)`` and ``cvar`` alone ``cvar(0.1)``.
    Raises `StatisticsError` with the nearest known name for a misspelt one.

    >>> from_name("mean + 2*sd").name
    'mean+2*sd'
    """
    text = re.sub(r"\s", "", name).lower()
    terms: list[tuple[float, Criterion]] = []
    for part in text.split("+"):
        match = _TERM.fullmatch(part)
        if match is None:
            raise ConfigurationError(
                f"criterion '{name}' cannot be read at '{part}'; write for example "
                "'mean', 'quantile(0.9)' or 'mean+2*sd'"
            )
        factor, word, parameter = match.groups()
        terms.append((float(factor or 1.0), _term(name, word, parameter)))
        if terms[-1][0] <= 0.0:
            raise ConfigurationError(
                f"criterion '{name}' has the factor 0 for '{word}'; leave it out"
            )
    if len(terms) == 1 and terms[0][0] == 1.0:
        return terms[0][1]
    return Weighted(tuple(terms))


def _term(name: str, word: str, parameter: str | None) -> Criterion:
    if word in _WITH_PARAMETER:
        share = _DEFAULTS[word] if parameter is None else float(parameter)
        return _WITH_PARAMETER[word](share)
    if word in PLAIN:
        if parameter is not None:
            raise ConfigurationError(f"criterion '{name}': '{word}' takes no parameter")
        return PLAIN[word]
    raise ConfigurationError(
        f"'{word}' in criterion '{name}' is unknown; "
        + nearest(word, [*PLAIN, *_WITH_PARAMETER, "q3+iqr"])
    )
