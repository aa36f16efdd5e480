"""``surefoot show``: what a journal says, in words and tables."""

from typing import Annotated

from surefoot.cli.options import JournalArgument, JsonOption, option


def show(
    journal: JournalArgument,
    eliminated: Annotated[
        bool, option("--eliminated -x", "Also list who left when, and why in words.")
    ] = False,
    candidate: Annotated[
        str | None, option("--candidate -c KEY", "Show one candidate's instances instead.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show what a journal says, in words and tables, even while it is written.

    Of a race: its rounds, the best candidates, the winner and its certificate. Any
    other study: its answer.

    [bold]Examples[/bold]

      [dim]Rounds, the best candidates, the certificate.[/dim]
      surefoot show energy.db

      [dim]Every elimination with its reason.[/dim]
      surefoot show energy.db --eliminated

      [dim]The winner's layers and instances.[/dim]
      surefoot show energy.db -c winner

      [dim]Every candidate's losses and figures, for a program.[/dim]
      surefoot show energy.db --json
    """
    from surefoot.cli.show.console import console, say_json, say_lines
    from surefoot.cli.show.race import say_candidate, say_eliminations, say_race, say_troubles
    from surefoot.cli.show.views import say_views
    from surefoot.exports.summary import summary
    from surefoot.journal import Journal
    from surefoot.studies.description import Description
    from surefoot.studies.extension import history
    from surefoot.studies.replay import find_candidate
    from surefoot.studies.select.selection import recorded_selection

    out = console()
    with Journal.read(journal) as recorded:
        if candidate is not None:
            say_candidate(out, recorded, find_candidate(recorded, candidate))
            return
        if json:
            say_json(summary(recorded))
            return
        if Description.read(recorded.study).kind != "select":
            say_views(out, recorded)
            return
        selection = recorded_selection(recorded)
        known, record, state = selection.known, selection.record, selection.state
        study = record.study
        name = recorded.notes().get("study", {}).get("name")
        about = (
            f"{study.population.name}: {len(study.candidates):,} candidates, "
            f"{record.race.criterion.name} of {study.loss}, {recorded.count():,} instances "
            "recorded"
        )
        out.print(f"{name}: {about}" if name else about, style="bold", soft_wrap=True)
        for line in history(recorded.extensions()):
            out.print(line, soft_wrap=True)
        say_race(out, record, state, known)
        if eliminated:
            say_eliminations(out, state, known)
        if state.winner is not None:
            out.print()
            say_lines(out, selection.lines())
        else:
            say_troubles(out, recorded)
        if state.winner is None and (standing := selection.standing()):
            out.print()
            out.print(standing)
