"""What was selected on one population, asked about on another."""

import numpy as np
import pytest

import surefoot
from surefoot.calorimeter.baselines import ScaledSum
from surefoot.data.population import Population, Sampling
from surefoot.errors import ConfigurationError, JournalMismatchError
from surefoot.executors.local.executor import LocalExecutor
from surefoot.instances import Setting
from surefoot.learning.losses import parse_loss
from surefoot.learning.stopping import Stopping
from surefoot.seeds.ledger import Role
from surefoot.studies.select.study import SelectStudy
from surefoot.studies.sizes.transfer import check_transfer, selected

SUMS = (ScaledSum(linear=True), ScaledSum(window="3x3"), ScaledSum(window="5x5"))


def setting(seed, loss="relative_rmse", target="energy"):
    rng = np.random.default_rng(seed)
    energy = rng.uniform(1.0, 100.0, 160)
    cells = rng.dirichlet(np.full(25, 0.7), 160) * (energy * rng.normal(0.25, 0.01, 160))[:, None]
    population = Population(cells, energy, name=f"seed {seed}", target_name=target)
    return Setting(population.split(1), Sampling(60), parse_loss(loss), Stopping())


@pytest.fixture(scope="module")
def journal():
    study = SelectStudy(candidates=SUMS, setting=setting(1), baseline=ScaledSum(), certify=6)
    with study.open(":memory:") as record, LocalExecutor(1) as executor:
        study.run(record, executor=executor)
        yield record


def test_the_winner_comes_with_its_fresh_losses_and_the_others_with_racing_ones(journal):
    found, baseline = selected(journal, 3)
    assert set(found) == set(SUMS)
    winner, *_ = found.values()
    assert winner.tolist() == [o.loss for o in journal.outcomes(Role.CERTIFY)]
    for candidate, losses in list(found.items())[1:]:
        raced = [o.loss for o in journal.outcomes(Role.RACE, candidate.key)]
        assert sorted(losses) == sorted(raced)
    assert len(winner) == 6
    assert baseline.size == 0


def test_more_than_raced_cannot_be_retrained(journal):
    for best in (0, 4):
        with pytest.raises(ConfigurationError, match=f"best = {best} .* the race has 3"):
            selected(journal, best)


def test_other_data_and_nothing_else(journal):
    check_transfer(journal, setting(2))
    with pytest.raises(JournalMismatchError, match="is the population of the race itself"):
        check_transfer(journal, setting(1))
    with pytest.raises(JournalMismatchError, match=r"another loss .*'relative_rmse' -> 'rmse'"):
        check_transfer(journal, setting(2, loss="rmse"))
    with pytest.raises(JournalMismatchError, match=r"another target .*'energy' -> 'x'"):
        check_transfer(journal, setting(2, target="x"))


def test_a_transfer_in_one_call(tmp_path):
    here, there = (setting(seed).halves.population for seed in (1, 2))
    arguments = {"loss": "relative_rmse", "sample_size": 60, "workers": 1}
    race = tmp_path / "race.db"
    surefoot.select(SUMS, here, baseline=ScaledSum(), certify=6, journal=race, **arguments)
    found = surefoot.transfer(race, there, best=2, n=5, workers=1)
    assert found.populations == ("seed 1", "seed 2")
    assert found.comparison.losses.shape == (3, 1, 5)
    assert found.comparison.sizes == (60,)
    assert len(found.at_home[0]) == 6
    assert str(found).startswith("On seed 2 the median loss of ")
    with pytest.raises(JournalMismatchError, match="is the population of the race itself"):
        surefoot.transfer(race, here, n=5, workers=1)


def test_a_race_without_baseline_needs_one(tmp_path):
    here, there = (setting(seed).halves.population for seed in (1, 2))
    arguments = {"loss": "relative_rmse", "sample_size": 60, "workers": 1}
    race = tmp_path / "race.db"
    surefoot.select(SUMS, here, certify=0, journal=race, **arguments)
    with pytest.raises(ConfigurationError, match="had no baseline"):
        surefoot.transfer(race, there, workers=1)
