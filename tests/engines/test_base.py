"""What `Engine.train` makes of whatever an engine's `fit` does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from surefoot.engines.base import Monitor
from surefoot.errors import MissingExtraError
from surefoot.instances import Outcome, Status
from surefoot.testing import toy_instance, toy_setting
from tests.fakes import Fake, FakeThreads


def outcome(fit: Callable[[Monitor], None]) -> Outcome:
    class Told(FakeThreads):
        def fit(self, instance, setting, monitor):
            return fit(monitor)

    return Told().train(toy_instance(Fake()), toy_setting()).outcome


def test_a_finished_curve_is_what_was_told() -> None:
    found = outcome(lambda monitor: monitor.tell(0.5, 0.25))
    assert (found.status, found.loss, found.message) == (Status.FINISHED, 0.25, "")
    assert found.curve.dtype == np.float32
    assert found.curve.tolist() == [0.5, 0.25]


@pytest.mark.parametrize("last", [np.nan, np.inf, -np.inf, 1e300])
def test_a_curve_ends_with_the_last_finite_loss(last: float) -> None:
    found = outcome(lambda monitor: monitor.tell(0.5, last, 0.25))
    assert (found.status, found.loss, found.curve.tolist()) == (Status.DIVERGED, np.inf, [0.5])


def test_a_failure_keeps_its_curve_and_says_what_was_raised() -> None:
    def fit(monitor: Monitor) -> None:
        monitor.message = "a warning"
        monitor.tell(0.5, np.nan)
        raise ArithmeticError("no descent today")

    found = outcome(fit)
    assert (found.status, found.loss, found.curve.tolist()) == (Status.FAILED, np.inf, [0.5])
    assert found.message == "ArithmeticError: no descent today"


def test_no_loss_at_all_is_failed() -> None:
    found = outcome(lambda monitor: None)
    assert (found.status, found.epochs) == (Status.FAILED, 0)
    assert found.message == "the engine gave no test loss"


def test_a_missing_extra_is_no_outcome() -> None:
    def fit(monitor: Monitor) -> None:
        raise MissingExtraError("'torch' is not installed")

    with pytest.raises(MissingExtraError):
        outcome(fit)
