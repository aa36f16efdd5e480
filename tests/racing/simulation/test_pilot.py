import numpy as np
import pytest
from scipy import special

from surefoot.errors import DataError
from surefoot.racing.simulation.pilot import Pilot, normal_scores, steadier
from surefoot.racing.table import LossTable
from tests.racing.worlds import pilot_table


@pytest.mark.parametrize(("apart", "noise", "rho"), [(0.25, 0.25, 0.0), (0.1, 0.3, 0.6)])
def test_a_pilot_finds_how_the_population_was_made(apart, noise, rho):
    pilots = [Pilot.of(pilot_table(64, 8, apart, noise, rho, seed)) for seed in range(20)]
    assert np.mean([p.locations.std(ddof=1) for p in pilots]) == pytest.approx(apart, rel=0.2)
    assert np.mean([(p.deviations**2).mean() for p in pilots]) == pytest.approx(noise**2, rel=0.15)
    assert np.mean([p.shared for p in pilots]) == pytest.approx(rho, abs=0.12)


@pytest.mark.parametrize("instances", [4, 8])
def test_deviations_scatter_as_much_as_the_true_ones(instances):
    rng = np.random.default_rng(4)
    true = 0.2 * np.exp(0.5 * rng.normal(size=4000))
    noisy = (true[:, None] * rng.normal(size=(4000, instances))).std(axis=1, ddof=1)
    found = np.log(steadier(noisy, np.full(4000, instances)))
    assert found.mean() == pytest.approx(np.log(0.2), abs=0.03)
    assert found.std() == pytest.approx(0.5, abs=0.04)


def test_new_candidates_are_like_the_pilot():
    pilot = Pilot.of(pilot_table(64, 8, seed=3), costs={"seconds": np.arange(64.0)})
    drawn = [pilot.draw(3000, np.random.default_rng(seed)) for seed in range(30)]
    locations = np.concatenate([one for one, _, _ in drawn])
    assert locations.mean() == pytest.approx(pilot.locations.mean(), abs=0.05)
    assert locations.std() == pytest.approx(pilot.locations.std(), rel=0.15)
    rows = np.concatenate([rows for _, _, rows in drawn])
    assert np.bincount(rows, minlength=64).min() > 0.7 * len(rows) / 64
    # Noise and costs go with the location.
    assert np.corrcoef(rows, locations)[0, 1] > 0.9


def test_noise_goes_with_the_location_beyond_the_pilot():
    """Log s rises by 0.4 per standard deviation of the location, also below the pilot's best."""
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(64, 1))
    losses = np.exp(0.3 * scores + 0.1 * np.exp(0.4 * scores) * rng.normal(size=(64, 16)))
    pilot = Pilot.of(LossTable(tuple(map(str, range(64))), losses))
    assert pilot.trend == pytest.approx(0.4, abs=0.1)
    locations, deviations, _ = pilot.draw(5000, rng)
    best = np.argsort(locations)[:100]
    drawn = np.log(deviations[best]).mean()
    assert drawn == pytest.approx(np.log(0.1) - 0.4 * 2.42, abs=0.25)
    assert Pilot.of(pilot_table(64, 8)).trend == pytest.approx(0.0, abs=0.05)


def test_costs_and_rates_of_divergence_stay_with_their_candidate():
    table = pilot_table(12, 6, apart=1.0, noise=0.01)
    losses = table.losses.copy()
    losses[5, :3] = np.inf
    losses[7] = np.inf
    pilot = Pilot.of(LossTable(table.keys, losses), costs={"seconds": np.arange(12.0)})
    assert len(pilot.locations) == 12
    assert pilot.divergence[pilot.costs["seconds"] == 5.0] == 0.5
    assert pilot.divergence[-1] == 1.0
    assert pilot.costs["seconds"][-1] == 7.0
    assert (np.diff(pilot.locations) >= 0.0).all()


def test_candidates_that_left_early_count_with_what_they_have():
    table = pilot_table(40, 8, noise=0.05, seed=2)
    losses = table.losses.copy()
    losses[np.argsort(losses[:, 0])[12:], 1:] = np.nan
    whole, raced = Pilot.of(table), Pilot.of(LossTable(table.keys, losses))
    assert len(raced.locations) == 40
    assert raced.locations.std() == pytest.approx(whole.locations.std(), rel=0.1)


def test_a_baseline_has_a_location_and_a_deviation():
    base = np.exp([-3.0, -3.2, -3.1, -3.1])
    pilot = Pilot.of(pilot_table(12, 4), baseline=base)
    assert pilot.baseline == pytest.approx((-3.1, np.std([-3, -3.2, -3.1, -3.1], ddof=1)))
    assert Pilot.of(pilot_table(12, 4)).baseline is None


def test_normal_scores_are_those_of_blom():
    # Harter (1961): the expected largest of ten standard normal values is 1.5388.
    assert normal_scores(10)[-1] == pytest.approx(1.5388, abs=0.01)
    assert normal_scores(3)[1] == pytest.approx(0.0)
    assert special.ndtr(normal_scores(5)[0]) == pytest.approx(0.625 / 5.25)


def test_bad_pilots():
    with pytest.raises(DataError, match="has 7 candidates with 3 finite losses or more"):
        Pilot.of(pilot_table(7, 5))
    with pytest.raises(DataError, match="must be positive"):
        Pilot.of(LossTable(("a",), np.zeros((1, 4))))


def test_candidates_of_a_group_apart_are_drawn_in_its_share():
    rng = np.random.default_rng(3)
    places = np.append(rng.normal(-4.0, 0.05, 8), rng.normal(-1.0, 0.3, 24))[:, None]
    losses = np.exp(places + 0.05 * rng.normal(size=(32, 6)))
    pilot = Pilot.of(LossTable(tuple(map(str, range(32))), losses))
    assert pilot.group == 8
    drawn = [pilot.draw(2000, rng) for _ in range(40)]
    good = np.concatenate([rows for _, _, rows in drawn]) < 8
    locations = np.concatenate([locations for locations, _, _ in drawn])
    assert good.mean() == pytest.approx(8 / 32, abs=0.05)
    assert np.median(locations[good]) == pytest.approx(-4.0, abs=0.1)
    assert locations[~good].min() >= pilot.locations[8]
    assert locations.min() > -4.6
