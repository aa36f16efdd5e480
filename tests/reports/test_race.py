import numpy as np
import pytest

from surefoot.calorimeter.baselines import ScaledSum
from surefoot.data.population import Population, Sampling
from surefoot.errors import JournalError
from surefoot.executors.local.executor import LocalExecutor
from surefoot.instances import Setting
from surefoot.learning.losses import Loss
from surefoot.racing.criteria import as_criterion
from surefoot.racing.race import Race
from surefoot.racing.replay import Replay
from surefoot.racing.schedules.rounds import Halving
from surefoot.racing.state import Round
from surefoot.racing.table import LossTable
from surefoot.reports.files import save
from surefoot.reports.race import (
    SHOWN_ROUNDS,
    RoundLosses,
    assessment_figure,
    draw_certificate,
    draw_curves,
    draw_rounds,
    draw_selection,
    drawn_rounds,
    pareto_figure,
)
from surefoot.reports.style import loss_label, new_figure
from surefoot.seeds.ledger import Role
from surefoot.statistics.promise import Promise
from surefoot.studies.assess.study import AssessStudy
from surefoot.studies.select.rivals import rivals_of
from surefoot.studies.select.selection import recorded_selection
from surefoot.studies.select.study import SelectStudy
from tests.fakes import Fake, fake_setting


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
    figure = draw_selection(selection, journal)
    rounds, curves, certificate = figure.axes
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "(a) losses by round",
        "(b) the winner's instances",
        "(c) the winner, trained afresh",
    ]
    assert save(figure, tmp_path / "race.png").stat().st_size > 10_000
    assert [text.get_text() for text in rounds.get_xticklabels()] == ["1\n4", "2\n2"]
    fresh = np.sort([o.loss for o in journal.outcomes(Role.CERTIFY)])
    (ends,) = [line.get_ydata() for line in curves.get_lines() if line.get_marker() == "."]
    np.testing.assert_allclose(np.sort(ends), fresh, rtol=1e-6)
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
        assert len(draw_selection(selection, journal, what).axes) == 1
    figure = draw_selection(selection, journal, "curves", last)
    assert selection.candidate(last).label in figure.get_suptitle()
    with pytest.raises(JournalError, match="no fresh instances yet"):
        draw_selection(selection, journal, "certificate", last)
    with pytest.raises(JournalError, match="did you mean 'curves'"):
        draw_selection(selection, journal, "curve")


def test_a_candidate_without_certificate_still_has_a_figure(raced, tmp_path):
    journal, selection = raced
    figure = draw_selection(selection, journal, "race", selection.state.ranking[-1])
    assert len(figure.axes) == 3
    assert save(figure, tmp_path / "race.svg").exists()


def test_a_journal_without_outcomes_has_nothing_to_draw(raced):
    _, selection = raced
    with selection.study.open(":memory:") as empty, pytest.raises(JournalError, match="nothing to"):
        draw_selection(recorded_selection(empty), empty)


@pytest.mark.parametrize(("leaving", "shown"), [(3, 4), (40, SHOWN_ROUNDS)])
def test_of_many_rounds_those_are_drawn_that_removed_somebody(leaving, shown):
    keys = tuple(f"{i:02d}" for i in range(50))
    step = 60 // leaving
    rounds = []
    for number in range(1, 61):
        gone = 1 if number % step == 0 and len(keys) > 1 else 0
        left = keys[: len(keys) - gone]
        values = np.arange(float(len(keys)))
        counts = np.full(len(keys), number)
        rounds.append(
            Round(number, "race", keys, values, counts, len(keys), left, lambda place: "worse")
        )
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


def drawn(draw, *given, **options):
    _, (axes,) = new_figure(1, "")
    draw(axes, *given, **options)
    return axes


def lines_by_label(axes):
    return {line.get_label(): line for line in axes.get_lines()}


def test_median_curve_is_over_the_instances_still_trained():
    curves = [[3.0, 2.0, 1.0], [5.0, 4.0], [4.0, 4.0, 3.0]]
    axes = drawn(draw_curves, curves, label=loss_label("rmse", "mm"))
    median = lines_by_label(axes)["median"]
    assert median.get_xdata().tolist() == [1, 2, 3]
    assert median.get_ydata().tolist() == [4.0, 4.0, 2.0]
    assert axes.get_xlabel() == "epoch"
    assert axes.get_ylabel() == "test loss (rmse) / mm"


def test_diverged_instances_are_counted_not_drawn():
    axes = drawn(draw_curves, [[1.0, 2.0], [1.0, np.inf], [np.nan]], label="loss")
    assert axes.get_title(loc="right") == "2 diverged or failed, not drawn"
    lines = np.concatenate([line.get_ydata() for line in axes.get_lines()])
    assert not np.isinf(lines).any()


@pytest.mark.parametrize(("highest", "scale"), [(7.9, "linear"), (8.1, "log")])
def test_losses_of_a_wide_range_get_a_logarithmic_axis(highest, scale):
    axes = drawn(draw_curves, [[highest, 1.0]], label="loss")
    assert axes.get_yscale() == scale


def test_boxes_are_the_quartiles_of_each_round():
    losses = np.arange(1.0, 10.0)
    rounds = [
        RoundLosses(1, "screen", 9, losses, [2.0]),
        RoundLosses(2, "race", 4, [*losses[:4], np.inf], [2.0, 4.0]),
    ]
    axes = drawn(draw_rounds, rounds, baseline=5.0)
    tops = [patch.get_path().vertices[:, 1].max() for patch in axes.patches]
    bottoms = [patch.get_path().vertices[:, 1].min() for patch in axes.patches]
    assert bottoms == [np.quantile(losses, 0.25), np.quantile(losses[:4], 0.25)]
    assert tops == [np.quantile(losses, 0.75), np.quantile(losses[:4], 0.75)]
    winners = [line.get_ydata() for line in axes.get_lines() if line.get_marker() == "D"]
    assert [list(means) for means in winners] == [[2.0, 3.0]]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["screen\n9", "2\n4"]
    assert lines_by_label(axes)["baseline"].get_ydata() == [5.0, 5.0]
    assert axes.get_title(loc="right") == "1 diverged or failed, not drawn"


def test_a_round_in_which_all_diverged_has_no_box():
    rounds = [RoundLosses(1, "race", 2, [np.inf, np.inf], [np.inf])]
    axes = drawn(draw_rounds, rounds)
    assert len(axes.patches) == 0


def test_certificate_steps_count_the_diverged_in_their_share():
    axes = drawn(
        draw_certificate,
        [3.0, 1.0, np.inf, 2.0],
        bound=(3.0, "bound 3"),
        racing=[0.5],
        baseline=4.0,
    )
    lines = lines_by_label(axes)
    steps = lines["4 fresh instances"]
    assert steps.get_xdata().tolist() == [1.0, 1.0, 2.0, 3.0]
    assert steps.get_ydata().tolist() == [0.0, 0.25, 0.5, 0.75]
    assert lines["bound 3"].get_xdata() == [3.0, 3.0]
    assert lines["in the race"].get_xdata().tolist() == [0.5]
    assert lines["baseline"].get_xdata() == [4.0, 4.0]


def test_nothing_depends_on_colour():
    rounds = [RoundLosses(1, "race", 2, [1.0, 2.0], [1.0])]
    panels = [
        drawn(draw_curves, [[2.0, 1.0], [3.0, 1.0]], baseline=1.0),
        drawn(draw_rounds, rounds, baseline=1.0),
        drawn(draw_certificate, [1.0, 2.0], bound=(2.0, "bound"), racing=[1.0], baseline=1.0),
    ]
    for axes in panels:
        figure = axes.figure
        figure.canvas.draw()
        pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3].astype(int)
        assert (pixels.max(axis=-1) == pixels.min(axis=-1)).all()


@pytest.mark.parametrize(("limit", "line"), [(None, "% lose"), (0.0, "limit of the promise")])
def test_an_assessment_shows_curves_and_losses(tmp_path, limit, line):
    promise = None if limit is None else Promise(limit)
    study = AssessStudy(
        candidate=Fake(noise=0.3), setting=fake_setting(), engine="fake", n=6, promise=promise
    )
    with study.open(":memory:") as journal, LocalExecutor(1, "fake") as executor:
        figure = assessment_figure(study.run(journal, executor=executor), label="loss")
    left, right = figure.axes
    assert left.get_title(loc="left") == "(a) all instances"
    assert right.get_title(loc="left") == "(b) their losses"
    assert any(line in text.get_text() for text in right.get_legend().get_texts())
    assert save(figure, tmp_path / "assess.png").exists()
