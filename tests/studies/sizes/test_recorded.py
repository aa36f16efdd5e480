"""What journals of several sizes say by themselves is what their studies answered."""

import numpy as np
import pytest

from surefoot.errors import JournalError
from surefoot.executors.local.executor import LocalExecutor
from surefoot.studies.sizes.compare import CompareStudy, recorded_comparison
from surefoot.studies.sizes.sample_size import (
    RobustRule,
    SampleSizeStudy,
    recorded_sample_size,
)
from tests.fakes import Fake, fake_setting

FOUR = tuple(Fake(quality=1.0 + place, noise=0.2) for place in range(4))


def test_a_journal_alone_says_from_which_size_on_a_candidate_is_robust(tmp_path):
    rule = RobustRule(content=0.7, tolerance=0.5)
    asked = SampleSizeStudy(
        candidate=FOUR[0], setting=fake_setting(), engine="fake", sizes=[4, 8], n=12, rule=rule
    )
    with asked.open(tmp_path / "a.db") as journal, LocalExecutor(1, "fake") as executor:
        with pytest.raises(JournalError, match="too few instances are recorded yet"):
            recorded_sample_size(journal)
        found = asked.run(journal, executor=executor)
        again = recorded_sample_size(journal)
    assert again.rule == rule
    assert again.lines() == found.lines()


@pytest.mark.parametrize("names", [(), ("one", "two")])
def test_a_journal_alone_says_who_is_best_and_who_beats_the_baseline(tmp_path, names):
    asked = CompareStudy(
        candidates=FOUR[:3],
        names=names,
        baseline=FOUR[3],
        setting=fake_setting(),
        engine="fake",
        sizes=[4, 8],
        n=5,
        confidence=0.9,
    )
    with asked.open(tmp_path / "a.db") as journal, LocalExecutor(1, "fake") as executor:
        found = asked.run(journal, executor=executor)
        again = recorded_comparison(journal)
    assert (again.names, again.reference, again.confidence) == (found.names, 3, 0.9)
    assert again.lines() == found.lines()
    np.testing.assert_array_equal(again.losses, found.losses)
