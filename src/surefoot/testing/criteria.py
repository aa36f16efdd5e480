"""What every criterion promises."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.errors import StatisticsError
from surefoot.racing.criteria import Criterion, as_criterion
from surefoot.racing.table import Floats


class CriterionSuite:
    """What every criterion promises; a subclass gives a fixture ``criterion``."""

    @pytest.fixture(params=range(40))
    def losses(self, request: pytest.FixtureRequest) -> Floats:
        """Return losses [candidates, n], up to 12 x 12, often equal, with none or a few +inf."""
        generator = np.random.default_rng(request.param)
        losses = np.exp(generator.normal(0.0, 5.0, generator.integers(1, 13, 2)))
        if request.param % 2:
            losses = np.round(losses)
        losses[generator.random(losses.shape) < 0.2 * (request.param % 3)] = np.inf
        return losses

    def test_its_name_is_read_back(self, criterion: Criterion) -> None:
        assert as_criterion(criterion.name) == criterion
        assert hash(as_criterion(criterion.name)) == hash(criterion)

    def test_a_row_has_one_value_of_its_own(self, criterion: Criterion, losses: Floats) -> None:
        values = criterion.values(losses)
        assert values.shape == (len(losses),)
        assert (values > -np.inf).all(), "never NaN or -inf"
        alone = [criterion.values(row[None, :])[0] for row in losses]
        np.testing.assert_allclose(values, alone, rtol=1e-9)

    def test_order_and_unit_do_not_matter(self, criterion: Criterion, losses: Floats) -> None:
        order = np.random.default_rng(1).permutation(losses.shape[1])
        values = criterion.values(1000.0 * losses[:, order])
        np.testing.assert_allclose(1000.0 * criterion.values(losses), values, rtol=1e-9, atol=1e-6)

    def test_a_divergence_makes_nothing_better(self, criterion: Criterion, losses: Floats) -> None:
        worse = losses.copy()
        worse[np.arange(len(losses)), np.argmax(losses, axis=1)] = np.inf
        assert (criterion.values(worse) >= criterion.values(losses) * (1 - 1e-12)).all()

    def test_what_is_not_trained_is_refused(self, criterion: Criterion) -> None:
        with pytest.raises(StatisticsError, match="NaN or -inf"):
            criterion.values(np.array([[0.1, np.nan]]))
        with pytest.raises(StatisticsError, match="n >= 1"):
            criterion.values(np.empty((3, 0)))
