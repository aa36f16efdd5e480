import numpy as np
import pytest

import surefoot
from surefoot.journal import Journal
from surefoot.reports.views.chart import Line, Points, Rule
from surefoot.reports.views.kinds import views_of
from surefoot.reports.views.search import compared, searched, trials_view
from surefoot.studies.search.result import recorded_search
from tests.fakes import Fake, fake_setting
from tests.reports.views.marks import named, of

SPACE = [Fake(quality=q, noise=n) for q in (1.0, 1.2, 9.0) for n in (0.05, 0.1)]


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    path = tmp_path_factory.mktemp("search") / "s.db"
    bad = Fake(quality=0.5, fate="diverge", when=tuple(range(99)))
    surefoot.search(
        [*SPACE, bad],
        fake_setting().halves.population,
        engine="fake",
        sample_size=20,
        trials=[5, 20],
        instances=2,
        certify=6,
        rival=Fake(quality=1.1),
        journal=path,
        workers=1,
    )
    with Journal.read(path) as opened:
        yield opened


def test_every_trial_is_a_point_at_what_was_spent_by_then(journal):
    found = recorded_search(journal)
    (panel,) = trials_view(found, "loss").panels
    points = named(panel, "a trial")
    seen = [one for one in found.trials if np.isfinite(one.value)]
    assert points.x.tolist() == [2.0 * (one.number + 1) for one in seen]
    assert points.y.tolist() == [one.value for one in seen]
    best = named(panel, "the best so far")
    assert best.x.tolist() == (2.0 * np.arange(1, 21)).tolist()
    assert best.y[-1] == found.value(found.best)
    (rule,) = of(panel, Rule)
    assert (rule.value, rule.label) == (10.0, "5 trials")
    lost = len(found.trials) - len(seen)
    assert lost > 0
    assert panel.note.startswith(f"{lost} trials without a finite mean")
    # Nine times the best is an arrow at the edge, not a squeezed panel.
    assert panel.y.high < 3.0
    assert any(mark.shape == "up" for mark in of(panel, Points))
    assert of(panel, Line)


def test_the_best_ones_and_the_rival_are_boxes_and_the_verdict_says_what_is_certified(journal):
    found = recorded_search(journal)
    view = compared(found, "loss")
    assert view.tables[0].columns[-1].name == "beats the rival"
    verdict = searched(found)
    assert verdict.figures[0].name == "certified bound"
    assert any("in the search" in line for line in verdict.words[1].sentences)
    names = [one.name for one in views_of(journal)]
    assert names == ["verdict", "trials", "comparison", "bands", "curves", "failures", "provenance"]
    (bands,) = [one for one in views_of(journal) if one.name == "bands"]
    assert len(bands.panels) == len(found.certified) + 1
    (curves,) = [one for one in views_of(journal) if one.name == "curves"]
    assert found.known[found.best].label == curves.choices[0].name
