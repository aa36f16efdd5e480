"""Why instances have no finite loss: how many diverged, how many failed, and with what message."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from surefoot.errors import RaceError, StatisticsError
from surefoot.instances import Status
from surefoot.journal import Journal
from surefoot.seeds.ledger import Role
from surefoot.statistics.troubles import in_words
from surefoot.studies.watch import failure_words

SHOWN = 3
"""Different messages that are told."""


@dataclass(frozen=True)
class Troubles:
    """Recorded instances that diverged and that failed; ``messages`` are the first different ones.

    Each message says which candidate and instance it is of.
    """

    diverged: int = 0
    failed: int = 0
    messages: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return it in sentences; none without any trouble."""
        if not self.diverged + self.failed:
            return []
        return [in_words(self.diverged, self.failed, "the instances recorded"), *self.messages]


def troubles_of(journal: Journal, *roles: Role) -> Troubles:
    """Return the troubles that a journal holds, of some roles or of all."""
    asked = roles or tuple(Role)
    infinite = sum(math.isinf(one.loss) for role in asked for one in journal.measures(role))
    failed = sorted(one for one in journal.failed() if one[1] in asked)
    if not failed:
        return Troubles(infinite)
    known, messages = journal.candidates(), dict[str, str]()
    for outcome in (one for role in asked for one in journal.lost(role)):
        if outcome.status is Status.FAILED and outcome.message not in messages:
            messages[outcome.message] = failure_words(known[outcome.candidate].label, outcome)
            if len(messages) == SHOWN:
                break
    return Troubles(infinite - len(failed), len(failed), tuple(messages.values()))


@contextmanager
def explained(journal: Journal, *roles: Role) -> Iterator[None]:
    """Add to an error about losses why the first instances failed, if any did."""
    try:
        yield
    except (RaceError, StatisticsError) as error:
        found = troubles_of(journal, *roles)
        if not found.failed:
            raise
        words = f"{error}; {in_words(found.diverged, found.failed)}: {'; '.join(found.messages)}"
        raise type(error)(words) from None
