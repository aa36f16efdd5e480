import numpy as np
import pytest

from surefoot.errors import JournalError
from surefoot.reports.files import save
from surefoot.reports.plot import plot
from surefoot.seeds.ledger import Role
from tests.reports.journals import raced, study


@pytest.fixture(scope="module")
def race():
    with raced() as told:
        yield told


def test_a_race_at_a_glance_shows_what_the_journal_holds(race, tmp_path):
    journal, selection = race
    figure = plot(journal)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "(a) who left, and at which value",
        "(b) losses of the instances, which have no epochs",
        "(c) trained afresh",
    ]
    _, losses, certificate = figure.axes
    fresh = np.sort([o.loss for o in journal.outcomes(Role.CERTIFY)])
    (points,) = [line for line in losses.get_lines() if line.get_label() == "an instance"]
    np.testing.assert_allclose(np.sort(points.get_ydata()), fresh)
    (steps,) = [x for x in certificate.get_lines() if x.get_label() == "6 fresh retrainings"]
    np.testing.assert_allclose(steps.get_xdata()[1:], fresh)
    assert f"≥ 60.6 % lose ≤ {fresh[-1]:.4g} GeV" in [t.get_text() for t in certificate.texts]
    assert certificate.get_xlabel() == "test loss (rmse) / GeV"
    assert selection.winner.label in figure.get_suptitle()
    assert save(figure, tmp_path / "race.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    "what", ["rounds", "curves", "certificate", "pareto", "duel", "profiles", "parallel", "curse"]
)
def test_every_view_can_be_drawn_by_its_name(race, what, tmp_path):
    assert save(plot(race[0], what), tmp_path / f"{what}.svg").exists()


def test_any_candidate_has_its_curves(race):
    journal, selection = race
    last = selection.state.ranking[-1]
    figure = plot(journal, "curves", last)
    assert selection.candidate(last).label in figure.get_suptitle()
    assert len(plot(journal, "race", last).axes) == 3
    with pytest.raises(JournalError, match="no fresh instances yet"):
        plot(journal, "certificate", last)
    with pytest.raises(JournalError, match="did you mean 'curves'"):
        plot(journal, "curve")


def test_a_journal_without_outcomes_has_nothing_to_draw():
    with study().open(":memory:") as empty, pytest.raises(JournalError, match="nothing to draw"):
        plot(empty)
