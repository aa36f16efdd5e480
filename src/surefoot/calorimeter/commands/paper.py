"""``surefoot paper``: the paper's studies by name, trained, and a verdict for each claim."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surefoot.cli.options import (
    ClusterOption,
    DryOption,
    EngineOption,
    JsonOption,
    WorkersOption,
    option,
)
from surefoot.errors import ConfigurationError, nearest

if TYPE_CHECKING:
    from rich.console import Console

    from surefoot.calorimeter.paper.evidence import Recorded
    from surefoot.calorimeter.paper.plan import PaperStudy
    from surefoot.calorimeter.paper.run import Cost, PaperRun
    from surefoot.calorimeter.paper.verdicts import Verdict
    from surefoot.executors.base import Executor

FORMATS = ("png", "pdf", "svg")
PAST = 30.0
"""Seconds of training, as estimated, from which on they tell the pace of the rest."""

app = typer.Typer(no_args_is_help=True, help="The paper, study by study.")

NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME", help="Studies or study files, such as energy or energy-A."),
]
ScaleOption = Annotated[
    str, option("--scale -s SCALE", "smoke (does all work?), laptop (hours) or paper (its sizes).")
]
ClaimsOption = Annotated[
    str | None,
    option("--claims NUMBERS", "The studies that decide these claims, such as 15-18,27."),
]
FolderOption = Annotated[
    Path | None,
    option("--folder -o FOLDER", "Where journals and photons are.", "paper-SCALE, here"),
]
StudiesOption = Annotated[
    Path | None, option("--studies FOLDER", "Study files of yours.", "the paper's, shipped")
]
FilesOption = Annotated[
    list[Path] | None,
    option(
        "--from FILES",
        "Journals, summaries (.parquet), or folders of them; repeatable.",
        "paper-smoke, paper-laptop and paper-paper, as far as they exist here",
    ),
]


@app.callback()
def paper() -> None:
    """Train the paper's studies, and get a verdict for each of its claims."""


@app.command("list")
def list_(
    scale: ScaleOption = "laptop", folder: FolderOption = None, studies: StudiesOption = None
) -> None:
    """List the paper's studies: what each asks, which claims it bears on, how far it has come.

    [bold]Examples[/bold]

      surefoot paper list
    """
    from surefoot.calorimeter.paper.plan import STUDIES, paper_studies
    from surefoot.cli.show.console import console, say_paths, table
    from surefoot.places import Place
    from surefoot.studies.journals import listed

    out, where = console(), folder or Path(f"paper-{scale}")
    shown = table("study", "command", "claims", "photons", "progress", "about")
    for study in paper_studies(studies or STUDIES).values():
        count, journal = study.photons(scale), where / f"{study.name}.db"
        data = "shipped" if count is None else f"{count:,} fast"
        shown.add_row(
            study.name,
            study.about.command,
            " ".join(map(str, study.about.claims)),
            f"{study.dataset}, {data}",
            listed(Place(journal)).progress if journal.exists() else "",
            study.title,
        )
    out.print(shown)
    say_paths(out, {"Study files": str(studies or STUDIES)})


@app.command()
def run(
    names: NamesArgument = None,
    scale: ScaleOption = "laptop",
    claims: ClaimsOption = None,
    instances: Annotated[
        int | None,
        option(
            "--instances -i N",
            "Of each candidate at most, but for selections and searches; more go on.",
            "the scale's",
        ),
    ] = None,
    folder: FolderOption = None,
    studies: StudiesOption = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    engine: EngineOption = None,
    dry_run: DryOption = False,
) -> None:
    """Train the paper's studies, those first that answer most claims per hour.

    Photons are simulated first where a scale asks for more than are shipped,
    for a dry run too.
    Run again, it goes on where it was. At the end the verdicts are told.

    [bold]Examples[/bold]

      [dim]Does everything work? Some minutes.[/dim]
      surefoot paper run --scale smoke

      [dim]What would it cost?[/dim]
      surefoot paper run --scale paper --dry-run

      [dim]The paper's comparisons for the energy, on A and B.[/dim]
      surefoot paper run energy sizes-energy

      [dim]What these claims take at the paper's sizes, with 13 instances, not 50.[/dim]
      surefoot paper run --scale paper --claims 15-18,21-25,27 -i 13
    """
    from surefoot.calorimeter.paper.evidence import read_evidence
    from surefoot.calorimeter.paper.plan import STUDIES, chosen
    from surefoot.calorimeter.paper.run import PaperRun
    from surefoot.calorimeter.paper.verdicts import verdicts_of
    from surefoot.cli.session import resumable
    from surefoot.cli.show.console import bar, busy, console, say_paths
    from surefoot.engines.devices import AUTO
    from surefoot.executors.opening import open_executor, workers_of
    from surefoot.places import Place
    from surefoot.studies.duration import duration_words

    out = console()
    numbers = [] if claims is None else _numbers(claims)
    found = chosen(names or [], studies or STUDIES, numbers)
    where = folder or Path(f"paper-{scale}")
    for study in found.values():
        study.changes(scale)
    if folder is None:
        where.mkdir(exist_ok=True)
    asked, cores = PaperRun(found, scale, where, engine, instances), workers_of(cluster, workers)
    with resumable(Place(where)):
        for file, (dataset, count) in asked.photons().items():
            with bar(out, f"simulating {dataset}", count, unit="events") as advance:
                asked.simulate(file, workers, advance)
        with busy(out, "measuring the engine's speed"):
            plan = asked.plan()
        if dry_run:
            _say_costs(out, plan, cores)
            return
        if done := len(found) - len(plan):
            out.print(f"{done} of {len(found)} studies are recorded already")
        with open_executor(cluster, workers, engine or AUTO) as executor:
            began, past = time.monotonic(), 0.0
            for place, (study, cost) in enumerate(plan):
                left = sum(one.seconds for _, one in plan[place:]) / cores
                # What has been trained says how far the speeds measured before hold.
                pace = (time.monotonic() - began) / past if past > PAST else 1.0
                out.print(
                    f"{study.name} ({place + 1} of {len(plan)}): {study.title}; about "
                    f"{duration_words(pace * left)} left for all",
                    style="bold",
                    soft_wrap=True,
                )
                _train(out, asked, study, executor, cost)
                past += cost.seconds / cores
    numbers = numbers or [number for study in found.values() for number in study.about.claims]
    _say_verdicts(out, verdicts_of(read_evidence([where]), numbers))
    again = ["surefoot", "paper", "verdicts", "--from", str(where)]
    say_paths(out, {"Journals": str(where), "Again": shlex.join(again)})


@app.command()
def verdicts(
    numbers: Annotated[
        list[int] | None,
        typer.Argument(metavar="CLAIM", help="Their numbers; all unless given."),
    ] = None,
    files: FilesOption = None,
    rules: Annotated[bool, option("--rules", "Say how each verdict is decided.")] = False,
    docs: Annotated[
        Path | None, option("--docs FILE", "Write the table between the marks of a Markdown file.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Tell the verdict on each claim of the paper, from what is recorded.

    A claim is seen, not seen or reversed by a stated rule; what was found with
    fewer examples, epochs or candidates than the claim speaks of says so, and
    is never called not seen.

    [bold]Examples[/bold]

      surefoot paper verdicts

      [dim]How is claim 16 decided, and with which figures?[/dim]
      surefoot paper verdicts 16 --rules --from paper-laptop/sizes-energy-A.db
    """
    from surefoot.calorimeter.paper.docs import write_verdicts
    from surefoot.calorimeter.paper.verdicts import verdicts_of
    from surefoot.cli.show.console import console, say_json, say_sentences
    from surefoot.replacing import overwriting

    found, out = verdicts_of(_recorded(files), numbers or []), console()
    if docs is not None:
        with overwriting():
            write_verdicts(docs, found)
    if json:
        say_json(
            [
                {
                    "claim": one.claim.number,
                    "text": one.claim.text,
                    "verdict": one.word,
                    "figures": one.figures,
                    "scale": one.scale,
                    "rule": one.claim.said,
                    "command": one.claim.command,
                }
                for one in found
            ]
        )
        return
    _say_verdicts(out, found)
    if rules:
        for one in found:
            say_sentences(out, f"Rule {one.claim.number}", [one.claim.said])


@app.command()
def figures(
    output: Annotated[Path, option("--output -o FOLDER", "Where figures go.")] = Path("."),
    files: FilesOption = None,
    suffix: Annotated[str, option("--format -f KIND", "png, pdf or svg.")] = "png",
) -> None:
    """Draw the paper's figures again, from what is recorded.

    [bold]Examples[/bold]

      surefoot paper figures --from paper-laptop -o figures
    """
    from surefoot.calorimeter.paper.figures import cell_values, paper_figures
    from surefoot.cli.show.console import busy, console
    from surefoot.data.files import load_population
    from surefoot.reports.files import save
    from surefoot.reports.plot import view_figure

    if suffix not in FORMATS:
        raise ConfigurationError(f"--format {suffix!r} does not exist: {nearest(suffix, FORMATS)}")
    _check_folder(output, "figures")
    known, out = _recorded(files), console()
    with busy(out, "drawing"):
        photons = [load_population(f"photons:{name}", target="energy") for name in "AB"]
        views = {**dict(paper_figures(known)), "fig11-cells": cell_values(photons)}
        paths = [
            save(view_figure(view), output / f"{name}.{suffix}")
            for name, view in sorted(views.items())
        ]
    for path in paths:
        out.print(str(path), soft_wrap=True)


@app.command()
def summarise(
    output: Annotated[
        Path, option("--output -o FOLDER", "Where summaries go, a file for each study.")
    ] = Path("."),
    files: FilesOption = None,
) -> None:
    """Write what journals hold for verdicts and figures, a small Parquet file for each study.

    Losses, how trainings ended and how long they took; curves where figures draw
    them. Verdicts and figures are the same from summaries as from their journals.

    [bold]Examples[/bold]

      surefoot paper summarise --from paper-paper -o docs/data/paper

      surefoot paper verdicts --from docs/data/paper
    """
    from surefoot.calorimeter.paper.evidence import write_summary
    from surefoot.cli.show.console import busy, console

    _check_folder(output, "summaries")
    known, out, written = _recorded(files), console(), 0
    with busy(out, "writing"):
        for name, study in known.items():
            write_summary(study, file := output / f"{name}.parquet")
            written += file.stat().st_size
    instances = sum(len(study.told) for study in known.values())
    out.print(
        f"{len(known)} studies, {instances:,} instances, {written / 1e6:.2f} MB in {output}",
        soft_wrap=True,
    )


def _numbers(text: str) -> list[int]:
    """Return the numbers that a text such as ``15-18,27`` names."""
    from surefoot.calorimeter.paper.verdicts import claims_of

    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not (first.isdecimal() and (last.isdecimal() if dash else True)):
            raise ConfigurationError(
                f"--claims {text!r} cannot be read: write numbers and ranges such as 15-18,27"
            )
        ends = int(first), int(last if dash else first)
        if ends[0] > ends[1]:
            raise ConfigurationError(
                f"--claims {part.strip()!r} runs backwards: write {last}-{first}"
            )
        claims_of(ends)
        found += range(ends[0], ends[1] + 1)
    return found


def _check_folder(folder: Path, what: str) -> None:
    """Raise `ConfigurationError` if there is no folder for what is to be written."""
    if not folder.is_dir():
        raise ConfigurationError(f"there is no folder '{folder}' for the {what}: make it first")


def _recorded(files: list[Path] | None) -> dict[str, Recorded]:
    """Return the studies recorded in files, or in the folders of the scales that exist here."""
    from surefoot.calorimeter.paper.evidence import read_evidence
    from surefoot.calorimeter.paper.plan import SCALES
    from surefoot.cli.show.console import busy, console

    usual = [folder for scale in SCALES if (folder := Path(f"paper-{scale}")).is_dir()]
    with busy(console(), "reading"):
        return read_evidence(files or usual)


def _train(
    out: Console, asked: PaperRun, study: PaperStudy, executor: Executor, cost: Cost
) -> None:
    """Train what a study's journal lacks, under a bar."""
    from functools import partial

    from surefoot.cli.session import Bar, counting
    from surefoot.cli.show.console import telling_of_compilation

    with counting(out, "trainings", 0, cost.trainings) as advance, telling_of_compilation(out):
        asked.train(study, executor, Bar(advance, say=partial(out.print, soft_wrap=True)))


def _say_costs(out: Console, plan: list[tuple[PaperStudy, Cost]], cores: int) -> None:
    """Print what each study would cost, in their order, and all together."""
    from surefoot.cli.show.console import table
    from surefoot.studies.duration import cores as cores_words
    from surefoot.studies.duration import duration_words

    numbers = ("trainings", f"time on {cores_words(cores)}")
    shown = table("study", *numbers, "claims", right=numbers)
    for study, cost in plan:
        claims = " ".join(map(str, study.about.claims))
        shown.add_row(
            study.name, f"{cost.trainings:,}", duration_words(cost.seconds / cores), claims
        )
    seconds = sum(cost.seconds for _, cost in plan)
    trainings = sum(cost.trainings for _, cost in plan)
    shown.add_row("all", f"{trainings:,}", duration_words(seconds / cores), "", style="bold")
    out.print(shown)


def _say_verdicts(out: Console, found: list[Verdict]) -> None:
    """Print a table of verdicts."""
    from surefoot.cli.show.console import table

    shown = table("#", "claim", "verdict", "figures", "scale", right=["#"])
    for one in found:
        number = str(one.claim.number)
        shown.add_row(number, one.claim.text, one.word, one.figures, one.scale)
    out.print()
    out.print(shown)
