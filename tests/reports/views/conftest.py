import pytest

from surefoot.journal import Journal
from surefoot.racing.schedules.rounds import Halving
from surefoot.studies.select.selection import recorded_selection
from tests.fakes import Fake
from tests.reports.raced import large_study, write


@pytest.fixture(scope="session")
def race(tmp_path_factory):
    """A finished race of 40 candidates with curves, some divergences and a certificate."""
    path = tmp_path_factory.mktemp("race") / "race.db"
    asked = large_study(40, schedule=Halving(warmup=8), certify=20, baseline=Fake(quality=1.3))
    write(path, asked)
    with Journal.read(path) as journal:
        yield journal, recorded_selection(journal)


@pytest.fixture(scope="session")
def half(tmp_path_factory):
    """The same race, in its second round."""
    path = tmp_path_factory.mktemp("half") / "half.db"
    write(path, large_study(40, schedule=Halving(warmup=8), certify=20), 330)
    with Journal.read(path) as journal:
        yield journal, recorded_selection(journal)
