"""What a race leaves: the winner, its certificate and the way there, in numbers and in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.base import Candidate
from surefoot.candidates.convnet.network import ConvNet
from surefoot.errors import JournalError
from surefoot.instances import Training
from surefoot.journal import Journal, Known, Place
from surefoot.racing import LossTable, RaceState
from surefoot.seeds.ledger import Role
from surefoot.showing import Shown
from surefoot.statistics.certificate import Certificate
from surefoot.studies.base import Study
from surefoot.studies.description import rebuild_candidate
from surefoot.studies.race_record import RaceRecord, recorded_certificates, recorded_race
from surefoot.studies.replay import train_here
from surefoot.studies.select.rivals import Rivals, rivals_of
from surefoot.studies.text import Line, Paragraph, lines_of
from surefoot.studies.troubles import Troubles, explained, troubles_of

OVERVIEW = 10
"""Candidates that a notebook lists."""


@dataclass(frozen=True, eq=False, repr=False)
class Selection(Shown):
    """The result of a race, or where it stands: command, figures and ``print`` show this.

    Parameters
    ----------
    record
        The losses of candidates and baseline under the rules of the race.
    state
        Where they lead.
    certificates
        Those of the winner first, then of the best of other groups.
    known
        What the journal knows of every candidate, by key.
    journal
        Where the record is; ``:memory:`` when it was in memory only.
    asked
        The study; None where the selection was read from a journal.
    troubles
        What diverged and what failed, and why.
    """

    record: RaceRecord
    state: RaceState
    certificates: Mapping[str, Certificate]
    known: Mapping[str, Known]
    journal: Place
    asked: Study[Any] | None = None
    troubles: Troubles = field(default_factory=Troubles)

    @classmethod
    def of(
        cls, journal: Journal, record: RaceRecord, state: RaceState, asked: Study[Any] | None = None
    ) -> Selection:
        """Return the selection of a replayed race, with the certificates of its journal."""
        certificates = recorded_certificates(journal, state)
        known, place, troubles = journal.candidates(), journal.place, troubles_of(journal)
        return cls(record, state, certificates, known, place, asked, troubles)

    @property
    def study(self) -> Study[Any]:
        """The study, whose setting trains further instances.

        Raises `JournalError` where the selection was read from a journal, which holds no data.
        """
        if self.asked is None:
            raise JournalError(
                "a selection read from a journal has no data to train on: give the study, or use "
                "surefoot.replay"
            )
        return self.asked

    @property
    def table(self) -> LossTable:
        """The racing losses."""
        return self.record.table

    @cached_property
    def winner(self) -> Candidate:
        """The candidate that won, or leads."""
        return self.candidate(self.state.ranking[0])

    @property
    def certificate(self) -> Certificate | None:
        """The winner's certificate; None if none was asked for."""
        return self.certificates.get(self.state.ranking[0])

    @property
    def value(self) -> float:
        """The winner's criterion over its racing losses, which flatter it (winner's curse)."""
        return self.state.values[self.state.ranking[0]]

    @cached_property
    def baseline(self) -> float | None:
        """Mean of the baseline's losses; None without any."""
        losses = self.record.baseline()
        return None if losses is None or np.isnan(losses).all() else float(np.nanmean(losses))

    @property
    def labels(self) -> dict[str, str]:
        """Label of every candidate by key."""
        return {key: one.label for key, one in self.known.items()}

    def candidate(self, key: str) -> Candidate:
        """Return a candidate by its key."""
        return rebuild_candidate(self.known[key]) if self.asked is None else self.asked.known[key]

    def losses(self, key: str) -> NDArray[np.float64]:
        """Return the racing losses of a candidate, in the order of its instances."""
        row = self.table.row(key)
        known: NDArray[np.float64] = row[~np.isnan(row)]
        return known

    def ranking(self) -> list[dict[str, Any]]:
        """Return one row per candidate, best first, as plain values for a table or data frame."""
        values, instances = self.state.values, self.state.instances()
        out = {e.key: e for e in self.state.eliminations}
        return [
            {
                "rank": rank,
                "key": key,
                "label": self.known[key].label,
                "instances": instances.get(key, 0),
                "value": values.get(key, float("nan")),
                "round": out[key].round if key in out else None,
                "reason": (
                    out[key].reason if key in out else self.state.stopped if rank > 1 else "winner"
                ),
            }
            for rank, key in enumerate(self.state.ranking, start=1)
        ]

    @cached_property
    def rivals(self) -> Rivals:
        """Who is as good as the winner, who may win next, who is steadier."""
        return rivals_of(self.table, self.state, self.record.race.criterion)

    def train(self, instance: int = 0) -> Training:
        """Train an instance of the winner again: its outcome and a predictor with its weights.

        It is the certifying instance of that number, or the racing one if none was certified.
        """
        role = Role.CERTIFY if self.certificates else Role.RACE
        study = self.study
        return train_here(
            study.instance(self.winner.key, role, instance), study.setting, study.engine
        )

    def overview(self) -> list[dict[str, Any]]:
        """Return the best candidates of the ranking."""
        columns = {"rank": "rank", "label": "candidate", "instances": "instances"}
        columns |= {"value": self.record.race.criterion.name, "round": "left in", "key": "key"}
        best = self.ranking()[:OVERVIEW]
        return [{name: row[own] for own, name in columns.items()} for row in best]

    def standing(self) -> str:
        """Return how far the race has come, in a sentence; empty once it is over."""
        current, need = self.state.current, len(self.state.need)
        if self.state.over or current is None:
            return ""
        return (
            f"round {current.number} goes on: {need:,} of {current.trainings:,} instances are "
            "still to be trained"
        )

    def paragraphs(self) -> Iterator[Paragraph]:
        """Yield it in words: winner, baseline, layers, certificates, rivals."""
        yield from self.about_winner()
        yield from self.about_certificates()
        yield from self.about_rivals()

    def about_winner(self) -> Iterator[Paragraph]:
        """Yield the winner (or leader), the baseline and the winner's layers."""
        labels, key = self.labels, self.state.ranking[0]
        unit = f" {self.record.study.unit}" if self.record.study.unit else ""
        judged = self.state.instances()[key]
        words = "the only candidate, so that there was no race"
        if judged or len(self.state.keys) > 1:
            instances = "instances" if judged > 1 else "instance"
            words = f"{self.record.race.criterion.name} {self.value:.4g}{unit} over {judged} racing"
            words += f" {instances}"
        if self.baseline is not None:
            label = labels[str(self.record.study.baseline)]
            words += f"; the baseline, {label}: {self.baseline:.4g}{unit}"
        name = f"{labels[key]}  (key {key})"
        yield Paragraph("Winner", (name, words), bold=True, layout="lines")
        if self.state.stopped:
            left = len(self.state.survivors)
            words = f"The race ended with {left:,} candidates left: {self.state.stopped}."
            yield Paragraph("", (words,), apart=False)
        if self.state.rungs is not None and (self.state.rungs.left or not self.state.rungs.climbed):
            yield Paragraph("Rungs", (f"{self.state.rungs}.",))
        if self.known[key].family == ConvNet.family:
            summary = ConvNet.from_spec(self.known[key].spec).summary()
            yield Paragraph("", tuple(summary.splitlines()), layout="table")
        if told := self.troubles.lines():
            yield Paragraph("Troubles", tuple(told))

    def about_certificates(self) -> Iterator[Paragraph]:
        """Yield the certificates, the winner's first."""
        labels, key = self.labels, self.state.ranking[0]
        for certified, certificate in self.certificates.items():
            own = certified == key
            if not own:
                yield Paragraph("Also certified", (labels[certified],), layout="lines")
            said = tuple(str(certificate).splitlines())
            yield Paragraph("Certificate" if own else "", said, bold=True, apart=own)

    def about_rivals(self) -> Iterator[Paragraph]:
        """Yield the winner among its rivals."""
        if len(self.state.ranking) > 1:
            yield Paragraph("Rivals", tuple(self.rivals.lines(self.labels)))

    def lines(self) -> Iterator[Line]:
        """Yield it in words as a terminal shows it."""
        return lines_of(self.paragraphs())

    def __str__(self) -> str:
        return "\n".join(line.text for line in self.lines())


def recorded_selection(journal: Journal) -> Selection:
    """Return the selection that a journal holds, or as far as its race has come.

    Raises `JournalError` if the journal holds no race; `RaceError` if every candidate is screened
    out, or all diverged.
    """
    record = recorded_race(journal)
    with explained(journal, Role.RACE):
        return Selection.of(journal, record, record.state())
