"""The command line ``surefoot``: its commands, and how it ends when one cannot go on.

Nothing heavy is imported before a command runs, so that ``surefoot --help`` is quick.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from surefoot import registry
from surefoot.cli.commands.assess import assess
from surefoot.cli.commands.check import check
from surefoot.cli.commands.compare import compare
from surefoot.cli.commands.copy import copy
from surefoot.cli.commands.export import export
from surefoot.cli.commands.grid import grid
from surefoot.cli.commands.journals import journals
from surefoot.cli.commands.list import list_
from surefoot.cli.commands.plan import plan
from surefoot.cli.commands.plot import plot
from surefoot.cli.commands.replay import replay
from surefoot.cli.commands.report import report
from surefoot.cli.commands.rerace import RaceCommand, rerace
from surefoot.cli.commands.sample_size import sample_size
from surefoot.cli.commands.search import search
from surefoot.cli.commands.select import select
from surefoot.cli.commands.show import show
from surefoot.cli.commands.transfer import transfer
from surefoot.cli.commands.variance import variance
from surefoot.cli.commands.watch import watch
from surefoot.cli.options import Command
from surefoot.errors import SurefootError
from surefoot.escaping import one_line
from surefoot.places import without_passwords

UsageError: Any = typer.BadParameter.__mro__[1]
"""What typer raises for a command line that cannot be parsed, and shows the user."""
USAGE_ERROR = 2
INTERRUPTED = 130


class Commands(TyperGroup):
    """The commands; an error raised on purpose is one line on stderr and exit code 2.

    A ``KeyboardInterrupt`` ends with exit code 130 and says what it was raised with, such as how to
    go on.
    """

    def invoke(self, ctx: Any) -> Any:
        """Run the command asked for."""
        try:
            return super().invoke(ctx)
        except SurefootError as error:
            typer.echo(f"surefoot: {one_line(without_passwords(str(error)))}", err=True)
            raise typer.Exit(USAGE_ERROR) from None
        except UsageError as error:
            error.message = without_passwords(error.message)
            raise
        except KeyboardInterrupt as stop:
            words = "".join(f"; {hint}" for hint in stop.args)
            typer.echo(f"\nsurefoot: interrupted{words}", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            raise typer.Exit(0) from None
        except OSError as error:
            what = f"{error.filename}: " if error.filename else ""
            typer.echo(f"surefoot: {one_line(what)}{error.strerror or error}", err=True)
            raise typer.Exit(USAGE_ERROR) from None
        except MemoryError as error:
            why = f" ({one_line(str(error))})" if str(error) else ""
            typer.echo(f"surefoot: memory ran out{why}: what is recorded is kept", err=True)
            raise typer.Exit(USAGE_ERROR) from None


app = typer.Typer(
    name="surefoot",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find machine-learning models that stay good every time they are retrained.",
    epilog="First steps: [bold]surefoot select examples/energy.toml --dry-run[/bold], then the "
    "same without --dry-run. Ctrl-C loses nothing: the same command goes on.",
)


def _version(wanted: bool) -> None:
    if wanted:
        from surefoot import __version__

        typer.echo(f"surefoot {__version__}")
        raise typer.Exit


@app.callback()
def surefoot(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Find machine-learning models that stay good every time they are retrained."""


COMMANDS: list[Callable[..., None]] = [select, watch, show, report, replay, export, check, plot]
COMMANDS += [assess, variance, sample_size, plan, rerace, compare, transfer, grid, search]
COMMANDS += [journals, list_, copy]
for command in COMMANDS:
    kind = RaceCommand if command is rerace else Command
    app.command(command.__name__.strip("_").replace("_", "-"), cls=kind)(command)
for name in registry.names("commands"):
    added = registry.lookup("commands", name)
    if isinstance(added, typer.Typer):
        for one in added.registered_commands:
            one.cls = Command
        app.add_typer(added, name=name)
    else:
        app.command(name, cls=Command)(added)


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; the entry point of the script ``surefoot``."""
    return app(arguments)
