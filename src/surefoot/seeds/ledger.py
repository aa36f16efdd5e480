"""The seed ledger: every random number of a study, keyed and never merely drawn.

A stream is a Philox4x64-10 generator (Salmon et al., SC 2011) whose 128-bit key spells out whose
luck it is::

    k0 = study seed  XOR  candidate      (candidate = 0 when candidates are paired)
    k1 = role << 56  |  stream << 48  |  number

Within one study, paired keys differ whenever role, stream or number differ, because k1 is an
injective packing of the three. So a certificate can never see a race's draw. A key holds no slot,
no thread and no time: any instance can be trained again alone, in any order, on any engine.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from surefoot.checks import is_whole, short
from surefoot.errors import ConfigurationError

if TYPE_CHECKING:
    import numpy as np

MAX_NUMBER = 1 << 48
_MASK64 = (1 << 64) - 1


class Role(enum.IntEnum):
    """What an instance is trained for. Roles never share a random stream."""

    SPLIT = 0
    RACE = 1
    CERTIFY = 2
    ASSESS = 3
    VARIANCE = 4
    SAMPLE_SIZE = 5
    COMPARE = 6
    PILOT = 7
    STATISTICS = 8
    SIMULATE = 9
    GRID = 10
    SEARCH = 11


class Stream(enum.IntEnum):
    """Which of an instance's random choices a stream feeds."""

    DRAW = 0
    """Rows of the training sample, then of the test sample."""
    INIT = 1
    """Initial weights."""
    ORDER = 2
    """Batch order; the epoch is the Philox counter's highest word."""
    NOISE = 3
    """Noise during training, such as dropout, or an estimator's ``random_state``."""
    TEST = 4
    """Rows of the test sample, where it is drawn apart from the training sample."""


@dataclass(frozen=True, slots=True)
class InstanceSeed:
    """Names the luck of one instance.

    Raises `ConfigurationError` if a number is outside its range.

    Parameters
    ----------
    study
        Seed of the study, 0 … 2⁶⁴ − 1.
    role
        What the instance is trained for.
    instance
        Number of the instance within its role, 0 … 2⁴⁸ − 1.
    candidate
        0 for common random numbers (paired candidates); `candidate_salt` of a candidate's key for
        draws of its own, as in the paper.
    draw, init
        Numbers to use instead of ``instance`` for the training sample or for the initial weights
        (with batch order and noise): a variance study holds one fixed while the other varies.
    order, test
        Numbers for batch order and noise alone, and for the test sample alone; None for the luck
        of the initial weights, and of the draw.
    """

    study: int
    role: Role
    instance: int
    candidate: int = 0
    draw: int | None = None
    init: int | None = None
    order: int | None = None
    test: int | None = None

    def __post_init__(self) -> None:
        check_study_seed(self.study)
        for name in ("instance", "draw", "init", "order", "test"):
            number = getattr(self, name)
            if number is not None and not 0 <= number < MAX_NUMBER:
                raise ConfigurationError(f"{name} number {number} is not in 0 … 2^48 - 1")

    def key(self, stream: Stream) -> tuple[int, int]:
        """Return the Philox key ``(k0, k1)`` of one stream, two unsigned 64-bit integers."""
        own, shared = {
            Stream.DRAW: (self.draw, None),
            Stream.TEST: (self.test, self.draw),
            Stream.INIT: (self.init, None),
        }.get(stream, (self.order, self.init))
        override = shared if own is None else own
        number = self.instance if override is None else override
        return (
            (self.study ^ self.candidate) & _MASK64,
            int(self.role) << 56 | int(stream) << 48 | number,
        )

    def generator(self, stream: Stream) -> np.random.Generator:
        """Return a fresh NumPy generator at the start of one stream."""
        import numpy as np

        return np.random.Generator(np.random.Philox(key=np.array(self.key(stream), np.uint64)))


def check_study_seed(seed: int) -> None:
    """Raise `ConfigurationError` unless ``seed`` is an unsigned 64-bit integer."""
    if not is_whole(seed):
        raise ConfigurationError(f"study seed {short(seed)} is not a whole number")
    if not 0 <= seed <= _MASK64:
        raise ConfigurationError(f"study seed {seed} is not in 0 … 2^64 - 1")


def candidate_salt(key: str) -> int:
    """Return the 64-bit number that gives the candidate with this key its own (unpaired) streams.

    ``key`` is the candidate's hexadecimal content key; its first 16 digits are the salt.

    >>> candidate_salt("00000000000000ff")
    255
    """
    return int(key[:16], 16)


def study_generator(study: int, role: Role, number: int = 0) -> np.random.Generator:
    """Return a generator for a choice made once per study, such as the split into halves."""
    return InstanceSeed(study, role, number).generator(Stream.DRAW)


LEVELS = {"draw": (1 << 16) - 1, "init": 1 << 16, "order": 1 << 8, "test": 1 << 8}
"""How many levels each source of luck has at most in a variance study."""


@dataclass(frozen=True)
class FactorLevels:
    """The level that an instance of a variance study has of every source of luck.

    They are packed into its number, ``draw · 2³² + init · 2¹⁶ + order · 2⁸ + test``, so that
    designs which share an instance (the first row of a crossed design is the initialisation varied
    alone) train it once, and a recorded number says by itself how to train it again.

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
