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
import sys
from collections.abc import Callable, Collection
from numbers import Integral, Real

from surefoot.errors import ConfigurationError, SurefootError, nearest

Error = type[SurefootError]


MOST = 1_000_000
"""Instances, epochs and the like that can be asked for: more is a slip of the pen, or an attack."""


_LARGEST = int(sys.float_info.max)


def must(
    right: str,
    fits: Callable[[float], bool],
    *,
    of: str = "",
    error: Error = ConfigurationError,
    **numbers: float | None,
) -> None:
    """Raise ``error`` unless each is a number that fits; ``right`` is what it must."""
    for name, number in numbers.items():
        if number is None:
            continue
        if not is_number(number):
            raise error(f"{of} {name} = {short(number)} must be a number".lstrip())
        if not fits(number):
            raise error(f"{of} {name} = {number} must {right}".lstrip())


def at_least(
    low: int,
    *,
    most: int | None = None,
    of: str = "",
    error: Error = ConfigurationError,
    **numbers: int | None,
) -> None:
    """Raise ``error`` unless each is a whole number that is ``low`` or more, and at ``most``."""
    for name, number in numbers.items():
        if number is not None and not is_whole(number):
            raise error(f"{of} {name} = {short(number)} must be a whole number".lstrip())
    must(f"be at least {low}", lambda number: number >= low, of=of, error=error, **numbers)
    if most is not None:
        must(f"be at most {most:,}", lambda number: number <= most, of=of, error=error, **numbers)


def count(
    low: int,
    *,
    most: int = MOST,
    of: str = "",
    error: Error = ConfigurationError,
    **numbers: int,
) -> None:
    """Raise ``error`` unless each is given, a whole number from ``low`` to ``most``.

    >>> count(2, n=2.5)
    Traceback (most recent call last):
        ...
    surefoot.errors.ConfigurationError: n = 2.5 must be a whole number
    """
    for name, number in numbers.items():
        if number is None:
            raise error(f"{of} {name} = None must be a whole number".lstrip())
    at_least(low, most=most, of=of, error=error, **numbers)


def positive(*, of: str = "", error: Error = ConfigurationError, **numbers: float | None) -> None:
    """Raise ``error`` unless each number is above 0 and finite."""
    must("be positive", lambda number: 0 < number < math.inf, of=of, error=error, **numbers)


def not_negative(
    *, of: str = "", error: Error = ConfigurationError, **numbers: float | None
) -> None:
    """Raise ``error`` unless each number is 0 or more and finite."""
    must("not be negative", lambda number: 0 <= number < math.inf, of=of, error=error, **numbers)


def finite(*, of: str = "", error: Error = ConfigurationError, **numbers: float | None) -> None:
    """Raise ``error`` unless each number is finite."""
    must("be finite", lambda number: -math.inf < number < math.inf, of=of, error=error, **numbers)


def share(*, of: str = "", error: Error = ConfigurationError, **numbers: float) -> None:
    """Raise ``error`` unless each is a number, such as a confidence, inside (0, 1)."""
    for name, number in numbers.items():
        if not is_number(number) or not 0.0 < number < 1.0:
            shown = f"{number:g}" if is_number(number) else short(number)
            sentence = f"{of} {name} = {shown} must lie between 0 and 1, such as 0.95"
            raise error(sentence.lstrip())


def is_number(value: object) -> bool:
    """Say whether a value is a real number that a float can hold; True and False are none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return -_LARGEST <= value <= _LARGEST
    return isinstance(value, Real) and not isinstance(value, bool)


def is_whole(value: object) -> bool:
    """Say whether a value is a whole number; True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def of_kind(right: str, *kinds: type, error: Error = ConfigurationError, **things: object) -> None:
    """Raise ``error`` unless each is of one of some kinds; ``right`` is what it must be.

    >>> of_kind("true or false", bool, paired="no")
    Traceback (most recent call last):
        ...
    surefoot.errors.ConfigurationError: paired = 'no' must be true or false
    """
    for name, thing in things.items():
        if not isinstance(thing, kinds):
            raise error(f"{name} = {short(thing)} must be {right}")


def short(thing: object) -> str:
    """Return what a value looks like, in so many characters as a sentence bears."""
    try:
        text = " ".join(repr(thing).split())
    except Exception:
        text = f"<{type(thing).__name__}>"
    return text if len(text) <= 80 else f"{text[:79]}…"


def known(
    what: str, word: object, words: Collection[str], *, error: Error = ConfigurationError
) -> None:
    """Raise ``error`` unless a word is one of many, naming the nearest.

    >>> known("optimizer", "adm", ("adam", "sgd"))
    Traceback (most recent call last):
        ...
    surefoot.errors.ConfigurationError: optimizer 'adm' is unknown: did you mean 'adam'?
    """
    if not isinstance(word, str) or word not in words:
        raise error(f"{what} {short(word)} is unknown: {nearest(str(word), words)}")


def one_of(
    what: str, word: object, words: Collection[str], *, error: Error = ConfigurationError
) -> None:
    """Raise ``error`` unless a word is one of a few, naming all.

    >>> one_of("convolution padding", "full", ("valid", "same"))
    Traceback (most recent call last):
        ...
    surefoot.errors.ConfigurationError: convolution padding 'full' is unknown: use 'valid' or 'same'
    """
    if not isinstance(word, str) or word not in words:
        raise error(f"{what} {short(word)} is unknown: use {' or '.join(map(repr, words))}")
