"""What every criterion promises: a value a row, in the losses' unit, never made better by +inf."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from surefoot.errors import StatisticsError
from surefoot.racing.criteria import Criterion, as_criterion
from surefoot.racing.table import Floats


def loss_tables() -> Iterator[Floats]:
    """Yield losses [candidates, n], up to 12 x 12, some with equal ones, some with +inf."""
    for seed in range(60):
        generator = np.random.default_rng(seed)
        losses: Floats = np.exp(generator.normal(0.0, 5.0, generator.integers(1, 13, 2)))
        losses = np.round(losses) if seed % 2 else losses
        losses[generator.random(losses.shape) < 0.2 * (seed % 3)] = np.inf
        yield losses


class CriterionSuite:
    """What every criterion promises; a subclass gives a fixture ``criterion``."""

    def test_its_name_is_read_back(self, criterion: Criterion) -> None:
        """Its name, which journals keep, gives an equal criterion with an equal hash."""
        assert as_criterion(criterion.name) == criterion
        assert hash(as_criterion(criterion.name)) == hash(criterion)

    def test_each_row_has_a_value_of_its_own(self, criterion: Criterion) -> None:
        """A candidate's value depends on its own losses alone and is never NaN or -inf."""
        for losses in loss_tables():
            values = criterion.values(losses)
            assert values.shape == (len(losses),)
            assert (values > -np.inf).all(), "never NaN or -inf"
            alone = [criterion.values(row[None, :])[0] for row in losses]
            np.testing.assert_allclose(values, alone, rtol=1e-9, atol=1e-6)

    def test_order_and_unit_do_not_matter(self, criterion: Criterion) -> None:
        """Values ignore the order of losses and scale with their unit."""
        for losses in loss_tables():
            order = np.random.default_rng(1).permutation(losses.shape[1])
            values = criterion.values(1000.0 * losses[:, order]) / 1000.0
            np.testing.assert_allclose(criterion.values(losses), values, rtol=1e-9, atol=1e-6)

    def test_a_divergence_makes_nothing_better(self, criterion: Criterion) -> None:
        """No value falls when the largest loss becomes +inf."""
        for losses in loss_tables():
            worse = losses.copy()
            worse[np.arange(len(losses)), np.argmax(losses, axis=1)] = np.inf
            assert (criterion.values(worse) >= criterion.values(losses) * (1 - 1e-12)).all()

    def test_what_is_not_trained_is_refused(self, criterion: Criterion) -> None:
        """NaN, and losses of no instance, raise `StatisticsError`."""
        with pytest.raises(StatisticsError, match="NaN or -inf"):
            criterion.values(np.array([[0.1, np.nan]]))
        with pytest.raises(StatisticsError, match="n >= 1"):
            criterion.values(np.empty((3, 0)))
