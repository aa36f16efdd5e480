from surefoot.executors.local.executor import LocalExecutor
from surefoot.reports.views.failures import failures
from surefoot.studies.plan.pilot import PilotStudy
from tests.fakes import Fake, fake_setting


def test_failures_are_told_by_kind_and_candidate(tmp_path):
    well = tuple(Fake(quality=1.0 + place) for place in range(6))
    bad = (
        Fake(quality=9.0, fate="raise", when=(0, 1)),
        Fake(quality=8.0, fate="diverge", when=(2,)),
    )
    study = PilotStudy(candidates=(*well, *bad), size=8, n=3, setting=fake_setting(), engine="fake")
    with study.open(tmp_path / "a.db") as journal, LocalExecutor(1, "fake") as executor:
        study.run(journal, executor=executor)
        view = failures(journal)
    (table,) = view.tables
    kinds, messages, counts, candidates, _ = (column.cells for column in table.columns)
    assert (kinds, counts, candidates) == (("failed", "diverged"), ("2", "1"), ("1", "1"))
    assert "this fake was told to fail" in messages[0]
    assert messages[1] == "a loss became NaN or infinite"
    failed, diverged, _ = view.panels[0].marks
    assert (failed.ends.max(), diverged.ends.max()) == (100.0 * 2 / 3, 100.0 / 3)


def test_a_journal_without_failures_says_so():
    study = PilotStudy(
        candidates=tuple(Fake(quality=1.0 + place) for place in range(8)),
        size=8,
        n=3,
        setting=fake_setting(),
        engine="fake",
    )
    with study.open(":memory:") as journal, LocalExecutor(1, "fake") as executor:
        study.run(journal, executor=executor)
        (words,) = failures(journal).words
    assert words.sentences == ("None of the 24 recorded instances diverged or failed.",)
