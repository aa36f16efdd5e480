"""Journals of both kinds keep the promises of `surefoot.testing`."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from surefoot.testing import JournalSuite
from tests.postgres import Server


class TestJournalFile(JournalSuite):
    pass


class TestJournalServer(JournalSuite):
    @pytest.fixture(autouse=True)
    def given(self, postgres: Server) -> None:
        self.server = postgres

    def place(self, folder: Path) -> str:
        return self.server.url(hashlib.sha256(str(folder).encode()).hexdigest()[:16])
