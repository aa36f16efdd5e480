"""The options and arguments that several commands have, each written once.

A default in words is the option's ``show_default``: in square brackets within a help text it would
be taken for markup.
"""

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperCommand

from surefoot.errors import SamplingError
from surefoot.places import Place

_RANGE = re.compile(r"(\d+):(\d+):(\d+)")


def option(names: str, words: str, default: str | bool = True, **more: Any) -> Any:
    """Return an option from its names and metavar, such as ``--engine -e NAME``, and its help."""
    *flags, last = names.split()
    if last.startswith("-"):
        return typer.Option(*flags, last, help=words, show_default=default, **more)
    return typer.Option(*flags, metavar=last, help=words, show_default=default, **more)


def journal_option(default: str) -> Any:
    """Return ``--journal``; ``default`` says what it is called unless given."""
    words = "Where every outcome is kept, a file or postgresql://…; an existing one goes on."
    return option("--journal -j JOURNAL", words, default, parser=Place.of)


def from_option(words: str, default: str | bool = True) -> Any:
    """Return ``--from``, an existing journal."""
    return option("--from JOURNAL", words, default, parser=Place.of)


StudyArgument = Annotated[
    Path,
    typer.Argument(metavar="STUDY", help="The study file: data, sampling, loss, stopping, engine."),
]
JournalArgument = Annotated[
    Place,
    typer.Argument(
        metavar="JOURNAL", help="The file that select wrote, or postgresql://…", parser=Place.of
    ),
]
CandidateOption = Annotated[
    str | None,
    option(
        "--candidate -c WHICH",
        "A preset such as model_2; fields such as 'channels = \\[8], hidden = \\[9]'; a "
        "family; a key or label of the study's candidates.",
        "the study's only one",
    ),
]
SourceOption = Annotated[
    str | None,
    option(
        "--source SOURCE",
        "Other data than the study file's: photons:B, b.root:tree, …; a path is relative to here.",
        "the study file's",
    ),
]
SizesOption = Annotated[
    str | None,
    option(
        "--sizes -s SIZES",
        "Training examples: 1000,2000,4000, or first:last:count in equal ratios, or 'paper' (its "
        "45, as far as the data reach).",
        "the study file's",
    ),
]
FromOption = Annotated[
    Place | None, from_option("Take the candidate from a journal: its key, or winner.")
]
JournalOption = Annotated[
    Place | None, journal_option("named after study, command and candidate, here")
]
FigureOption = Annotated[
    Path | None,
    option("--figure -f FILE", "The figure: .png, .pdf or .svg.", "the journal's name with .png"),
]
InstancesOption = Annotated[
    int | None, option("--instances -i N", "Fresh instances.", "the study file's")
]
WorkersOption = Annotated[
    int | None, option("--workers -w N", "Instances at once.", "one per core")
]
ClusterOption = Annotated[
    str | None,
    option(
        "--cluster WHERE",
        "Train on a Dask cluster: tcp://host:8786, local:4, slurm.toml, scheduler.json.",
        "this machine",
    ),
]
EngineOption = Annotated[str | None, option("--engine -e NAME", "Who trains.", "the study file's")]
DryOption = Annotated[bool, option("--dry-run -n", "Count trainings and time; train nothing.")]
RetryOption = Annotated[
    bool, option("--retry-failed", "Train instances that failed (not diverged) again.")
]
JsonOption = Annotated[bool, option("--json", "Print the result as JSON and nothing else.")]
StudyOption = Annotated[
    Path | None,
    option("--study -s STUDY", "The study file, when the data are not where they were."),
]


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """The options of every command that trains."""

    source: SourceOption = None
    journal: JournalOption = None
    figure: FigureOption = None
    workers: WorkersOption = None
    cluster: ClusterOption = None
    engine: EngineOption = None
    dry_run: DryOption = False
    retry_failed: RetryOption = False


@dataclass(frozen=True, kw_only=True)
class CandidateOptions(TrainingOptions):
    """Those of every command that asks about one candidate."""

    study: StudyArgument
    candidate: CandidateOption = None
    selected: FromOption = None


def trains(*without: str, **others: Any) -> Callable[..., Any]:
    """Give a command the fields of its last parameter as options, in place of that.

    It is of `TrainingOptions`, whose fields come after the command's own options, or of
    `CandidateOptions`, whose others come before. ``without`` names those that the command does not
    have, ``others`` are options in place of the usual.
    """

    def with_options(command: Callable[..., Any]) -> Callable[..., Any]:
        *own, last = inspect.signature(command, eval_str=True).parameters.values()
        fields = dict(inspect.signature(last.annotation).parameters)
        for name in without:
            del fields[name]
        for name, other in others.items():
            kind: Any = Annotated[fields[name].annotation.__origin__, other]
            fields[name] = fields[name].replace(annotation=kind)

        given = tuple(fields)

        @functools.wraps(command)
        def training(**options: Any) -> Any:
            common = {name: options.pop(name) for name in given}
            return command(**options, **{last.name: last.annotation(**common)})

        usual = [fields.pop(name) for name in vars(TrainingOptions()) if name in fields]
        keywords = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own]
        parameters = [*fields.values(), *keywords, *usual]
        vars(training)["__signature__"] = inspect.Signature(parameters)
        training.__annotations__ = {one.name: one.annotation for one in parameters}
        return training

    return with_options


class Command(TyperCommand):
    """A command with the options that follow from what it reads and writes.

    ``--trust`` if it reads a study file or a journal, ``--overwrite`` and ``--quiet`` if it writes
    a figure or another file, ``--json`` if it draws a study.
    """

    def __init__(self, *arguments: Any, **fields: Any) -> None:
        super().__init__(*arguments, **fields)
        names = {one.name for one in self.params}
        wanted = {"trust"} if {"study", "journal", "race"} & names else set()
        wanted |= {"overwrite", "quiet"} if {"figure", "output"} & names else set()
        wanted |= {"json"} if "figure" in names else set()
        self._added = wanted - names
        self.params += [one for one in _common_options() if one.name in self._added]

    def invoke(self, ctx: Any) -> Any:
        """Allow what is allowed, then run the command in the manner asked for."""
        from surefoot.replacing import overwriting

        given = {name: ctx.params.pop(name) for name in self._added}
        if names := given.get("trust"):
            from surefoot.candidates.trust import trust

            trust(names, beside=_file_of(ctx.params))
        with ExitStack() as stack:
            stack.enter_context(overwriting(given.get("overwrite", False)))
            quiet, json = given.get("quiet", False), {**ctx.params, **given}.get("json", False)
            if quiet or json:
                from surefoot.cli.show.console import Manner, speaking

                stack.enter_context(speaking(Manner(quiet=quiet, json=json)))
            return super().invoke(ctx)


def _file_of(given: Mapping[str, Any]) -> Path | None:
    """Return the study file or the journal that a command was given."""
    if given.get("study") is not None:
        return Path(given["study"])
    journal = given.get("journal") or given.get("race")
    return getattr(journal, "file", None)


@functools.cache
def _common_options() -> list[Any]:
    """Return the options ``--trust``, ``--overwrite``, ``--quiet`` and ``--json``."""
    app = typer.Typer(add_completion=False)
    trusted = typer.Option(
        "--trust",
        metavar="NAME",
        help="A package or module whose code the study file and the journal may name; repeatable.",
    )
    replacing = option("--overwrite", "Replace a file in the way that surefoot did not write.")

    @app.command()
    def common(
        trust: Annotated[list[str] | None, trusted] = None,
        overwrite: Annotated[bool, replacing] = False,
        quiet: Annotated[bool, option("--quiet -q", "Say nothing but what went wrong.")] = False,
        json: JsonOption = False,
    ) -> None: ...

    return typer.main.get_command(app).params[:4]


def read_sizes(text: str) -> list[int] | Literal["paper"]:
    """Return the sizes that the text of an option ``--sizes`` names.

    ``500,1000,2000`` are sizes, ``100:8000:12`` is 12 of them in equal ratios from 100 to 8,000,
    ``paper`` the paper's.

    Raises `SamplingError` if it is none of these.
    """
    from surefoot.studies.sizes.series import PAPER, geometric_sizes

    if text == PAPER:
        return PAPER
    span = _RANGE.fullmatch(text)
    if span is not None:
        first, last, count = map(int, span.groups())
        return geometric_sizes(first, last, count)
    try:
        return [int(part.replace("_", "")) for part in text.split(",")]
    except ValueError:
        raise SamplingError(
            f"--sizes {text!r} cannot be read: write 'paper', a range first:last:count such as "
            "100:8000:12, or sizes such as 500,1000,2000"
        ) from None
