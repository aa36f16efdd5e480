"""Samplings that cannot be are refused when they are made."""

import pytest

from surefoot.data.sampling import Sampling
from surefoot.errors import SamplingError


@pytest.mark.parametrize("fields", [{"size": 0}, {"test_size": -3}])
def test_sizes_must_be_positive(fields: dict[str, int]) -> None:
    ((name, value),) = fields.items()
    with pytest.raises(SamplingError, match=f"sampling {name} = {value} must be at least 1"):
        Sampling(**fields)


def test_methods_are_two() -> None:
    with pytest.raises(SamplingError, match="'jackknife' is unknown: use 'bootstrap' or"):
        Sampling(10, "jackknife")
