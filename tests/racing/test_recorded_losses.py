"""The default race on recorded losses of real trainings: benchmarks/data/photon_losses.parquet."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from surefoot.racing.criteria import as_criterion
from surefoot.racing.race import Race
from surefoot.racing.replay import Replay
from surefoot.racing.rules.rank import ByPrediction, ByRank
from surefoot.racing.schedules.rounds import Halving
from surefoot.racing.schedules.stages import default_schedule
from surefoot.racing.table import LossTable

PATH = Path(__file__).parents[2] / "benchmarks" / "data" / "photon_losses.parquet"


@pytest.fixture(scope="module")
def recorded():
    return pq.read_table(PATH)


def test_the_table_is_whole(recorded):
    losses = np.stack(recorded["losses"].to_numpy())
    assert losses.shape == (256, 160)
    assert (losses > 0.0).all()
    assert len(set(recorded["key"].to_pylist())) == 256


@pytest.mark.parametrize("criterion", ["mean", "quantile(0.9)"])
def test_at_equal_trainings_the_default_leaves_a_fraction_of_the_papers_regret(recorded, criterion):
    """Fed by 32 of the first 64 instances, judged by the last 96."""
    losses = np.stack(recorded["losses"].to_numpy()).astype(np.float64)
    keys = tuple(recorded["key"].to_pylist())
    truth = as_criterion(criterion).values(losses[:, 64:])
    regrets = dict.fromkeys(("paper", "default"), 0.0)
    for number in range(12):
        columns = np.random.default_rng(number).permutation(64)[:32]
        table = LossTable(keys, losses[:, columns])
        for name, race in {
            "paper": Race(keys, criterion, Halving(), rule=ByRank()),
            "default": Race(
                keys,
                criterion,
                default_schedule(256, 510, 32),
                rule=ByPrediction(),
                max_instances=32,
            ),
        }.items():
            state = Replay(race).run(table)
            assert state.trainings <= 510
            regrets[name] += truth[keys.index(state.winner)] / truth.min() - 1.0
    assert regrets["default"] < 0.35 * regrets["paper"]
