"""How else people select: each peer is given a loss table and a number of trainings.

A peer is a function of ``losses`` ``[candidates, instances]``, the candidates' parameters, the
trainings it may use, the criterion and a seed; it returns the row it would deploy.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from surefoot.racing.criteria import Criterion

Parameters = Sequence[Mapping[str, Any]]
Peer = Callable[[np.ndarray, Parameters, int, Criterion, int], int]
HUGE = 1e30
"""Optimisers that cannot take inf are told this."""
RETRIES = 1000
"""Known candidates that SMAC3 may propose in a row before it gives up; its 16 are too few here."""


def value(criterion: Criterion, losses: np.ndarray) -> float:
    """Return the criterion of one candidate's losses."""
    return float(criterion.values(losses[None, :])[0])


def random_search(repeats: int) -> Peer:
    """Candidates in random order, ``repeats`` instances each; the best value wins."""

    def search(losses, parameters, budget, criterion, seed):
        order = np.random.default_rng(seed).permutation(len(losses))
        chosen = order[: max(1, budget // repeats)]
        values = criterion.values(losses[chosen, :repeats])
        return int(chosen[np.argmin(values)])

    return search


def sequential_halving(losses, parameters, budget, criterion, seed):
    """Karnin, Koren and Somekh (2013): the same number of trainings for each of log2(n) rounds.

    At least one instance each; earlier losses are kept, which the original discards.
    """
    alive, trained, left = np.arange(len(losses)), 0, budget
    for rounds in range(int(np.ceil(np.log2(len(losses)))), 0, -1):
        more = min(max(1, left // (rounds * len(alive))), losses.shape[1] - trained)
        if more * len(alive) > left:
            break
        trained, left = trained + more, left - more * len(alive)
        order = np.argsort(criterion.values(losses[alive, :trained]), kind="stable")
        alive = alive[order[: max(1, len(alive) // 2)]]
    return int(alive[0])


def optuna_tpe(repeats: int) -> Peer:
    """Optuna's TPE; a trial's value is the criterion of ``repeats`` instances; `best_trial` wins.

    A candidate it asks for again trains its next instances, from the first again at the end.
    """

    def search(losses, parameters, budget, criterion, seed):
        import optuna

        study, choices, rows = _optuna(parameters, seed, optuna.pruners.NopPruner())
        used = np.zeros(len(losses), np.int64)
        for _ in range(budget // repeats):
            trial = study.ask(choices)
            row = rows[_place(trial.params)]
            places = np.arange(used[row], used[row] + repeats) % losses.shape[1]
            used[row] += repeats
            study.tell(trial, min(value(criterion, losses[row, places]), HUGE))
        return rows[_place(study.best_trial.params)]

    return search


def optuna_wilcoxon(losses, parameters, budget, criterion, seed):
    """Optuna's TPE with `WilcoxonPruner`: instance by instance, in random order, until pruned."""
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pruner = optuna.pruners.WilcoxonPruner(p_threshold=0.1)
        study, choices, rows = _optuna(parameters, seed, pruner)
        rng, left = np.random.default_rng(seed), budget
        while left > 0:
            trial = study.ask(choices)
            row = rows[_place(trial.params)]
            seen: list[float] = []
            for instance in rng.permutation(losses.shape[1])[:left]:
                seen.append(float(losses[row, instance]))
                trial.report(min(seen[-1], HUGE), int(instance))
                if trial.should_prune():
                    break
            left -= len(seen)
            study.tell(trial, min(value(criterion, np.array(seen)), HUGE))
    return rows[_place(study.best_trial.params)]


def _optuna(parameters: Parameters, seed: int, pruner: Any) -> tuple[Any, dict, dict]:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=seed)
    study = optuna.create_study(sampler=sampler, pruner=pruner)
    choices = {
        name: optuna.distributions.CategoricalDistribution(sorted({p[name] for p in parameters}))
        for name in parameters[0]
    }
    return study, choices, {_place(one): row for row, one in enumerate(parameters)}


def smac(losses, parameters, budget, criterion, seed):
    """SMAC3: random forest and its intensifier over seeds; the incumbent wins.

    It compares means of a configuration's seeds, whatever the criterion, and ends when it has seen
    every candidate.
    """
    from ConfigSpace import CategoricalHyperparameter, ConfigurationSpace
    from smac import HyperparameterOptimizationFacade, Scenario
    from smac.main.exceptions import ConfigurationSpaceExhaustedException

    names = list(parameters[0])
    space = ConfigurationSpace(seed=seed)
    for name in names:
        choices = sorted({p[name] for p in parameters})
        space.add(CategoricalHyperparameter(name, choices))
    rows = {_place(one): row for row, one in enumerate(parameters)}
    numbers: dict[int, int] = {}

    def train(config: Any, seed: int) -> float:
        instance = numbers.setdefault(seed, len(numbers))
        row = rows[_place({name: config[name] for name in names})]
        return min(float(losses[row, instance]), HUGE)

    with tempfile.TemporaryDirectory() as folder:
        scenario = Scenario(
            space, deterministic=False, n_trials=budget, seed=seed, output_directory=folder
        )
        facade = HyperparameterOptimizationFacade
        run = facade(
            scenario,
            train,
            intensifier=facade.get_intensifier(scenario, max_config_calls=losses.shape[1]),
            config_selector=facade.get_config_selector(scenario, retries=RETRIES),
            logging_level=logging.ERROR,
            overwrite=True,
        )
        try:
            best = run.optimize()
        except ConfigurationSpaceExhaustedException:  # it has seen every candidate: no more to do
            best = run.intensifier.get_incumbents()[0]
    return rows[_place({name: best[name] for name in names})]


def _place(one: Mapping[str, Any]) -> tuple:
    return tuple(sorted((name, str(value)) for name, value in one.items()))
