"""The journal keeps the promises of `surefoot.testing`."""

from surefoot.testing import JournalSuite


class TestJournal(JournalSuite):
    pass
