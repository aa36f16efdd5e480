import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from surefoot.reports.views.chart import Line, Rule
from surefoot.reports.views.fresh import distribution, fresh_losses
from tests.reports.views.marks import named, of

LOSSES = st.lists(st.floats(0.1, 10.0) | st.just(np.inf), min_size=1, max_size=30)


@given(LOSSES)
def test_steps_are_the_share_of_all_that_lose_at_most_so_much(losses):
    panel = distribution(losses, label="loss")
    finite = np.array([loss for loss in losses if np.isfinite(loss)])
    for line in of(panel, Line):
        for x, share in zip(line.x[1:], line.y[1:], strict=True):
            assert share <= np.mean(np.array(losses) <= x) + 1e-12
        assert line.y[-1] == finite.size / len(losses)
    lost = len(losses) - finite.size
    assert panel.note == (f"{lost} diverged or failed, not drawn" if lost else "")


def test_racing_losses_stand_below_the_steps_and_lines_have_their_names():
    panel = distribution(
        [3.0, 1.0, 2.0], label="loss", bound=(3.0, "b"), racing=[0.5], baseline=4.0
    )
    ring = named(panel, "its 1 losses in the race")
    assert (ring.x.tolist(), bool((ring.y < 0.0).all())) == ([0.5], True)
    assert [(rule.value, rule.label) for rule in of(panel, Rule)] == [(3.0, "b"), (4.0, "baseline")]
    assert panel.x.low < 0.5
    assert panel.x.high > 4.0


def test_a_race_shows_its_certificate(race, half):
    view = fresh_losses(race[1])
    (rule,) = [one for one in of(view.panels[0], Rule) if one.direct]
    assert rule.value == race[1].certificate.bound.value
    assert race[1].certificate.sentence() in view.words[0].sentences
    assert fresh_losses(half[1]) is None
