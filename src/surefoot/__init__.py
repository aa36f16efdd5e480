"""surefoot finds machine-learning models that stay good every time they are retrained.

The public names below are loaded when first used, so that ``import surefoot`` stays fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from surefoot.candidates.base import Candidate, DirectCandidate
    from surefoot.candidates.convnet.layers import Conv, Pool
    from surefoot.candidates.convnet.network import ConvNet
    from surefoot.candidates.convnet.notation import convnet, preset
    from surefoot.candidates.estimator.candidate import EstimatorCandidate
    from surefoot.candidates.function import candidate
    from surefoot.candidates.module.candidate import ModuleCandidate
    from surefoot.candidates.resnet import ResNet
    from surefoot.candidates.space import SearchSpace
    from surefoot.data.files import load_population
    from surefoot.data.population import Population, Sampling
    from surefoot.engines.base import Engine, Monitor
    from surefoot.errors import SurefootError
    from surefoot.executors.base import Executor
    from surefoot.executors.inline import InlineExecutor
    from surefoot.executors.local.executor import LocalExecutor
    from surefoot.exports.export import export
    from surefoot.exports.saved import load, save
    from surefoot.instances import Instance, Predictor, Setting, Training
    from surefoot.learning.losses import Loss
    from surefoot.learning.stopping import Stopping
    from surefoot.registry import register
    from surefoot.selector.selector import RobustSelector
    from surefoot.studies.assess.study import assess
    from surefoot.studies.plan.plan import plan
    from surefoot.studies.replay import check, replay
    from surefoot.studies.select.rerace import rerace
    from surefoot.studies.select.selection import Selection
    from surefoot.studies.select.study import select
    from surefoot.studies.sizes.compare import compare
    from surefoot.studies.sizes.sample_size import sample_size
    from surefoot.studies.sizes.transfer import transfer
    from surefoot.studies.variance.study import variance
    from surefoot.study_files.build import read_study

_HOMES = {
    "Candidate": "candidates.base",
    "Conv": "candidates.convnet.layers",
    "ConvNet": "candidates.convnet.network",
    "DirectCandidate": "candidates.base",
    "Engine": "engines.base",
    "EstimatorCandidate": "candidates.estimator.candidate",
    "Executor": "executors.base",
    "InlineExecutor": "executors.inline",
    "Instance": "instances",
    "LocalExecutor": "executors.local.executor",
    "Loss": "learning.losses",
    "ModuleCandidate": "candidates.module.candidate",
    "Monitor": "engines.base",
    "Pool": "candidates.convnet.layers",
    "Population": "data.population",
    "Predictor": "instances",
    "ResNet": "candidates.resnet",
    "RobustSelector": "selector.selector",
    "Sampling": "data.population",
    "SearchSpace": "candidates.space",
    "Selection": "studies.select.selection",
    "Setting": "instances",
    "Stopping": "learning.stopping",
    "SurefootError": "errors",
    "Training": "instances",
    "assess": "studies.assess.study",
    "candidate": "candidates.function",
    "check": "studies.replay",
    "compare": "studies.sizes.compare",
    "convnet": "candidates.convnet.notation",
    "export": "exports.export",
    "load": "exports.saved",
    "load_population": "data.files",
    "plan": "studies.plan.plan",
    "preset": "candidates.convnet.notation",
    "read_study": "study_files.build",
    "register": "registry",
    "replay": "studies.replay",
    "rerace": "studies.select.rerace",
    "sample_size": "studies.sizes.sample_size",
    "save": "exports.saved",
    "select": "studies.select.study",
    "transfer": "studies.sizes.transfer",
    "trust": "candidates.trust",
    "variance": "studies.variance.study",
}

__all__ = [
    "Candidate",
    "Conv",
    "ConvNet",
    "DirectCandidate",
    "Engine",
    "EstimatorCandidate",
    "Executor",
    "InlineExecutor",
    "Instance",
    "LocalExecutor",
    "Loss",
    "ModuleCandidate",
    "Monitor",
    "Pool",
    "Population",
    "Predictor",
    "ResNet",
    "RobustSelector",
    "Sampling",
    "SearchSpace",
    "Selection",
    "Setting",
    "Stopping",
    "SurefootError",
    "Training",
    "assess",
    "candidate",
    "check",
    "compare",
    "convnet",
    "export",
    "load",
    "load_population",
    "plan",
    "preset",
    "read_study",
    "register",
    "replay",
    "rerace",
    "sample_size",
    "save",
    "select",
    "transfer",
    "trust",
    "variance",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"surefoot.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'surefoot' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
