"""``surefoot check``: whether a journal holds what was written, and what its trainings gave."""

from typing import Annotated

import typer

from surefoot.cli.options import JournalArgument, JsonOption, StudyOption, option

DIFFERENT = 1
"""Exit code when a training gave another loss than the record."""


def check(
    journal: JournalArgument,
    study: StudyOption = None,
    replays: Annotated[
        int, option("--replay -n N", "Train N random recorded instances again.")
    ] = 0,
    json: JsonOption = False,
) -> None:
    """Check that a journal holds what was written.

    Every row is covered by a digest that also covers the rows before it, so
    whatever was changed, deleted, moved or added behind surefoot's back is found
    and named. It guards against accidents and edits; it is no signature. The last
    digest, noted elsewhere, tells this journal from any other.

    With --replay, instances drawn at random are trained again and must give
    their recorded losses and curves to the last bit; then the exit code is 0,
    else 1.

    [bold]Examples[/bold]

      [dim]Is the journal whole?[/dim]
      surefoot check energy.db

      [dim]And do ten of its trainings give the same again?[/dim]
      surefoot check energy.db --replay 10

      [dim]Rows, digest and the trainings' losses, for a program.[/dim]
      surefoot check energy.db --replay 10 --json
    """
    from surefoot.cli.session import Session
    from surefoot.cli.show.console import busy, console, say_json
    from surefoot.cli.show.plain import checked_values
    from surefoot.studies.replay import check

    out = console()
    with busy(out, f"checking {journal}"):
        setting = None if study is None else Session(study).setting
        checked = check(journal, replays, setting=setting)
    out.print(str(checked), soft_wrap=True)
    if json:
        say_json(checked_values(checked))
    if not checked.same:
        raise typer.Exit(DIFFERENT)
