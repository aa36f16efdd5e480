import numpy as np
import pytest

from surefoot.errors import ConfigurationError, StatisticsError
from surefoot.statistics.certificate import Certificate


def losses(n):
    return tuple(np.random.default_rng(4).normal(0.02, 0.001, n))


def test_the_sentence_at_59():
    certificate = Certificate(losses(59), racing_value=0.0190, fresh_value=0.0200)
    assert certificate.sentence() == (
        "With 95 % confidence, at least 95 % of retrainings of this candidate lose at most "
        f"{max(losses(59)):.4g}."
    )
    assert certificate.shortfall() == ""
    assert certificate.gap == pytest.approx(0.05)
    assert "5.0 % too good" in certificate.winners_curse()
    assert certificate.divergence().startswith("0 of 59 fresh instances diverged or failed")
    assert "at most 5 % of retrainings" in certificate.divergence()
    text = str(certificate)
    for words in ("finite pool", "test half", "took no part", "59/60", "largest loss of 59"):
        assert words in text


def test_fifty_say_honestly_what_they_reach():
    certificate = Certificate(losses(50))
    assert not certificate.reached
    assert "at least 94.1 % of retrainings" in certificate.sentence()
    assert certificate.shortfall() == (
        "95 % was asked for, which takes 59 fresh instances; 50 reach 94.1 %."
    )
    assert certificate.winners_curse() == ""
    assert certificate.gap is None
    assert certificate.median.ranks == (18, 33)


def test_divergences_are_in_the_bound_and_counted():
    certificate = Certificate((*losses(58), np.inf))
    assert certificate.sentence().startswith("No bound: 1 of 59 fresh instances diverged")
    assert "1 of 59" in certificate.divergence()
    passed = Certificate((*losses(92), np.inf), unit="cm")
    assert passed.bound.order == 2
    assert passed.sentence().endswith(f"{max(losses(92)):.4g} cm.")
    assert "2nd largest loss of 93" in passed.conditions()


def test_an_infinite_fresh_value_has_no_gap():
    certificate = Certificate(losses(5), racing_value=0.02, fresh_value=np.inf)
    assert certificate.gap is None
    assert certificate.winners_curse().endswith("inf on fresh instances.")
    assert Certificate(losses(5), racing_value=np.nan, fresh_value=1.0).winners_curse() == ""
    unlucky = Certificate(losses(5), racing_value=0.022, fresh_value=0.02)
    assert "10.0 % too bad" in unlucky.winners_curse()


def test_bad_input():
    with pytest.raises(ConfigurationError, match="give both"):
        Certificate(losses(5), racing_value=0.1)
    with pytest.raises(StatisticsError, match="n >= 1"):
        Certificate(())
    with pytest.raises(StatisticsError, match="NaN"):
        Certificate((0.1, np.nan))
