"""Refusals of numbers and words."""

import math
from collections.abc import Callable

import pytest

from surefoot import checks
from surefoot.errors import CandidateError, ConfigurationError, SamplingError


def test_what_fits_passes() -> None:
    checks.at_least(1, batch_size=1, outputs=7, stride=None)
    checks.positive(learning_rate=1e-30)
    checks.not_negative(decay=0)
    checks.share(confidence=0.95, content=1e-9)
    checks.known("optimizer", "adam", {"adam": 1})
    checks.one_of("convolution padding", "same", ("valid", "same"))


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        (lambda: checks.at_least(1, outputs=2, batch_size=0), "batch_size = 0 must be at least 1"),
        (lambda: checks.at_least(2, of="stopping", window=1), "stopping window = 1 must be at"),
        (lambda: checks.positive(learning_rate=0.0), "learning_rate = 0.0 must be positive"),
        (lambda: checks.positive(clip=math.inf), "clip = inf must be positive"),
        (lambda: checks.positive(clip=math.nan), "clip = nan must be positive"),
        (lambda: checks.not_negative(decay=-0.1), "decay = -0.1 must not be negative"),
        (lambda: checks.not_negative(decay=math.nan), "decay = nan must not be negative"),
        (lambda: checks.share(level=1), "level = 1 must lie between 0 and 1, such as 0.95"),
        (lambda: checks.known("preset", "adm", ["adam"]), "preset 'adm' is unknown: did you mean"),
        (lambda: checks.one_of("refit", 3, ("a", "b")), "refit 3 is unknown: use 'a' or 'b'"),
    ],
)
def test_what_does_not_fit_is_named(check: Callable[[], None], sentence: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check()
    assert str(caught.value).startswith(sentence)


def test_the_error_is_the_callers() -> None:
    with pytest.raises(CandidateError):
        checks.positive(decay=0, error=CandidateError)
    with pytest.raises(SamplingError):
        checks.known("method", "x", ("y",), error=SamplingError)
