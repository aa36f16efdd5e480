import numpy as np
import pytest

from surefoot.errors import ConfigurationError, RaceError
from surefoot.racing.race import Race
from surefoot.racing.replay import Replay
from surefoot.racing.screen import Screen
from surefoot.racing.table import LossTable

KEYS = ("a", "b", "c", "d")


def screened(losses, baseline, screen):
    keys = tuple(f"{i:05d}" for i in range(len(losses)))
    return Replay(Race(keys, screen=screen, schedule="halving")).run(
        LossTable(keys, np.asarray(losses)), baseline
    )


def test_the_papers_bar_is_the_baseline_times_one_plus_tolerance():
    state = screened([[0.19], [0.24], [0.2401], [np.inf]], 0.20, Screen())
    assert state.survivors == ("00000", "00001")
    reasons = {e.key: e.reason for e in state.eliminations}
    assert reasons["00002"] == "loss 0.2401 exceeds the bar 0.24 = baseline 0.2 x 1.20"
    assert reasons["00003"] == "the first instance diverged or failed (loss inf)"


def test_the_baseline_is_needed_on_the_first_draw():
    table = LossTable(KEYS, np.full((4, 1), 0.2))
    state = Replay(Race(KEYS, screen=Screen(), schedule="halving")).run(table, [np.nan, 0.3])
    assert state.baseline_need == (0,)
    assert state.need == ()
    with pytest.raises(ConfigurationError, match="no baseline"):
        Replay(Race(KEYS, screen=Screen(), schedule="halving")).run(table)


def test_every_candidate_may_have_its_own_draw():
    table = LossTable(KEYS, np.array([[0.2], [0.2], [0.4], [0.4]]))
    baseline = np.array([[0.1], [0.2], [0.2], [0.4]])
    state = Replay(Race(KEYS, screen=Screen(), schedule="halving")).run(table, baseline)
    assert set(state.survivors) == {"b", "d"}


def test_all_screened_out_says_by_how_much_the_best_missed():
    with pytest.raises(RaceError, match=r"has loss 0\.3, 25\.0% above the bar 0\.24 = baseline"):
        screened([[0.3], [0.4]], 0.2, Screen())
    with pytest.raises(RaceError, match="first instance of each diverged"):
        screened([[np.inf], [np.inf]], 0.2, Screen())


@pytest.mark.parametrize("baseline", [0.0, -1.0, np.inf])
def test_a_baseline_must_be_positive_and_finite(baseline):
    with pytest.raises(RaceError, match="positive, finite"):
        screened([[0.3], [0.4]], baseline, Screen())


def test_given_noise_raises_the_bar_by_its_normal_quantile():
    screen = Screen(margin="noise", noise=0.25, level=0.025)
    assert screen.factor() == pytest.approx(np.exp(1.959964 * 0.25))


def test_the_pilot_is_trained_where_the_decision_falls():
    screen = Screen(margin="noise", pilot=2, extra=3)
    first = np.array([[0.10], [0.235], [0.245], [9.0], [np.inf]])
    state = screened(first, [0.2], screen)
    assert {key for key, _ in state.need} == {"00001", "00002"}
    assert {instance for _, instance in state.need} == {1, 2, 3}
    assert state.baseline_need == (1, 2, 3)


def test_a_pilot_that_diverges_removes_only_diverged_candidates():
    losses = [[0.1, np.inf, np.inf], [0.9, np.inf, np.inf], [np.inf, *[np.nan] * 2], [5, 1, 1]]
    state = screened(losses, 0.2, Screen(margin="noise", pilot=2, extra=2))
    assert [e.key for e in state.rounds[0].eliminations] == ["00002"]


def wrongly_out(screen, location, seed):
    """Share of candidates at ``location`` x baseline that a screen removes, among 2,000."""
    rng = np.random.default_rng(seed)
    typical = np.full((2000, 1), location)
    typical[1000:] *= np.exp(rng.normal(0.3, 0.4, (1000, 1)))
    spread = 0.25 * np.exp(rng.normal(0.0, 0.3, (2000, 1)))
    losses = 0.2 * typical * np.exp(spread * rng.normal(size=(2000, 1 + screen.extra)))
    out = {int(e.key) for e in screened(losses, 0.2, screen).rounds[0].eliminations}
    return sum(row < 1000 for row in out) / 1000


def test_a_candidate_equal_to_the_baseline_is_kept_by_the_noise_aware_margin():
    single_shot = np.mean([wrongly_out(Screen(), 1.0, seed) for seed in range(5)])
    aware = np.mean([wrongly_out(Screen(margin="noise"), 1.0, seed) for seed in range(5)])
    assert single_shot > 0.15
    assert aware <= 0.02


def test_a_candidate_at_the_bar_leaves_about_as_often_as_the_level():
    at_bar = np.mean([wrongly_out(Screen(margin="noise"), 1.2, seed) for seed in range(10)])
    assert at_bar <= 0.04


def test_a_hopeless_candidate_still_leaves():
    assert wrongly_out(Screen(margin="noise"), 8.0, 0) > 0.95


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"margin": "nois"}, "give 'none' or 'noise'"),
        ({"tolerance": -2.0}, "tolerance = -2"),
        ({"level": 0.0}, "level = 0"),
        ({"noise": -1.0}, "standard deviation"),
        ({"extra": 1}, "a whole number from 2 to"),
    ],
)
def test_bad_fields(fields, message):
    with pytest.raises(ConfigurationError, match=message):
        Screen(**fields)
