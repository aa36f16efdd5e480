"""``surefoot show``: the race of a journal as tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from surefoot.candidates.convnet.network import ConvNet
from surefoot.cli.show.console import console
from surefoot.cli.show.results import say_winner
from surefoot.journal import Journal, Known
from surefoot.racing.state import stretch_name, stretches
from surefoot.seeds.ledger import Role
from surefoot.studies.description import rebuild_candidate
from surefoot.studies.extension import history
from surefoot.studies.race_record import recorded_certificates, recorded_race
from surefoot.studies.replay import find_candidate

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from surefoot.racing.state import RaceState
    from surefoot.studies.race_record import RaceRecord

SHOWN = 10


def run(journal_path: Path, eliminated: bool, candidate: str | None) -> None:
    """Run the command; errors are those of the parts."""
    out = console()
    with Journal.read(journal_path) as journal:
        if candidate is not None:
            _say_candidate(out, journal, find_candidate(journal, candidate))
            return
        known = journal.candidates()
        record = recorded_race(journal)
        state = record.state()
        out.print(_headline(journal, record), style="bold", soft_wrap=True)
        for line in history(journal.extensions()):
            out.print(line, soft_wrap=True)
        if state.rounds:
            out.print()
            out.print(rounds_table(record, state, known))
            out.print()
            out.print(ranking_table(state, record, known))
        if eliminated:
            _say_eliminations(out, state, known)
        _say_troubles(out, journal, known)
        if state.winner is None:
            _say_waiting(out, state)
            return
        winner = rebuild_candidate(known[state.winner])
        labels = {key: one.label for key, one in known.items()}
        certificates = recorded_certificates(journal, state)
        unit = record.study.unit
        say_winner(out, winner, record, state, certificates, labels, unit)


def _headline(journal: Journal, record: RaceRecord) -> str:
    study = record.study
    return (
        f"{study.population.name}: {len(study.candidates):,} candidates, "
        f"{record.race.statistic.name} of {study.loss}, "
        f"{journal.count():,} instances recorded"
    )


def _table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(
            name, justify="right" if name in right else "left", overflow="fold", no_wrap=False
        )
    return table


def rounds_table(record: RaceRecord, state: RaceState, known: Mapping[str, Known]) -> Table:
    """Return the completed rounds as a table, a row for those in which all stayed."""
    criterion = f"best {record.race.statistic.name}"
    numbers = ("candidates", "trained", criterion, "stay")
    table = _table("round", *numbers, "best candidate", right=numbers)
    for stretch in stretches(state.rounds):
        first, last = stretch[0], stretch[-1]
        table.add_row(
            stretch_name(last.name, first.number, last.number).split()[-1],
            f"{len(last.keys):,}",
            f"{sum(one.trainings for one in stretch):,}",
            f"{last.values[0]:.4g}",
            f"{len(last.survivors):,}",
            known[last.keys[0]].label,
        )
    return table


def ranking_table(state: RaceState, record: RaceRecord, known: Mapping[str, Known]) -> Table:
    """Return the best candidates as a table."""
    numbers = ("rank", "instances", record.race.statistic.name, "left in")
    table = _table(*numbers, "key", "candidate", right=numbers)
    left = {one.key: one.round for one in state.eliminations}
    counts, values = state.instances(), state.values
    for rank, key in enumerate(state.ranking[:SHOWN], start=1):
        table.add_row(
            str(rank),
            str(counts.get(key, 0)),
            f"{values[key]:.4g}" if key in values else "",
            str(left.get(key, "")),
            key,
            known[key].label,
        )
    return table


def _say_eliminations(out: Console, state: RaceState, known: Mapping[str, Known]) -> None:
    out.print()
    for one in state.eliminations:
        out.print(
            f"round {one.round}: {one.key} {known[one.key].label}: {one.reason}",
            soft_wrap=True,
        )


def _say_troubles(out: Console, journal: Journal, known: Mapping[str, Known]) -> None:
    """Print how many instances diverged, and the messages of those that failed."""
    infinite = sum(np.isinf(m.loss) for role in Role for m in journal.measures(role))
    if not infinite:
        return
    failed = journal.failed()
    out.print()
    out.print(f"{infinite - len(failed):,} instances diverged, {len(failed):,} failed")
    for key, role, number, _ in sorted(failed)[:SHOWN]:
        for outcome in journal.outcomes(role, key, number):
            out.print(
                f"  {role.name.lower()} instance {number} of {known[key].label}: {outcome.message}",
                soft_wrap=True,
            )


def _say_waiting(out: Console, state: RaceState) -> None:
    out.print()
    if state.current is not None:
        out.print(
            f"round {state.current.number} goes on: {len(state.need):,} of "
            f"{state.current.trainings:,} instances are still to be trained"
        )


def _say_candidate(out: Console, journal: Journal, key: str) -> None:
    """Print a candidate's layers and all its instances."""
    known = journal.candidates()[key]
    candidate = rebuild_candidate(known)
    out.print(f"{known.label}  (key {key}, {known.family})", style="bold", soft_wrap=True)
    if isinstance(candidate, ConvNet):
        out.print()
        out.print(candidate.summary())
    out.print()
    numbers = ("instance", "loss", "epochs", "seconds")
    table = _table("role", *numbers, "status", "engine", "message", right=numbers)
    for role in Role:
        for one in sorted(journal.outcomes(role, key), key=lambda o: o.instance):
            table.add_row(
                role.name.lower(),
                str(one.instance),
                f"{one.loss:.6g}",
                str(one.epochs),
                f"{one.seconds:.2f}",
                str(one.status),
                one.engine,
                one.message,
            )
    out.print(table)
