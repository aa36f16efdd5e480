"""`RobustSelector`: the race as a scikit-learn meta-estimator.

Only importing this module needs scikit-learn, ``pip install 'surefoot[sklearn]'``.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surefoot.candidates.base import Candidate
from surefoot.candidates.estimator.candidate import EstimatorCandidate
from surefoot.candidates.hyperparameters import hyperparameters
from surefoot.data.arrays import Frame, check_unmasked, labels, sample_weights
from surefoot.data.categories import FrameColumns, category_codes
from surefoot.data.population import Method, Population, Sampling
from surefoot.engines.devices import AUTO
from surefoot.engines.estimator.engine import weight_name
from surefoot.errors import CandidateError, ConfigurationError, DataError, require
from surefoot.executors.base import Executor
from surefoot.executors.inline import InlineExecutor
from surefoot.executors.opening import Where
from surefoot.journal import MEMORY, Journal
from surefoot.racing.schedules.base import Schedule
from surefoot.seeds.ledger import InstanceSeed, Role, Stream
from surefoot.studies.options import make_setting
from surefoot.studies.select.selection import Selection
from surefoot.studies.select.study import SelectStudy

require("sklearn", extra="sklearn")

import sklearn.base  # noqa: E402
from sklearn.metrics import accuracy_score, r2_score  # noqa: E402
from sklearn.utils import check_random_state, get_tags  # noqa: E402
from sklearn.utils.metaestimators import available_if  # noqa: E402
from sklearn.utils.multiclass import check_classification_targets  # noqa: E402
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data  # noqa: E402

_NONE = np.empty(0)


def _gives_probabilities(selector: RobustSelector) -> bool:
    if hasattr(selector, "best_estimator_"):
        return hasattr(selector.best_estimator_, "predict_proba")
    return selector.classifier and _all_give_probabilities(selector.as_candidates())


def _all_give_probabilities(candidates: Iterable[EstimatorCandidate]) -> bool:
    made = (candidate.make(np.random.default_rng(0)) for candidate in candidates)
    return all(hasattr(one, "predict_proba") for one in made)


@dataclass(eq=False, repr=False)
class RobustSelector(sklearn.base.MetaEstimatorMixin, sklearn.base.BaseEstimator):
    """Selects the estimator that stays good every time it is retrained, then refits it on all data.

    Parameters
    ----------
    candidates
        Estimators (as scikit-learn's, unfitted) or `EstimatorCandidate` objects: all classifiers,
        or all regressors.
    loss
        Name of a loss; None for ``rmse``, or, of classifiers, ``cross_entropy`` where all give
        probabilities and else ``error_rate``.
    criterion
        The statistic of losses that is compared: ``mean``, ``max``, ``quantile(0.9)``, …
    schedule
        Rounds of the race; None for those that suit the number of candidates.
    sample_size, method, stratify
        Size (None: the pool's) and kind of the training samples: ``bootstrap`` or ``subsample``;
        whether classes keep their shares.
    pool_fraction
        Share of the examples that training samples come from; losses are measured on the rest.
    certify
        Fresh instances for the winner's certificate; 0 for none.
    n_jobs
        Worker processes; None trains in this process, -1 uses every core.
    executor
        Where instances run instead: an `Executor`, a `distributed.Client`, or what ``--cluster``
        takes, such as ``local:4`` or ``tcp://host:8786``. Clones share an object.
    random_state
        Seed of the study: an integer, a ``RandomState`` or None.
    target_among_features
        Whether a feature may equal y in every example, which is refused otherwise.

    Attributes
    ----------
    best_estimator_
        The winner, refitted on all examples; a classifier on class codes, as ``classes_`` lists
        them.
    best_candidate_, certificate_
        The winner as a candidate, and its `Certificate` (None without ``certify``).
    ranking_
        One dict per candidate, best first: how many instances it trained and why it left.
    cv_results_
        A dict of arrays, one entry per candidate, with the fields of ``GridSearchCV``: ``params``,
        ``param_…`` (masked where a candidate has none), ``split0_test_score``, … (minus the loss of
        each racing instance, NaN once eliminated), ``mean_test_score``, ``std_test_score``,
        ``rank_test_score``, ``mean_fit_time``, ``std_fit_time`` (in seconds, measuring the loss
        included, so ``mean_score_time`` and ``std_score_time`` are 0); and ``label``.
    best_index_, best_score_, classes_, n_features_in_
        As in ``GridSearchCV``.
    """

    candidates: Any
    _: KW_ONLY
    loss: str | None = None
    criterion: str = "mean"
    schedule: Schedule | str | None = None
    sample_size: int | None = None
    method: Method = "bootstrap"
    stratify: bool = True
    pool_fraction: float = 0.5
    certify: int = 59
    n_jobs: int | None = None
    executor: Where = None
    random_state: Any = None
    target_among_features: bool = False

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Race the candidates on X [n, F] and y [n] or [n, outputs], and refit the winner.

        ``groups`` [n] are labels of examples never to be split between pool and test half.
        ``sample_weight`` [n] counts in every fit and in the losses; examples of weight 0 are left
        out. X may hold NaN if every candidate takes that, such as boosted trees or a pipeline with
        an imputer. Where columns of a data frame hold text or categories, the candidates are given
        a data frame of pandas with these as categories and all others as float64; what `predict`
        is given that no example of X had is missing to them.

        Raises
        ------
        SurefootError
            If a candidate cannot be named or takes no weights or categories that are given, nothing
            trains there, the data are too few, or every candidate fails; all that bad values cause
            are also ``ValueError``.
        """
        candidates, classifier, executor = self.as_candidates(), self.classifier, self.executor
        if executor is None and self.n_jobs in (None, 1):
            executor = InlineExecutor()
        elif executor is not None and self.n_jobs is not None:
            raise ConfigurationError(
                f"n_jobs = {self.n_jobs} is for this machine, but an executor is given too: leave "
                "one out"
            )
        for what, values in (("X", X), ("y", y)):
            check_unmasked(values, what)
        self._meaning = _categories_of(X)
        missing = self._may_miss()
        features: NDArray[Any]
        features, y = validate_data(
            self,
            self._coded(X),
            y,
            multi_output=True,
            y_numeric=not classifier,
            ensure_min_samples=2,
            ensure_all_finite="allow-nan" if missing else True,
        )
        target: NDArray[Any] = np.asarray(y)
        weights = None
        if sample_weight is not None:
            weights = sample_weights(
                sample_weight, "values of sample_weight", len(features), zero=True
            )
            counted = weights > 0.0
            if groups is not None:
                groups = labels(groups, "groups of X", len(features))[counted]
            features, target, weights = features[counted], target[counted], weights[counted]
        if classifier:
            check_classification_targets(target)
            column = column_or_1d(target, warn=True)
            self.classes_, target = np.unique(column, return_inverse=True)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        population = Population(
            features,
            target,
            groups=groups,
            weights=weights,
            missing=missing,
            categories=self._columns().categories,
            feature_names=self._columns().names,
            name="X",
            target_name="y",
            classes=list(range(len(self.classes_))) if classifier else None,
            target_among_features=self.target_among_features,
        )
        loss = self.loss or "rmse"
        if self.loss is None and classifier:
            loss = "cross_entropy" if _all_give_probabilities(candidates) else "error_rate"
        sampling = Sampling(self.sample_size, self.method, stratify=self.stratify and classifier)
        setting = make_setting(
            population, loss=loss, sampling=sampling, pool_fraction=self.pool_fraction, seed=seed
        )
        study = SelectStudy(
            candidates=candidates,
            setting=setting,
            seed=seed,
            criterion=self.criterion,
            schedule=self.schedule,
            certify=self.certify,
            engine=executor.engine if isinstance(executor, Executor) else AUTO,
        )
        workers = None if self.n_jobs == -1 else self.n_jobs
        with study.open(MEMORY) as journal:
            selection = study.run(journal, workers=workers, executor=executor)
            self.cv_results_ = results_of(selection, journal)
        self.ranking_ = selection.ranking()
        self.best_candidate_ = selection.winner
        self.certificate_ = selection.certificate
        self.best_index_ = [c.key for c in candidates].index(self.best_candidate_.key)
        self.best_score_ = self.cv_results_["mean_test_score"][self.best_index_]
        luck = InstanceSeed(seed, Role.ASSESS, 0).generator(Stream.NOISE)
        self.best_estimator_ = candidates[self.best_index_].make(luck)
        counts = {} if weights is None else {weight_name(self.best_estimator_)[1]: weights}
        self.best_estimator_.fit(self._given(features), target, **counts)
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the winner's predictions [n] or [n, outputs], classes by their labels."""
        check_is_fitted(self)
        predicted = np.asarray(self.best_estimator_.predict(self._inputs(X)))
        return self.classes_[predicted.astype(int)] if self.classifier else predicted

    @available_if(_gives_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Return the winner's class probabilities [n, classes], in the order of ``classes_``."""
        check_is_fitted(self)
        return np.asarray(self.best_estimator_.predict_proba(self._inputs(X)))

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the accuracy of a classifier, the coefficient of determination of a regressor."""
        measure = accuracy_score if self.classifier else r2_score
        return float(measure(y, self.predict(X), sample_weight=sample_weight))

    @property
    def classifier(self) -> bool:
        """Whether the first candidate is a classifier; all must be of one kind."""
        return bool(sklearn.base.is_classifier(self._first()))

    def as_candidates(self) -> tuple[EstimatorCandidate, ...]:
        """Return the candidates as such, in their order.

        Raises `CandidateError` if there is none, or one is no estimator or cannot be named.
        """
        if not isinstance(self.candidates, Iterable) or isinstance(self.candidates, (str, dict)):
            raise CandidateError(f"candidates = {self.candidates!r} must be a list of estimators")
        found = []
        for one in self.candidates:
            if isinstance(one, Candidate) and not isinstance(one, EstimatorCandidate):
                raise CandidateError(
                    f"{one.label} is a {one.family}, which scikit-learn cannot refit: give "
                    "estimators, or use surefoot.select"
                )
            made = one if isinstance(one, EstimatorCandidate) else EstimatorCandidate.of(one)
            found.append(made)
        if not found:
            raise CandidateError("candidates is empty: give at least one estimator")
        return tuple({candidate.key: candidate for candidate in found}.values())

    def _inputs(self, X: ArrayLike) -> Any:
        """Return what the winner is to predict of, checked as what it was fitted to."""
        missing = "allow-nan" if self._may_miss() else True
        coded = self._coded(X)
        return self._given(validate_data(self, coded, reset=False, ensure_all_finite=missing))

    def _may_miss(self) -> bool:
        """Say whether values may be missing; with categories the candidates judge by themselves."""
        return bool(self._meaning) or bool(get_tags(self).input_tags.allow_nan)

    def _coded(self, X: Any) -> Any:
        """Return X as it is, or a frame with categories as one of numbers, theirs being codes."""
        if not self._meaning:
            return X
        if not hasattr(X, "columns"):
            raise DataError(
                "X is no data frame, but was one with categories when fitted "
                f"({', '.join(self._meaning)}): give a frame with the same columns"
            )
        frame = Frame(X)
        values = frame.numbers(frame.names, self._meaning, missing=True)
        return require("pandas", extra="frames").DataFrame(values, columns=frame.names)

    def _columns(self) -> FrameColumns:
        """Return names and categories of the columns of frames with categories, else none."""
        if not self._meaning:
            return FrameColumns((), {})
        names = tuple(map(str, self.feature_names_in_))
        return FrameColumns(names, {names.index(name): one for name, one in self._meaning.items()})

    def _given(self, X: NDArray[Any]) -> Any:
        """Return numbers [n, F] as estimators are given them."""
        return self._columns().frame(X) if self._meaning else X

    def __sklearn_clone__(self) -> Self:
        """Return an unfitted copy that trains where this one does: no client can be copied."""
        without = copy.copy(self)
        without.executor = None
        cloned: Self = super(RobustSelector, without).__sklearn_clone__()
        cloned.executor = self.executor
        return cloned

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = get_tags(self._first())
        tags.estimator_type = inner.estimator_type
        tags.classifier_tags, tags.regressor_tags = inner.classifier_tags, inner.regressor_tags
        with contextlib.suppress(CandidateError):
            made = (one.make(np.random.default_rng(0)) for one in self.as_candidates())
            tags.input_tags.allow_nan = all(map(_takes_missing, made))
        tags.target_tags.required = True
        tags.target_tags.multi_output = inner.target_tags.multi_output
        tags.target_tags.single_output = inner.target_tags.single_output
        return tags

    def _first(self) -> Any:
        first = next(iter(self.candidates), None)
        if first is None or isinstance(first, Candidate):
            return self.as_candidates()[0].make(np.random.default_rng(0))
        return first


def _categories_of(X: Any) -> dict[str, tuple[str, ...]]:
    """Return the labels of each column of a data frame that holds text or categories."""
    if not hasattr(X, "columns"):
        return {}
    frame = Frame(X)
    return {name: category_codes(frame.column(name))[1] for name in frame.text(frame.names)}


def _takes_missing(estimator: Any) -> bool:
    """Say whether an estimator takes NaN; a pipeline does if all its parts up to an imputer do."""
    parts = [one for _, one in getattr(estimator, "steps", ()) if one not in (None, "passthrough")]
    for one in parts:
        if not _takes_missing(one):
            return False
        if type(one).__module__.startswith("sklearn.impute"):
            return True
    return bool(parts) or bool(get_tags(estimator).input_tags.allow_nan)


def results_of(selection: Selection, journal: Journal) -> dict[str, Any]:
    """Return the arrays [candidates] of ``cv_results_``, in the order of the study's candidates.

    Scores are minus the losses of the racing instances, NaN where a candidate has none because it
    was eliminated before; a diverged or failed instance scores −∞, and so does its mean. An only
    candidate has no race: its scores are those of the certificate.
    """
    keys = selection.table.keys
    raced = selection.table.count > 0
    certified = {key: np.array(one.losses) for key, one in selection.certificates.items()}
    losses = [selection.losses(key) if raced else certified.get(key, _NONE) for key in keys]
    scores = np.full((len(losses), max(map(len, losses))), np.nan)
    for row, known in zip(scores, losses, strict=True):
        row[: len(known)] = -known
    seconds: dict[str, list[float]] = {}
    for outcome in journal.measures(Role.RACE if raced else Role.CERTIFY):
        seconds.setdefault(outcome.candidate, []).append(outcome.seconds)
    place = {key: rank for rank, key in enumerate(selection.state.ranking, start=1)}
    params = [hyperparameters(selection.known[key].spec) for key in keys]
    times = [np.array(seconds.get(key, [np.nan])) for key in keys]
    return {
        "mean_fit_time": np.array([one.mean() for one in times]),
        "std_fit_time": np.array([one.std() for one in times]),
        "mean_score_time": np.zeros(len(keys)),
        "std_score_time": np.zeros(len(keys)),
        **{
            f"param_{name}": np.ma.MaskedArray(
                np.array([one.get(name) for one in params], dtype=object),
                mask=[name not in one for one in params],
            )
            for name in dict.fromkeys(name for one in params for name in one)
        },
        "params": params,
        "label": [selection.known[key].label for key in keys],
        **{f"split{i}_test_score": scores[:, i] for i in range(scores.shape[1])},
        "mean_test_score": np.array([-np.mean(one) if one.size else np.nan for one in losses]),
        "std_test_score": np.array(
            [np.std(one) if one.size and np.isfinite(one).all() else np.nan for one in losses]
        ),
        "rank_test_score": np.array([place[key] for key in keys], dtype=np.int32),
    }
