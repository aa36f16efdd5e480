"""``surefoot replay``: a recorded instance trained again and compared with its record."""

from typing import Annotated

import typer

from surefoot.cli.options import JournalArgument, JsonOption, StudyOption, option

DIFFERENT = 1
"""Exit code when the losses are not the same bits."""


def replay(
    journal: JournalArgument,
    candidate: Annotated[
        str,
        typer.Argument(metavar="CANDIDATE", help="Its key, the start of it, or 'winner'."),
    ],
    instance: Annotated[int, typer.Argument(metavar="INSTANCE", help="Its number, from 0.")],
    study: StudyOption = None,
    role: Annotated[str, option("--role -r ROLE", "race or certify.")] = "race",
    engine: Annotated[
        str | None, option("--engine -e NAME", "Who trains.", "who did the first time")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Train a recorded instance again, from its seeds, and compare with the record.

    The same engine must give the same loss to the last bit; then the exit code
    is 0, else 1.

    [bold]Examples[/bold]

      [dim]The winner's first instance in the race.[/dim]
      surefoot replay energy.db winner 0

      [dim]The eighth fresh instance of the candidate whose key starts with 3f2a.[/dim]
      surefoot replay energy.db 3f2a 7 -r certify

      [dim]On another engine, which may differ in the last digits.[/dim]
      surefoot replay energy.db winner 0 -e torch_eager

      [dim]Both losses and where they differ, for a program.[/dim]
      surefoot replay energy.db winner 0 --json
    """
    from surefoot.cli.session import Session
    from surefoot.cli.show.console import busy, console, say_json
    from surefoot.cli.show.plain import replayed_values
    from surefoot.studies.replay import replay as train_again

    out = console()
    setting = None if study is None else Session(study).setting
    with busy(out, f"training instance {instance} of {candidate}"):
        found = train_again(journal, candidate, instance, role=role, engine=engine, setting=setting)
    out.print(str(found), soft_wrap=True)
    if json:
        say_json(replayed_values(found))
    if not found.same:
        raise typer.Exit(DIFFERENT)
