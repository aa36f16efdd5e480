from dataclasses import replace

import numpy as np
import pytest

from surefoot.errors import RaceError
from surefoot.racing.criteria import as_criterion
from surefoot.racing.race import Race
from surefoot.racing.rules.tests import ByTest
from surefoot.racing.schedules.rounds import FlatBudget, Halving
from surefoot.racing.screen import Screen
from surefoot.racing.simulation.pilot import Pilot
from surefoot.racing.simulation.world import World, noise_quantiles
from tests.racing.worlds import NORMAL, keys, pilot_table


def world(count=50, *, noise=0.2, broken=0.0, seed=0, apart=0.2, **options):
    rng = np.random.default_rng(seed)
    return World(
        rng.normal(0.0, apart, count),
        np.full(count, noise),
        np.full(count, broken),
        residuals=NORMAL,
        rng=rng,
        **options,
    )


def test_the_true_criterion_is_that_of_the_whole_distribution():
    one = world(noise=0.3, shared=0.4)
    exact = {
        "mean": np.exp(one.locations + 0.3**2 / 2),
        "median": np.exp(one.locations),
        "quantile(0.9)": np.exp(one.locations + 0.3 * 1.2816),
    }
    for name, values in exact.items():
        np.testing.assert_allclose(one.truth(as_criterion(name)), values, rtol=0.01)
    # The maximum is that of about 200 retrainings; its expectation would be 2.746 deviations up.
    highest = np.log(one.truth(as_criterion("max"))) - one.locations
    assert (highest / 0.3 == pytest.approx(2.8, abs=0.15)) or highest.std() < 0.01


@pytest.mark.parametrize("shared", [0.0, 0.5])
def test_noise_of_any_share_has_the_variance_one(shared):
    assert noise_quantiles(NORMAL, shared).std() == pytest.approx(1.0, abs=0.01)
    skewed = np.random.default_rng(1).exponential(size=5000) - 1.0
    assert noise_quantiles(skewed, shared).std() == pytest.approx(1.0, abs=0.05)


def test_divergence_counts_in_every_criterion_by_its_own_definition():
    one = world(broken=0.05)
    assert np.isinf(one.truth(as_criterion("mean"))).all()
    assert np.isfinite(one.truth(as_criterion("quantile(0.9)"))).all()
    assert np.isinf(one.truth(as_criterion("quantile(0.96)"))).all()


def test_races_get_the_losses_they_ask_for_and_the_same_ones():
    one = world(200)
    race = Race(keys(200), "mean", FlatBudget(400, cap=200))
    (first, trained), (again, _) = one.race(race), one.race(race)
    assert first.winner == again.winner
    assert first.trainings == again.trainings
    assert max(first.instances().values()) > 200
    assert first.values == again.values
    assert trained.tolist() == list(first.instances().values())


@pytest.mark.parametrize("paired", [True, False])
def test_paired_candidates_share_their_luck(paired):
    one = world(400, noise=1.0, apart=0.0, shared=0.5, paired=paired)
    state, _ = one.race(Race(keys(400), "mean", Halving(warmup=12)))
    assert state.winner is not None
    logs = np.log(one._losses[:, :12])
    between = logs.mean(axis=0).var(ddof=1)
    assert between > 0.15 if paired else between < 0.02
    assert logs.var(axis=1, ddof=1).mean() == pytest.approx(1.0, abs=0.6 if paired else 0.1)


@pytest.mark.parametrize("paired", [True, False])
def test_a_screen_compares_on_the_same_draws(paired):
    """Fully shared luck moves candidate and baseline together: nobody leaves wrongly."""
    one = World(
        np.full(100, -0.1),
        np.full(100, 0.5),
        np.zeros(100),
        residuals=NORMAL,
        shared=0.999,
        paired=paired,
        baseline=(0.0, 0.5),
        rng=np.random.default_rng(3),
    )
    state, _ = one.race(Race(keys(100), "mean", Halving(), Screen(0.2)))
    assert state.rounds[0].name == "screen"
    assert len(state.rounds[0].survivors) == 100


def test_budgets_may_count_seconds():
    costs = {"seconds": np.where(np.arange(64) % 2, 3.0, 1.0)}
    one = world(64, costs=costs)
    race = Race(keys(64), "mean", FlatBudget(256.0, cap=50), limit=600.0)
    _, cheap = one.race(race)
    dear, trained = one.race(replace(race, cost="seconds"))
    assert trained.sum() < cheap.sum()
    assert costs["seconds"] @ trained <= 600.0
    assert "limit" in dear.stopped


def test_a_test_between_equals_ends_with_the_best_so_far():
    one = world(9, apart=0.0)
    state, _ = one.race(Race(keys(9), "mean", FlatBudget(90, cap=50), rule=ByTest(level=1e-6)))
    assert state.winner is not None
    assert state.stopped


def test_all_screened_out_is_an_error():
    one = world(10, baseline=(-5.0, 0.01))
    with pytest.raises(RaceError, match="screened out"):
        one.race(Race(keys(10), "mean", Halving(), Screen(0.2)))


def test_populations_look_like_the_pilot():
    table = pilot_table(48, 10, broken=0.02)
    pilot = Pilot.of(table, costs={"seconds": np.full(48, 2.0)})
    one = World.like(pilot, 3000, np.random.default_rng(1), first=20)
    assert one.locations.std() == pytest.approx(pilot.locations.std(), rel=0.35)
    assert np.isinf(one._losses).mean() == pytest.approx(pilot.divergence.mean(), abs=0.005)
    sample, truth = np.median(one._losses, axis=1), one.truth(as_criterion("median"))
    good = np.isfinite(sample) & np.isfinite(truth)
    assert np.corrcoef(np.log(sample[good]), np.log(truth[good]))[0, 1] > 0.9
    assert (one.costs["seconds"] == 2.0).all()
    other = one.unpaired(np.random.default_rng(2))
    np.testing.assert_array_equal(other.truth(as_criterion("median")), truth)
