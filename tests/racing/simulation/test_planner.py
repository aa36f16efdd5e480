from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from surefoot.errors import RaceError
from surefoot.racing.criteria import as_criterion
from surefoot.racing.race import Race
from surefoot.racing.rules.tests import BySwaps
from surefoot.racing.schedules.exact_max import ByMax, ExactMax
from surefoot.racing.schedules.rounds import FlatBudget, Halving
from surefoot.racing.screen import Screen
from surefoot.racing.simulation.pilot import Pilot
from surefoot.racing.simulation.planner import Scenario, simulate
from tests.racing.worlds import keys, pilot_table


def contest(count, schedule, criterion="mean", **rules):
    return Scenario(Race(keys(count), criterion, schedule, **rules))


def test_a_flat_budget_is_forecast_to_beat_the_papers_schedule():
    paper, flat = simulate(
        Pilot.of(pilot_table(40, 6)),
        400,
        {
            "paper": contest(400, Halving(warmup=5)),
            "flat": contest(400, FlatBudget(120, cap=40)),
        },
        rng=np.random.default_rng(3),
        races=60,
    )
    assert (paper.name, flat.name) == ("paper", "flat")
    assert paper.races == 60
    assert paper.trainings == paper.max_trainings == sum([2000, 200, 100, 50, 25, 12, 6, 3])
    assert flat.trainings < paper.trainings
    assert flat.p_best > paper.p_best
    assert flat.regret < paper.regret
    assert flat.p_within >= flat.p_best
    assert paper.curse > flat.curse > -0.01
    assert flat.regret_error > 0.0


def test_without_noise_every_schedule_finds_the_best():
    pilot = Pilot.of(pilot_table(12, 4, noise=0.0))
    (forecast,) = simulate(
        pilot, 50, {"paper": contest(50, Halving())}, rng=np.random.default_rng(0), races=5
    )
    assert (forecast.p_best, forecast.regret) == (1.0, 0.0)
    assert forecast.curse == pytest.approx(0.0, abs=1e-9)


def test_other_rules_and_criteria():
    races = {
        "exact": contest(60, ExactMax(16), "max", rule=ByMax(16)),
        "swaps": replace(contest(60, FlatBudget(900), "max", rule=BySwaps()), races=2),
    }
    exact, swaps = simulate(
        Pilot.of(pilot_table(12, 6)), 60, races, rng=np.random.default_rng(0), races=5
    )
    assert exact.max_trainings < 60 * 16
    assert (exact.races, swaps.races) == (5, 2)


def test_costs_are_those_of_the_candidates_that_are_trained():
    """The slow candidates are the good ones, so a race costs more than its trainings' share."""
    table = pilot_table(32, 6, noise=0.1)
    seconds = np.where(np.argsort(np.argsort(table.losses.mean(axis=1))) < 16, 9.0, 1.0)
    (forecast,) = simulate(
        Pilot.of(table, costs={"seconds": seconds}),
        200,
        {"flat": contest(200, FlatBudget(200))},
        rng=np.random.default_rng(0),
        races=10,
    )
    assert forecast.costs["seconds"] > 1.2 * seconds.mean() * forecast.trainings
    assert forecast.costs["seconds"] < 9.0 * forecast.trainings


def test_what_a_screen_removes_wrongly_shows():
    base = np.exp(np.full(6, -4.75))
    pilot = Pilot.of(pilot_table(40, 6, noise=0.35), baseline=base)
    races = {
        "open": contest(300, FlatBudget(300)),
        "screened": contest(300, FlatBudget(300), screen=Screen(0.2)),
        "noise": contest(300, FlatBudget(300), screen=Screen(0.2, "noise")),
    }
    free, screened, noise = simulate(pilot, 300, races, rng=np.random.default_rng(1), races=60)
    assert free.screened == 0.0
    assert screened.screened > noise.screened
    assert screened.screened > 0.05
    assert screened.trainings < free.trainings
    assert screened.p_best <= 1.0 - screened.screened
    assert screened.p_best < free.p_best
    assert screened.regret > free.regret


def test_races_without_a_winner_are_counted():
    pilot = Pilot.of(pilot_table(16, 6), baseline=np.exp(np.full(6, -4.95)))
    races = {"strict": contest(20, Halving(), screen=Screen(0.0))}
    (forecast,) = simulate(pilot, 20, races, rng=np.random.default_rng(1), races=40)
    assert 0.0 < forecast.lost < 1.0
    assert forecast.p_within + forecast.lost <= 1.0 + 1e-9
    assert np.isfinite(forecast.regret)
    hopeless = Pilot.of(pilot_table(16, 6), baseline=np.exp(np.full(6, -20.0)))
    both = {**races, "open": contest(20, Halving())}
    strict, free = simulate(hopeless, 20, both, rng=np.random.default_rng(1), races=3)
    assert (strict.lost, strict.p_best, free.lost) == (1.0, 0.0, 0.0)
    assert np.isnan(strict.regret)
    with pytest.raises(RaceError, match="screened out"):
        simulate(hopeless, 20, races, rng=np.random.default_rng(1), races=3)


def test_winners_that_diverge_at_times_are_counted():
    table = pilot_table(24, 8, broken=0.06, seed=5)
    (forecast,) = simulate(
        Pilot.of(table),
        24,
        {"hasty": contest(24, Halving())},
        rng=np.random.default_rng(2),
        races=60,
    )
    assert 0.0 < forecast.unstable < 1.0
    assert forecast.p_within <= 1.0 - forecast.unstable
    assert np.isfinite(forecast.regret)
    broken = Pilot.of(pilot_table(24, 9, broken=0.4, seed=1))
    if (broken.divergence > 0).all():
        with pytest.raises(RaceError, match="every simulated candidate diverges"):
            simulate(
                broken,
                24,
                {"hasty": contest(24, Halving())},
                rng=np.random.default_rng(2),
                races=3,
            )


def test_unpaired_races_do_worse_on_shared_luck():
    pilot = Pilot.of(pilot_table(48, 10, apart=0.15, noise=0.3, rho=0.8))
    one = contest(200, FlatBudget(200))
    paired, unpaired = simulate(
        pilot,
        200,
        {"paired": one, "unpaired": replace(one, paired=False)},
        rng=np.random.default_rng(0),
        races=60,
    )
    assert paired.regret < 0.7 * unpaired.regret


def test_the_same_generator_gives_the_same_forecast():
    pilot = Pilot.of(pilot_table(12, 6))

    def run(spread=map):
        races = {"p": contest(60, Halving())}
        return simulate(pilot, 60, races, rng=np.random.default_rng(5), races=5, spread=spread)

    assert run() == run()
    with ThreadPoolExecutor(3) as pool:
        assert run(pool.map) == run()


@pytest.mark.parametrize("criterion", ["max", "quantile(0.9)", "cvar(0.1)", "mean+2*sd"])
def test_criteria_of_the_tail_prefer_the_less_noisy(criterion):
    """Of two kinds that are alike in the median, the tail's criteria take the steadier kind."""
    table = pilot_table(40, 8, apart=0.05, noise=0.05, seed=1)
    losses = table.losses.copy()
    losses[::2] = np.exp(-4.0 + 12.0 * (np.log(losses[::2]) + 4.0))
    pilot = Pilot.of(type(table)(table.keys, losses))
    (forecast,) = simulate(
        pilot,
        100,
        {"flat": contest(100, FlatBudget(200), as_criterion(criterion))},
        rng=np.random.default_rng(0),
        races=20,
    )
    assert forecast.regret < 0.3
    assert forecast.p_within > 0.2
