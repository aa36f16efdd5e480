"""The command line ``surefoot``: every command in words, its work in a module of its own.

Nothing heavy is imported before a command runs, so that ``surefoot --help`` is quick.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from surefoot.cli import calorimeter_commands, journal_commands, study_commands
from surefoot.cli.rerace_options import rerace
from surefoot.cli.selection_commands import plan, select

app = typer.Typer(
    name="surefoot",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
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


app.command()(select)
journal_commands.add_commands(app)
study_commands.add_commands(app)
app.command()(plan)
app.command()(rerace)
calorimeter_commands.add_commands(app)


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; the entry point of the script ``surefoot``."""
    return app(arguments)
