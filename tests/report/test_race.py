import numpy as np
import pytest

from surefoot.calorimeter.baselines import ScaledSum
from surefoot.data.population import Population, Sampling
from surefoot.errors import JournalError
from surefoot.executors.local.executor import LocalExecutor
from surefoot.instances import Setting
from surefoot.learning.losses.base import Loss
from surefoot.racing.criteria import as_criterion
from surefoot.racing.race import Race
from surefoot.racing.replay import Replay
from surefoot.racing.schedules.halving import Halving
from surefoot.racing.state import Elimination, Round
from surefoot.racing.table import LossTable
from surefoot.report.files import save
from surefoot.report.race import SHOWN_ROUNDS, draw_journal, drawn_rounds, pareto_figure
from surefoot.seeds.ledger import Role
from surefoot.studies.select.rivals import rivals_of
from surefoot.studies.select.study import SelectStudy


@pytest.fixture
def raced():
    rng = np.random.default_rng(2)
    energy = rng.uniform(1.0, 50.0, 120)
    cells = rng.dirichlet(np.ones(25), 120) * energy[:, None] * 0.3
    population = Population(cells, energy, name="showers", target_unit="GeV")
    setting = Setting(population.split(1), Sampling(40), Loss("rmse"))
    candidates = [ScaledSum(window, linear) for window in ("full", "3x3") for linear in (0, 1)]
    study = SelectStudy(
        schedule=Halving(),
        setting=setting,
        candidates=tuple(candidates),
        certify=6,
        baseline=candidates[0],
    )
    with study.open(":memory:") as journal, LocalExecutor(1) as executor:
        selection = study.run(journal, executor=executor)
        yield journal, selection


def test_the_panels_show_what_the_journal_holds(raced, tmp_path):
    journal, selection = raced
    figure = draw_journal(journal)
    rounds, curves, certificate = figure.axes
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "(a) losses by round",
        "(b) the winner's instances",
        "(c) the winner, trained afresh",
    ]
    assert save(figure, tmp_path / "race.png").stat().st_size > 10_000
    assert [text.get_text() for text in rounds.get_xticklabels()] == ["1\n4", "2\n2"]
    fresh = np.sort([o.loss for o in journal.outcomes(Role.CERTIFY)])
    ends = sorted(line.get_ydata()[0] for line in curves.get_lines() if line.get_marker() == ".")
    np.testing.assert_allclose(ends, fresh, rtol=1e-6)
    (steps,) = [x for x in certificate.get_lines() if x.get_label() == "6 fresh instances"]
    np.testing.assert_allclose(steps.get_xdata()[1:], fresh)
    (bound,) = [x for x in certificate.get_lines() if "% lose" in str(x.get_label())]
    assert bound.get_xdata()[0] == fresh[-1]
    assert bound.get_label() == f"≥ 60.6 % lose ≤ {fresh[-1]:.4g} GeV"
    assert certificate.get_xlabel() == "test loss (rmse) / GeV"
    assert selection.winner.label in figure.get_suptitle()


def test_every_kind_has_one_panel_and_any_candidate_its_curves(raced):
    journal, selection = raced
    last = selection.state.ranking[-1]
    for what in ("rounds", "curves", "certificate"):
        assert len(draw_journal(journal, what).axes) == 1
    figure = draw_journal(journal, "curves", last)
    assert selection.candidate(last).label in figure.get_suptitle()
    with pytest.raises(JournalError, match="no fresh instances yet"):
        draw_journal(journal, "certificate", last)
    with pytest.raises(JournalError, match="did you mean 'curves'"):
        draw_journal(journal, "curve")


def test_a_candidate_without_certificate_still_has_a_figure(raced, tmp_path):
    journal, selection = raced
    figure = draw_journal(journal, "race", selection.state.ranking[-1])
    assert len(figure.axes) == 3
    assert save(figure, tmp_path / "race.svg").exists()


def test_a_journal_without_outcomes_has_nothing_to_draw(raced):
    _, selection = raced
    with selection.study.open(":memory:") as empty, pytest.raises(JournalError, match="nothing to"):
        draw_journal(empty)


@pytest.mark.parametrize(("leaving", "shown"), [(3, 4), (40, SHOWN_ROUNDS)])
def test_of_many_rounds_those_are_drawn_that_removed_somebody(leaving, shown):
    keys = tuple(f"{i:02d}" for i in range(50))
    step = 60 // leaving
    rounds = []
    for number in range(1, 61):
        gone = 1 if number % step == 0 and len(keys) > 1 else 0
        left = keys[: len(keys) - gone]
        values = np.arange(float(len(keys)))
        out = [Elimination(key, number, 1.0, "worse") for key in keys[len(left) :]]
        counts = np.full(len(keys), number)
        rounds.append(Round(number, "race", keys, values, counts, len(keys), left, out))
        keys = left
    drawn = drawn_rounds(rounds)
    assert len(drawn) == shown
    assert (drawn[0], drawn[-1]) == (rounds[0], rounds[-1])
    assert all(one.eliminations for one in drawn[1:-1])
    numbers = [one.number for one in drawn]
    assert numbers == sorted(set(numbers))
    assert drawn_rounds(rounds[:SHOWN_ROUNDS]) == rounds[:SHOWN_ROUNDS]


def test_a_front_is_drawn_with_its_winner(tmp_path):
    rng = np.random.default_rng(4)
    losses = (
        1.0 + np.arange(4)[:, None] + rng.standard_normal((4, 30)) * [[0.9], [0.5], [0.1], [2.0]]
    )
    table = LossTable(tuple("abcd"), losses)
    state = Replay(Race(table.keys, "mean", Halving(warmup=30))).run(table)
    found = rivals_of(table, state, as_criterion("mean"))
    labels = {key: f"candidate {key}" for key in "abcd"}
    (axes,) = pareto_figure(found, labels, label="loss").axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "worse than the winner",
        "not to be told from it",
        "nobody is better in both",
        "winner",
    ]
    assert axes.get_xlabel() == "mean loss\n1 candidate a\n2 candidate b\n3 candidate c"
    assert save(axes.figure, tmp_path / "front.svg").exists()
