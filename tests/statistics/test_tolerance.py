import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from surefoot.errors import ConfigurationError, StatisticsError
from surefoot.statistics import tolerance

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
    assert tolerance.needed(content, confidence, order) == n
    assert tolerance.content_reached(n, confidence, order) >= content
    assert tolerance.content_reached(n - 1, confidence, order) < content


def test_fifty_instances_reach_94_2_percent():
    assert tolerance.content_reached(50) == pytest.approx(0.05 ** (1 / 50))
    assert round(tolerance.content_reached(50), 3) == 0.942


@given(st.integers(1, 400), shares, st.data())
def test_content_is_scipys_beta_quantile_and_confidence_its_inverse(n, confidence, data):
    order = data.draw(st.integers(1, n))
    content = tolerance.content_reached(n, confidence, order)
    assert content == pytest.approx(stats.beta.ppf(1 - confidence, n - order + 1, order), rel=1e-9)
    if 1e-6 < content < 1 - 1e-9:
        assert tolerance.confidence_reached(n, content, order) == pytest.approx(
            confidence, abs=1e-6
        )


@given(shares, shares, st.integers(1, 5))
def test_n_needed_is_the_smallest(content, confidence, order):
    n = tolerance.needed(content, confidence, order)
    assert tolerance.confidence_reached(n, content, order) >= confidence
    if n > order:
        assert tolerance.confidence_reached(n - 1, content, order) < confidence


def test_the_bound_is_the_lowest_order_statistic_that_meets_the_wish():
    losses = np.arange(1.0, 125.0)
    for n, order in ((59, 1), (92, 1), (93, 2), (123, 2), (124, 3)):
        bound = tolerance.upper_bound(losses[:n])
        assert (bound.order, bound.value, bound.n) == (order, n - order + 1, n)
        assert bound.content >= 0.95


def test_too_few_say_what_they_reach():
    bound = tolerance.upper_bound(np.arange(50.0))
    assert bound.order == 1
    assert bound.value == 49.0
    assert bound.content == pytest.approx(0.9418, abs=1e-4)


def test_a_divergence_is_an_infinite_bound_unless_the_order_passes_it():
    losses = np.linspace(0.1, 0.2, 59)
    losses[7] = np.inf
    assert tolerance.upper_bound(losses).value == np.inf
    losses = np.linspace(0.1, 0.2, 93)
    losses[7] = np.inf
    assert tolerance.upper_bound(losses).value == pytest.approx(0.2)


def test_rate_bounds():
    assert tolerance.rate_bound(0, 50) == pytest.approx(1 - 0.05 ** (1 / 50))
    assert round(tolerance.rate_bound(0, 50), 3) == 0.058
    assert tolerance.rate_bound(3, 3) == 1.0


@given(st.integers(1, 200), shares, st.data())
def test_rate_bound_is_scipys_clopper_pearson(n, confidence, data):
    failures = data.draw(st.integers(0, n))
    exact = stats.binomtest(failures, n, alternative="less").proportion_ci(confidence, "exact")
    assert tolerance.rate_bound(failures, n, confidence) == pytest.approx(exact.high, rel=1e-7)


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
    bounds = np.array([tolerance.upper_bound(row).value for row in losses])
    covered = (TRUE_CONTENT[population](bounds) >= 0.95).mean()
    # A true coverage of 0.95 comes out below this once in a thousand simulations.
    assert covered >= stats.binom.ppf(0.001, 2000, 0.95) / 2000


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tolerance.content_reached(0), "n = 0 losses"),
        (lambda: tolerance.content_reached(5, order=6), "order 6 of 5"),
        (lambda: tolerance.content_reached(5, confidence=95), "confidence = 95"),
        (lambda: tolerance.needed(content=1.0), "content = 1 "),
        (lambda: tolerance.needed(order=0), "order 0"),
        (lambda: tolerance.upper_bound([]), r"not \[0\]"),
        (lambda: tolerance.upper_bound([0.1, np.nan]), "NaN or -inf"),
        (lambda: tolerance.rate_bound(3, 2), "3 failures in 2"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises((ConfigurationError, StatisticsError), match=message):
        call()
