import html
import re

import numpy as np
import pytest

import surefoot
from surefoot.errors import ExportError, MissingExtraError
from surefoot.executors.local.executor import LocalExecutor
from surefoot.journal import Journal
from surefoot.reports.views.kinds import views_of
from surefoot.statistics.promise import Promise
from surefoot.studies.assess.study import AssessStudy
from surefoot.studies.grid.study import GridStudy
from surefoot.studies.plan.pilot import PilotStudy
from surefoot.studies.sizes.compare import CompareStudy
from surefoot.studies.sizes.sample_size import SampleSizeStudy
from surefoot.studies.variance.study import VarianceStudy
from tests.fakes import Fake, fake_setting
from tests.reports.journals import raced, study
from tests.reports.raced import large_study, write

COMMON = {"setting": fake_setting(), "engine": "fake"}
NOISY = Fake(noise=0.3)
FOUR = tuple(Fake(quality=1.0 + place, noise=0.2) for place in range(4))
MANY = tuple(Fake(quality=1.0 + place, noise=0.2) for place in range(9))
KINDS = {
    "assess": (
        AssessStudy(candidate=NOISY, n=6, **COMMON),
        ["verdict", "fresh", "curves", "bands"],
    ),
    "broken promise": (
        AssessStudy(candidate=NOISY, promise=Promise(0.0), **COMMON),
        ["verdict", "fresh", "curves", "bands"],
    ),
    "variance": (VarianceStudy(candidate=NOISY, alone=6, draws=3, inits=4, **COMMON), ["variance"]),
    "sample size": (SampleSizeStudy(candidate=NOISY, sizes=[4, 8], n=8, **COMMON), ["sizes"]),
    "compare": (
        CompareStudy(
            candidates=FOUR[:3], names=("one",), baseline=FOUR[3], n=6, sizes=[4, 8], **COMMON
        ),
        ["comparison", "bands", "ranks", "performance"],
    ),
    "grid": (
        GridStudy(candidates=FOUR[:3], baseline=FOUR[3], n=6, **COMMON),
        ["best", "by-quality", "curves"],
    ),
    "pilot": (PilotStudy(candidates=MANY, size=8, n=3, **COMMON), ["pilot"]),
}


def text_of(page):
    return html.unescape(re.sub(r"<[^>]*>", " ", page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_study_has_a_report(tmp_path, kind):
    asked, names = KINDS[kind]
    with asked.open(tmp_path / "a.db") as journal, LocalExecutor(1, "fake") as executor:
        answer = asked.run(journal, executor=executor)
    with Journal.read(tmp_path / "a.db") as journal:
        found = [view.name for view in views_of(journal)]
    assert {*names, "failures", "provenance"} == set(found)
    page = surefoot.report(tmp_path / "a.db", tmp_path / "a.html")
    said = text_of(page)
    if kind in ("variance", "sample size", "compare"):
        # The page says what the terminal does, recovered from the journal alone.
        assert all(line.strip() in said for line in answer.lines())


def test_a_race_has_its_views_in_their_order(tmp_path):
    with raced(str(tmp_path / "small.db")) as (journal, selection):
        names = [view.name for view in views_of(journal)]
        said = text_of(surefoot.report(journal, tmp_path / "small.html"))
    assert names[:4] == ["verdict", "fresh", "duel", "survival"]
    assert names[-4:] == ["failures", "provenance", "ranks", "performance"]
    assert selection.certificate.sentence() in said
    assert selection.rivals.chance(selection.labels) in said
    assert "fingerprint of the data" in said


def test_a_race_that_goes_on_has_a_leader_and_no_winner(tmp_path):
    write(tmp_path / "half.db", large_study(30), 45)
    said = text_of(surefoot.report(tmp_path / "half.db", tmp_path / "half.html"))
    assert "The race is not over: round 2 goes on" in said
    assert "who leads now" in said
    assert "the winner" not in said.partition("Provenance")[0].partition("Rivals")[0]


def test_a_journal_without_outcomes_has_a_report_too(tmp_path):
    with study().open(tmp_path / "empty.db") as journal:
        names = [view.name for view in views_of(journal)]
        assert surefoot.report(journal, tmp_path / "empty.html").stat().st_size > 100_000
    assert names == ["verdict", "failures", "provenance"]


def test_a_candidate_that_always_diverges_is_told(tmp_path):
    lost = Fake(fate="diverge", when=tuple(range(40)))
    asked = AssessStudy(candidate=lost, n=5, **COMMON)
    with asked.open(tmp_path / "a.db") as journal, LocalExecutor(1, "fake") as executor:
        asked.run(journal, executor=executor)
        said = text_of(surefoot.report(journal, tmp_path / "a.html"))
    assert "5 of the instances recorded diverged" in said
    assert "No bound: 5 of 5 fresh instances diverged" in said


def test_a_page_replaces_only_what_surefoot_wrote(tmp_path):
    with study().open(tmp_path / "a.db") as journal:
        page = surefoot.report(journal, tmp_path / "a.html")
        surefoot.report(journal, page)
        page.write_text("mine")
        with pytest.raises(ExportError, match="did not write it"):
            surefoot.report(journal, page)
        surefoot.report(journal, page, overwrite=True)
        with pytest.raises(ExportError, match=r"has the suffix '\.pdf'"):
            surefoot.report(journal, tmp_path / "a.pdf")


def test_a_missing_library_is_named_before_anything_is_read(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "bokeh.plotting", None)
    with pytest.raises(MissingExtraError, match=r"surefoot\[web\]"):
        surefoot.report(tmp_path / "nowhere.db")


@pytest.mark.slow
def test_seven_thousand_candidates_fit_into_eight_megabytes(tmp_path):
    count = write(tmp_path / "large.db", large_study(7000, certify=59))
    assert count > 11_000
    page = surefoot.report(tmp_path / "large.db", tmp_path / "large.html")
    assert page.stat().st_size < 8_000_000
    assert np.isfinite(count)
