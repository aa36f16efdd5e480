"""The engine of estimators and function candidates: one fit per instance, one test loss."""

from __future__ import annotations

import contextlib
import ctypes
import inspect
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.base import Candidate
from surefoot.candidates.estimator.candidate import EstimatorCandidate
from surefoot.candidates.estimator.values import nodes
from surefoot.candidates.function import DrawnData, FunctionCandidate
from surefoot.data.categories import FrameColumns
from surefoot.data.population import Matrix, Population, Rows
from surefoot.engines.base import Engine, Flag, Monitor, Stopped, data_refusal, table_refusal
from surefoot.errors import CandidateError, EngineError
from surefoot.instances import Instance, Predictor, Setting
from surefoot.learning.losses import Loss, logits_of
from surefoot.seeds.ledger import Stream

Doubles = NDArray[np.float64]
Result = TypeVar("Result")
_LOOK_EVERY = 0.05
"""Seconds between two looks at the stop flag."""
_GRACE = 1.0
"""Seconds that a stopped call has to leave its Python code before it is abandoned."""
_SET = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class EstimatorEngine(Engine):
    """Fits a new estimator to the draw of each instance, or calls its function.

    Seeds come from the instance's NOISE stream. Warnings do not reach the user, one per fit would
    be thousands; the first is kept in the outcome's message. One fit has one thread, in OpenMP,
    BLAS and ``n_jobs``; parameters that name ``n_jobs`` prevail.
    """

    name: ClassVar[str] = "estimator"
    workers: ClassVar[Literal["threads", "processes"]] = "processes"

    def refusal(self, candidate: Candidate, setting: Setting) -> str | None:
        """Refuse what is neither kind, cannot be imported or does not fit the data or the loss."""
        if not isinstance(candidate, (EstimatorCandidate, FunctionCandidate)):
            return f"estimator fits estimators and functions, not {candidate.family}"
        reason = data_refusal(candidate, setting, setting.loss, tables=True)
        if reason is not None:
            return reason
        try:
            if isinstance(candidate, FunctionCandidate):
                candidate.resolve()
                weighted = setting.halves.population.weights is not None
                return table_refusal(candidate, setting) if weighted else None
            made = candidate.make(np.random.default_rng(0))
        except CandidateError as error:
            return f"{candidate.label} cannot be trained: {error}"
        return _unfit(candidate, made, setting)

    def fit(self, instance: Instance, setting: Setting, monitor: Monitor) -> Fitted | None:
        """Fit or call one instance; a function that gives its loss itself leaves no predictor."""
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            fitted, loss = interruptible(lambda: self._fit(instance, setting), monitor.stop)
        if warned:
            monitor.message = f"{warned[0].category.__name__}: {warned[0].message}"
        monitor.tell(loss)
        return fitted

    def _fit(self, instance: Instance, setting: Setting) -> tuple[Fitted | None, float]:
        candidate, population = instance.candidate, setting.halves.population
        generator = instance.seed.generator(Stream.NOISE)
        draw = instance.draw(setting)
        with np.errstate(all="ignore"), one_thread():
            if isinstance(candidate, FunctionCandidate):
                seed = int(generator.integers(0, 2**32))
                trained, tested = (
                    sample(population, rows, candidate.side) for rows in (draw.train, draw.test)
                )
                outputs, classes = population.outputs, population.classes
                data = DrawnData(*trained, *tested, outputs, classes, setting.loss)
                result = candidate.train(data, seed)
                if isinstance(result, Real):
                    return None, float(np.float32(result))
                fitted = _predictor(result, candidate, setting)
            elif isinstance(candidate, EstimatorCandidate):
                model = candidate.make(generator)
                fitted = fit(model, population, draw.train, setting.loss, candidate.side)
            else:
                raise EngineError(f"{candidate.label} is neither an estimator nor a function")
            return fitted, setting.test_loss(fitted, draw.test)


def fit(model: Any, population: Population, rows: Rows, loss: Loss, takes_side: bool) -> Fitted:
    """Fit a model to some rows of a population; return it as a predictor.

    A classifier is given the classes of its sample as 0, 1, 2, … without a gap, which all
    libraries take. One of a population with categories is given a data frame.
    """
    x, y = sample(population, rows, takes_side)
    columns, weights = population.columns(takes_side), {}
    given = x if columns is None else columns.frame(x)
    if population.weights is not None:
        weights[weight_name(model)[1]] = population.weights[rows]
    if population.classes is None:
        model.fit(given, y[:, 0] if y.shape[1] == 1 else y, **weights)
        return Fitted(model, population.outputs, takes_side, columns=columns)
    codes, local = np.unique(y[:, 0].astype(np.int64), return_inverse=True)
    model.fit(given, local, **weights)
    probable = loss.name != "error_rate"
    return Fitted(model, population.outputs, takes_side, codes, probable, columns)


def weight_name(model: Any) -> tuple[Any, str]:
    """Return the estimator at a pipeline's end, and what the pipeline's `fit` calls its weights."""
    name = "sample_weight"
    while hasattr(model, "steps"):
        step, model = model.steps[-1]
        name = f"{step}__{name}"
    return model, name


def _unfit(candidate: EstimatorCandidate, made: Any, setting: Setting) -> str | None:
    """Return one sentence that says why an estimator does not suit the target or loss."""
    loss, population = setting.loss, setting.halves.population
    if not hasattr(made, "fit") or not hasattr(made, "predict"):
        return f"{candidate.label} cannot be trained: it has no fit and predict"
    kind = getattr(made, "_estimator_type", None)
    with contextlib.suppress(Exception):
        kind = made.__sklearn_tags__().estimator_type
    wanted = "regressor" if population.classes is None else "classifier"
    if kind in ("regressor", "classifier") and kind != wanted:
        return (
            f"{candidate.label} is a {kind}, but the target {population.target_name} of "
            f"{population.name} needs a {wanted}"
        )
    if loss.name in ("cross_entropy", "brier") and not hasattr(made, "predict_proba"):
        return (
            f"{candidate.label} has no predict_proba, which the loss {loss} needs: use error_rate, "
            "or let it estimate probabilities"
        )
    if population.weights is not None:
        last = weight_name(made)[0]
        if "sample_weight" not in inspect.signature(last.fit).parameters:
            return (
                f"{candidate.label} takes no weights of examples, which {population.name} has: "
                "leave them out, or use an estimator whose fit takes sample_weight"
            )
    return _no_table(candidate, made, population)


def _no_table(candidate: EstimatorCandidate, made: Any, population: Population) -> str | None:
    """Return what of a table a single estimator of scikit-learn says that it does not take.

    Of those made of several parts nobody can say beforehand.
    """
    if sum(1 for _ in nodes(candidate.node)) > 1 or not hasattr(made, "__sklearn_tags__"):
        return None
    if type(made).__module__.partition(".")[0] != "sklearn":
        return None
    tags, name = made.__sklearn_tags__().input_tags, population.name
    takes = tags.categorical or "categorical_features" in made.get_params(deep=False)
    if population.categories and not takes:
        return (
            f"{candidate.label} takes no categories, which {name} has: give it a step that encodes "
            "them, such as sklearn.preprocessing.OneHotEncoder"
        )
    if population.missing and not tags.allow_nan:
        return (
            f"{candidate.label} takes no missing values, which {name} has: give it a step that "
            "fills them in, such as sklearn.impute.SimpleImputer"
        )
    return None


def _predictor(result: Any, candidate: FunctionCandidate, setting: Setting) -> Fitted:
    """Return what a function returned as a predictor."""
    if not callable(result) and not hasattr(result, "predict"):
        raise CandidateError(
            f"{candidate.path} returned a {type(result).__name__}: it must return a loss, a "
            "function of features or an object with predict"
        )
    population = setting.halves.population
    codes = None if population.classes is None else np.arange(population.outputs)
    probabilities = hasattr(result, "predict_proba") and setting.loss.name != "error_rate"
    return Fitted(result, population.outputs, candidate.side, codes, probabilities)


_seen = threading.local()


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Limit OpenMP and BLAS to one thread, in the calling thread.

    The libraries loaded are looked up again only when modules were imported since, and left alone
    where the environment of the process has set them to one already.
    """
    try:
        import threadpoolctl
    except ImportError:
        yield
        return
    if getattr(_seen, "modules", None) != len(sys.modules):
        libraries = threadpoolctl.ThreadpoolController()
        set_already = all(os.environ.get(name) == "1" for name in _SET)
        quiet = all(library.num_threads == 1 for library in libraries.lib_controllers)
        _seen.modules = len(sys.modules)
        _seen.limit = None if set_already and quiet else libraries.limit
    with contextlib.nullcontext() if _seen.limit is None else _seen.limit(limits=1):
        yield


def interruptible(work: Callable[[], Result], stop: Flag) -> Result:
    """Return ``work()``, or raise `Stopped` within two seconds of ``stop[0]`` becoming non-zero.

    The work runs in a thread of its own, which is asked to leave its Python code; compiled code
    that does not return is abandoned, and ends with the process or when it is done. A flag that is
    read-only will never be set, so nothing is watched (a worker process is killed instead).
    """
    if not stop.flags.writeable:
        return work()
    call: Future[Result] = Future()

    def run() -> None:
        try:
            call.set_result(work())
        except BaseException as error:
            call.set_exception(error)

    thread = threading.Thread(target=run, name="surefoot-fit", daemon=True)
    thread.start()
    while not wait([call], _LOOK_EVERY).done:
        if stop[0]:
            number = ctypes.c_ulong(thread.ident or 0)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(number, ctypes.py_object(Stopped))
            wait([call], _GRACE)
            raise Stopped
    return call.result()


@dataclass(frozen=True, slots=True, eq=False)
class Fitted(Predictor):
    """A fitted estimator, or a function of features, as a predictor.

    Parameters
    ----------
    model
        An object with ``predict`` or a function of features [n, F].
    outputs
        Number of outputs, or of classes.
    takes_side
        Whether side features follow the features as further columns.
    codes
        The class codes that its training sample held, in the order of what it calls 0, 1, 2, …;
        None for regression.
    probabilities
        Whether to ask ``predict_proba`` for class probabilities instead of ``predict`` for classes.
    columns
        How its inputs are columns of a data frame, where some are categories.
    """

    model: Any
    outputs: int
    takes_side: bool = False
    codes: NDArray[np.int64] | None = None
    probabilities: bool = False
    columns: FrameColumns | None = None

    def predict(self, features: Matrix, side: Matrix | None) -> Matrix:
        """Return predictions [n, outputs] for features [n, F] and side features [n, S].

        Of a classifier, logits [n, classes]: logarithms of its probabilities, or of 1 for the
        class it predicts and of float32's ε for the others.

        Raises `CandidateError` if the model returns another shape.
        """
        x: Any = inputs(features, side, self.takes_side)
        if self.columns is not None:
            x = self.columns.frame(x)
        if self.codes is not None and self.probabilities:
            return self._logits(np.asarray(self.model.predict_proba(x), dtype=np.float64))
        predicted = getattr(self.model, "predict", self.model)(x)
        if self.codes is None or np.shape(predicted)[1:] == (self.outputs,):
            return self._matrix(predicted)
        classes = np.ravel(predicted)
        if classes.shape != (len(x),):
            shape = f"shape {classes.shape}; must be ({len(x)},)"
            raise CandidateError(f"predicted classes have {shape}")
        return self._logits(np.eye(self.codes.size)[classes.astype(np.int64)])

    def _matrix(self, predicted: Any) -> Matrix:
        with np.errstate(over="ignore"):
            values = np.asarray(predicted, dtype=np.float32)
        matrix = values[:, None] if values.ndim == 1 else values
        if matrix.ndim != 2 or matrix.shape[1] != self.outputs:
            shape = f"shape {values.shape}; must be [n, {self.outputs}]"
            raise CandidateError(f"predictions have {shape}")
        return matrix

    def _logits(self, probabilities: Doubles) -> Matrix:
        """Return the logits of all classes; those absent from the sample have probability 0."""
        assert self.codes is not None
        if probabilities.shape[-1] != self.codes.size:
            raise CandidateError(
                f"probabilities have shape {probabilities.shape} for {self.codes.size} classes"
            )
        full = np.zeros((len(probabilities), self.outputs))
        full[:, self.codes] = probabilities
        return logits_of(full)


def inputs(features: Matrix, side: Matrix | None, takes_side: bool) -> Doubles:
    """Return features [n, F], followed by side features if taken, as float64.

    Float64 is what estimators are given by hand; float32 would lose digits in linear algebra.
    """
    if not takes_side:
        return features.astype(np.float64)
    if side is None:
        raise CandidateError("the candidate takes side features but there are none")
    return np.concatenate([features, side], axis=1, dtype=np.float64)


def sample(population: Population, rows: Rows, takes_side: bool) -> tuple[Doubles, Doubles]:
    """Return inputs and targets [n, outputs] of some rows, as float64."""
    features, side, target = population.at(rows)
    return inputs(features, side, takes_side), target.astype(np.float64)
