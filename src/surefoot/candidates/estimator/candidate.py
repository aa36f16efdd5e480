"""Candidates with scikit-learn's ``fit`` and ``predict``: any library's, pipelines included."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from surefoot.candidates.base import Candidate
from surefoot.candidates.estimator import values
from surefoot.candidates.fields import check_fields, put
from surefoot.candidates.space import SearchSpace
from surefoot.candidates.trust import from_data
from surefoot.checks import short
from surefoot.errors import CandidateError

if TYPE_CHECKING:
    import numpy as np

PIPELINE = "sklearn.pipeline.Pipeline"
_FIELDS = ("class", "parameters", "steps", "side")


@dataclass(frozen=True, eq=False, init=False, repr=False)
class EstimatorCandidate(Candidate):
    """An estimator named by its import path, with plain parameters.

    Parameters
    ----------
    path
        Import path of a class with ``fit`` and ``predict``, such as ``"sklearn.svm.SVR"``.
    parameters
        Its arguments; see `surefoot.candidates.estimator.values` for what they may be.
    steps
        Transformers before it, as paths, ``{"class": …, "parameters": …}`` or objects: short for
        a scikit-learn ``Pipeline`` whose steps have the names that ``make_pipeline`` gives.
    side
        Whether the population's side features follow the features as further columns.

    ``random_state``, ``random_seed`` and ``seed`` are no parameters of a candidate: wherever a
    part of it takes one, each instance feeds it from the seed ledger.

    Raises
    ------
    CandidateError
        If something is not a plain value. Nothing is imported before the candidate is trained.

    >>> EstimatorCandidate("sklearn.svm.SVR", {"C": 10.0}, ["sklearn.preprocessing.MinMaxScaler"])
    EstimatorCandidate(MinMaxScaler → SVR(C=10))
    """

    family: ClassVar[str] = "estimator"

    node: values.Node
    side: bool

    def __init__(
        self,
        path: str,
        parameters: Mapping[str, Any] | None = None,
        steps: Sequence[Any] = (),
        *,
        side: bool = False,
    ) -> None:
        node = values.node_of({"class": path, "parameters": dict(parameters or {})})
        if steps:
            node = _pipeline([*(values.node_of(step, "a step") for step in steps), node])
        values.admit_nodes(node)
        put(self, node=node, side=bool(side))

    @classmethod
    def of(cls, estimator: Any, *, side: bool = False) -> Self:
        """Make a candidate of a live, unfitted estimator: only its class and parameters count.

        Raises `CandidateError` if its class or a parameter, at any depth, cannot be named (a
        function, a local class).
        """
        if isinstance(estimator, (str, Mapping, type)):
            raise CandidateError(f"{estimator!r} is not an estimator object with get_params")
        node = values.node_of(estimator)
        return cls(node["class"], node["parameters"], side=side)

    @classmethod
    def builder(
        cls, path: str, steps: Sequence[Any] = (), *, side: bool = False
    ) -> Callable[..., EstimatorCandidate]:
        """Return a function of the estimator's parameters, as `SearchSpace.product` wants.

        >>> len(SearchSpace.product(EstimatorCandidate.builder("sklearn.svm.SVR"), C=[1.0, 10.0]))
        2
        """

        def build(**parameters: Any) -> EstimatorCandidate:
            return cls(path, parameters, steps, side=side)

        return build

    @classmethod
    def space(cls, table: Mapping[str, Any]) -> SearchSpace:
        """Return the candidates that a study file's ``[[space]]`` table of this family describes.

        The table has ``class`` and may have ``parameters``, in which a list is a list of choices,
        ``steps`` and ``side``.

        >>> table = {"class": "sklearn.svm.SVR", "parameters": {"C": [1, 10], "gamma": "scale"}}
        >>> [candidate.label for candidate in EstimatorCandidate.space(table)]
        ['SVR(C=1, gamma=scale)', 'SVR(C=10, gamma=scale)']
        """
        check_fields("an estimator", table, _FIELDS)
        build = cls.builder(table["class"], table.get("steps", ()), side=table.get("side", False))
        return parameter_space(from_data(build), table.get("parameters", {}))

    def spec(self) -> dict[str, Any]:
        """Return class, parameters and whether it takes side features."""
        return {**copy.deepcopy(self.node), "side": self.side}

    @classmethod
    @from_data
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        """Rebuild a candidate from its `spec`, which may also have ``steps``."""
        check_fields("an estimator", spec, _FIELDS)
        given = dict(spec)
        return cls(given.pop("class"), **given)

    @property
    def label(self) -> str:
        """Class names and parameters in one line."""
        return values.label(self.node) + (" +side" if self.side else "")

    @property
    def luck(self) -> str:
        """A seed, if some part of it takes one; `CandidateError` if one cannot be imported."""
        parts = [(values.class_of(one), one["parameters"]) for one in values.nodes(self.node)]
        return "seed" if any(values.seed_name(*part) is not None for part in parts) else ""

    def make(self, generator: np.random.Generator, threads: int = 1) -> Any:
        """Return a new, unfitted estimator whose every seed comes from ``generator``.

        ``threads`` is what ``n_jobs`` becomes where the parameters do not say.

        Raises `CandidateError` if a class cannot be imported or refuses its parameters.
        """
        seeds = (int(generator.integers(0, 2**31 - 1)) for _ in itertools.count())
        return values.build(self.node, seeds, threads)


def as_candidate(thing: Any) -> Candidate:
    """Return a candidate as it is, and one of an unfitted estimator.

    Raises `CandidateError` if it is neither.
    """
    if isinstance(thing, Candidate):
        return thing
    if isinstance(thing, type) or not (hasattr(thing, "fit") and hasattr(thing, "get_params")):
        raise CandidateError(
            f"{short(thing)} is no candidate: give a Candidate, such as EstimatorCandidate(…), or "
            "an unfitted estimator of scikit-learn"
        )
    return EstimatorCandidate.of(thing)


def as_candidates(things: Any) -> tuple[Candidate, ...]:
    """Return many as `as_candidate` does one; `CandidateError` unless they are many."""
    if isinstance(things, Candidate | str | Mapping) or not isinstance(things, Iterable):
        raise CandidateError(
            f"candidates = {short(things)} must be a list of candidates or estimators, or a "
            "SearchSpace"
        )
    return tuple(map(as_candidate, things))


def parameter_space(build: Callable[..., Candidate], parameters: Mapping[str, Any]) -> SearchSpace:
    """Return every combination of parameters of which a list offers choices."""
    choices = {n: value if isinstance(value, list) else [value] for n, value in parameters.items()}
    return SearchSpace.product(build, **choices)


def _pipeline(nodes: Sequence[values.Node]) -> values.Node:
    short = [node["class"].rpartition(".")[2].lower() for node in nodes]
    names = [
        name if short.count(name) == 1 else f"{name}-{short[: place + 1].count(name)}"
        for place, name in enumerate(short)
    ]
    steps = [{"tuple": [name, node]} for name, node in zip(names, nodes, strict=True)]
    return {"class": PIPELINE, "parameters": {"steps": steps}}
