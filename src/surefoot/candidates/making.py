"""Candidates are made by code that anybody may have written: whatever it raises is one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from surefoot.candidates.base import Candidate
from surefoot.errors import CandidateError, SurefootError

_UNFIT = (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError)
_UNFIT_VALUES = (TypeError, ValueError)


@contextmanager
def making(what: str) -> Iterator[None]:
    """Turn what a family raises on fields that it cannot use into a `CandidateError`.

    Families check the fields they know to be given wrongly; this is for all others.
    """
    try:
        yield
    except SurefootError:
        raise
    except (*_UNFIT, *_UNFIT_VALUES) as error:
        reason = " ".join(str(error).split()) or "no reason given"
        raise CandidateError(
            f"{what} cannot be made of these fields ({type(error).__name__}: {reason[:200]})"
        ) from error


def whole(candidate: Candidate) -> Candidate:
    """Return a candidate that has a key, a hash and a label; whatever it lacks raises."""
    _ = candidate.key, hash(candidate), candidate.label
    return candidate
