"""Candidates that are torch modules: any factory, optimiser, loss function and schedule."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args

from surefoot.candidates.base import Candidate
from surefoot.candidates.estimator import values
from surefoot.candidates.fields import check_fields, is_import_path, put, settle, whole, wholes
from surefoot.candidates.import_paths import check_arguments, path_of, resolve
from surefoot.candidates.recipe import DEFAULTS, recipe_label, recipe_spec, settle_recipe
from surefoot.candidates.space import SearchSpace
from surefoot.candidates.trust import from_data
from surefoot.checks import known
from surefoot.errors import CandidateError
from surefoot.learning.losses import Loss, Objective, parse_loss
from surefoot.learning.optimizers import OPTIMIZERS

if TYPE_CHECKING:
    import torch

Initialization = Literal["own", "he"]
Part = Literal["factory", "optimizer", "loss", "schedule"]


@dataclass(frozen=True, eq=False)
class ModuleCandidate(Candidate):
    """A torch module made by a factory, and how it is trained.

    Parameters
    ----------
    factory
        A class derived from ``torch.nn.Module``, a function annotated to return one, or the import
        path of either. The module maps features to predictions [n] or [n, outputs].
    parameters
        Keyword arguments of the factory: plain values (numbers, text, lists, tuples, None).
    optimizer, optimizer_parameters
        One of `OPTIMIZERS`, or a class derived from ``torch.optim.Optimizer`` (or its
        path) with further arguments such as ``momentum``.
    learning_rate, batch_size, decay
        As in `ConvNet`; ``decay`` is the optimiser's ``weight_decay``.
    loss, loss_parameters
        Loss trained on: None for the study's, one of `Loss`, or a function or class of
        torch, called with predictions and targets [n, outputs] (class codes [n]), giving a scalar.
    schedule, schedule_parameters
        None, a schedule of `surefoot.learning.schedules` such as ``cosine``, or a class of
        ``torch.optim.lr_scheduler`` (or its path) and its arguments, stepped after every epoch.
    initialization
        ``own``: the factory's, with torch's random numbers seeded from the ledger. ``he``: arrays
        of two or more axes are He-normal from the ledger (variance 2/fan_in), biases 0.
    input_shape
        Shape of one example's features, None to leave them flat [n, F].
    side
        Whether the module takes the side features [n, S] as a second argument.
    device
        Where `torch_eager` trains it; results are the same bits only on ``cpu``. Engines of stacks
        use the device that they were asked for.
    version
        Part of the key: raise it when the factory's code changes its results.
    objective, warmup, average, clip
        See `surefoot.candidates.recipe`.

    Raises
    ------
    CandidateError
        If a field is out of range, or a part cannot be imported by name. Nothing is imported
        before the candidate is trained.
    """

    family: ClassVar[str] = "module"

    factory: str | Callable[..., Any]
    parameters: Mapping[str, Any] | None = None
    optimizer: str | type = "adam"
    optimizer_parameters: Mapping[str, Any] | None = None
    learning_rate: float = 1e-3
    batch_size: int = 32
    decay: float = 0.0
    loss: Loss | str | Callable[..., Any] | None = None
    loss_parameters: Mapping[str, Any] | None = None
    schedule: str | type | None = None
    schedule_parameters: Mapping[str, Any] | None = None
    initialization: Initialization = "own"
    input_shape: Sequence[int] | None = None
    side: bool = False
    device: str = "cpu"
    version: int = 1
    objective: Objective | None = None
    warmup: float = 0.0
    average: str = "none"
    clip: float | None = None

    def __post_init__(self) -> None:
        settle(self, version=whole)
        if self.input_shape is not None:
            settle(self, input_shape=wholes)
        starts = get_args(Initialization)
        known("initialization", self.initialization, starts, error=CandidateError)
        if not re.fullmatch(r"cpu|cuda(:\d+)?|mps", self.device):
            raise CandidateError(f"device {self.device!r} must be 'cpu', 'cuda', 'cuda:0' or 'mps'")
        put(self, factory=path_of(self.factory, "factory"))
        if self.optimizer not in OPTIMIZERS:
            if isinstance(self.optimizer, str) and "." not in self.optimizer:
                known("optimizer", self.optimizer, OPTIMIZERS, error=CandidateError)
            put(self, optimizer=path_of(self.optimizer, "optimizer"))
        put(self, loss=_loss(self.loss))
        self._settle_schedule()
        for field in _MAPPINGS:
            given = getattr(self, field) or {}
            encoded = {n: values.encode(given[n], f"{n!r} of {field}") for n in sorted(given)}
            values.admit_nodes(encoded)
            put(self, **{field: encoded})

    def _settle_schedule(self) -> None:
        """Tell a schedule of torch's, which becomes a path, from one of our own."""
        schedule = self.schedule
        named = isinstance(schedule, str) and not is_import_path(schedule)
        if schedule is None or named:
            settle_recipe(self)
            if self.schedule == "constant":
                put(self, schedule=None)
            if self.schedule_parameters:
                raise CandidateError(
                    f"schedule_parameters are for a schedule of torch, not for {schedule!r}: "
                    "write values in brackets, as in 'cosine(0.01)'"
                )
            return
        put(self, schedule=None)
        settle_recipe(self)
        put(self, schedule=path_of(schedule, "schedule"))
        if self.warmup:
            raise CandidateError(
                f"warmup = {self.warmup:g} is for a schedule by name such as 'cosine', not for "
                f"{self.schedule}"
            )

    def make(self) -> torch.nn.Module:
        """Call the factory; torch's random numbers decide the initial weights.

        Raises `CandidateError` if the factory cannot be imported, takes other arguments or returns
        no module.
        """
        import torch

        module = self.part("factory")(**self.arguments("parameters"))
        if not isinstance(module, torch.nn.Module):
            kind = type(module).__name__
            raise CandidateError(f"factory {self.factory} returned a {kind}, not a torch module")
        return module

    def check(self) -> None:
        """Import every part that is named by its path.

        Raises
        ------
        MissingExtraError
            If torch is not installed.
        CandidateError
            If a part cannot be imported, is not meant for its place or takes other arguments.
        """
        for place in get_args(Part):
            if is_import_path(getattr(self, place)):
                self.part(place)

    def part(self, place: Part) -> Any:
        """Import the class or function of a part that is named by its path."""
        path = str(getattr(self, place))
        found = resolve(path, place)
        own = "parameters" if place == "factory" else f"{place}_parameters"
        before = {"factory": 0, "loss": 0 if isinstance(found, type) else 2}.get(place, 1)
        check_arguments(path, found, getattr(self, own), before)
        return found

    def arguments(self, field: str) -> dict[str, Any]:
        """Return one of the mappings of keyword arguments, as Python values."""
        given: Mapping[str, Any] = getattr(self, field)
        return {name: values.decode(value, iter(()), 1) for name, value in given.items()}

    @cached_property
    def number_of_parameters(self) -> int:
        """Number of trained parameters; makes the module once, which needs torch."""
        import torch

        with torch.random.fork_rng(devices=[]):
            return sum(p.numel() for p in self.make().parameters() if p.requires_grad)

    @classmethod
    def builder(cls, factory: str | Callable[..., Any], **fixed: Any) -> Callable[..., Candidate]:
        """Return a function of the factory's and the training's arguments, for `SearchSpace`.

        A name that is a field of this class is that field, any other one of the factory's.
        ``fixed`` holds either for all candidates.

        >>> build = ModuleCandidate.builder("surefoot.ResNet", batch_size=64)
        >>> len(SearchSpace.product(build, width=[8, 16], learning_rate=[1e-3, 1e-2]))
        4
        """

        def build(**choices: Any) -> Candidate:
            given = {**fixed, **choices}
            own = {name: given.pop(name) for name in list(given) if name in _FIELDS}
            return cls(factory, given, **own)

        if not isinstance(factory, str):
            own = [*inspect.signature(factory).parameters.values()]
            extra = [
                inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY)
                for name in _FIELDS
                if name not in inspect.signature(factory).parameters
            ]
            last = [p for p in own if p.kind is p.VAR_KEYWORD]
            named = [p.replace(kind=p.KEYWORD_ONLY) for p in own if p.kind in _NAMED]
            vars(build)["__signature__"] = inspect.Signature(named + extra + last)
        return build

    @classmethod
    def space(cls, table: Mapping[str, Any]) -> SearchSpace:
        """Return the candidates that a study file's ``[[space]]`` table of this family describes.

        In ``parameters`` and in the fields of the training, a list is a list of choices.
        """
        check_fields("a module", table, ("factory", "parameters", *_FIELDS))
        parameters = {**table.get("parameters", {})}
        rest = {n: value for n, value in table.items() if n not in ("factory", "parameters")}
        whole_lists = {"input_shape": [rest.pop("input_shape")]} if "input_shape" in rest else {}
        choices = {n: v if isinstance(v, list) else [v] for n, v in {**parameters, **rest}.items()}
        clash = next((name for name in parameters if name in _FIELDS), None)
        if clash is None:
            build = from_data(cls.builder(table["factory"]))
            return SearchSpace.product(build, **choices, **whole_lists)
        raise CandidateError(
            f"parameter {clash!r} of {table['factory']} has the name of a field of the training: "
            "build the candidates in Python"
        )

    def spec(self) -> dict[str, Any]:
        """Return all fields as plain JSON values."""
        added = [name for name in DEFAULTS if name != "schedule"]
        spec = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in added}
        spec |= recipe_spec(self)
        spec["loss"] = None if self.loss is None else str(self.loss)
        if self.input_shape is not None:
            spec["input_shape"] = list(self.input_shape)
        return {name: dict(v) if isinstance(v, Mapping) else v for name, v in spec.items()}

    @classmethod
    @from_data
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        """Rebuild a candidate from its `spec`."""
        check_fields("a module", spec, ("factory", "parameters", *_FIELDS))
        return cls(**spec)

    @property
    def label(self) -> str:
        """Factory, its parameters and the training in one line."""
        made = values.label({"class": self.factory, "parameters": dict(self.parameters or {})})
        optimizer = values.label(
            {"class": self.optimizer, "parameters": dict(self.optimizer_parameters or {})}
        )
        decay = f" decay {self.decay:g}" if self.decay else ""
        start = " he" if self.initialization == "he" else ""
        schedule = str(self.schedule or "")
        schedule = f" {schedule.rpartition('.')[2]}" if is_import_path(schedule) else ""
        return (
            f"{made}{' +side' if self.side else ''}{start} {optimizer} lr {self.learning_rate:g}"
            f"{schedule} batch {self.batch_size}{decay}{recipe_label(self)}"
        )


_MAPPINGS = ("parameters", "optimizer_parameters", "loss_parameters", "schedule_parameters")
_FIELDS = tuple(
    field.name for field in fields(ModuleCandidate) if field.name not in ("factory", "parameters")
)
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def _loss(loss: Any) -> Loss | str | None:
    if loss is None or isinstance(loss, Loss):
        return loss
    if isinstance(loss, str) and not is_import_path(loss):
        return parse_loss(loss)
    return path_of(loss, "loss")
