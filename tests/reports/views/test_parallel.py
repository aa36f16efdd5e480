from surefoot.reports.views.chart import Lines, Texts
from surefoot.reports.views.parallel import parallel
from tests.reports.views.marks import named, of


def test_every_candidate_with_a_value_has_a_line_the_best_on_top(race):
    _, selection = race
    panel = parallel(selection).panels[0]
    assert panel.x.names == ("quality", "mean")
    lines = [mark for mark in of(panel, Lines) if mark.label]
    finite = [value for value in selection.state.values.values() if value < float("inf")]
    assert sum(len(mark.x) for mark in lines) == len(finite)
    winner = named(panel, "the winner")
    assert winner.y[0][-1] == max(line[-1] for mark in lines for line in mark.y) == 1.0
    assert len(of(panel, Texts)) == 2


def test_a_hyperparameter_that_says_what_another_says_is_left_out(race, monkeypatch):
    _, selection = race
    known = {
        key: one._replace(spec={**one.spec, "twice": 2.0 * one.spec["quality"]})
        for key, one in selection.known.items()
    }
    monkeypatch.setitem(vars(selection), "known", known)
    assert parallel(selection).panels[0].x.names == ("quality", "mean")
