"""surefoot finds machine-learning models that stay good every time they are retrained.

The public names below are loaded when first used, so that ``import surefoot`` stays fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from surefoot.candidates.base import Candidate
    from surefoot.candidates.convnet import Conv, ConvNet, Pool
    from surefoot.candidates.estimator import EstimatorCandidate
    from surefoot.candidates.function import candidate
    from surefoot.candidates.module import ModuleCandidate
    from surefoot.candidates.notation import convnet
    from surefoot.candidates.presets import preset
    from surefoot.candidates.space import SearchSpace
    from surefoot.data_files import load_population
    from surefoot.errors import SurefootError
    from surefoot.losses import Loss
    from surefoot.population import Population, Sampling
    from surefoot.selector import RobustSelector
    from surefoot.stopping import Stopping
    from surefoot.studies.facade import plan, rerace, select
    from surefoot.studies.facade_single import assess, sample_size, variance

_HOMES = {
    "Candidate": "candidates.base",
    "Conv": "candidates.convnet",
    "ConvNet": "candidates.convnet",
    "EstimatorCandidate": "candidates.estimator",
    "Loss": "losses",
    "ModuleCandidate": "candidates.module",
    "Pool": "candidates.convnet",
    "Population": "population",
    "RobustSelector": "selector",
    "Sampling": "population",
    "SearchSpace": "candidates.space",
    "Stopping": "stopping",
    "SurefootError": "errors",
    "assess": "studies.facade_single",
    "candidate": "candidates.function",
    "convnet": "candidates.notation",
    "load_population": "data_files",
    "plan": "studies.facade",
    "preset": "candidates.presets",
    "rerace": "studies.facade",
    "sample_size": "studies.facade_single",
    "select": "studies.facade",
    "variance": "studies.facade_single",
}

__all__ = [
    "Candidate",
    "Conv",
    "ConvNet",
    "EstimatorCandidate",
    "Loss",
    "ModuleCandidate",
    "Pool",
    "Population",
    "RobustSelector",
    "Sampling",
    "SearchSpace",
    "Stopping",
    "SurefootError",
    "assess",
    "candidate",
    "convnet",
    "load_population",
    "plan",
    "preset",
    "rerace",
    "sample_size",
    "select",
    "variance",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"surefoot.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'surefoot' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
