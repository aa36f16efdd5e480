import pytest

from surefoot.executors.local.executor import LocalExecutor
from surefoot.report.assessment import assessment_figure
from surefoot.report.files import save
from surefoot.statistics.promise import Promise
from surefoot.studies.assess.study import AssessStudy, run_assessment
from tests.fakes import Fake, fake_setting


@pytest.mark.parametrize(("limit", "line"), [(None, "% lose"), (0.0, "limit of the promise")])
def test_an_assessment_shows_curves_and_losses(tmp_path, limit, line):
    promise = None if limit is None else Promise(limit)
    study = AssessStudy(
        candidate=Fake(noise=0.3), setting=fake_setting(), engine="fake", n=6, promise=promise
    )
    with study.open(":memory:") as journal, LocalExecutor(1, "fake") as executor:
        figure = assessment_figure(run_assessment(study, journal, executor), label="loss")
    left, right = figure.axes
    assert left.get_title(loc="left") == "(a) all instances"
    assert right.get_title(loc="left") == "(b) their losses"
    assert any(line in text.get_text() for text in right.get_legend().get_texts())
    assert save(figure, tmp_path / "assess.png").exists()
