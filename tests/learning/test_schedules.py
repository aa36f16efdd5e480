"""Schedules against those of torch, and what their formulas promise."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from surefoot.errors import ConfigurationError
from surefoot.learning.schedules import SCHEDULES, parse_schedule

RATE, STEPS, EPOCH = 0.3, 60, 4


def optimizer() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)


TORCH = {
    "constant": lambda o: lr_scheduler.ConstantLR(o, factor=1.0),
    "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, STEPS - 1),
    "cosine(0.05)": lambda o: lr_scheduler.CosineAnnealingLR(o, STEPS - 1, eta_min=0.05 * RATE),
    "linear(0.1)": lambda o: lr_scheduler.LinearLR(o, 1.0, 0.1, STEPS - 1),
    "step(3, 0.5)": lambda o: lr_scheduler.StepLR(o, 3 * EPOCH, 0.5),
    "one_cycle": lambda o: lr_scheduler.OneCycleLR(o, RATE, total_steps=STEPS),
    "one_cycle(0.5)": lambda o: lr_scheduler.OneCycleLR(o, RATE, total_steps=STEPS, pct_start=0.5),
    "cyclical(5, 0.2)": lambda o: lr_scheduler.CyclicLR(o, 0.2 * RATE, RATE, 10),
}


@pytest.mark.parametrize("text", TORCH)
def test_rates_are_those_of_torch(text: str) -> None:
    stepped = optimizer()
    scheduler = TORCH[text](stepped)
    for step in range(STEPS):
        rate = stepped.param_groups[0]["lr"]
        expected = RATE * parse_schedule(text).factor(step, STEPS, EPOCH)
        assert expected == pytest.approx(rate, rel=1e-6, abs=1e-12)
        stepped.step()
        scheduler.step()


@given(
    st.sampled_from(["cosine", "linear"]),
    st.floats(0, 1),
    st.integers(2, 10_000),
    st.integers(1, 500),
    st.integers(0, 5),
)
def test_cosine_and_linear_fall_from_the_rate_to_their_floor(
    name: str, floor: float, steps: int, epoch_steps: int, warmup: int
) -> None:
    schedule = parse_schedule(f"{name}({floor})")
    start = warmup * epoch_steps
    if start >= steps - 1:
        return
    factors = [schedule.factor(t, steps, epoch_steps, warmup) for t in (start, steps - 1)]
    assert factors[0] == pytest.approx(1.0)
    assert factors[1] == pytest.approx(floor, abs=1e-9)


@given(
    st.sampled_from(list(SCHEDULES)),
    st.integers(1, 3000),
    st.integers(1, 100),
    st.floats(0, 40),
    st.data(),
)
def test_factors_lie_between_0_and_1(
    name: str, steps: int, epoch_steps: int, warmup: float, data: st.DataObject
) -> None:
    step = data.draw(st.integers(0, steps - 1))
    assert 0.0 <= parse_schedule(name).factor(step, steps, epoch_steps, warmup) <= 1.0 + 1e-12


def test_a_warm_up_rises_straight_to_the_schedules_first_factor() -> None:
    constant = parse_schedule("constant")
    assert [constant.factor(t, 20, 2, 2.0) for t in range(6)] == pytest.approx(
        [0.2, 0.4, 0.6, 0.8, 1.0, 1.0]
    )
    cyclical = parse_schedule("cyclical(10, 0.5)")
    assert cyclical.factor(0, 20, 2, 2.0) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("cosine", "cosine"),
        (" cosine( 0 ) ", "cosine"),
        ("cosine(0.01)", "cosine(0.01)"),
        ("step", "step"),
        ("step(20)", "step(20, 0.1)"),
        ("one_cycle(0.25)", "one_cycle(0.25)"),
    ],
)
def test_a_schedule_is_what_its_text_says(text: str, short: str) -> None:
    schedule = parse_schedule(text)
    assert str(schedule) == short
    assert parse_schedule(short) == schedule


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cosin", "did you mean 'cosine'"),
        ("constant(1)", "constant takes no value"),
        ("step(1, 2, 3)", "at most 2 values"),
        ("cosine(2)", "2 must be 0 … 1"),
        ("step(0)", "0 must be a positive number"),
        ("linear(x)", "'x' is not a number"),
        ("cosine[1]", "write a name such as constant"),
    ],
)
def test_texts_that_name_no_schedule(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse_schedule(text)
