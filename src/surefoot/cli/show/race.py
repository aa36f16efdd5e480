"""A race as its journal has it: rounds, ranking, who left why, the winner and its certificate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from surefoot.candidates.convnet.network import ConvNet
from surefoot.cli.show.console import say_sentences, table
from surefoot.journal import Journal, Known
from surefoot.racing.state import stretch_word, stretches
from surefoot.studies.troubles import troubles_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from surefoot.racing.state import RaceState
    from surefoot.studies.race_record import RaceRecord

SHOWN = 10


def rounds_table(record: RaceRecord, state: RaceState, known: Mapping[str, Known]) -> Table:
    """Return the completed rounds as a table, a row for those in which all stayed."""
    numbers = ("candidates", "trained", f"best {record.race.criterion.name}", "stay")
    made = table("round", *numbers, "best candidate", right=numbers)
    for stretch in stretches(state.rounds):
        first, last = stretch[0], stretch[-1]
        made.add_row(
            stretch_word(last.name, first.number, last.number),
            f"{len(last.keys):,}",
            f"{sum(one.trainings for one in stretch):,}",
            f"{last.values[0]:.4g}",
            f"{len(last.survivors):,}",
            known[last.keys[0]].label,
        )
    return made


def ranking_table(record: RaceRecord, state: RaceState, known: Mapping[str, Known]) -> Table:
    """Return the best candidates as a table."""
    numbers = ("rank", "instances", record.race.criterion.name, "left in")
    made = table(*numbers, "key", "candidate", right=numbers)
    left = {one.key: one.round for one in state.eliminations}
    counts, values = state.instances(), state.values
    for rank, key in enumerate(state.ranking[:SHOWN], start=1):
        made.add_row(
            str(rank),
            str(counts.get(key, 0)),
            f"{values[key]:.4g}" if key in values else "",
            str(left.get(key, "")),
            key,
            known[key].label,
        )
    return made


def say_race(
    out: Console, record: RaceRecord, state: RaceState, known: Mapping[str, Known]
) -> None:
    """Print rounds and ranking, once a round is completed."""
    if state.rounds:
        out.print()
        out.print(rounds_table(record, state, known))
        out.print()
        out.print(ranking_table(record, state, known))


def say_eliminations(out: Console, state: RaceState, known: Mapping[str, Known]) -> None:
    """Print who left in which round, and why."""
    out.print()
    for one in state.eliminations:
        label = known[one.key].label
        out.print(f"round {one.round}: {one.key} {label}: {one.reason}", soft_wrap=True)


def say_troubles(out: Console, journal: Journal) -> None:
    """Print how many instances diverged and how many failed, and why the first did."""
    if told := troubles_of(journal).lines():
        say_sentences(out, "Troubles", told)


def say_candidate(out: Console, journal: Journal, key: str) -> None:
    """Print a candidate's layers and all its instances."""
    known = journal.candidates()[key]
    out.print(f"{known.label}  (key {key}, {known.family})", style="bold", soft_wrap=True)
    if known.family == ConvNet.family:
        out.print()
        out.print(ConvNet.from_spec(known.spec).summary())
    out.print()
    outcomes = sorted(journal.outcomes(candidate=key), key=lambda o: (o.role, o.instance))
    averaged = any(one.plain.size for one in outcomes)
    numbers = ("instance", "loss", *(("not averaged",) * averaged), "epochs", "seconds")
    made = table("role", *numbers, "status", "engine", "message", right=numbers)
    for one in outcomes:
        plain = "" if one.plain_loss is None else f"{one.plain_loss:.6g}"
        made.add_row(
            one.role.name.lower(),
            str(one.instance),
            f"{one.loss:.6g}",
            *((plain,) * averaged),
            str(one.epochs),
            f"{one.seconds:.2f}",
            str(one.status),
            one.engine,
            one.message,
        )
    out.print(made)
