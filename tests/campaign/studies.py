"""Small study files of every family, and the data that they name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

LOSS = {"loss": {"name": "rmse"}}
POPULATION = {
    "population": {"source": "showers.npz", "features": "cells", "target": "energy"},
    "sampling": {"size": 40},
}
REST = {"certificate": {"n": 2, "content": 0.9, "confidence": 0.9}}


def tables() -> dict[str, dict[str, Any]]:
    """Return study files by name, as nested tables."""
    race = {"schedule": "halving", "warmup": 2, "keep": 0.5, "limit": 100, "max_instances": 8}
    sums = {"family": "scaled_sum", "window": ["full", "3x3", "5x5"], "linear": [False, True]}
    return {
        "sums": {
            "study": {"name": "Sums", "seed": 5, "criterion": "mean"},
            **POPULATION,
            "loss": {"name": "relative_rmse"},
            "stopping": {"max_epochs": 3, "min_epochs": 1, "window": 2, "tolerance": 0.1},
            "space": sums,
            "race": race | {"screen": 0.5, "screen_margin": "none"},
            "baseline": {"family": "scaled_sum"},
            "engine": {"name": "auto", "workers": 1},
            **REST,
        },
        "networks": {
            "study": {"seed": 5, "criterion": "mean"},
            **POPULATION,
            "loss": {"name": "relative_rmse", "objective": "square", "plain_curves": False},
            "stopping": {"max_epochs": 3, "reading": "none"},
            "space": {
                "channels": [[2], [2, 3]],
                "hidden": [3],
                "kernel": 3,
                "padding": "same",
                "pool": "max2",
                "activation": ["relu"],
                "batch_norm": False,
                "dropout": 0.1,
                "optimizer": "adam",
                "learning_rate": [1e-3, 1e-2],
                "batch_size": 16,
                "decay": 0.0,
                "schedule": "cosine",
                "warmup": 1,
                "average": "ema",
                "clip": 1.0,
                "max_parameters": 10_000,
                "conditions": ["learning_rate * batch_size <= 1"],
            },
            "race": {"rule": "test", "level": 0.05, "max_instances": 10},
            **REST,
        },
        "presets": {
            **POPULATION,
            **LOSS,
            "space": [{"preset": "model_1", "learning_rate": [1e-3, 1e-2]}],
            "race": {"schedule": "top_two", "budget": 20, "complete": 6},
            "compare": {"sizes": [20, 30], "instances": 3, "same_test": True},
            "grid": {"instances": 3, "by": ["learning_rate"]},
            "search": {"trials": [3, 6], "sampler": "random", "rival": "model_2"},
        },
        "estimators": {
            **POPULATION,
            **LOSS,
            "space": [
                {
                    "family": "estimator",
                    "class": "sklearn.linear_model.Ridge",
                    "parameters": {"alpha": [0.1, 1.0], "solver": "svd"},
                    "steps": ["sklearn.preprocessing.StandardScaler"],
                    "side": False,
                },
                {
                    "family": "estimator",
                    "class": "sklearn.tree.DecisionTreeRegressor",
                    "parameters": {"max_depth": [1, 2]},
                },
            ],
            "race": {"schedule": "flat_budget", "budget": 10, "cap": 6, "warmup": 1},
            **REST,
        },
        "modules": {
            **POPULATION,
            **LOSS,
            "space": {
                "family": "module",
                "factory": "surefoot.ResNet",
                "parameters": {"width": 2},
                "input_shape": [1, 15, 15],
                "initialization": "he",
                "optimizer": "adam",
                "learning_rate": [1e-3],
                "batch_size": 16,
            },
            "race": {"schedule": "exact_max", "complete": 4},
            "study": {"criterion": "max"},
        },
    }


def write_data(folder: Path) -> None:
    """Write the showers that the study files name."""
    rng = np.random.default_rng(3)
    energy = rng.uniform(1.0, 100.0, 120)
    shape = rng.dirichlet(np.full(225, 0.7), 120)
    cells = shape * (energy * rng.normal(0.25, 0.01, 120))[:, None]
    np.savez(folder / "showers.npz", cells=cells, energy=energy, total=cells.sum(axis=1))
