"""What every engine, executor, criterion and journal promises, as pytest suites to subclass.

The package's own are tested by exactly these. Needs pytest.
"""

import pytest

pytest.register_assert_rewrite(f"{__name__}.suites")

from surefoot.testing.suites import (  # noqa: E402
    CriterionSuite,
    EngineSuite,
    EpochEngineSuite,
    ExecutorSuite,
    JournalSuite,
)
from surefoot.testing.toys import toy_function, toy_instance, toy_population, toy_setting  # noqa: E402

__all__ = [
    "CriterionSuite",
    "EngineSuite",
    "EpochEngineSuite",
    "ExecutorSuite",
    "JournalSuite",
    "toy_function",
    "toy_instance",
    "toy_population",
    "toy_setting",
]
