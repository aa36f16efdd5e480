"""Selection on recorded losses for ``selection_quality.py``: 256 networks, real photons.

The table is `data/photon_losses.parquet` (see ``record_losses.py``). Its last 96 instances are the
truth: the criterion over them says which candidate is the best, and by how much another is worse.
The true maximum is that of 32 instances, the mean over all subsets of 32 of the 96: the maximum of
all 96 is a single loss, and luck would decide who is the best.
The others feed the methods: every repetition shuffles the candidates and takes 32 of the first 64
instances, in random order. So no method sees a loss the truth is made of, none can train a
candidate more than 32 times, and every method sees the same losses in the same repetition.
"""

from __future__ import annotations

import contextlib
import importlib.util
import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import selection_peers as peers

from surefoot.racing.criteria import Criterion, as_criterion
from surefoot.racing.prediction import SIZE, predict
from surefoot.racing.race import Race
from surefoot.racing.replay import Replay
from surefoot.racing.rules.base import EliminationRule
from surefoot.racing.rules.rank import ByPrediction, ByRank
from surefoot.racing.schedules.base import Schedule
from surefoot.racing.schedules.rounds import Halving
from surefoot.racing.schedules.stages import default_schedule
from surefoot.racing.table import LossTable

PATH = Path(__file__).parent / "data" / "photon_losses.parquet"
CRITERIA = ("mean", "quantile(0.9)", "max")
FEED, FEEDING = 32, 64
WARMUPS = {510: 1, 1022: 3, 1534: 5, 2558: 9}
"""The trainings of the paper's schedule with 256 candidates, by its warm-up: the budgets."""
OURS, PAPER = "surefoot", "paper's schedule"
ALL, FLOOR = "all 8,192 trainings", "all 8,192 trainings, predicted"


@dataclass(frozen=True)
class Method:
    """A way to select: its name, the budgets it is run at, and the repetitions it can afford.

    ``needs`` names the module it takes; ``blind`` says that it cannot be told the criterion.
    """

    name: str
    run: peers.Peer
    repetitions: int = 200
    budgets: tuple[int, ...] = tuple(WARMUPS)
    needs: str = "numpy"
    blind: bool = False

    @property
    def slow(self) -> bool:
        """Whether a run takes seconds to minutes."""
        return self.needs == "smac" or self.run is peers.optuna_wilcoxon

    @property
    def installed(self) -> bool:
        """Whether its module is here."""
        return importlib.util.find_spec(self.needs) is not None


def surefoot(losses, parameters, budget, criterion, seed):
    """surefoot's default at a budget."""
    schedule = default_schedule(len(losses), budget, max_instances=FEED)
    return race(losses, criterion, schedule, ByPrediction(), FEED)


def paper(losses, parameters, budget, criterion, seed):
    """The paper's halving with as many warm-up instances as the budget pays."""
    return race(losses, criterion, Halving(warmup=WARMUPS[budget]), ByRank())


def everything(losses, parameters, budget, criterion, seed):
    """Train every candidate on all instances that feed and take the best."""
    return int(np.argmin(criterion.values(losses)))


def everything_predicted(losses, parameters, budget, criterion, seed):
    """The same, by the criterion that surefoot predicts: what nobody gets below but by luck."""
    return int(np.argmin(predict(criterion, losses, np.full(len(losses), FEED), SIZE)))


def race(
    losses: np.ndarray,
    criterion: Criterion,
    schedule: Schedule,
    rule: EliminationRule,
    max_instances: int | None = None,
) -> int:
    """Return the row of the winner of a race."""
    keys = tuple(f"{row:08d}" for row in range(len(losses)))
    state = Replay(Race(keys, criterion, schedule, rule=rule, max_instances=max_instances)).run(
        LossTable(keys, losses),
    )
    assert state.winner is not None
    return int(state.winner)


METHODS = (
    Method(OURS, surefoot),
    Method(PAPER, paper),
    Method("sequential halving", peers.sequential_halving),
    Method("random search, 5 instances", peers.random_search(5)),
    Method("random search, 10 instances", peers.random_search(10)),
    Method("Optuna TPE, 5 instances", peers.optuna_tpe(5), 100, needs="optuna"),
    Method("Optuna TPE, 10 instances", peers.optuna_tpe(10), 100, needs="optuna"),
    Method("Optuna TPE, WilcoxonPruner", peers.optuna_wilcoxon, 50, (510, 1022), "optuna"),
    Method("SMAC3", peers.smac, 20, (510,), "smac", blind=True),
    Method(ALL, everything, budgets=(256 * FEED,)),
    Method(FLOOR, everything_predicted, budgets=(256 * FEED,)),
)


@cache
def table() -> tuple[np.ndarray, list[dict[str, Any]]]:
    """Return the losses ``[candidates, instances]`` and the candidates' parameters."""
    read = pq.read_table(PATH)
    losses = np.stack(read["losses"].to_numpy()).astype(np.float64)
    names = [name for name in read.column_names if name not in ("key", "losses")]
    return losses, read.select(names).to_pylist()


def repetition(number: int, seed: int) -> tuple[np.ndarray, np.ndarray, list[dict[str, Any]]]:
    """Return losses that feed ``[candidates, 32]``, those of the truth, and the parameters."""
    losses, parameters = table()
    rng = np.random.default_rng([seed, number])
    rows = rng.permutation(len(losses))
    columns = rng.permutation(FEEDING)[:FEED]
    return losses[rows][:, columns], losses[rows, FEEDING:], [parameters[row] for row in rows]


def expected_maximum(losses: np.ndarray, size: int = FEED) -> np.ndarray:
    """Return the mean maximum of all subsets of ``size`` losses of every row.

    The i-th smallest of n is the maximum of C(i - 1, size - 1) of the C(n, size) subsets.
    """
    n = losses.shape[1]
    weights = [math.comb(i, size - 1) / math.comb(n, size) for i in range(n)]
    return np.sort(losses, axis=1) @ np.array(weights)


def regrets(task: tuple[str, int, int, int]) -> dict[str, float]:
    """Return the winner's regret of one run, by criterion: its true value / the best - 1."""
    name, budget, number, seed = task
    method = next(one for one in METHODS if one.name == name)
    losses, truth, parameters = repetition(number, seed)
    found, chosen = {}, None
    with open(os.devnull, "w") as silent, contextlib.redirect_stdout(silent):
        for wanted in CRITERIA:
            criterion = as_criterion(wanted)
            if chosen is None or not method.blind:
                chosen = method.run(losses, parameters, budget, criterion, number)
            values = expected_maximum(truth) if wanted == "max" else criterion.values(truth)
            found[wanted] = float(values[chosen] / values.min() - 1.0)
    return found


def measure(
    methods: tuple[Method, ...], most: int, seed: int, workers: int, each: Callable[[int], None]
) -> Iterator[dict[str, Any]]:
    """Yield a row of figures per method, budget and criterion; ``each`` counts runs."""
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for method in methods:
            for budget in method.budgets:
                number = min(most, method.repetitions)
                tasks = [(method.name, budget, one, seed) for one in range(number)]
                runs = []
                for run in pool.map(regrets, tasks):
                    runs.append(run)
                    each(1)
                for criterion in CRITERIA:
                    regret = np.array([run[criterion] for run in runs])
                    yield {
                        "method": method.name,
                        "budget": budget,
                        "criterion": criterion,
                        "repetitions": number,
                        "p_best": float((regret < 1e-12).mean()),
                        "p_within_1_percent": float((regret <= 0.01).mean()),
                        "regret": float(regret.mean()),
                        "regret_error": float(regret.std(ddof=1) / np.sqrt(number)),
                    }
