from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from surefoot.studies.plan.plan import advise, efficient
from tests.studies.plan.rows import ROWS, row


def test_efficient_races_are_beaten_by_none() -> None:
    assert [one.choice.name for one in efficient(ROWS)] == ["yours", "good", "rich"]


@given(
    st.lists(
        st.tuples(st.floats(1.0, 1e5), st.one_of(st.floats(0.0, 1.0), st.just(np.nan))),
        min_size=1,
        max_size=12,
    )
)
def test_whoever_is_left_out_is_beaten_by_an_efficient_race(pairs) -> None:
    rows = [row(str(i), *pair) for i, pair in enumerate(pairs)]
    best = efficient(rows)
    assert best
    for one in rows:
        if one not in best:
            assert any(
                other.seconds <= one.seconds and not other.forecast.regret > one.forecast.regret
                for other in best
            )


def test_the_cheapest_that_is_good_enough_is_advised() -> None:
    assert advise(ROWS, 0.01).row.choice.name == "good"
    assert advise(ROWS, 0.05).row is ROWS[0]
    # 0.4 % and its standard error of 0.1 % together exceed 0.45 %.
    assert advise(ROWS, 0.0045).row.choice.name == "rich"
    assert "stays below 1 %" in advise(ROWS, 0.01).reason


def test_if_none_is_good_enough_the_best_is_advised() -> None:
    found = advise(ROWS[:3], 0.001)
    assert found.row.choice.name == "good"
    assert "none stays below 0.1 %" in found.reason


def test_a_winner_that_may_diverge_is_not_advised_for_its_price() -> None:
    cheap = row("cheap", 10.0, 0.001)
    risky = replace(cheap, forecast=replace(cheap.forecast, unstable=0.1, lost=0.05))
    assert risky.risk == 0.1 + 0.05
    assert risky in efficient([risky, *ROWS])
    assert advise([risky, *ROWS], 0.01).row.choice.name == "good"
    lost = replace(cheap, forecast=replace(cheap.forecast, regret=np.nan, lost=1.0))
    assert advise([lost, *ROWS], 0.01).row.choice.name == "good"
