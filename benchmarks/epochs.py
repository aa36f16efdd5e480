"""What a race with rungs finds for how many epochs, on recorded curves of real trainings.

The worlds are those of ``epochs_record.py``: candidates of the paper's grid, each with the curves
of several paired instances. The last instances are the truth, which no method sees; the others feed
the methods, in an order of their own in every repetition, as are the candidates. Nothing is
trained: a method asks for the losses of an instance up to an epoch and pays for the epochs it did
not have.

    python benchmarks/epochs.py benchmarks/data/curves-*.parquet [--json FILE] [--quick]

Methods: the paper's schedule, the default race, the same with rungs, with synchronous halving over
epochs and with Hyperband's brackets, each at several limits; ASHA (Li et al. 2020) and, where
Optuna is installed, its ``HyperbandPruner`` with TPE, both at the budgets that the races came to.
Told are the epochs (in trainings to the end, of all candidates once), the regret (true criterion of
the winner over the best one's, minus 1), how often the winner is the best, and how often the best
left at a rung. ``--quick`` takes 10 repetitions in place of 200.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from epochs_record import candidates_of

from surefoot.errors import ConfigurationError, RaceError
from surefoot.racing import ByCurve, ByEpochHalving, ByHyperband, Halving, LossTable, Race, Replay
from surefoot.racing.curves import Curve, CurveTable

CRITERIA = ("mean", "quantile(0.9)")
TRUTH = 0.5
"""Share of the instances that are the truth."""
BUDGETS = (0.05, 0.1, 0.3, 1.0)
"""As shares of what the default race costs without a limit."""
ETA = 3


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


def optuna_hyperband(fed: Repetition, criterion: str, budget: float | None) -> Found | None:
    """Optuna's TPE with its Hyperband pruner; parameters stand for the candidate nearest to
    them."""
    import optuna

    if budget is None:
        return None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    _, _, epochs = fed.curves.shape
    plain = [{k: str(v) for k, v in one.items()} for one in fed.parameters]
    choices = {
        name: sorted({one.get(name, "") for one in plain})
        for name in sorted({name for one in plain for name in one})
    }
    choices = {name: values for name, values in choices.items() if len(values) > 1}
    spent, seen = 0.0, dict[int, float]()

    def objective(trial: Any) -> float:
        nonlocal spent
        asked = {name: trial.suggest_categorical(name, values) for name, values in choices.items()}
        row = int(np.argmin([sum(one.get(n, "") != v for n, v in asked.items()) for one in plain]))
        for epoch in range(epochs):
            loss = float(fed.curves[row, 0, epoch])
            spent += 1
            if not math.isfinite(loss):
                raise optuna.TrialPruned
            trial.report(loss, epoch + 1)
            if trial.should_prune():
                raise optuna.TrialPruned
        seen[row] = loss
        return loss

    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=0),
        pruner=optuna.pruners.HyperbandPruner(1, epochs, ETA),
    )
    while spent < budget * epochs:
        study.optimize(objective, n_trials=1)
    return Found(min(seen, key=seen.__getitem__) if seen else 0, spent)


METHODS: dict[str, Method] = {
    "paper's schedule": raced(schedule=Halving()),
    "default": raced(),
    "default, rungs": raced(rungs=ByCurve()),
    "default, halving rungs": raced(rungs=ByEpochHalving()),
    "default, hyperband rungs": raced(rungs=ByHyperband()),
    "ASHA": asha,
}
if importlib.util.find_spec("optuna"):
    METHODS["Optuna TPE + HyperbandPruner"] = optuna_hyperband


def replayed(world: World, repetitions: int) -> Iterator[dict[str, Any]]:
    """Yield what every method came to, by criterion and budget."""
    from surefoot.racing import as_criterion

    epochs = world.curves.shape[2]
    for criterion in CRITERIA:
        fed = [world.repetition(seed) for seed in range(repetitions)]
        truths = [as_criterion(criterion).values(one.truth) for one in fed]
        usual = [METHODS["default"](one, criterion, None) for one in fed]
        cost = float(np.mean([one.epochs for one in usual if one])) / epochs
        for name, method in METHODS.items():
            for share in (None, *BUDGETS):
                budget = None if share is None else share * cost
                found = [method(one, criterion, budget) for one in fed]
                if any(one is None for one in found):
                    continue
                yield {
                    **{key: world.about[key] for key in ("task", "recipe")},
                    "criterion": criterion,
                    "method": name,
                    "budget": share,
                    **told(found, truths, cost * epochs),
                }


def told(found: list[Any], truths: list[np.ndarray], usual: float) -> dict[str, float]:
    """Return the means over repetitions; ``epochs`` are shares of what the default race takes."""
    regret = [t[one.winner] / t.min() - 1.0 for one, t in zip(found, truths, strict=True)]
    finite = [one for one in regret if math.isfinite(one)]
    best = [int(t.argmin()) for t in truths]
    return {
        "epochs": float(np.mean([one.epochs for one in found])) / usual,
        "regret": float(np.mean(finite)) if finite else math.inf,
        "regret_error": float(np.std(finite) / math.sqrt(len(finite))) if finite else math.inf,
        "diverging": 1.0 - len(finite) / len(regret),
        "best": float(np.mean([one.winner == b for one, b in zip(found, best, strict=True)])),
        "best_left": float(
            np.mean([b in one.at_rungs for one, b in zip(found, best, strict=True)])
        ),
        "repetitions": len(found),
    }


def main() -> None:
    """Replay the worlds and print a table of each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("worlds", type=Path, nargs="+", help="files of epochs_record.py")
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--quick", action="store_true", help="10 repetitions")
    parser.add_argument("--json", type=Path, help="write all results to this file")
    options = parser.parse_args()
    results = []
    for path in options.worlds:
        world = World.read(path)
        print(f"{path.name}: {world.about}")
        head = f"{'criterion':<14}{'method':<30}{'budget':>7}{'epochs':>8}{'regret':>9}{'best':>6}"
        print(f"{head}{'best left':>10}")
        for row in replayed(world, 10 if options.quick else options.repetitions):
            results.append(row)
            budget = "" if row["budget"] is None else f"{row['budget']:g}"
            print(
                f"{row['criterion']:<14}{row['method']:<30}{budget:>7}{row['epochs']:>8.3f}"
                f"{row['regret']:>9.2%}{row['best']:>6.2f}{row['best_left']:>10.3f}",
                flush=True,
            )
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
