"""When a test looks at a race: seldom enough that the level is worth splitting over its looks."""

from __future__ import annotations

GROWTH = 1.5
"""A look is due when the instances have grown by half since the last one."""


def look_at(n: int, past: tuple[int, ...], first: int) -> int | None:
    """Return which look this is, from 1; None at an n that is not looked at.

    ``past`` holds the instances of the rounds before. The first look is at ``first`` instances or
    more, any other when they have grown by half: 64 instances take seven looks at most, so the
    last one has 1/56 of the level when ``1 / (j (j + 1))`` of it is spent at the j-th; after every
    instance it would have 1/3,660. Should ``first`` shrink with the survivors, looks are counted
    too many, never too few, so that the shares sum to one at most.

    >>> [look_at(n, tuple(range(1, n)), 10) for n in (9, 10, 14, 15, 23)]
    [None, 1, None, 2, 3]
    """
    number, due, looked = 0, float(first), False
    for count in (*past, n):
        looked = count >= due
        if looked:
            number, due = number + 1, GROWTH * count
    return number if looked else None
