"""The seam of candidates: one model configuration that can be trained from scratch."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]
    Prediction = Callable[[Matrix, Matrix | None], Matrix]


class Candidate(ABC):
    """A frozen, hashable model configuration.

    ``family`` names its kind in study files and journals; ``spec`` holds plain JSON values from
    which ``from_spec`` rebuilds an equal candidate; ``key`` is derived from both.
    """

    family: ClassVar[str]

    @abstractmethod
    def spec(self) -> dict[str, Any]:
        """Return everything that decides how it is trained, as plain JSON values."""

    @classmethod
    @abstractmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        """Rebuild a candidate from its `spec`; raise `CandidateError` if it is not one."""

    @property
    @abstractmethod
    def label(self) -> str:
        """Return a short name for people."""

    @property
    def luck(self) -> str:
        """What an instance has of its own besides its draw, in words; "" if nothing."""
        return "initialisation and batch order"

    @cached_property
    def key(self) -> str:
        """16 hexadecimal digits of the SHA-256 of family and spec: equal content, equal key."""
        content = [self.family, self.spec()]
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Candidate) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.label})"


class DirectCandidate(Candidate):
    """A candidate fitted in one call, without epochs: a parametric formula, a plain function."""

    @property
    def luck(self) -> str:
        """A seed, for a fit that needs any."""
        return "seed"

    @abstractmethod
    def fit(
        self, features: Matrix, side: Matrix | None, target: Matrix, seed: int = 0
    ) -> Prediction:
        """Fit to features [n, F], side features [n, S] and targets [n, outputs].

        ``seed``, 0 … 2³² − 1, is the instance's luck beside its draw, for a fit that needs any.
        Return a function from features and side features to predictions [n, outputs].
        """
