"""Boosted trees on sums around the hottest cell, the paper's second comparison (extra xgboost)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import numpy as np

from surefoot.calorimeter import features as cells
from surefoot.calorimeter.baselines import Formula, check_energy, one_target
from surefoot.checks import count, known
from surefoot.errors import CandidateError, require

if TYPE_CHECKING:
    from surefoot.candidates.base import Matrix, Prediction

Inputs = Literal["shape", "paper"]


@dataclass(frozen=True)
class BoostedPhotons(Formula):
    """XGBoost on features of the images, for an energy or a position.

    The defaults are the paper's (§4). Squared error is minimised, as XGBoost does; a relative loss
    is then dominated by the lowest energies, where trees of a few hundred leaves are coarse.

    Parameters
    ----------
    relative
        Grow the trees on E/(kΣe) instead of E, k from the draw as in `ScaledSum`, with weights
        that make the squared error the relative one: a fairer rival where the loss is relative.
    learning_rate, n_estimators, max_depth, subsample, alpha, colsample_bytree
        As of XGBoost; ``alpha`` is the L1 penalty on leaves.
    inputs
        ``shape`` for `surefoot.calorimeter.features.cluster_features`, ``paper`` for the paper's
        own, `surefoot.calorimeter.features.paper_features`.
    """

    family: ClassVar[str] = "xgboost_photons"
    luck = "seed"

    relative: bool = False
    learning_rate: float = 0.1
    n_estimators: int = 75
    max_depth: int = 3
    subsample: float = 0.8
    alpha: float = 0.8
    colsample_bytree: float = 0.8
    inputs: Inputs = "shape"

    def __post_init__(self) -> None:
        of, error = self.family, CandidateError
        known("inputs", self.inputs, get_args(Inputs), error=error)
        count(1, most=100_000, of=of, error=error, n_estimators=self.n_estimators)
        count(1, most=30, of=of, error=error, max_depth=self.max_depth)
        for name in ("learning_rate", "subsample", "colsample_bytree"):
            if not 0.0 < getattr(self, name) <= 1.0:
                raise CandidateError(
                    f"{name} = {getattr(self, name)} of {self.family} must be above 0, at most 1"
                )
        if not (np.isfinite(self.alpha) and self.alpha >= 0.0):
            raise CandidateError(f"alpha = {self.alpha} of {self.family} must be 0 or more")

    def spec(self) -> dict[str, Any]:
        """Return its fields; the inputs only if they are the paper's."""
        return {k: v for k, v in super().spec().items() if (k, v) != ("inputs", "shape")}

    @property
    def label(self) -> str:
        """For example ``XGBoost 75×3``: trees and their depth."""
        extras = ", relative" if self.relative else ""
        extras += ", paper's features" if self.inputs == "paper" else ""
        return f"XGBoost {self.n_estimators}×{self.max_depth}{extras}"

    def fit(
        self, features: Matrix, side: Matrix | None, target: Matrix, seed: int = 0
    ) -> Prediction:
        """Fit to images [n, cells] in GeV and one target [n, 1]; one thread, repeatable bit by bit.

        Raises
        ------
        DataError
            If there is more than one target or, with ``relative``, an energy or a sum of deposits
            is not positive.
        MissingExtraError
            If XGBoost is not installed.
        """
        xgboost = require("xgboost", extra="xgboost")
        wanted = one_target(target, self.label)
        weight, scale = None, 1.0
        if self.relative:
            total = cells.deposit_sum(features)
            check_energy(wanted, self.label)
            check_energy(total, f"{self.label}: the sum of deposits")
            ratio = total / wanted
            scale = float(ratio.mean() / np.square(ratio).mean())
            wanted = wanted / (scale * total)
            weight = np.square(1.0 / wanted)
        trees = xgboost.train(
            self._parameters(seed),
            self._table(xgboost, features, label=wanted, weight=weight),
            num_boost_round=self.n_estimators,
        )

        def predict(features: Matrix, side: Matrix | None) -> Matrix:
            found = trees.predict(self._table(xgboost, features)).astype(np.float64)
            if self.relative:
                found *= scale * cells.deposit_sum(features)
            return np.asarray(found[:, None], dtype=np.float32)

        return predict

    def _parameters(self, seed: int) -> dict[str, Any]:
        return {
            "objective": "reg:squarederror",
            "learning_rate": self.learning_rate,
            "max_depth": self.max_depth,
            "subsample": self.subsample,
            "alpha": self.alpha,
            "colsample_bytree": self.colsample_bytree,
            "tree_method": "hist",
            "nthread": 1,
            "seed": seed % 2**31,
            "verbosity": 0,
        }

    def _table(self, xgboost: Any, images: Matrix, **columns: Any) -> Any:
        of = cells.paper_features if self.inputs == "paper" else cells.cluster_features
        return xgboost.DMatrix(of(images), nthread=1, **columns)
