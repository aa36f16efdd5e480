"""What the questions asked in one call share: data, loss and training, and where instances run."""

from __future__ import annotations

import dataclasses
import inspect
import os
from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any, TypedDict, TypeVar

import numpy as np

from surefoot import checks, registry
from surefoot.candidates.base import Candidate
from surefoot.candidates.estimator.candidate import as_candidate, as_candidates
from surefoot.data.population import Population, Sampling
from surefoot.engines.devices import AUTO
from surefoot.errors import ConfigurationError, DataError, SamplingError
from surefoot.executors.base import Executor
from surefoot.executors.opening import Where
from surefoot.instances import Setting
from surefoot.learning.losses import Loss, parse_loss
from surefoot.learning.stopping import Stopping
from surefoot.racing import Criterion, EliminationRule, Rungs, Schedule, Screen
from surefoot.racing.race import Cost
from surefoot.seeds.ledger import check_study_seed
from surefoot.studies.base import Answer, Study
from surefoot.studies.watch import Watch

Asked = TypeVar("Asked", bound=Study[Any])
Call = TypeVar("Call", bound=Callable[..., Any])


class RunOptions(TypedDict, total=False):
    """Keyword parameters of where a study runs and what keeps it.

    Parameters
    ----------
    journal
        File that keeps every outcome and from which the same call resumes; None for memory only.
    engine, workers
        Who trains, and how many instances at once; None for one per core.
    executor
        Where instances run instead: an `Executor`, a `distributed.Client`, or what ``--cluster``
        takes, such as ``local:4`` or ``tcp://host:8786``.
    watch
        Told of everything as it happens: a `Watcher`, such as a `ProgressPrinter`, or a function
        that is called with every outcome.
    retry_failed
        Train failed instances of the journal again.
    """

    journal: str | os.PathLike[str] | None
    engine: str
    workers: int | None
    executor: Where
    watch: Watch
    retry_failed: bool


class TrainingOptions(RunOptions, total=False):
    """Keyword parameters of every question that trains: those of `RunOptions`, and these.

    Parameters
    ----------
    loss
        What is trained on and measured; see `surefoot.learning.losses`.
    sample_size, sampling
        Training examples of an instance (None: as many as the pool holds), drawn as a bootstrap;
        or a whole `Sampling`.
    stopping
        When the training of an instance ends; None for the usual `Stopping`.
    pool_fraction
        Share of the examples that training samples come from; losses are measured on the rest.
    plain_curves
        Whether a candidate that averages its weights leaves the whole curve of those before
        averaging too, not only its last loss.
    seed
        Decides every random number of the study.
    name
        What tables and reports call the study; decides nothing.
    """

    loss: Loss | str
    sample_size: int | None
    sampling: Sampling | None
    stopping: Stopping | None
    pool_fraction: float
    plain_curves: bool
    seed: int
    name: str


class RaceOptions(TypedDict, total=False):
    """Keyword parameters of a race: what is compared, and who leaves when.

    Parameters
    ----------
    criterion
        What is compared: ``mean``, ``max``, ``quantile(0.9)``, ``mean+2*sd``, …
    schedule, rule, limit, max_instances
        Rounds, who leaves after one, the trainings allowed in all and of one candidate; the default
        suits the number of candidates.
    screen
        The candidates whose first loss exceeds the baseline's by more than this share leave.
    rungs
        ``prediction``: candidates leave after some epochs of their first instance already, when
        they are predicted to end worse than the leader.
    """

    criterion: Criterion | str
    schedule: Schedule | str | None
    screen: Screen | float | None
    rungs: Rungs | str | None
    rule: EliminationRule | str | None
    limit: float | None
    max_instances: int | None


class SelectOptions(TrainingOptions, RaceOptions, total=False):
    """Keyword parameters of a race that trains: those of both, and these.

    Parameters
    ----------
    baseline
        Whom the screen compares with; it may be the name of a registered candidate.
    paired
        Whether instance i has the same sample and initialisation stream for every candidate; false
        is the paper's.
    cost
        What schedule and limit count: ``instances``, ``seconds`` trained or ``visits``, examples
        seen in training.
    """

    baseline: Candidate | str | None
    paired: bool
    cost: Cost


def make_setting(
    population: Population,
    *,
    loss: Loss | str = "rmse",
    sample_size: int | None = None,
    sampling: Sampling | None = None,
    stopping: Stopping | None = None,
    pool_fraction: float = 0.5,
    plain_curves: bool = False,
    seed: int = 0,
) -> Setting:
    """Return what all instances of a study share; the parameters are those of `TrainingOptions`.

    Raises `SamplingError` or `DataError` if two samplings are given, a share is none, or the loss
    cannot measure the target.
    """
    checks.of_kind("a Population", Population, error=DataError, population=population)
    checks.of_kind("a Sampling", Sampling, NoneType, error=SamplingError, sampling=sampling)
    checks.of_kind("a Stopping", Stopping, NoneType, stopping=stopping)
    checks.of_kind("the name of a loss or a Loss", str, Loss, loss=loss)
    checks.of_kind("true or false", bool, plain_curves=plain_curves)
    if sampling is not None and sample_size is not None:
        raise SamplingError("give sample_size or a whole sampling, not both")
    checks.at_least(1, error=SamplingError, sample_size=sample_size)
    checks.share(error=SamplingError, pool_fraction=pool_fraction)
    check_study_seed(seed)
    measured = parse_loss(loss) if isinstance(loss, str) else loss
    population.check_loss(measured)
    return Setting(
        population.split(seed, pool_fraction),
        Sampling(sample_size) if sampling is None else sampling,
        measured,
        Stopping() if stopping is None else stopping,
        plain_curves,
    )


_SETTING = inspect.signature(make_setting).parameters.keys() - {"population", "seed"}
_RUN = inspect.signature(Study.run).parameters.keys() - {"self"}


def check_names(question: type[Study[Any]], options: Mapping[str, Any]) -> None:
    """Raise `ConfigurationError` for an option that a question does not have, or not any more."""
    for old, new in question.renamed:
        if old in options:
            raise ConfigurationError(f"{old} = {options[old]!r} is not known any more: give {new}")
    own = {one.name for one in dataclasses.fields(question)} - {"setting"}
    known = own | _SETTING | _RUN
    for name in options:
        checks.known("option", name, known)


def plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with NumPy's numbers as Python's, which journals can keep."""
    return {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in options.items()
    }


def split_options(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the options of one call without those of `Study.run`, the engine settled, and those.

    An executor of the caller's own decides the engine.
    """
    run = {name: options[name] for name in _RUN & options.keys()}
    others = {name: options[name] for name in options.keys() - _RUN}
    executor = run.get("executor")
    asked = options.get("engine", AUTO)
    return others | {"engine": executor.engine if isinstance(executor, Executor) else asked}, run


def prepare(
    question: type[Asked], population: Population, options: Mapping[str, Any], **own: Any
) -> tuple[Asked, dict[str, Any]]:
    """Return a study of its own fields and the options of one call, and those of `Study.run`.

    Estimators become candidates. `ConfigurationError` for an option that there is not.
    """
    check_names(question, options)
    options, own = plain(options), plain(own)
    for name in ("candidate", "baseline", "rival") & own.keys():
        if name == "candidate" or own[name] is not None:
            own[name] = as_candidate(own[name])
    if "candidates" in own:
        own["candidates"] = as_candidates(own["candidates"])
    fields, run = split_options(options)
    seed = fields.setdefault("seed", 0)
    setting = {name: fields.pop(name) for name in _SETTING & fields.keys()}
    if isinstance(fields.get("baseline"), str):
        fields["baseline"] = registry.lookup("candidates", fields["baseline"])()
    elif fields.get("baseline") is not None:
        fields["baseline"] = as_candidate(fields["baseline"])
    shared = make_setting(population, **setting, seed=seed)
    return question(**own, **fields, setting=shared), run


def ask(
    question: type[Study[Answer]],
    population: Population,
    options: Mapping[str, Any],
    **own: Any,
) -> Answer:
    """Return the answer to a study of its own fields and the options of one call.

    Where these are all parameters of that call, it says ``ask(question, **locals())``.
    """
    study, run = prepare(question, population, options, **own)
    return study.run(**run)


def lists_options(*kinds: type, used_by: Callable[..., Any]) -> Callable[[Call], Call]:
    """Decorate a question so that ``help`` lists the options of these kinds one by one.

    Type checkers know them from ``**options``; people read signatures and docstrings, where they
    take the place of ``**options``. Their defaults are those of `make_setting`, `Study.run`
    and the study, ``used_by``.
    """
    defaults = {
        name: parameter.default
        for user in (make_setting, Study.run, used_by)
        for name, parameter in inspect.signature(user).parameters.items()
    }
    hints = {name: hint for kind in kinds for name, hint in kind.__annotations__.items()}
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=defaults.get(name),
            annotation=getattr(hint, "__forward_arg__", hint),
        )
        for name, hint in hints.items()
    ]
    texts = [(kind.__doc__ or "").partition("----------\n")[2].rstrip() for kind in kinds]

    def listed(call: Call) -> Call:
        signature = inspect.signature(call)
        own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        head, _, rest = (call.__doc__ or "").partition("    **options\n")
        call.__doc__ = head + "\n".join(texts).lstrip("\n") + "\n" + rest
        vars(call)["__signature__"] = signature.replace(parameters=[*own, *options])
        return call

    return listed
