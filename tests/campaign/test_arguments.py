"""Arguments of the Python functions, from Hypothesis: an answer or one sentence."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Lasso, Ridge

import surefoot
from tests.campaign.campaign import Campaign, campaign

RNG = np.random.default_rng(7)
DATA = surefoot.Population(RNG.normal(size=(40, 2)), RNG.normal(size=40) + 5.0)
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 60),
    st.sampled_from([10**9, 10**30, -(2**70)]),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["mean", "max", "halving", "test", "rank", "rmse", "huber(1)", "seconds"]),
    st.binary(max_size=4),
    st.lists(st.one_of(st.integers(-3, 50), st.floats(), st.text(max_size=3)), max_size=4),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.sampled_from([np.int64(5), np.float64("nan"), np.array([1, 2]), object(), Ridge, Ridge()]),
)
OPTIONS: dict[Any, tuple[str, ...]] = {
    surefoot.select: (
        "criterion", "schedule", "rule", "screen", "limit", "max_instances", "baseline", "paired",
        "cost", "certify", "certify_best_of", "content", "confidence", "loss", "sample_size",
        "sampling", "stopping", "pool_fraction", "seed", "engine", "journal", "retry_failed", "x",
    ),
    surefoot.assess: ("n", "content", "confidence", "promise", "max_exceedances", "loss", "seed"),
    surefoot.sample_size: ("sizes", "n", "content", "confidence", "tolerance", "limit", "seed"),
    surefoot.variance: ("alone", "draws", "inits", "replicates", "tested", "tests", "confidence"),
    surefoot.compare: ("baseline", "sizes", "n", "content", "confidence", "equal_test", "seed"),
    surefoot.plan: ("size", "n", "races", "regret", "criterion", "schedule", "seed"),
}  # fmt: skip
QUICK: dict[Any, dict[str, Any]] = {
    surefoot.select: {"certify": 1, "limit": 6},
    surefoot.assess: {"n": 2},
    surefoot.sample_size: {"sizes": [5], "n": 2},
    surefoot.variance: {"alone": 5, "draws": 0, "inits": 0, "tests": 0},
    surefoot.compare: {"sizes": [5], "n": 2},
    surefoot.plan: {"size": 2, "n": 2, "races": 1},
}


@st.composite
def calls(draw: Any) -> tuple[Any, Any, dict[str, Any]]:
    """Return a function, its first argument and options, most of them good."""
    question = draw(st.sampled_from(list(OPTIONS)))
    many = question in (surefoot.select, surefoot.compare, surefoot.plan)
    first = [Ridge(), Ridge(2.0), Lasso()] if many else Ridge()
    if draw(st.integers(0, 9)) == 0:
        first = draw(ANYTHING)
    names = draw(st.lists(st.sampled_from(OPTIONS[question]), min_size=1, max_size=2))
    return question, first, QUICK[question] | {name: draw(ANYTHING) for name in names}


def judge(part: Campaign, call: tuple[Any, Any, dict[str, Any]]) -> None:
    """Make a call, and keep an end that is not allowed."""
    question, first, options = call
    if isinstance(options.get("journal"), str | bytes):
        options = options | {"journal": None}
    here = {"executor": surefoot.InlineExecutor()}
    part.judge(lambda: question(first, DATA, **here, **options), f"{question.__name__} {call[1:]}")


def run(part: Campaign, **how: Any) -> None:
    """Let Hypothesis make the calls of a part of the campaign."""

    @settings(
        max_examples=part.inputs,
        database=None,
        suppress_health_check=list(HealthCheck),
        **how,
    )
    @given(calls())
    def every(call: tuple[Any, Any, dict[str, Any]]) -> None:
        judge(part, call)

    every()
    print(f"\n{part.name}: {part.inputs} calls, seed {part.seed}: {part.ends}")
    part.check()


@pytest.mark.filterwarnings("ignore")
def test_every_call_answers_or_refuses_in_one_sentence():
    run(campaign("arguments", 40, 0, slow=False), derandomize=True)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_every_call_answers_or_refuses_in_one_sentence_long():
    part = campaign("arguments", 40, 10_000, slow=True)
    random.seed(part.seed)
    run(part)
