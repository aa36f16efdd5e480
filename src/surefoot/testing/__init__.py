"""What all engines, executors, criteria, journals and rungs promise, as pytest suites to subclass.

The package's own are tested by exactly these. Needs pytest.
"""

import pytest

for _seam in ("criteria", "engines", "executors", "journals", "rungs"):
    pytest.register_assert_rewrite(f"{__name__}.{_seam}")

from surefoot.testing.criteria import CriterionSuite  # noqa: E402
from surefoot.testing.engines import EngineSuite, EpochEngineSuite  # noqa: E402
from surefoot.testing.executors import ExecutorSuite  # noqa: E402
from surefoot.testing.journals import JournalSuite  # noqa: E402
from surefoot.testing.rungs import RungsSuite  # noqa: E402
from surefoot.testing.toys import toy_function, toy_instance, toy_population, toy_setting  # noqa: E402

__all__ = [
    "CriterionSuite",
    "EngineSuite",
    "EpochEngineSuite",
    "ExecutorSuite",
    "JournalSuite",
    "RungsSuite",
    "toy_function",
    "toy_instance",
    "toy_population",
    "toy_setting",
]
