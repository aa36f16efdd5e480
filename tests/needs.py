"""What some tests need from the machine, and how the others go on without it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from tests import browser, postgres

REQUIRED = "SUREFOOT_REQUIRES_ALL"
"""Environment variable that makes whatever is missing a failure."""


@dataclass(frozen=True)
class Need:
    """A fixture that needs a program, how to find that, and what to say of tests left out."""

    fixture: str
    find: Callable[[], str]
    tests: str
    missing: str

    def left_out(self) -> bool:
        """Say whether its tests are left out: the program is not there, and nobody insists."""
        return not self.find() and not os.environ.get(REQUIRED)


NEEDS = (
    Need("browser", browser.find_chromium, "tests of pages in a browser", browser.MISSING),
    Need("postgres", postgres.find_programs, "tests of journals on a server", postgres.MISSING),
)
