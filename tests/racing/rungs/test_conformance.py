"""The rungs shipped keep what all rungs promise."""

from __future__ import annotations

import pytest

from surefoot.racing import ByCurve, ByEpochHalving, ByHyperband, Rungs
from surefoot.testing import RungsSuite


class TestConformance(RungsSuite):
    @pytest.fixture(
        params=[ByCurve(), ByCurve(0.2, 0.1, 16, 0), ByEpochHalving(), ByHyperband()], ids=str
    )
    def rungs(self, request: pytest.FixtureRequest) -> Rungs:
        return request.param
