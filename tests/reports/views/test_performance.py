import numpy as np

from surefoot.reports.views.performance import performance_profiles


def test_a_profile_is_the_share_within_a_factor_of_the_best():
    rng = np.random.default_rng(4)
    losses = rng.uniform(1.0, 2.0, (3, 25))
    losses[2, 0] = np.inf
    panel = performance_profiles(["a", "b", "c"], losses).panels[0]
    ratios = losses / losses.min(axis=0)
    for mark, own in zip(panel.marks, ratios, strict=True):
        for factor in (1.0, 1.1, 1.5):
            share = mark.y[np.searchsorted(mark.x, factor, side="right") - 1]
            assert share == np.mean(own <= factor)
    assert panel.marks[2].y[-1] == 24 / 25


def test_losses_of_any_sign_have_no_factor():
    assert performance_profiles(["a", "b"], np.array([[1.0] * 6, [-1.0] * 6])) is None
    assert performance_profiles(["a"], np.ones((1, 9))) is None
