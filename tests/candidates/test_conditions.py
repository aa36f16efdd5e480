import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.candidates.conditions import parse_condition
from surefoot.candidates.convnet.notation import convnet, preset
from surefoot.errors import SpaceError


@given(st.floats(1e-5, 1.0), st.integers(1, 512), st.floats(0.0, 10.0))
def test_arithmetic_agrees_with_python(rate, batch, limit):
    net = convnet([4], learning_rate=rate, batch_size=batch)
    text = f"learning_rate * batch_size - 0.5 <= {limit!r} / 2"
    assert parse_condition(text)(net) == (rate * batch - 0.5 <= limit / 2)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("optimizer == 'nadam' and not learning_rate > 1e-3", True),
        ("optimizer in ['sgd', 'adam']", False),
        ("optimizer not in ('sgd', 'adam')", True),
        ("0 < learning_rate < 1e-4", False),
        ("number_of_parameters == 23_923 or side", True),
        ("channels == [32, 64]", True),
        ("convolutions >= 2", True),
        ("decay > -1", True),
    ],
)
def test_conditions_on_a_preset(text, holds):
    assert parse_condition(text)(preset("model_1")) is holds


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "label.upper() == 'A'",
        "[x for x in hidden]",
        "hidden[0] == 9",
        "learning_rate <",
        "2 ** 9999",
        "lambda: 1",
        "b'x' == decay",
    ],
)
def test_anything_else_is_refused_before_any_candidate_is_seen(text):
    with pytest.raises(SpaceError, match="cannot be read at"):
        parse_condition(text)


def test_unknown_names_and_impossible_comparisons_are_named():
    with pytest.raises(SpaceError, match="did you mean 'learning_rate'"):
        parse_condition("learning_rat < 1")(preset("model_1"))
    with pytest.raises(SpaceError, match="fails for"):
        parse_condition("optimizer < 3")(preset("model_1"))
    with pytest.raises(SpaceError, match="fails for"):
        parse_condition("1 / decay > 0")(convnet([4]))
