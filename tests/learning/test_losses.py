"""Names of losses, as study files write them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import ConfigurationError
from surefoot.learning.losses import Loss, parse_loss


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("relative_rms", "did you mean 'relative_rmse'"),
        ("entropy of mixing", "is unknown: write a name"),
        ("", "is unknown: write a name"),
        ("mae(root)", "mae takes no value"),
        ("rmse(cube)", "objective 'cube' is unknown: known are: root, square"),
        ("mae(2)", "mae takes no value"),
        ("huber(x)", "'x' is not a number"),
        ("huber(-1)", "must be a positive number"),
        ("huber(nan)", "must be a positive number"),
    ],
)
def test_texts_that_name_no_loss(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse_loss(text)


@given(st.floats(1e-300, 1e300))
def test_a_loss_is_what_its_text_says(parameter: float) -> None:
    loss = Loss("huber", parameter)
    assert parse_loss(str(loss)) == loss


def test_texts_are_short() -> None:
    assert str(Loss("huber", 0.5)) == "huber(0.5)"
    assert str(Loss("huber", np.float64(1 / 3))) == "huber(0.3333333333333333)"
    assert str(Loss("mae")) == "mae"
    assert parse_loss(" huber( 2 ) ") == Loss("huber", 2.0)


def test_the_objective_of_a_loss_that_reports_a_root() -> None:
    assert Loss("rmse").objective == "square"
    assert parse_loss("rmse(square)") == Loss("rmse") == parse_loss("rmse")
    root = Loss("relative_rmse", objective="root")
    assert str(root) == "relative_rmse(root)"
    assert parse_loss(str(root)) == root != Loss("relative_rmse")
    assert root.unit("GeV") == ""
    assert Loss("mae").objective is None
    with pytest.raises(ConfigurationError, match="the loss mae reports no root"):
        Loss("mae", objective="root")
