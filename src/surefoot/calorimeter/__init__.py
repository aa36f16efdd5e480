"""The calorimeter: simulate photons in it, read them, reconstruct them, compare methods.

The first application of surefoot. The core never imports it; its populations, candidates and
commands are registered by name (``photons:A``, ``scaled_sum``, ``barycentre``,
``xgboost_photons``, ``simulate``, ``photons``, ``paper``). The names below are loaded when first
used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from surefoot.calorimeter.detector import INNER, MIDDLE, OUTER, Shashlik
    from surefoot.calorimeter.paper.run import run_paper
    from surefoot.calorimeter.simulation.shower import Tuning
    from surefoot.calorimeter.simulation.simulate import simulate

_HOMES = {
    "INNER": "detector",
    "MIDDLE": "detector",
    "OUTER": "detector",
    "Shashlik": "detector",
    "Tuning": "simulation.shower",
    "run_paper": "paper.run",
    "simulate": "simulation.simulate",
}

__all__ = ["INNER", "MIDDLE", "OUTER", "Shashlik", "Tuning", "run_paper", "simulate"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"surefoot.calorimeter.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'surefoot.calorimeter' has no attribute {name!r}")
