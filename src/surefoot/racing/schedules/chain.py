"""Chain: one schedule after the other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from surefoot.racing.rules.base import EliminationRule
from surefoot.racing.schedules.base import Schedule, Standing, Step


@dataclass(frozen=True)
class Chain(Schedule):
    """One schedule after the other: the next takes over when one has ended."""

    parts: tuple[Schedule, ...]
    name = "chain"

    @property
    def usual_rule(self) -> EliminationRule:
        """That of the last part."""
        return self.parts[-1].usual_rule

    @property
    def words(self) -> str:
        """The words of its parts, one after the other."""
        said = self.parts[0].words
        for before, part in pairwise(self.parts):
            said += f", then the last {getattr(before, 'finalists', 1)} {part.words}"
        return said

    def step(self, standing: Standing) -> Step | None:
        """Return the round of the first part that has one."""
        for part in self.parts:
            step = part.step(standing)
            if step is not None:
                return step
        return None
