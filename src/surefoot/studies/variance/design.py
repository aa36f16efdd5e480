"""Which instances a variance study trains: one source of luck at a time, crossed, and re-tested."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from surefoot.seeds.ledger import FactorLevels


@dataclass(frozen=True)
class Design:
    """Which instances a variance study trains; the numbers are those of `variance`.

    ``whole_test`` says that every instance is measured on the whole test half, so that no test
    sample can be varied.
    """

    alone: int = 20
    draws: int = 8
    inits: int = 8
    replicates: int = 1
    tested: int = 4
    tests: int = 5
    whole_test: bool = False

    def experiments(self) -> dict[str, list[FactorLevels]]:
        """Initialisation alone on the first sample, sample alone with the first weights, both."""
        numbers = range(self.alone)
        return {
            "init": [FactorLevels(0, i) for i in numbers],
            "draw": [FactorLevels(i, 0) for i in numbers],
            "both": [FactorLevels(i, i) for i in numbers],
        }

    def crossed(self) -> list[list[list[FactorLevels]]]:
        """Every draw with every initialisation, ``[draws][inits][replicates]``."""
        orders = range(1, self.replicates + 1) if self.replicates > 1 else range(1)
        return [
            [[FactorLevels(d, i, order) for order in orders] for i in range(self.inits)]
            for d in range(self.draws)
        ]

    def test(self) -> list[list[FactorLevels]]:
        """Instances that differ in their test sample alone, ``[tested][tests + 1]``.

        None where all are measured on the whole test half.
        """
        if not self.tests or self.whole_test:
            return []
        return [
            [FactorLevels(i, i, 0, t) for t in range(self.tests + 1)] for i in range(self.tested)
        ]

    def levels(self) -> list[FactorLevels]:
        """Return every instance once."""
        every = [one for levels in self.experiments().values() for one in levels]
        every += [one for row in self.crossed() for group in row for one in group]
        every += [one for group in self.test() for one in group]
        return list(dict.fromkeys(every))

    @classmethod
    def within(cls, known: Collection[FactorLevels], whole_test: bool) -> Design:
        """Return a design whose instances are all known, for journals that do not say theirs."""

        def first(*numbers: tuple[int, int, int, int]) -> bool:
            return all(FactorLevels(*one) in known for one in numbers)

        alone = tests = tested = 0
        while first((0, alone, 0, 0), (alone, 0, 0, 0), (alone, alone, 0, 0)):
            alone += 1
        replicates = max((one.order for one in known), default=0) or 1
        order = 1 if replicates > 1 else 0
        inits = draws = 0
        while first((1, inits, order, 0)):
            inits += 1
        while inits and first(*((draws, i, order, 0) for i in range(inits))):
            draws += 1
        while first((0, 0, 0, tests + 1)):
            tests += 1
        while tests and first(*((tested, tested, 0, t) for t in range(tests + 1))):
            tested += 1
        crossed = draws > 2 or inits > 2 or replicates > 1
        sizes = (draws, inits) if crossed else (0, 0)
        return cls(alone, *sizes, replicates, tested, tests, whole_test)
