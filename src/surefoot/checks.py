"""Refusals that stand in many places, each written once: of numbers and of words.

Numbers are given by name. The sentence names the first that does not fit; ``of`` says whose number
it is and ``error`` what is raised. None stands for no number and fits.

>>> positive(learning_rate=0.1)
>>> at_least(1, of="sampling", train_size=70, test_size=0)
Traceback (most recent call last):
    ...
surefoot.errors.ConfigurationError: sampling test_size = 0 must be at least 1
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection

from surefoot.errors import ConfigurationError, SurefootError, nearest

Error = type[SurefootError]


def must(
    right: str,
    fits: Callable[[float], bool],
    *,
    of: str = "",
    error: Error = ConfigurationError,
    **numbers: float | None,
) -> None:
    """Raise ``error`` unless each number fits; ``right`` is what it must."""
    for name, number in numbers.items():
        if number is not None and not fits(number):
            raise error(f"{of} {name} = {number} must {right}".lstrip())


def at_least(
    low: int, *, of: str = "", error: Error = ConfigurationError, **numbers: int | None
) -> None:
    """Raise ``error`` unless each number is ``low`` or more."""
    must(f"be at least {low}", lambda number: number >= low, of=of, error=error, **numbers)


def positive(*, of: str = "", error: Error = ConfigurationError, **numbers: float | None) -> None:
    """Raise ``error`` unless each number is above 0 and finite."""
    must("be positive", lambda number: 0 < number < math.inf, of=of, error=error, **numbers)


def not_negative(
    *, of: str = "", error: Error = ConfigurationError, **numbers: float | None
) -> None:
    """Raise ``error`` unless each number is 0 or more and finite."""
    must("not be negative", lambda number: 0 <= number < math.inf, of=of, error=error, **numbers)


def share(*, of: str = "", error: Error = ConfigurationError, **numbers: float | None) -> None:
    """Raise ``error`` unless each number, such as a confidence, lies inside (0, 1)."""
    for name, number in numbers.items():
        if number is not None and not 0.0 < number < 1.0:
            sentence = f"{of} {name} = {number:g} must lie between 0 and 1, such as 0.95"
            raise error(sentence.lstrip())


def known(
    what: str, word: object, words: Collection[str], *, error: Error = ConfigurationError
) -> None:
    """Raise ``error`` unless a word is one of many, naming the nearest.

    >>> known("optimizer", "adm", ("adam", "sgd"))
    Traceback (most recent call last):
        ...
    surefoot.errors.ConfigurationError: optimizer 'adm' is unknown: did you mean 'adam'?
    """
    if word not in words:
        raise error(f"{what} {word!r} is unknown: {nearest(str(word), words)}")


def one_of(
    what: str, word: object, words: Collection[str], *, error: Error = ConfigurationError
) -> None:
    """Raise ``error`` unless a word is one of a few, naming all.

    >>> one_of("convolution padding", "full", ("valid", "same"))
    Traceback (most recent call last):
        ...
    surefoot.errors.ConfigurationError: convolution padding 'full' is unknown: use 'valid' or 'same'
    """
    if word not in words:
        raise error(f"{what} {word!r} is unknown: use {' or '.join(map(repr, words))}")
