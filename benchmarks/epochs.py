"""What a race with rungs finds for how many epochs, on recorded curves of real trainings.

The worlds are those of ``epochs_record.py``: candidates of the paper's grid, each with the curves
of several paired instances. The last instances are the truth, which no method sees; the others feed
the methods, in an order of their own in every repetition, as are the candidates. Nothing is
trained: a method asks for the losses of an instance up to an epoch and pays for the epochs it did
not have.

    python benchmarks/epochs.py benchmarks/data/curves-*.parquet [--workers N] [--json F] [--quick]

Methods: the paper's schedule, the default race, the same with rungs, with synchronous halving over
epochs and with Hyperband's brackets, each at several limits; ASHA (Li et al. 2020) and, where they
are installed, Optuna's TPE with its ``HyperbandPruner`` and SMAC3's multi-fidelity facade, at
budgets that are shares of what the default race costs. These two take `FEW` repetitions.

Told are the epochs (as a share of the default race's), the regret (true criterion of the winner
over the best one's, minus 1), how often the winner is the best, how often the best left at a rung,
how often all within `TOLERANCE` of it did, of which the rungs state their risk, and the regret that
the best of those who stayed would have. The truth is noisy itself: its best is partly luck, so
that the single best leaves more often than a truth without noise would show. ``--quick`` takes 10
repetitions in place of 200.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import math
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from epochs_record import candidates_of

from surefoot.errors import ConfigurationError, RaceError
from surefoot.racing import (
    ByCurve,
    ByEpochHalving,
    ByHyperband,
    Halving,
    LossTable,
    Race,
    Replay,
    as_criterion,
)
from surefoot.racing.curves import Curve, CurveTable

CRITERIA = ("mean", "quantile(0.9)")
TRUTH = 0.5
"""Share of the instances that are the truth."""
BUDGETS = (0.05, 0.1, 0.3, 1.0)
"""As shares of what the default race costs without a limit."""
ETA = 3
TOLERANCE = ByCurve().tolerance
FEW = 10
"""Repetitions of the methods that fit a model to every trial."""


@dataclass(frozen=True, eq=False)
class World:
    """Recorded curves ``[candidates, instances, epochs]``, +inf from where a training diverged."""

    about: dict[str, Any]
    curves: np.ndarray
    parameters: list[dict[str, Any]]

    @classmethod
    def read(cls, path: Path) -> World:
        """Read a file of ``epochs_record.py``."""
        table = pq.read_table(path)
        about = json.loads(table.schema.metadata[b"recorded"])
        rows = table.to_pydict()
        keys = list(dict.fromkeys(rows["key"]))
        place = {key: row for row, key in enumerate(keys)}
        curves = np.full((len(keys), about["instances"], about["epochs"]), np.inf)
        for key, instance, curve in zip(rows["key"], rows["instance"], rows["curve"], strict=True):
            curves[place[key], instance, : len(curve)] = curve
        known = {
            one.key: one.spec()
            for one in candidates_of(about["task"], about["recipe"], about["candidates"])
        }
        return cls(about, curves, [known[key] for key in keys])

    def repetition(self, seed: int) -> Repetition:
        """Return the world with candidates and feeding instances in an order of its own."""
        rng = np.random.default_rng(seed)
        rows = rng.permutation(len(self.curves))
        feeding = self.curves.shape[1] - round(TRUTH * self.curves.shape[1])
        chosen = rng.permutation(feeding)
        return Repetition(
            self.curves[rows][:, chosen],
            self.curves[rows][:, feeding:, -1],
            [self.parameters[row] for row in rows],
        )


@dataclass(frozen=True, eq=False)
class Repetition:
    """What a method is fed, ``curves``, and the losses of the truth ``[candidates, instances]``."""

    curves: np.ndarray
    truth: np.ndarray
    parameters: list[dict[str, Any]]


@dataclass(frozen=True)
class Found:
    """What a method came to: the row of its winner, the epochs, who left at a rung."""

    winner: int
    epochs: float
    at_rungs: frozenset[int] = frozenset()


Method = Callable[[Repetition, str, float | None], Found | None]
"""Of a repetition, the criterion and a budget in trainings; None if it cannot keep to it."""


def raced(**rules: Any) -> Method:
    """Return a race by some rules, which ends within the instances that feed it."""

    def method(fed: Repetition, criterion: str, budget: float | None) -> Found | None:
        count, instances, epochs = fed.curves.shape
        keys = tuple(f"{row:05d}" for row in range(count))
        if budget is not None and budget < count and "rungs" not in rules:
            return None
        bounds = {"limit": budget, "max_instances": instances, "epochs": epochs}
        try:
            race = Race(keys, criterion, **bounds, **rules)
        except ConfigurationError:
            return None
        trained = np.zeros((count, instances), np.int64)
        replay = Replay(race)
        try:
            while not (state := replay.run(*known(fed, race, trained))).over:
                for key, instance in state.need:
                    trained[int(key), instance] = state.until or epochs
        except RaceError:
            return Found(0, float(trained.sum()))
        rungs = {one.number for one in state.rounds if one.name == "rung"}
        gone = frozenset(int(e.key) for e in state.eliminations if e.round in rungs)
        return Found(int(state.winner or 0), float(trained.sum()), gone)

    return method


def known(
    fed: Repetition, race: Race, trained: np.ndarray
) -> tuple[LossTable, None, None, CurveTable | None]:
    """Return what a race may see of the trainings so far."""
    epochs = fed.curves.shape[2]
    ended = np.where(trained == epochs, fed.curves[:, :, -1], np.nan)
    table = LossTable(race.keys, ended)
    if race.rungs is None:
        return table, None, None, None
    width, most = max(race.rungs.at(epochs), default=0), race.rungs.instances(race.criterion)
    curves = {
        (race.keys[row], instance): Curve(
            fed.curves[row, instance, : trained[row, instance]],
            0.0,
            float(fed.curves[row, instance, -1]) if trained[row, instance] == epochs else None,
        )
        for row, instance in np.argwhere(trained[:, :most] > 0)
    }
    return table, None, None, CurveTable.of(race.keys, curves, most, width)


def asha(fed: Repetition, criterion: str, budget: float | None) -> Found | None:
    """Asynchronous successive halving of the first instances, one worker (Li et al. 2020)."""
    count, _, epochs = fed.curves.shape
    if budget is None:
        return None
    levels = [epochs]
    while levels[0] // ETA >= 1 and len(levels) < 4:
        levels.insert(0, levels[0] // ETA)
    at: list[dict[int, float]] = [{} for _ in levels]
    promoted: list[set[int]] = [set() for _ in levels]
    spent, fresh = 0.0, 0
    while spent < budget * epochs:
        row, level = -1, 0
        for below in range(len(levels) - 2, -1, -1):
            best = sorted(at[below], key=at[below].__getitem__)[: len(at[below]) // ETA]
            able = [one for one in best if one not in promoted[below]]
            if able:
                row, level = able[0], below + 1
                promoted[below].add(row)
                break
        if row < 0:
            if fresh == count:
                break
            row, fresh = fresh, fresh + 1
        spent += levels[level] - (levels[level - 1] if level else 0)
        at[level][row] = float(fed.curves[row, 0, levels[level] - 1])
    top = next(losses for losses in reversed(at) if losses)
    return Found(min(top, key=top.__getitem__), spent)


class Bill:
    """What a method that asks for trials, of parameters and epochs, has seen and paid.

    Parameters stand for the candidate nearest to them. It pays for the epochs that the candidate
    did not have, and ends after `TRIALS` trials per candidate, when all it asks for is known.
    """

    TRIALS = 2

    def __init__(self, fed: Repetition, budget: float) -> None:
        self.fed, self.budget = fed, budget * fed.curves.shape[2]
        self.trained, self.trials = np.zeros(len(fed.curves), np.int64), 0
        self.plain = [{k: str(v) for k, v in one.items()} for one in fed.parameters]
        names = sorted({name for one in self.plain for name in one})
        every = {name: sorted({one.get(name, "") for one in self.plain}) for name in names}
        self.choices = {name: values for name, values in every.items() if len(values) > 1}

    @property
    def spent(self) -> float:
        return float(self.trained.sum())

    @property
    def over(self) -> bool:
        return self.spent >= self.budget or self.trials >= self.TRIALS * len(self.plain)

    def row(self, asked: dict[str, Any]) -> int:
        """Return the candidate nearest to some parameters."""
        self.trials += 1
        away = [sum(one.get(name, "") != v for name, v in asked.items()) for one in self.plain]
        return int(np.argmin(away))

    def loss(self, row: int, epochs: int) -> float:
        """Return the loss of a candidate's first instance after so many epochs."""
        self.trained[row] = max(self.trained[row], epochs)
        return float(self.fed.curves[row, 0, epochs - 1])

    def found(self) -> Found:
        """Return the best of those that trained longest."""
        longest = np.flatnonzero(self.trained == self.trained.max())
        losses = [self.loss(row, int(self.trained[row])) for row in longest]
        return Found(int(longest[np.argmin(losses)]), self.spent)


def optuna_hyperband(fed: Repetition, criterion: str, budget: float | None) -> Found | None:
    """Optuna's TPE with its Hyperband pruner."""
    import optuna

    if budget is None:
        return None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    epochs, bill = fed.curves.shape[2], Bill(fed, budget)

    def objective(trial: Any) -> float:
        row = bill.row({n: trial.suggest_categorical(n, v) for n, v in bill.choices.items()})
        for epoch in range(1, epochs + 1):
            loss = bill.loss(row, epoch)
            if not math.isfinite(loss):
                raise optuna.TrialPruned
            trial.report(loss, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return loss

    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=0),
        pruner=optuna.pruners.HyperbandPruner(1, epochs, ETA),
    )
    while not bill.over:
        study.optimize(objective, n_trials=1)
    return bill.found()


def smac_multi_fidelity(fed: Repetition, criterion: str, budget: float | None) -> Found | None:
    """SMAC3's multi-fidelity facade: a random forest, and Hyperband over epochs."""
    import smac
    from ConfigSpace import Categorical, ConfigurationSpace
    from smac.runhistory import TrialValue

    if budget is None:
        return None
    epochs, bill = fed.curves.shape[2], Bill(fed, budget)
    space = ConfigurationSpace(seed=0)
    space.add([Categorical(name, values) for name, values in bill.choices.items()])
    with tempfile.TemporaryDirectory() as folder:
        scenario = smac.Scenario(
            space,
            deterministic=True,
            n_trials=bill.TRIALS * len(bill.plain),
            min_budget=max(1, epochs // ETA**3),
            max_budget=epochs,
            output_directory=Path(folder),
            seed=0,
        )
        facade = smac.MultiFidelityFacade(
            scenario, lambda config, seed=0, budget=0: 0.0, logging_level=40, overwrite=True
        )
        with contextlib.suppress(StopIteration):
            while not bill.over:
                asked = facade.ask()
                if asked is None or asked.config is None:
                    break
                loss = bill.loss(bill.row(dict(asked.config)), max(1, round(asked.budget)))
                facade.tell(asked, TrialValue(cost=loss if math.isfinite(loss) else 1e9))
    return bill.found()


METHODS: dict[str, Method] = {
    "paper's schedule": raced(schedule=Halving()),
    "default": raced(),
    "default, rungs": raced(rungs=ByCurve()),
    "default, halving rungs": raced(rungs=ByEpochHalving()),
    "default, hyperband rungs": raced(rungs=ByHyperband()),
    "ASHA": asha,
}
PEERS = {
    "optuna": ("Optuna TPE + HyperbandPruner", optuna_hyperband),
    "smac": ("SMAC3 multi-fidelity", smac_multi_fidelity),
}
SLOW = {name for name, _ in PEERS.values()}
MISSING = [package for package in PEERS if importlib.util.find_spec(package) is None]
METHODS |= dict(peer for package, peer in PEERS.items() if package not in MISSING)


def one(
    world: World, name: str, criterion: str, budget: float | None, seed: int
) -> tuple[Found | None, np.ndarray]:
    """Return what a method came to in a repetition, and the truth there."""
    fed = world.repetition(seed)
    return METHODS[name](fed, criterion, budget), as_criterion(criterion).values(fed.truth)


def replayed(
    world: World, methods: list[str], repetitions: int, workers: int
) -> Iterator[dict[str, Any]]:
    """Yield what the methods came to, by criterion and budget."""
    epochs = world.curves.shape[2]
    with ProcessPoolExecutor(workers) as pool:

        def all_of(name: str, criterion: str, budget: float | None) -> list[Any]:
            count = min(FEW, repetitions) if name in SLOW else repetitions
            each = partial(one, world, name, criterion, budget)
            return list(pool.map(each, range(count), chunksize=-(-count // (4 * workers))))

        for criterion in CRITERIA:
            usual = all_of("default", criterion, None)
            cost = float(np.mean([found.epochs for found, _ in usual])) / epochs
            for name in methods:
                for share in (None, *BUDGETS):
                    if share is None and (name in SLOW or METHODS[name] is asha):
                        continue
                    known = usual if name == "default" and share is None else None
                    budget = None if share is None else share * cost
                    found = known or all_of(name, criterion, budget)
                    if any(result is None for result, _ in found):
                        continue
                    yield {
                        **{key: world.about[key] for key in ("task", "recipe")},
                        "criterion": criterion,
                        "method": name,
                        "budget": share,
                        **told(found, cost * epochs),
                    }


def told(found: list[tuple[Found, np.ndarray]], usual: float) -> dict[str, float]:
    """Return the means over repetitions; ``epochs`` are shares of what the default race takes."""
    regret = [truth[result.winner] / truth.min() - 1.0 for result, truth in found]
    finite = [value for value in regret if math.isfinite(value)]
    left, all_left, kept = list[bool](), list[bool](), list[float]()
    for result, truth in found:
        near = np.flatnonzero(truth <= truth.min() * (1.0 + TOLERANCE))
        left.append(int(truth.argmin()) in result.at_rungs)
        all_left.append(result.at_rungs.issuperset(near.tolist()))
        stay = np.ones(len(truth), np.bool_)
        stay[list(result.at_rungs)] = False
        kept.append(float(truth[stay].min() / truth.min() - 1.0))
    return {
        "epochs": float(np.mean([result.epochs for result, _ in found])) / usual,
        "regret": float(np.mean(finite)) if finite else math.inf,
        "regret_error": float(np.std(finite) / math.sqrt(len(finite))) if finite else math.inf,
        "regret_median": float(np.median(regret)),
        "diverging": 1.0 - len(finite) / len(regret),
        "best": float(np.mean([result.winner == truth.argmin() for result, truth in found])),
        "best_left": float(np.mean(left)),
        "all_left": float(np.mean(all_left)),
        "kept_regret": float(np.mean(kept)),
        "repetitions": len(found),
    }


def main() -> None:
    """Replay the worlds and print a table of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("worlds", type=Path, nargs="+", help="files of epochs_record.py")
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--workers", type=int, default=1, help="processes at once")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--quick", action="store_true", help="10 repetitions")
    parser.add_argument("--json", type=Path, help="write all results to this file")
    options = parser.parse_args()
    results = []
    for package in MISSING:
        print(f"{package} is not installed: no {PEERS[package][0]}")
    for path in options.worlds:
        world = World.read(path)
        print(f"{path.name}: {world.about}")
        print(
            f"{'criterion':<14}{'method':<30}{'budget':>7}{'epochs':>8}{'regret':>9}{'+-':>8}"
            f"{'median':>8}{'best':>6}{'best left':>10}{'all left':>10}{'kept regret':>12}"
        )
        count = 10 if options.quick else options.repetitions
        for row in replayed(world, options.methods, count, options.workers):
            results.append(row)
            budget = "" if row["budget"] is None else f"{row['budget']:g}"
            print(
                f"{row['criterion']:<14}{row['method']:<30}{budget:>7}{row['epochs']:>8.3f}"
                f"{row['regret']:>9.2%}{row['regret_error']:>8.2%}{row['regret_median']:>8.2%}"
                f"{row['best']:>6.2f}{row['best_left']:>10.3f}{row['all_left']:>10.3f}"
                f"{row['kept_regret']:>12.2%}",
                flush=True,
            )
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
