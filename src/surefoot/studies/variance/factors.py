"""Which draw, weights, batch order and test sample an instance of a variance study has.

They are packed into its number, ``draw · 2³² + init · 2¹⁶ + order · 2⁸ + test``, so that designs
which share an instance (the first row of a crossed design is the initialisation varied alone) train
it once, and a recorded number says by itself how to train it again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from surefoot.errors import ConfigurationError
from surefoot.seeds.ledger import InstanceSeed, Role

LEVELS = {"draw": (1 << 16) - 1, "init": 1 << 16, "order": 1 << 8, "test": 1 << 8}
"""How many levels each source of luck has at most."""


@dataclass(frozen=True)
class FactorLevels:
    """The level that an instance of a variance study has of every source of luck.

    Raises `ConfigurationError` if a number is outside its range.

    Parameters
    ----------
    draw, init
        Numbers of the training sample and of the initial weights.
    order
        Number of the batch order (with noise); 0 for the one that belongs to the weights.
    test
        Number of the test sample; 0 for the one that belongs to the draw.
    """

    draw: int
    init: int
    order: int = 0
    test: int = 0

    def __post_init__(self) -> None:
        for name, limit in LEVELS.items():
            number = getattr(self, name)
            if not 0 <= number < limit:
                raise ConfigurationError(
                    f"{name} {number} of a variance study is not in 0 … {limit - 1}: ask for fewer"
                )

    @property
    def number(self) -> int:
        """The number of its instance.

        >>> FactorLevels(1, 2, 0, 3).number == (1 << 32) + (2 << 16) + 3
        True
        """
        return self.draw << 32 | self.init << 16 | self.order << 8 | self.test

    @classmethod
    def numbered(cls, number: int) -> FactorLevels:
        """Return the levels of the instance with this number.

        >>> FactorLevels.numbered(FactorLevels(5, 7, 1, 0).number)
        FactorLevels(draw=5, init=7, order=1, test=0)
        """
        return cls(number >> 32, number >> 16 & 0xFFFF, number >> 8 & 0xFF, number & 0xFF)

    def seed(self, study: int) -> InstanceSeed:
        """Return the seed of its instance in a study.

        Batch orders and test samples of their own are numbered from 2³² on, beyond every draw and
        initialisation, and differ between instances.
        """
        own = replace(self, draw=0, order=0, test=0).number + ((self.draw + 1) << 32)
        return InstanceSeed(
            study,
            Role.VARIANCE,
            self.number,
            draw=self.draw,
            init=self.init,
            order=own | self.order << 8 if self.order else None,
            test=own | self.test if self.test else None,
        )
