import numpy as np
import pytest

from surefoot.racing.simulation.best_tail import fit, leading_group, location


def sample(seed, count, a, b, k, noise):
    rng = np.random.default_rng(seed)
    means = location(rng.normal(size=count), a, b, k) + noise * rng.normal(size=count)
    return np.sort(means), np.full(count, noise**2)


def test_locations_are_normal_without_skewness_and_have_a_floor_with_it():
    z = np.linspace(-6, 2, 9)
    np.testing.assert_allclose(location(z, 1.0, 0.2, 0.0), 1.0 + 0.2 * z)
    np.testing.assert_allclose(location(z, 1.0, 0.2, 1e-5), 1.0 + 0.2 * z, atol=1e-4)
    assert (location(z, 1.0, 0.2, 0.8) > 1.0 - 0.2 / 0.8).all()
    slope = np.diff(location(np.array([-1e-5, 1e-5]), 1.0, 0.2, 0.8)) / 2e-5
    assert slope == pytest.approx(0.2, rel=1e-6)


@pytest.mark.parametrize(("b", "k", "noise"), [(0.25, 0.0, 0.1), (0.3, 0.8, 0.03), (0.1, 0.4, 0.1)])
def test_the_posterior_finds_the_parameters_of_a_large_pilot(b, k, noise):
    tail = fit(*sample(0, 400, -2.0, b, k, noise))
    a_found, log_b, k_found = tail.weights @ tail.parameters
    scatter = np.sqrt(tail.weights @ (tail.parameters - [a_found, log_b, k_found]) ** 2)
    assert scatter.max() < 0.45
    gaps = np.abs([a_found + 2.0, log_b - np.log(b), k_found - k]) / np.hypot(scatter, 0.02)
    assert gaps.max() < 2.5


def test_a_small_pilot_says_less_than_a_large_one():
    widths = []
    for count in (16, 64, 256):
        tail = fit(*sample(1, count, 0.0, 0.2, 0.5, 0.05))
        drawn = [tail.draw(np.random.default_rng(i)) for i in range(200)]
        widths.append(np.std([location(np.array([-3.0]), *one)[0] for one in drawn]))
    assert widths[0] > 1.3 * widths[1] > 1.3 * widths[2]


def test_the_best_of_thousands_lie_within_what_the_posterior_expects():
    covered = 0
    for seed in range(40):
        tail = fit(*sample(seed, 32, 0.0, 0.25, 0.5, 0.1))
        rng = np.random.default_rng(seed)
        scores = np.array([-3.0])
        drawn = [location(scores, *tail.draw(rng))[0] for _ in range(300)]
        low, high = np.quantile(drawn, [0.05, 0.95])
        covered += low <= location(scores, 0.0, 0.25, 0.5)[0] <= high
    assert covered >= 32


def test_how_far_the_worst_third_lies_does_not_matter():
    means, noise = sample(5, 100, 0.0, 0.2, 0.3, 0.05)
    far = np.where(np.arange(100) >= 70, means + 5.0, means)
    one, other = fit(means, noise), fit(far, noise)
    np.testing.assert_allclose(
        one.weights @ one.parameters, other.weights @ other.parameters, rtol=1e-9
    )


def test_candidates_that_are_all_the_same():
    tail = fit(np.full(8, -1.0), np.zeros(8))
    drawn = location(np.linspace(-3.0, 0.0, 5), *tail.draw(np.random.default_rng(0)))
    np.testing.assert_allclose(drawn, -1.0, atol=1e-4)


def test_a_group_that_stands_apart_is_seen_and_nothing_else():
    rng = np.random.default_rng(0)
    own = np.full(32, 0.02**2)
    apart = np.sort(np.append(rng.normal(-3.8, 0.03, 4), rng.normal(-1.5, 0.4, 28)))
    assert leading_group(apart, own) == 4
    seen = [
        leading_group(*sample(seed, 32, 0.0, 0.25, k, 0.1)) for seed in range(30) for k in (0, 1)
    ]
    assert seen == [32] * 60
    # A gap that the group's own noise explains is none.
    assert leading_group(apart, np.full(32, 0.7**2)) == 32


def test_a_group_is_taken_to_differ_by_about_its_noise():
    tail = fit(np.array([-3.82, -3.79]), np.full(2, 0.02**2), noise_scale=0.05)
    a, log_b, _ = tail.weights @ tail.parameters
    assert a == pytest.approx(-3.805, abs=0.03)
    assert 0.01 < np.exp(log_b) < 0.1
