import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from surefoot.errors import ConfigurationError, StatisticsError
from surefoot.statistics import certificate
from surefoot.statistics.certificate import Certificate

shares = st.floats(0.01, 0.999)


@pytest.mark.parametrize(
    ("content", "confidence", "order", "n"),
    [
        (0.95, 0.95, 1, 59),
        (0.95, 0.95, 2, 93),
        (0.95, 0.95, 3, 124),
        (0.90, 0.95, 1, 29),
        (0.99, 0.95, 1, 299),
    ],
)
def test_wilks_numbers(content, confidence, order, n):
    assert certificate.needed(content, confidence, order) == n
    assert certificate.content_reached(n, confidence, order) >= content
    assert certificate.content_reached(n - 1, confidence, order) < content


def test_fifty_instances_reach_94_2_percent():
    assert certificate.content_reached(50) == pytest.approx(0.05 ** (1 / 50))
    assert round(certificate.content_reached(50), 3) == 0.942


@given(st.integers(1, 400), shares, st.data())
def test_content_is_scipys_beta_quantile_and_confidence_its_inverse(n, confidence, data):
    order = data.draw(st.integers(1, n))
    content = certificate.content_reached(n, confidence, order)
    assert content == pytest.approx(stats.beta.ppf(1 - confidence, n - order + 1, order), rel=1e-9)
    if 1e-6 < content < 1 - 1e-9:
        assert certificate.confidence_reached(n, content, order) == pytest.approx(
            confidence, abs=1e-6
        )


@given(shares, shares, st.integers(1, 5))
def test_n_needed_is_the_smallest(content, confidence, order):
    n = certificate.needed(content, confidence, order)
    assert certificate.confidence_reached(n, content, order) >= confidence
    if n > order:
        assert certificate.confidence_reached(n - 1, content, order) < confidence


def test_the_bound_is_the_lowest_order_statistic_that_meets_the_wish():
    losses = np.arange(1.0, 125.0)
    for n, order in ((59, 1), (92, 1), (93, 2), (123, 2), (124, 3)):
        bound = certificate.upper_bound(losses[:n])
        assert (bound.order, bound.value, bound.n) == (order, n - order + 1, n)
        assert bound.content >= 0.95


def test_too_few_say_what_they_reach():
    bound = certificate.upper_bound(np.arange(50.0))
    assert bound.order == 1
    assert bound.value == 49.0
    assert bound.content == pytest.approx(0.9418, abs=1e-4)


def test_a_divergence_is_an_infinite_bound_unless_the_order_passes_it():
    losses = np.linspace(0.1, 0.2, 59)
    losses[7] = np.inf
    assert certificate.upper_bound(losses).value == np.inf
    losses = np.linspace(0.1, 0.2, 93)
    losses[7] = np.inf
    assert certificate.upper_bound(losses).value == pytest.approx(0.2)


def test_rate_bounds():
    assert certificate.rate_bound(0, 50) == pytest.approx(1 - 0.05 ** (1 / 50))
    assert round(certificate.rate_bound(0, 50), 3) == 0.058
    assert certificate.rate_bound(3, 3) == 1.0


@given(st.integers(1, 200), shares, st.data())
def test_rate_bound_is_scipys_clopper_pearson(n, confidence, data):
    failures = data.draw(st.integers(0, n))
    exact = stats.binomtest(failures, n, alternative="less").proportion_ci(confidence, "exact")
    assert certificate.rate_bound(failures, n, confidence) == pytest.approx(exact.high, rel=1e-7)


POPULATIONS = {
    "normal": lambda rng, shape: rng.normal(1.0, 0.1, shape),
    "log-normal": lambda rng, shape: rng.lognormal(0.0, 0.8, shape),
    "heavy tail": lambda rng, shape: 1.0 + rng.pareto(1.5, shape),
    "with divergences": lambda rng, shape: np.where(
        rng.random(shape) < 0.03, np.inf, rng.lognormal(0.0, 0.3, shape)
    ),
    "few values": lambda rng, shape: rng.integers(0, 12, shape).astype(float),
}
TRUE_CONTENT = {
    "normal": lambda x: stats.norm.cdf(x, 1.0, 0.1),
    "log-normal": lambda x: stats.lognorm.cdf(x, 0.8),
    "heavy tail": lambda x: stats.pareto.cdf(x, 1.5),
    "with divergences": lambda x: np.where(np.isinf(x), 1.0, 0.97 * stats.lognorm.cdf(x, 0.3)),
    "few values": lambda x: (x + 1.0) / 12.0,
}


@pytest.mark.parametrize("population", POPULATIONS)
@pytest.mark.parametrize("n", [59, 93])
def test_certificates_cover_in_2000_simulated_populations(population, n):
    rng = np.random.default_rng(7)
    losses = POPULATIONS[population](rng, (2000, n))
    bounds = np.array([certificate.upper_bound(row).value for row in losses])
    covered = (TRUE_CONTENT[population](bounds) >= 0.95).mean()
    # A true coverage of 0.95 comes out below this once in a thousand simulations.
    assert covered >= stats.binom.ppf(0.001, 2000, 0.95) / 2000


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: certificate.content_reached(0), "n = 0 losses"),
        (lambda: certificate.content_reached(5, order=6), "order 6 of 5"),
        (lambda: certificate.content_reached(5, confidence=95), "confidence = 95"),
        (lambda: certificate.needed(content=1.0), "content = 1 "),
        (lambda: certificate.needed(order=0), "order 0"),
        (lambda: certificate.upper_bound([]), r"not \[0\]"),
        (lambda: certificate.upper_bound([0.1, np.nan]), "NaN or -inf"),
        (lambda: certificate.rate_bound(3, 2), "3 failures in 2"),
    ],
)
def test_bad_bounds(call, message):
    with pytest.raises((ConfigurationError, StatisticsError), match=message):
        call()


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


def test_it_says_which_part_of_the_spread_is_the_test_samples():
    assert "spread" not in Certificate(losses(59)).conditions()
    whole = Certificate(losses(59), tested=(8322, 8322)).conditions()
    assert whole.endswith(
        "All were judged on the same 8,322 test examples, so none of their spread is the test "
        "sample's."
    )
    own = Certificate(losses(59), tested=(4000, 8322)).conditions()
    assert "its own 4,000 of the test half's 8,322 examples, so part of their spread" in own
