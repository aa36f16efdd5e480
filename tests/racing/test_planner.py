import numpy as np
import pytest

from surefoot.errors import RaceError
from surefoot.racing.criteria import from_name
from surefoot.racing.exact_max import ByMax, ExactMax
from surefoot.racing.planner import Pilot, simulate
from surefoot.racing.schedule import FlatBudget, Halving
from surefoot.racing.table import LossTable


def pilot_table(candidates, instances, apart=0.25, noise=0.25, rho=0.0, seed=0, broken=0.0):
    rng = np.random.default_rng(seed)
    luck = np.sqrt(rho) * rng.normal(size=instances)
    noises = np.sqrt(1 - rho) * rng.normal(size=(candidates, instances)) + luck
    losses = np.exp(rng.normal(-4, apart, (candidates, 1)) + noise * noises)
    losses[rng.random(losses.shape) < broken] = np.inf
    return LossTable(tuple(f"{i:03d}" for i in range(candidates)), losses)


@pytest.mark.parametrize(("apart", "noise", "rho"), [(0.25, 0.25, 0.0), (0.1, 0.3, 0.6)])
def test_a_pilot_finds_how_the_population_was_made(apart, noise, rho):
    pilots = [Pilot.of(pilot_table(64, 8, apart, noise, rho, seed)) for seed in range(20)]
    assert np.mean([p.locations.std(ddof=1) for p in pilots]) == pytest.approx(apart, rel=0.2)
    assert np.mean([(p.deviations**2).mean() for p in pilots]) == pytest.approx(noise**2, rel=0.15)
    assert np.mean([p.shared for p in pilots]) == pytest.approx(rho, abs=0.12)


def test_populations_look_like_the_pilot():
    pilot = Pilot.of(pilot_table(48, 10, broken=0.02))
    truth, losses = next(pilot.populations(3000, 20, from_name("median"), np.random.default_rng(1)))
    assert truth.shape == (3000,)
    assert losses.shape == (3000, 20)
    logs = np.log(truth[np.isfinite(truth)])
    assert logs.std() == pytest.approx(pilot.locations.std(), rel=0.1)
    assert np.isinf(losses).mean() == pytest.approx(pilot.divergence.mean(), abs=0.005)
    sample = np.median(losses, axis=1)
    good = np.isfinite(sample) & np.isfinite(truth)
    assert np.corrcoef(np.log(sample[good]), np.log(truth[good]))[0, 1] > 0.9


def test_a_flat_budget_is_forecast_to_beat_the_papers_schedule():
    pilot = Pilot.of(pilot_table(40, 6))
    paper, flat = simulate(
        pilot,
        400,
        {"paper": Halving(warmup=5), "flat": FlatBudget(120, cap=40)},
        rng=np.random.default_rng(3),
        races=40,
    )
    assert (paper.name, flat.name) == ("paper", "flat")
    assert paper.trainings == paper.most == sum([2000, 200, 100, 50, 25, 12, 6, 3])
    assert flat.trainings < paper.trainings
    assert flat.p_best > paper.p_best
    assert flat.regret < paper.regret
    assert flat.p_within >= flat.p_best
    assert paper.curse > flat.curse > -0.01
    assert flat.regret_error > 0.0


def test_without_noise_every_schedule_finds_the_best():
    table = pilot_table(12, 4, noise=0.0)
    (forecast,) = simulate(
        Pilot.of(table), 50, {"paper": Halving()}, rng=np.random.default_rng(0), races=5
    )
    assert (forecast.p_best, forecast.regret) == (1.0, 0.0)
    assert forecast.curse == pytest.approx(0.0, abs=1e-9)


def test_other_rules_and_criteria():
    (forecast,) = simulate(
        Pilot.of(pilot_table(12, 6)),
        60,
        {"exact": ExactMax(16)},
        rng=np.random.default_rng(0),
        criterion="max",
        rules={"exact": ByMax(16)},
        races=5,
    )
    assert forecast.most < 60 * 16


def test_the_same_generator_gives_the_same_forecast():
    pilot = Pilot.of(pilot_table(12, 6))

    def run():
        return simulate(pilot, 60, {"p": Halving()}, rng=np.random.default_rng(5), races=5)

    assert run() == run()


def test_bad_pilots():
    with pytest.raises(RaceError, match="has 7 candidates with 3 finite losses or more"):
        Pilot.of(pilot_table(7, 5))
    with pytest.raises(RaceError, match="must be positive"):
        Pilot.of(LossTable(("a",), np.zeros((1, 4))))
