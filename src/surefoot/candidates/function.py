"""Candidates that are Python functions, for what has neither layers nor ``fit``."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

from surefoot.candidates.base import Candidate
from surefoot.candidates.estimator.candidate import parameter_space
from surefoot.candidates.estimator.values import admit_nodes, decode, encode
from surefoot.candidates.estimator.values import label as label_of
from surefoot.candidates.fields import check_fields, put
from surefoot.candidates.import_paths import check_arguments, path_of, resolve
from surefoot.candidates.space import SearchSpace
from surefoot.candidates.trust import from_data, give
from surefoot.errors import CandidateError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from surefoot.learning.losses import Loss

_FIELDS = ("function", "parameters", "side", "version")


@dataclass(frozen=True, slots=True, eq=False)
class DrawnData:
    """The data of one draw, as a function candidate gets it.

    ``features`` [n, F] and ``target`` [n, outputs] (class codes [n, 1]) train; ``test_features``
    [m, F] and ``test_target`` measure, for a function that returns its loss itself. All float64.
    ``outputs`` is the number of outputs a prediction must have; ``classes`` their labels, if any.
    """

    features: NDArray[np.float64]
    target: NDArray[np.float64]
    test_features: NDArray[np.float64]
    test_target: NDArray[np.float64]
    outputs: int
    classes: tuple[Any, ...] | None
    loss: Loss


class CandidateFunction:
    """A function marked by `candidate`: still callable, and a maker of candidates."""

    makes_candidates = True

    def __init__(self, function: Callable[..., Any], side: bool, version: int) -> None:
        module, name = function.__module__, function.__qualname__
        if "." in name:
            raise CandidateError(
                f"function {name} cannot be imported by name: define it at a module's top"
            )
        positional = list(inspect.signature(function).parameters)[:2]
        if len(positional) < 2:
            raise CandidateError(f"function {name} must take (draw, seed, **parameters)")
        self.path, self.side, self.version = f"{module}.{name}", side, version
        self.__name__, self.__qualname__, self.__module__ = function.__name__, name, module
        self.__doc__ = function.__doc__
        self.__wrapped__ = function
        give(self.path)

    def __call__(self, *arguments: Any, **parameters: Any) -> Any:
        """Call the function itself."""
        return self.__wrapped__(*arguments, **parameters)

    def candidate(self, **parameters: Any) -> FunctionCandidate:
        """Return the candidate with these parameters; `SearchSpace.product` takes this method.

        Raises `CandidateError` if the function does not take a parameter, or its value is not
        plain.
        """
        self.check(parameters)
        return FunctionCandidate(self.path, parameters, side=self.side, version=self.version)

    def check(self, parameters: Mapping[str, Any]) -> None:
        """Raise `CandidateError` if the function does not take these parameters."""
        check_arguments(self.path, self.__wrapped__, parameters, positional=2)


def candidate(
    function: Callable[..., Any] | None = None, *, side: bool = False, version: int = 1
) -> Any:
    """Mark a function ``train(draw, seed, **parameters)`` as one that candidates are made of.

    It gets a `DrawnData` and a seed, 0 … 2³² − 1, from the ledger, and returns either a predictor
    (an object with ``predict``, or a function of features [n, F]) or the test loss itself. A
    prediction is [n] or [n, outputs]; for classification it is logits [n, classes] or class codes
    [n], and an object's ``predict_proba`` gives probabilities.

    Parameters
    ----------
    side
        Whether the population's side features follow the features as further columns.
    version
        Part of the candidate's key: raise it when the function's code changes its results, so
        that a journal never mixes the two.

    >>> @candidate
    ... def train(draw, seed, *, shrink=1.0):
    ...     mean = shrink * draw.target.mean(axis=0)
    ...     return lambda features: mean.repeat(len(features))
    >>> train.candidate(shrink=0.5).label
    'train(shrink=0.5)'
    """
    if function is None:
        return lambda marked: CandidateFunction(marked, side, version)
    return CandidateFunction(function, side, version)


@dataclass(frozen=True, eq=False, repr=False)
class FunctionCandidate(Candidate):
    """A function marked by `candidate`, named by its import path, with plain parameters.

    Raises `CandidateError` if the path is not one or a parameter is not a plain value. Nothing is
    imported before the candidate is trained, and then only a function so marked is ever called.
    """

    family: ClassVar[str] = "function"

    path: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    _: KW_ONLY
    side: bool = False
    version: int = 1

    def __post_init__(self) -> None:
        path = path_of(self.path, "function")
        short = path.rpartition(".")[2]
        values = {
            name: encode(value, f"parameter {name!r} of {short}")
            for name, value in sorted(self.parameters.items())
        }
        admit_nodes(values)
        put(self, path=path, parameters=values, side=bool(self.side), version=int(self.version))

    @classmethod
    def space(cls, table: Mapping[str, Any]) -> SearchSpace:
        """Return the candidates that a study file's ``[[space]]`` table of this family describes.

        The table has ``function`` and may have ``parameters``, in which a list is a list of
        choices. The function says itself whether it takes side features, and its version.
        """
        check_fields("a function", table, _FIELDS)
        function = from_data(cls)(table["function"]).resolve(any_version=True)
        return parameter_space(from_data(function.candidate), table.get("parameters", {}))

    def spec(self) -> dict[str, Any]:
        """Return path, parameters, version and whether it takes side features."""
        return {
            "function": self.path,
            "parameters": dict(self.parameters),
            "side": self.side,
            "version": self.version,
        }

    @classmethod
    @from_data
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        """Rebuild a candidate from its `spec`."""
        check_fields("a function", spec, _FIELDS)
        given = dict(spec)
        return cls(given.pop("function"), **given)

    @property
    def label(self) -> str:
        """Name of the function and its parameters."""
        return label_of({"class": self.path, "parameters": dict(self.parameters)})

    def resolve(self, *, any_version: bool = False) -> CandidateFunction:
        """Import the function; ``any_version`` leaves version and parameters unchecked.

        Raises `CandidateError` if there is none, it is not marked by `candidate`, or its version or
        parameters differ.
        """
        found = resolve(self.path, "function")
        assert isinstance(found, CandidateFunction)
        if any_version:
            return found
        if found.version != self.version:
            raise CandidateError(
                f"{self.path} is version {found.version} now, but this candidate is of version "
                f"{self.version}: its old outcomes cannot be repeated"
            )
        found.check(self.parameters)
        return found

    def train(self, data: DrawnData, seed: int) -> Any:
        """Call the function on a draw; return what it returns."""
        seeds = itertools.count(seed)
        parameters = {n: decode(value, seeds, 1) for n, value in self.parameters.items()}
        return self.resolve()(data, seed, **parameters)
