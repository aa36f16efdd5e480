"""surefoot finds machine-learning models that stay good every time they are retrained.

The public names below are loaded when first used, so that ``import surefoot`` stays fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

if TYPE_CHECKING:
    from surefoot.candidates.base import Candidate as Candidate
    from surefoot.candidates.base import DirectCandidate as DirectCandidate
    from surefoot.candidates.convnet.network import Conv as Conv
    from surefoot.candidates.convnet.network import ConvNet as ConvNet
    from surefoot.candidates.convnet.network import Pool as Pool
    from surefoot.candidates.convnet.notation import convnet as convnet
    from surefoot.candidates.convnet.notation import preset as preset
    from surefoot.candidates.estimator.candidate import EstimatorCandidate as EstimatorCandidate
    from surefoot.candidates.function import candidate as candidate
    from surefoot.candidates.module.candidate import ModuleCandidate as ModuleCandidate
    from surefoot.candidates.resnet import ResNet as ResNet
    from surefoot.candidates.space import SearchSpace as SearchSpace
    from surefoot.candidates.trust import trust as trust
    from surefoot.data.files import load_population as load_population
    from surefoot.data.population import Population as Population
    from surefoot.data.population import Sampling as Sampling
    from surefoot.engines.base import Engine as Engine
    from surefoot.engines.base import Monitor as Monitor
    from surefoot.errors import SurefootError as SurefootError
    from surefoot.executors.base import Executor as Executor
    from surefoot.executors.dask.executor import DaskExecutor as DaskExecutor
    from surefoot.executors.inline import InlineExecutor as InlineExecutor
    from surefoot.executors.local.executor import LocalExecutor as LocalExecutor
    from surefoot.exports.export import export as export
    from surefoot.exports.saved import load as load
    from surefoot.exports.saved import save as save
    from surefoot.exports.summary import summary as summary
    from surefoot.instances import Instance as Instance
    from surefoot.instances import Predictor as Predictor
    from surefoot.instances import Setting as Setting
    from surefoot.instances import Training as Training
    from surefoot.journal import copy as copy
    from surefoot.learning.losses import Loss as Loss
    from surefoot.learning.stopping import Stopping as Stopping
    from surefoot.registry import register as register
    from surefoot.reports.live.server import watch as watch
    from surefoot.reports.report import report as report
    from surefoot.selector.selector import RobustSelector as RobustSelector
    from surefoot.studies.assess.study import assess as assess
    from surefoot.studies.grid.study import grid as grid
    from surefoot.studies.journals import journals as journals
    from surefoot.studies.plan.plan import plan as plan
    from surefoot.studies.printing import ProgressPrinter as ProgressPrinter
    from surefoot.studies.replay import check as check
    from surefoot.studies.replay import replay as replay
    from surefoot.studies.search.study import search as search
    from surefoot.studies.select.rerace import rerace as rerace
    from surefoot.studies.select.selection import Selection as Selection
    from surefoot.studies.select.study import select as select
    from surefoot.studies.sizes.compare import compare as compare
    from surefoot.studies.sizes.sample_size import sample_size as sample_size
    from surefoot.studies.sizes.transfer import transfer as transfer
    from surefoot.studies.variance.study import variance as variance
    from surefoot.studies.watch import Watcher as Watcher
    from surefoot.study_files.available import available as available
    from surefoot.study_files.build import read_study as read_study

_HOMES = {
    "Candidate": "candidates.base",
    "Conv": "candidates.convnet.network",
    "ConvNet": "candidates.convnet.network",
    "DaskExecutor": "executors.dask.executor",
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
    "Pool": "candidates.convnet.network",
    "Population": "data.population",
    "Predictor": "instances",
    "ProgressPrinter": "studies.printing",
    "ResNet": "candidates.resnet",
    "RobustSelector": "selector.selector",
    "Sampling": "data.population",
    "SearchSpace": "candidates.space",
    "Selection": "studies.select.selection",
    "Setting": "instances",
    "Stopping": "learning.stopping",
    "SurefootError": "errors",
    "Training": "instances",
    "Watcher": "studies.watch",
    "assess": "studies.assess.study",
    "available": "study_files.available",
    "candidate": "candidates.function",
    "check": "studies.replay",
    "compare": "studies.sizes.compare",
    "convnet": "candidates.convnet.notation",
    "copy": "journal",
    "export": "exports.export",
    "grid": "studies.grid.study",
    "journals": "studies.journals",
    "load": "exports.saved",
    "load_population": "data.files",
    "plan": "studies.plan.plan",
    "preset": "candidates.convnet.notation",
    "read_study": "study_files.build",
    "register": "registry",
    "replay": "studies.replay",
    "report": "reports.report",
    "rerace": "studies.select.rerace",
    "sample_size": "studies.sizes.sample_size",
    "save": "exports.saved",
    "search": "studies.search.study",
    "select": "studies.select.study",
    "transfer": "studies.sizes.transfer",
    "trust": "candidates.trust",
    "summary": "exports.summary",
    "variance": "studies.variance.study",
    "watch": "reports.live.server",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"surefoot.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'surefoot' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
