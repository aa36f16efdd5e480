"""The options that commands share, and the dataclass that hands them on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

StudyArgument = Annotated[
    Path,
    typer.Argument(metavar="STUDY", help="The study file: data, sampling, loss, stopping, engine."),
]
CandidateOption = Annotated[
    str | None,
    typer.Option(
        "--candidate",
        "-c",
        metavar="WHICH",
        help="A preset such as model_2; fields such as 'channels = [8], hidden = [9]'; a family; "
        "a key or label of the study's candidates. [default: the study's only one]",
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
        help="Where every outcome is kept; an existing one goes on. "
        "[default: named after study, command and candidate, here]",
    ),
]
FigureOption = Annotated[
    Path | None,
    typer.Option(
        "--figure",
        "-f",
        metavar="FILE",
        help="The figure: .png, .pdf or .svg. [default: the journal's name with .png]",
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", "-w", metavar="N", help="Instances at once. [default: cores]"),
]
EngineOption = Annotated[
    str | None,
    typer.Option("--engine", "-e", metavar="NAME", help="Who trains. [default: the fastest]"),
]
DryOption = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Count trainings and time; train nothing.")
]
RetryOption = Annotated[
    bool,
    typer.Option("--retry-failed", help="Train instances that failed (not diverged) again."),
]
JournalArgument = Annotated[
    Path, typer.Argument(metavar="JOURNAL", help="The file that select wrote.")
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


@dataclass(frozen=True)
class Common:
    """What every command that trains one candidate is told.

    ``source`` is the journal that the candidate is taken from; None stands for the default, which
    the study file gives.
    """

    study: Path
    candidate: str | None
    source: Path | None
    journal: Path | None
    figure: Path | None
    engine: str | None
    workers: int | None
    dry_run: bool
    retry_failed: bool
