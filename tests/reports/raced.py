"""Journals of races whose losses are drawn, not trained, as large as wanted."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np

from surefoot.instances import Outcome, Status
from surefoot.journal import Role
from surefoot.studies.race_record import RaceRecord
from surefoot.studies.select.study import SelectStudy
from tests.fakes import Fake, fake_setting


def large_study(candidates: int, **rules: object) -> SelectStudy:
    """Return a race of candidates that get steadily worse."""
    qualities = np.linspace(1.0, 3.0, candidates)
    everyone = tuple(Fake(quality=float(one), noise=0.15) for one in qualities)
    return SelectStudy(candidates=everyone, setting=fake_setting(), engine="fake", **rules)


class Drawn:
    """The outcomes that a race of `Fake` candidates asks for, drawn in the order of its rounds."""

    def __init__(self, study: SelectStudy, epochs: int = 60, seed: int = 7) -> None:
        self.study, self.epochs = study, epochs
        self.random = np.random.default_rng(seed)

    def outcome(self, key: str, role: Role, number: int) -> Outcome:
        """Return an outcome whose curve falls to its loss; one in a hundred diverges."""
        quality = self.study.known[key].quality
        loss = float(np.float32(quality * np.exp(0.15 * self.random.standard_normal())))
        curve = loss * (1.0 + 2.0 * np.exp(-np.arange(self.epochs) / 12.0))
        status = Status.FINISHED
        if quality > 1.2 and self.random.random() < 0.01:
            status, loss, curve[-1] = Status.DIVERGED, float("inf"), np.nan
        seconds = float(self.random.gamma(4.0, 0.5))
        examples = self.study.setting.halves.train_size(self.study.setting.sampling)
        return Outcome(
            key, role, number, examples, status, loss, curve.astype(np.float32), seconds, "fake", ""
        )

    def rounds(self) -> Iterator[list[Outcome]]:
        """Yield the outcomes of each round, then those of the certificate."""
        record = RaceRecord(self.study.description, self.study.race)
        while (state := record.state()).current is not None and not state.over:
            new = [self.outcome(key, Role.RACE, number) for key, number in state.need]
            record.add(new)
            yield new
        winner = state.ranking[0]
        yield [self.outcome(winner, Role.CERTIFY, number) for number in range(self.study.certify)]


def write(path: str | os.PathLike[str], study: SelectStudy, most: int | None = None) -> int:
    """Record the race of a study, or its first ``most`` outcomes; return how many there are."""
    left = most
    with study.open(path) as journal:
        for outcomes in Drawn(study).rounds():
            journal.add(*outcomes[:left])
            left = None if left is None else left - len(outcomes)
            if left is not None and left <= 0:
                break
        return journal.count()
