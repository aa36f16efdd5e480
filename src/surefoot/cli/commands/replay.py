"""``surefoot replay``: a recorded instance trained again and compared with its record."""

from typing import Annotated

import typer

from surefoot.cli.options import JournalArgument, StudyOption
from surefoot.errors import ConfigurationError, nearest

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
    role: Annotated[
        str, typer.Option("--role", "-r", metavar="ROLE", help="race or certify.")
    ] = "race",
    engine: Annotated[
        str | None,
        typer.Option(
            "--engine",
            "-e",
            metavar="NAME",
            help="Who trains.",
            show_default="who did the first time",
        ),
    ] = None,
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
    """
    from surefoot.cli.session import Session
    from surefoot.cli.show.console import busy, console
    from surefoot.journal import Journal
    from surefoot.seeds.ledger import Role
    from surefoot.studies.description import Description
    from surefoot.studies.recorded_setting import recorded_setting
    from surefoot.studies.replay import difference, find_candidate, replay

    out = console()
    roles = {one.name.lower(): one for one in Role}
    if role not in roles:
        raise ConfigurationError(f"role {role!r} is unknown: {nearest(role, roles)}")
    with Journal.read(journal) as recorded:
        key = find_candidate(recorded, candidate)
        if study is None:
            with busy(out, f"loading {Description.read(recorded.study).population.name}"):
                setting = recorded_setting(recorded)
        else:
            setting = Session(study).setting
        label = recorded.candidates()[key].label
        with busy(out, f"training instance {instance} of {label}"):
            before, training = replay(recorded, setting, key, instance, roles[role], engine=engine)
    now = training.outcome
    out.print(f"{label}  (key {key}), {role} instance {instance}", soft_wrap=True)
    for name, outcome in (("recorded", before), ("again", now)):
        out.print(
            f"{name:<10}loss {outcome.loss!r}  {outcome.status}  {outcome.epochs} epochs  "
            f"{outcome.seconds:.2f} s  {outcome.engine}",
            soft_wrap=True,
        )
    different = difference(before, now)
    if different:
        out.print(different, soft_wrap=True)
        raise typer.Exit(DIFFERENT)
    out.print("the same: status, loss and curve agree to the last bit")
