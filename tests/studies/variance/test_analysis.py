from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from surefoot.errors import StatisticsError
from surefoot.studies.variance.analysis import VarianceResult, analyse, deviation_within


def world(
    rng: np.random.Generator,
    *,
    draw: float = 0.0,
    init: float = 0.0,
    rest: float = 0.0,
    test: float = 0.0,
    n: int = 60,
) -> dict[str, object]:
    """Losses of the additive model with these standard deviations."""

    def noise(sd: float, *shape: int) -> np.ndarray:
        return sd * rng.standard_normal(shape)

    rows, columns = noise(draw, 20, 1, 1), noise(init, 1, 20, 1)
    return {
        "init": 5.0 + noise(init, n) + noise(rest, n),
        "draw": 5.0 + noise(draw, n) + noise(rest, n),
        "both": 5.0 + noise(draw, n) + noise(init, n) + noise(rest, n),
        "crossed": 5.0 + rows + columns + noise(rest, 20, 20, 1),
        "test": 5.0 + noise(draw, 10, 1) + noise(test, 10, 8),
    }


def found(seed: int = 1, **deviations: float) -> VarianceResult:
    rng = np.random.default_rng(seed)
    return analyse(**world(rng, **deviations), rng=rng)


def test_a_spread_of_the_sample_is_found_as_such() -> None:
    result = found(draw=1.0, init=0.2, rest=0.3)
    assert [one.source for one in result.experiments] == ["init", "draw", "both"]
    assert result.ratio is not None
    assert result.ratio.low > 1.0
    assert "the sample matters more" in result.lines()[3]
    assert result.shares["draw"].estimate > 0.7


def test_intervals_of_the_shares_cover() -> None:
    rng = np.random.default_rng(4)
    true = {
        "draw": 1.0 / 1.25,
        "init": 0.16 / 1.25,
        "interaction": 0.09 / 1.25,
        "test": 0.25 / 1.25,
    }
    inside = dict.fromkeys(true, 0)
    for _ in range(40):
        losses = world(rng, draw=1.0, init=0.4, rest=0.3, test=0.5, n=10)
        shares = analyse(**losses, rng=rng, n_resamples=300).shares
        for name, share in true.items():
            inside[name] += shares[name].low <= share <= shares[name].high
    # 95 % nominal; 40 worlds at 90 % give 31 or fewer with a probability of 2 %.
    assert min(inside.values()) >= 32, inside


def test_a_spread_of_the_initialisation_is_found_as_such() -> None:
    result = found(draw=0.2, init=1.0, rest=0.2)
    assert "the initialisation matters more" in result.lines()[3]
    assert result.shares["init"].estimate > 0.7


def test_equal_spreads_cannot_be_told_apart() -> None:
    assert "cannot be told" in found(draw=1.0, init=1.0).lines()[3]


def test_the_share_of_the_test_sample_is_part_of_the_samples() -> None:
    result = found(draw=1.0, init=0.5, test=0.7)
    assert "part of the sample" in result.lines()[-2]
    assert result.lines()[-1] == "in brackets: 95% intervals"


def test_few_draws_are_warned_of_in_words() -> None:
    rng = np.random.default_rng(1)
    losses = world(rng, draw=1.0, init=0.5)
    losses["crossed"] = np.array(losses["crossed"])[:5, :6]
    lines = analyse(**losses, rng=rng, n_resamples=100).lines()
    assert "  only 5 draws and 6 initialisations: the intervals are rough" in lines


def test_sources_are_named_as_the_design_varies_them() -> None:
    rng = np.random.default_rng(1)
    for repeats, names in (
        (1, ["sample", "initialisation with batch order", "their interaction"]),
        (2, ["sample", "initialisation", "their interaction", "batch order"]),
    ):
        crossed = analyse(
            init=[], draw=[], both=[], crossed=rng.random((8, 8, repeats)), test=[], rng=rng
        ).crossed
        assert crossed is not None
        assert [crossed.source(name) for name in crossed.intervals] == names


def test_the_interval_of_the_test_sample_covers() -> None:
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(600):
        groups = rng.standard_normal((4, 6)) + 9.0 * rng.standard_normal((4, 1))
        one, _ = deviation_within(groups, 0.9)
        assert one is not None
        inside += one.low <= 1.0 <= one.high
    assert stats.binomtest(inside, 600, 0.9).pvalue > 0.001


def test_the_pooled_deviation_is_the_anova_mean_square() -> None:
    groups = [[1.0, 2.0, 3.0], [10.0, 12.0], [5.0]]
    one, freedom = deviation_within(groups)
    assert freedom == 3
    assert one is not None
    assert one.estimate == pytest.approx(np.sqrt((2.0 + 2.0) / 3.0))
    low, high = stats.chi2.ppf([0.025, 0.975], 3)
    assert (one.low, one.high) == pytest.approx((np.sqrt(4.0 / high), np.sqrt(4.0 / low)))
    assert "3 degrees of freedom" in one.warning


@pytest.mark.parametrize("whole", [True, False])
def test_one_test_half_for_all_is_no_source_of_spread(whole: bool) -> None:
    result = analyse(
        init=[1.0, 1.1, 1.2, 1.3, 1.4],
        draw=[1.0, 1.1, 1.3, 1.3, 1.2],
        both=[],
        crossed=[],
        test=[],
        rng=np.random.default_rng(0),
        whole_test=whole,
    )
    assert result.test is None
    assert result.crossed is None
    assert result.shares == {}
    assert ("the same test half" in result.lines()[-2]) == whole


def test_diverged_instances_are_counted_and_left_out() -> None:
    rng = np.random.default_rng(2)
    losses = world(rng, draw=1.0, init=1.0)
    losses["init"] = np.append(losses["init"], [np.inf, np.inf])
    cube = np.array(losses["crossed"])
    cube[3, 4, 0] = np.inf
    losses["crossed"] = cube
    result = analyse(**losses, rng=rng)
    assert result.experiments[0].diverged == 2
    assert np.isfinite(result.experiments[0].sd.estimate)
    assert "2 diverged or failed" in result.lines()[0]
    assert result.crossed is not None
    assert result.crossed.left_out == 1
    assert any("1 samples left out" in line for line in result.lines())


def test_too_few_finished_instances_are_refused() -> None:
    with pytest.raises(StatisticsError, match="sample alone: 2 of 4 instances finished"):
        analyse(
            init=[],
            draw=[1.0, 2.0, np.inf, np.inf],
            both=[],
            crossed=[],
            test=[],
            rng=np.random.default_rng(0),
        )


def test_deviations_are_roots_of_variances() -> None:
    crossed = found(draw=1.0, init=0.5, rest=0.1).crossed
    assert crossed is not None
    deviations = crossed.deviations()
    assert deviations["draw"].estimate ** 2 == pytest.approx(crossed.components.draw)
    assert deviations["init"].low ** 2 == pytest.approx(crossed.intervals["init"].low)


def test_a_stray_instance_rules_the_deviation_but_not_the_quartiles() -> None:
    rng = np.random.default_rng(9)
    losses = world(rng, draw=1.0, init=1.0)
    calm = analyse(**losses, rng=rng, n_resamples=400).experiments[0]
    losses["init"] = np.append(losses["init"], 400.0)
    result = analyse(**losses, rng=rng, n_resamples=400)
    wild = result.experiments[0]
    assert wild.sd.estimate > 20.0 * calm.sd.estimate
    assert wild.iqr.estimate == pytest.approx(calm.iqr.estimate, rel=0.2)
    assert wild.iqr.low <= stats.iqr(wild.losses) <= wild.iqr.high
    assert list(wild.strays) == [400.0]
    assert calm.strays.size == 0
    assert "over 61 instances; 1 strayed, up to 400" in result.lines()[0]
    assert "strayed" not in result.lines()[1]
