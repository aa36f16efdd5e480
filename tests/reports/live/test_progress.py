"""How far a journal is, against what its race really trained in the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.journal import Journal
from surefoot.racing import FlatBudget
from surefoot.reports.live.progress import PAUSE, Progress, pace_of, progress_of
from surefoot.studies.select.selection import recorded_selection
from tests.reports.raced import Drawn, large_study

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


@pytest.mark.parametrize("rules", [{"schedule": "halving"}, {"schedule": FlatBudget(80)}])
def test_what_is_left_is_what_is_trained_in_the_end(tmp_path, rules):
    path, counts, foreseen = tmp_path / "race.db", [], []
    study = large_study(30, certify=9, **rules)
    with study.open(path) as journal:
        for outcomes in Drawn(study).rounds():
            with Journal.read(path) as read:
                found = progress_of(read, [], recorded_selection(read))
            counts.append(found.done)
            foreseen.append(found.total)
            assert not found.bounded
            journal.add(*outcomes)
        total = journal.count()
    assert foreseen == [total] * len(counts)
    with Journal.read(path) as read:
        found = progress_of(read, [when for when, _ in read.latest()], recorded_selection(read))
    assert (found.left, found.state(NOW), found.count()) == (0, "finished", f"{total:,}")


def test_a_race_that_a_test_decides_leaves_at_most_so_many(tmp_path):
    study = large_study(12, certify=3, rule="signs", max_instances=20)
    with study.open(tmp_path / "race.db") as journal:
        rounds = Drawn(study).rounds()
        journal.add(*next(rounds))
        found = progress_of(journal, [ago(2), ago(1)], recorded_selection(journal))
        for outcomes in rounds:
            journal.add(*outcomes)
        assert found.bounded
        assert found.total >= journal.count() > found.done
        assert found.count() == f"{found.done} of at most {found.total:,}"
        assert found.remaining(NOW) == f"at most {found.left // 60} min {found.left % 60} s left"


@pytest.mark.parametrize(
    ("progress", "state", "remaining"),
    [
        (Progress(0, 10), "waiting for its first outcome", ""),
        (Progress(5, 10, False, 2.0, ago(3)), "training", "about 20 s left"),
        (Progress(5, 10, False, 2.0, ago(2 * PAUSE)), "no outcome for 4 min 0 s", ""),
        (Progress(5, 10, False, PAUSE, ago(2 * PAUSE)), "training", "about 20 min 0 s left"),
        (Progress(5, None, False, 2.0, ago(3)), "training", ""),
        (Progress(5, 0, False, 2.0, ago(3)), "finished", ""),
    ],
)
def test_what_a_study_does(progress, state, remaining):
    assert progress.state(NOW) == state
    assert progress.remaining(NOW) == remaining


def test_the_pace_is_that_since_the_last_break():
    late = [ago(seconds) for seconds in (3.0, 2.0, 1.0, 0.0)]
    assert pace_of(late) == 1.0
    assert pace_of([ago(9000), ago(8000), *late]) == 1.0
    assert pace_of([ago(100.0), ago(0.0)]) == 100.0
    assert pace_of([ago(1.0)]) is None
    assert pace_of([]) is None


@given(st.lists(st.floats(0.0, 100.0), min_size=1))
def test_the_pace_without_a_break_is_the_whole_time_by_the_number(gaps):
    times = [NOW]
    for gap in gaps:
        times.append(times[-1] + timedelta(seconds=gap))
    whole = (times[-1] - times[0]).total_seconds()
    assert pace_of(times) == pytest.approx(whole / len(gaps), abs=1e-6)
