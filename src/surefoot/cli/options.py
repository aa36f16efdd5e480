"""The options and arguments that several commands have, each written once.

A default in words is the option's ``show_default``: in square brackets within a help text it would
be taken for markup.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

StudyArgument = Annotated[
    Path,
    typer.Argument(metavar="STUDY", help="The study file: data, sampling, loss, stopping, engine."),
]
JournalArgument = Annotated[
    Path, typer.Argument(metavar="JOURNAL", help="The file that select wrote.")
]
CandidateOption = Annotated[
    str | None,
    typer.Option(
        "--candidate",
        "-c",
        metavar="WHICH",
        help="A preset such as model_2; fields such as 'channels = \\[8], hidden = \\[9]'; a "
        "family; a key or label of the study's candidates.",
        show_default="the study's only one",
    ),
]
FromOption = Annotated[
    Path | None,
    typer.Option(
        "--from", metavar="JOURNAL", help="Take the candidate from a journal: its key, or winner."
    ),
]
JournalOption = Annotated[
    Path | None,
    typer.Option(
        "--journal",
        "-j",
        metavar="FILE",
        help="Where every outcome is kept; an existing one goes on.",
        show_default="named after study, command and candidate, here",
    ),
]
FigureOption = Annotated[
    Path | None,
    typer.Option(
        "--figure",
        "-f",
        metavar="FILE",
        help="The figure: .png, .pdf or .svg.",
        show_default="the journal's name with .png",
    ),
]
InstancesOption = Annotated[
    int | None,
    typer.Option(
        "--instances",
        "-i",
        metavar="N",
        help="Fresh instances.",
        show_default="the study file's",
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers", "-w", metavar="N", help="Instances at once.", show_default="one per core"
    ),
]
EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine", "-e", metavar="NAME", help="Who trains.", show_default="the study file's"
    ),
]
DryOption = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Count trainings and time; train nothing.")
]
RetryOption = Annotated[
    bool,
    typer.Option("--retry-failed", help="Train instances that failed (not diverged) again."),
]
StudyOption = Annotated[
    Path | None,
    typer.Option(
        "--study",
        "-s",
        metavar="STUDY",
        help="The study file, when the data are not where they were.",
    ),
]
TrustOption = Annotated[
    list[str] | None,
    typer.Option(
        "--trust",
        metavar="NAME",
        help="A package or module whose code the study file and the journal may name; repeatable.",
    ),
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """The options of every command that trains."""

    journal: JournalOption = None
    figure: FigureOption = None
    workers: WorkersOption = None
    engine: EngineOption = None
    dry_run: DryOption = False
    retry_failed: RetryOption = False


def trains(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the fields of `TrainingOptions` as options, in place of its last parameter."""
    *own, last = inspect.signature(command, eval_str=True).parameters.values()
    fields = inspect.signature(TrainingOptions, eval_str=True).parameters

    @functools.wraps(command)
    def training(**options: Any) -> Any:
        common = {name: options.pop(name) for name in fields}
        return command(**options, **{last.name: TrainingOptions(**common)})

    keywords = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own]
    return _signed(training, [*keywords, *fields.values()])


def _signed(
    command: Callable[..., Any], parameters: Iterable[inspect.Parameter]
) -> Callable[..., Any]:
    """Give a command its parameters, as typer reads them."""
    signature = inspect.Signature(list(parameters))
    vars(command)["__signature__"] = signature
    command.__annotations__ = {one.name: one.annotation for one in signature.parameters.values()}
    return command


def trusting(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command that reads a study file or a journal the option ``--trust``."""
    signature = inspect.signature(command, eval_str=True)
    if not {"study", "journal", "race"} & set(signature.parameters):
        return command

    @functools.wraps(command)
    def trusted(*arguments: Any, trust: list[str] | None = None, **options: Any) -> Any:
        if trust:
            from surefoot.candidates.trust import trust as admitted

            admitted(trust, beside=options.get("study"))
        return command(*arguments, **options)

    option = inspect.Parameter(
        "trust", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=TrustOption
    )
    return _signed(trusted, [*signature.parameters.values(), option])
