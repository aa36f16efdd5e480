"""What the one-call studies share: data, loss and training of the instances, and where they run."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypedDict, TypeVar

from surefoot.candidates.base import Candidate
from surefoot.data.population import Population, Sampling
from surefoot.engines.choose import AUTO
from surefoot.errors import SamplingError, StatisticsError
from surefoot.executors.base import Executor
from surefoot.executors.local.executor import LocalExecutor
from surefoot.instances import Setting
from surefoot.journal import MEMORY, Journal
from surefoot.learning.losses.base import Loss, parse_loss
from surefoot.learning.stopping import Stopping
from surefoot.racing.criteria import Criterion
from surefoot.racing.rules.base import EliminationRule
from surefoot.racing.schedules.base import Schedule
from surefoot.racing.screen import Screen
from surefoot.studies.base import Study
from surefoot.studies.watch import Silent, Watcher

Call = TypeVar("Call", bound=Callable[..., Any])
DEFAULTS = {"criterion": "mean", "paired": True}
"""Defaults of a race's options that are not None."""


class Running(TypedDict, total=False):
    """Keyword parameters of where a study runs and what keeps it.

    Parameters
    ----------
    journal
        File that keeps every outcome and from which the same call resumes; None for memory only.
    engine, workers
        Who trains, and how many instances at once; None for one per core.
    executor
        Where instances run, instead of the two.
    watch
        Told of everything as it happens.
    retry_failed
        Train failed instances of the journal again.
    """

    journal: str | os.PathLike[str] | None
    engine: str
    workers: int | None
    executor: Executor | None
    watch: Watcher | None
    retry_failed: bool


class Training(Running, total=False):
    """Keyword parameters of every study that trains: those of `Running`, and these.

    Parameters
    ----------
    loss
        What is trained on and measured; see `surefoot.learning.losses.base`. Default ``rmse``.
    sample_size, sampling
        Training examples of an instance (None: as many as the pool holds), drawn as a bootstrap;
        or a whole `Sampling`.
    stopping
        When the training of an instance ends.
    seed
        Decides every random number of the study. Default 0.
    """

    loss: Loss | str
    sample_size: int | None
    sampling: Sampling | None
    stopping: Stopping | None
    seed: int


class Rules(TypedDict, total=False):
    """Keyword parameters of a race: what is compared, and who leaves when.

    Parameters
    ----------
    criterion
        What is compared: ``mean`` (the default), ``max``, ``quantile(0.9)``, ``mean+2*sd``, …
    schedule, rule, limit, most
        Rounds, who leaves after one, the trainings allowed in all and of one candidate; the default
        suits the number of candidates.
    screen
        The candidates whose first loss exceeds the baseline's by more than this share leave.
    """

    criterion: Criterion | str
    schedule: Schedule | None
    screen: Screen | float | None
    rule: EliminationRule | None
    limit: float | None
    most: int | None


class Racing(Training, Rules, total=False):
    """Keyword parameters of a race that trains: those of `Training` and `Rules`, and these.

    Parameters
    ----------
    baseline
        Whom the screen compares with; it may be the name of a registered candidate.
    paired
        Whether instance i has the same sample and initialisation stream for every candidate.
        Default true.
    """

    baseline: Candidate | str | None
    paired: bool


@dataclass(frozen=True, kw_only=True)
class Given:
    """The parameters of `Training` with their defaults, and what follows from them."""

    population: Population
    loss: Loss | str = "rmse"
    sample_size: int | None = None
    sampling: Sampling | None = None
    stopping: Stopping | None = None
    seed: int = 0
    journal: str | os.PathLike[str] | None = None
    engine: str = AUTO
    workers: int | None = None
    executor: Executor | None = None
    watch: Watcher | None = None
    retry_failed: bool = False

    @property
    def asked(self) -> str:
        """The engine asked for."""
        return self.engine if self.executor is None else self.executor.engine

    @property
    def told(self) -> Watcher:
        """Who is told."""
        return Silent() if self.watch is None else self.watch

    def setting(self) -> Setting:
        """Return what all instances share.

        Raises
        ------
        SamplingError, DataError
            If two samplings are given, or the loss cannot measure the target.
        """
        if self.sampling is not None and self.sample_size is not None:
            raise SamplingError("give sample_size or a whole sampling, not both")
        measured = parse_loss(self.loss) if isinstance(self.loss, str) else self.loss
        self.population.check_loss(measured)
        return Setting(
            self.population.split(self.seed),
            Sampling(self.sample_size) if self.sampling is None else self.sampling,
            measured,
            Stopping() if self.stopping is None else self.stopping,
        )

    @contextmanager
    def open(self, study: Study) -> Iterator[tuple[Journal, Executor]]:
        """Open the study's journal and the executor; one of the caller's own is left open."""
        with study.open(MEMORY if self.journal is None else self.journal) as record:
            if self.executor is not None:
                yield record, self.executor
                return
            with LocalExecutor(self.workers, self.engine) as local:
                yield record, local


def refuse_renamed(options: Mapping[str, Any], **names: str) -> None:
    """Raise `StatisticsError` for an option of a former name; ``names`` are those of today."""
    for old, new in names.items():
        if old in options:
            raise StatisticsError(f"{old} = {options[old]!r} is not known any more: give {new}")


def lists_options(*kinds: type) -> Callable[[Call], Call]:
    """Decorate a study so that ``help`` lists the options of these kinds one by one.

    Type checkers know them from ``**options``; people read signatures and docstrings, where they
    take the place of ``**options``.
    """
    hints = {name: hint for kind in kinds for name, hint in kind.__annotations__.items()}
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=getattr(Given, name, DEFAULTS.get(name)),
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
        call.__signature__ = signature.replace(parameters=[*own, *options])  # type: ignore[attr-defined]
        return call

    return listed
