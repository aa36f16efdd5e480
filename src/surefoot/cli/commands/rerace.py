"""``surefoot rerace``: a recorded race under other rules, training nothing."""

from __future__ import annotations

from inspect import Parameter, Signature
from typing import Annotated, Any

import typer

from surefoot.cli.options import Command, JournalArgument, JsonOption

INCOMPLETE = 3
"""Exit code when instances that the rules ask for are not recorded."""
ROUNDS, LEAVES, RUNGS, ENDS = "Rounds", "Who leaves", "Rungs", "When it ends"


class RaceCommand(Command):
    """A command whose options are also the keys that the registered schedules and rules state.

    They are read when they are needed, so that other commands start without them; the command's
    function gets those given as ``ctx.obj``.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters of the function and the keys of ``[race]``."""
        if __name__ not in ctx.meta:
            ctx.meta[__name__] = race_options()
        return [*super().get_params(ctx), *ctx.meta[__name__]]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options, also by their former names."""
        return super().parse_args(ctx, [_of_today(one) for one in args])

    def invoke(self, ctx: Any) -> Any:
        """Call the function, the keys given beside it."""
        keys = {option.name: ctx.params.pop(option.name) for option in ctx.meta[__name__]}
        ctx.obj = {name: value for name, value in keys.items() if value is not None}
        return super().invoke(ctx)


def race_options() -> list[Any]:
    """Return the options: one per key that schedules and rules take, and those of all races."""
    from surefoot.racing import registry

    app, options = typer.Typer(add_completion=False), list[Parameter]()

    def add(name: str, kind: type, metavar: str, words: str, panel: str, *short: str) -> None:
        long = dashed(name)
        names = f"{long}/--no-{long[2:]}" if kind is bool else long, *short
        option = typer.Option(*names, metavar=metavar or None, help=words, rich_help_panel=panel)
        given: Any = Annotated[kind | None, option]
        options.append(Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=given))

    for (kind, choice), panel in zip(registry.ONE.items(), (ROUNDS, LEAVES, RUNGS), strict=True):
        short = () if kind == "rungs" else (f"-{choice[0]}",)
        none = ", none" if kind == "rungs" else ""
        add(choice, str, "NAME", f"{registry.in_words(kind)}{none}.", panel, *short)
        for key, homes in registry.keys(kind).items():
            domain, whose = homes[0][1].domain, ", ".join(name for name, _ in homes)
            words = f"{homes[0][1].help.removesuffix('.')} ({whose})."
            add(key, domain.type, domain.metavar, words, panel)
    add("screen", str, "TOLERANCE", "A tolerance such as 0.2, or 'no'.", LEAVES)
    add("screen_margin", str, "NAME", "none, or noise: a fairer screen.", LEAVES)
    add("max_instances", int, "N", "Most instances of a candidate.", ENDS)
    add("limit", float, "N", "Most trainings of the race.", ENDS)

    @app.command()
    def race(**keys: Any) -> None: ...

    vars(race)["__signature__"] = Signature(options)
    race.__annotations__ = {}
    found: list[Any] = typer.main.get_command(app).params
    return found


def _of_today(argument: str) -> str:
    from surefoot.racing.registry import renamed

    option, equals, value = argument.partition("=")
    if not option.startswith("--"):
        return argument
    if option == "--at-looks":
        return "--no-anytime"
    (key,) = renamed({option[2:].replace("-", "_"): value})
    return f"{dashed(key)}{equals}{value}"


def dashed(name: str) -> str:
    """Return a key of ``[race]`` as an option."""
    return "--" + name.replace("_", "-")


def rerace(
    ctx: typer.Context,
    journal: JournalArgument,
    criterion: Annotated[
        str | None,
        typer.Option("--criterion", "-c", metavar="NAME", help="mean, max, quantile(0.9), …"),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Run a recorded race again under other rules, training nothing.

    The options are the keys of \\[race] in a study file; what is not given
    stays as it was. Where the rules ask for instances that nobody trained, it
    says which, names the best so far, and the exit code is 3.

    [bold]Examples[/bold]

      [dim]Who had won by the largest loss?[/dim]
      surefoot rerace energy.db --criterion max

      [dim]Would a tenth after two instances have been enough?[/dim]
      surefoot rerace energy.db --schedule halving --warmup 2 --keep 0.1

      [dim]Whom does a paired test find worse, at most 20 instances each?[/dim]
      surefoot rerace energy.db --rule test --level 0.05 --max-instances 20

      [dim]The smallest maximum of 12, without training all of them 12 times.[/dim]
      surefoot rerace energy.db --criterion max --schedule exact_max --complete 12

      [dim]Ranking, winner and what is missing, for a program.[/dim]
      surefoot rerace energy.db --criterion max --json
    """
    from surefoot.cli.show.console import console, say_json, say_sentences
    from surefoot.cli.show.plain import rerace_values
    from surefoot.cli.show.race import say_race
    from surefoot.studies.select.rerace import rerace

    out, changes = console(), changes_of(ctx.obj)
    if criterion is not None:
        changes["criterion"] = criterion
    found = rerace(journal, **changes)
    race = found.race
    out.print(
        f"Rerace of {journal}: {len(race.keys):,} candidates, {race.criterion.name}, "
        f"{found.record.table.count:,} recorded instances",
        style="bold",
        soft_wrap=True,
    )
    say_race(out, found.record, found.state, found.known)
    say_sentences(out, "", found.lines(), bold=True)
    if json:
        say_json(rerace_values(found))
    raise typer.Exit(0 if found.state.over else INCOMPLETE)


def changes_of(given: dict[str, Any]) -> dict[str, Any]:
    """Return the rules that options change, as `surefoot.rerace` takes them.

    Raises `ConfigurationError` if a rule or schedule is unknown, or an option belongs to another
    one.
    """
    from pydantic import ValidationError

    from surefoot.errors import ConfigurationError, nearest
    from surefoot.racing import registry
    from surefoot.study_files.schema import build_rules, race_table, read_race

    known = {choice: registry.registered(kind) for kind, choice in registry.ONE.items()}
    for kind, choice in registry.ONE.items():
        for key in registry.keys(kind):
            if key in given and choice not in given:
                raise ConfigurationError(f"{dashed(key)} belongs to a --{choice}: name it too")
    if given.get("screen") in ("no", "none", "false"):
        given["screen"] = False
    elif "screen" in given:
        try:
            given["screen"] = float(given["screen"])
        except ValueError:
            raise ConfigurationError(
                f"--screen {given['screen']!r} is no tolerance such as 0.2, and not 'no'"
            ) from None
    try:
        rules = build_rules(read_race(given))
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        right = f"it must be {race_table().model_fields[name].description}"
        hint = nearest(str(given[name]), known[name]) if name in known else right
        raise ConfigurationError(f"{dashed(name)} {given[name]!r} cannot be used: {hint}") from None
    return {name: rules[name] for name in rules if name in given}
