"""What data may name: a study file, a journal or a saved model runs no code but what is listed.

Importing a module runs its code, and so does calling what it defines. Of itself, data may therefore
name only layers, losses, optimisers and schedules of torch, estimators, transformers, kernels and
splitters of scikit-learn, the regressors and classifiers of XGBoost, LightGBM and CatBoost, and
`surefoot.ResNet`: none of them runs code that its parameters hold. All else must be named by the
user's own command line (``--trust my_models``) or code (``surefoot.trust("my_models")``), or be
what candidates were made of in Python in this process. A journal never extends the list, and a name
is judged before anything is imported.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from pathlib import Path
from typing import ParamSpec, TypeVar

from surefoot.errors import ConfigurationError, UntrustedError

_P = ParamSpec("_P")
_R = TypeVar("_R")

_LAYERS = """AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveMaxPool1d AdaptiveMaxPool2d AvgPool1d
AvgPool2d BatchNorm1d BatchNorm2d Bilinear CELU Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d
Dropout Dropout1d Dropout2d ELU Flatten GELU GroupNorm Hardsigmoid Hardswish Hardtanh Identity
InstanceNorm1d InstanceNorm2d LayerNorm LazyBatchNorm1d LazyBatchNorm2d LazyConv1d LazyConv2d
LazyLinear LeakyReLU Linear LogSoftmax MaxPool1d MaxPool2d PReLU RMSNorm ReLU ReLU6 SELU SiLU
Sigmoid Softmax Softplus Softsign Tanh Unflatten"""
_LOSSES = """BCELoss BCEWithLogitsLoss CrossEntropyLoss GaussianNLLLoss HingeEmbeddingLoss HuberLoss
KLDivLoss L1Loss MSELoss MultiLabelMarginLoss MultiLabelSoftMarginLoss MultiMarginLoss NLLLoss
PoissonNLLLoss SmoothL1Loss SoftMarginLoss"""
_LOSS_FUNCTIONS = """binary_cross_entropy binary_cross_entropy_with_logits cross_entropy
gaussian_nll_loss hinge_embedding_loss huber_loss kl_div l1_loss mse_loss multi_margin_loss
multilabel_margin_loss multilabel_soft_margin_loss nll_loss poisson_nll_loss smooth_l1_loss
soft_margin_loss"""
_OPTIMIZERS = """ASGD Adadelta Adafactor Adagrad Adam AdamW Adamax Muon NAdam RAdam RMSprop Rprop
SGD SparseAdam"""
_SCHEDULES = """ConstantLR CosineAnnealingLR CosineAnnealingWarmRestarts CyclicLR ExponentialLR
LinearLR MultiStepLR OneCycleLR PolynomialLR StepLR"""
_SKLEARN = """calibration cluster compose covariance cross_decomposition decomposition
discriminant_analysis dummy ensemble feature_selection gaussian_process gaussian_process.kernels
impute isotonic kernel_approximation kernel_ridge linear_model manifold mixture model_selection
multiclass multioutput naive_bayes neighbors neural_network pipeline preprocessing
random_projection semi_supervised svm tree"""


def _any_of(words: str) -> str:
    return "(?:" + "|".join(map(re.escape, words.split())) + ")"


_LISTED = re.compile(
    "|".join(
        (
            rf"torch\.nn\.(?:modules\.[a-z]+\.)?{_any_of(f'{_LAYERS} {_LOSSES}')}",
            rf"torch\.nn\.functional\.{_any_of(_LOSS_FUNCTIONS)}",
            rf"torch\.optim\.(?:[a-z]+\.)?{_any_of(_OPTIMIZERS)}",
            rf"torch\.optim\.lr_scheduler\.{_any_of(_SCHEDULES)}",
            rf"sklearn\.{_any_of(_SKLEARN)}\.(?!FunctionTransformer$)[A-Z]\w*",
            r"xgboost\.(?:sklearn\.)?XGB(?:RF)?(?:Regressor|Classifier)",
            r"lightgbm\.(?:sklearn\.)?LGBM(?:Regressor|Classifier)",
            r"catboost\.(?:core\.)?CatBoost(?:Regressor|Classifier)",
            r"surefoot\.(?:candidates\.resnet\.)?ResNet",
        )
    ),
    re.ASCII,
)
_LIBRARIES = ("torch", "sklearn", "xgboost", "lightgbm", "catboost", "surefoot")
_named: set[str] = set()
"""Packages, modules and paths that the user named."""
_given: set[str] = set()
"""Paths of what candidates were made of in Python, in this process."""
_reading: ContextVar[bool] = ContextVar("reading", default=False)


def trust(names: str | Iterable[str] = (), *, beside: Path | None = None) -> None:
    """Let data name what these packages, modules or import paths hold, in this process.

    If there are any, modules in the folder of the file ``beside`` are found, after all others.

    Raises
    ------
    ConfigurationError
        If a name is none.
    """
    for name in [names] if isinstance(names, str) else names:
        if not all(part.isidentifier() for part in str(name).split(".")):
            raise ConfigurationError(
                f"trust = {name!r} is no package, module or import path such as 'my_models'"
            )
        _named.add(name)
        if beside is not None and (folder := str(beside.absolute().parent)) not in sys.path:
            sys.path.append(folder)


def is_trusted(path: str) -> bool:
    """Return whether data may name this import path, importing nothing."""
    parts = path.split(".")
    return (
        _LISTED.fullmatch(path) is not None
        or path in _given
        or any(".".join(parts[:length]) in _named for length in range(1, len(parts) + 1))
    )


def give(path: str) -> None:
    """Remember what is alive in this process: data may name it."""
    _given.add(path)


def admit(path: str, what: str) -> None:
    """Refuse a path that data name without leave; remember one that Python gives.

    Raises `UntrustedError`, within `from_data`, if the path is neither listed nor trusted.
    """
    if not _reading.get():
        give(path)
    elif not is_trusted(path):
        package = path.partition(".")[0]
        name = path if package in _LIBRARIES else package
        raise UntrustedError(
            f"{what} {path!r} is code that data may not name by itself: if you trust it, say so "
            f"with --trust {name} (in Python surefoot.trust({name!r}))"
        )


def from_data(make: Callable[_P, _R]) -> Callable[_P, _R]:
    """Return ``make`` as a maker of candidates from data: every path is judged by `admit`."""

    @functools.wraps(make)
    def checked(*arguments: _P.args, **keywords: _P.kwargs) -> _R:
        before = _reading.set(True)
        try:
            return make(*arguments, **keywords)
        finally:
            _reading.reset(before)

    return checked
