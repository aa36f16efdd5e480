"""Instances without a finite loss, in words: what diverged and what failed are two things.

A divergence is the candidate's own (a loss became NaN or infinite); a failure is an error, such as
a module that cannot be imported, and says nothing about the candidate's losses.
"""

from __future__ import annotations


def in_words(diverged: int, failed: int, of: str = "") -> str:
    """Return how many instances diverged and how many failed, ``of`` which.

    >>> in_words(2, 0), in_words(2, 1)
    ('2 diverged', '2 diverged and 1 failed')
    >>> in_words(2, 1, "59 instances"), in_words(0, 0, "59 instances")
    ('2 of 59 instances diverged and 1 failed', '0 of 59 instances diverged or failed')
    """
    counted = [(n, word) for n, word in ((diverged, "diverged"), (failed, "failed")) if n]
    among = f" of {of}" if of else ""
    (first, word), *rest = counted or [(0, "diverged or failed")]
    return " and ".join([f"{first:,}{among} {word}", *(f"{n:,} {word}" for n, word in rest)])
