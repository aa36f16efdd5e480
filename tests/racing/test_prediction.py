import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import ConfigurationError
from surefoot.racing.criteria import as_criterion
from surefoot.racing.prediction import Prediction, _instance_effects, predict
from surefoot.racing.race import Race
from surefoot.racing.replay import Replay
from surefoot.racing.rules.rank import ByPrediction
from surefoot.racing.schedules.rounds import Halving
from surefoot.racing.table import LossTable

CRITERIA = ("mean", "median", "quantile(0.9)", "max", "cvar(0.1)", "sd", "mean+2*sd", "q3+iqr")


def losses_of(candidates, instances, seed=0, sd=0.2, shared=0.0):
    rng = np.random.default_rng(seed)
    noise = sd * rng.standard_normal((candidates, instances))
    noise += shared * rng.standard_normal(instances)
    return np.exp(rng.normal(0, 0.3, (candidates, 1)) + noise)


def masked(losses, counts):
    return np.where(np.arange(losses.shape[1]) < counts[:, None], losses, np.nan)


@pytest.mark.parametrize("name", CRITERIA)
def test_what_is_measured_in_full_is_not_predicted(name):
    losses, criterion = losses_of(12, 20), as_criterion(name)
    found = predict(criterion, losses, np.full(12, 20), 20)
    np.testing.assert_allclose(found, criterion.values(losses), rtol=1e-12)


@pytest.mark.parametrize("name", CRITERIA)
def test_one_instance_each_is_ranked_as_it_is(name):
    losses, criterion = losses_of(12, 1), as_criterion(name)
    found = predict(criterion, losses, np.ones(12, np.int64), 64)
    np.testing.assert_array_equal(found, criterion.values(losses))


def test_the_model_recovers_locations_deviations_and_common_effects():
    rng = np.random.default_rng(3)
    location, sd = rng.normal(0, 0.3, 40), np.exp(rng.normal(-2, 0.5, 40))
    common = 0.5 * rng.standard_normal(400)
    own = sd[:, None] * rng.standard_normal((40, 400))
    counts = np.full(40, 400)
    counts[:20] = 100
    model = Prediction(masked(np.exp(location[:, None] + common + own), counts), counts)
    assert model.logarithmic
    gap = (model.location - location) - (model.location - location).mean()
    assert np.abs(gap).max() < 0.1
    assert np.abs(gap / model.error).std() < 1.5
    np.testing.assert_allclose(model.deviation, np.hypot(sd, 0.5), rtol=0.25)


@pytest.mark.parametrize("name", ["mean", "quantile(0.9)", "max"])
def test_it_is_closer_to_the_truth_than_the_criterion_so_far(name):
    """Against the criterion of 64 further instances, from 6 of each of 40 candidates."""
    criterion = as_criterion(name)
    raw, better = [], []
    for seed in range(30):
        losses = losses_of(40, 70, seed)
        truth = np.log(criterion.values(losses[:, 6:]))
        for values, errors in (
            (criterion.values(losses[:, :6]), raw),
            (predict(criterion, losses[:, :6], np.full(40, 6), 64), better),
        ):
            errors.append(np.mean((np.log(values) - truth) ** 2))
    ratio = {"mean": 1.05, "quantile(0.9)": 0.7, "max": 0.5}[name]
    assert np.mean(better) <= ratio * np.mean(raw)


def test_hard_instances_are_not_held_against_those_who_had_them():
    """All are alike; instance 5 is hard for everybody, but half have not trained it yet."""
    losses = np.exp(0.01 * np.random.default_rng(4).standard_normal((10, 6)))
    losses[:, 5] *= 3.0
    counts = np.array([6, 5] * 5)
    model = Prediction(masked(losses, counts), counts)
    assert abs(model.location[::2].mean() - model.location[1::2].mean()) < 0.05


def test_divergence_counts_by_the_criterion():
    losses = losses_of(8, 6)
    losses[2, 3] = np.inf
    counts = np.full(8, 6)
    assert np.isinf(predict(as_criterion("mean"), losses, counts, 64)[2])
    assert np.isinf(predict(as_criterion("max"), losses, counts, 64)[2])
    assert np.isfinite(predict(as_criterion("median"), losses, counts, 64)).all()
    losses[5] = np.inf
    losses[6, :3] = np.inf
    assert np.isinf(predict(as_criterion("median"), losses, counts, 64)[5])
    assert np.isinf(predict(as_criterion("q3"), losses, counts, 64)[6])


@given(
    st.integers(2, 12),
    st.integers(2, 12),
    st.integers(0, 10_000),
    st.sampled_from(CRITERIA),
    st.booleans(),
    st.floats(0.0, 0.3),
)
def test_never_nan_and_in_the_losses_own_unit(rows, columns, seed, name, signed, broken):
    rng = np.random.default_rng(seed)
    losses = losses_of(rows, columns, seed, sd=rng.choice([0.0, 0.1, 2.0]))
    if signed:
        losses = losses - losses.mean()
    losses[rng.random(losses.shape) < broken] = np.inf
    counts = rng.integers(1, columns + 1, rows)
    criterion = as_criterion(name)
    found = predict(criterion, masked(losses, counts), counts, 30)
    assert not np.isnan(found).any()
    if int(counts.max()) >= 2 and not signed:
        scaled = predict(criterion, masked(1000.0 * losses, counts), counts, 30)
        np.testing.assert_allclose(scaled, 1000.0 * found, rtol=1e-6, atol=1e-9)


def test_its_race_says_what_it_predicted():
    keys = tuple("abcdefgh")
    table = LossTable(keys, losses_of(8, 10))
    race = Race(keys, "max", schedule=Halving(warmup=3), rule=ByPrediction())
    state = Replay(race).run(table)
    assert state.winner is not None
    assert all(plan.exact for plan in race.plan())
    reason = state.rounds[0].eliminations[0].reason
    assert reason.startswith("predicted max ")
    assert "over 64 (max " in reason
    assert "over 3 instances) ranks 8 of 8; the best 4 stay" in reason
    with pytest.raises(ConfigurationError, match="size = 1 cannot be used"):
        ByPrediction(1)


@pytest.mark.parametrize(("candidates", "instances"), [(6, 30), (30, 6), (1, 4)])
def test_effects_solve_the_mixed_model_equations(candidates, instances):
    """Against Henderson's equations of all effects at once, solved densely."""
    rng, ratio = np.random.default_rng(candidates), 2.0
    seen = np.arange(instances) < rng.integers(1, instances + 1, candidates)[:, None]
    scaled = np.where(seen, rng.normal(size=(candidates, instances)), 0.0)
    who, when = np.nonzero(seen)
    design = np.zeros((seen.sum(), candidates + instances))
    design[np.arange(seen.sum()), who] = design[np.arange(seen.sum()), candidates + when] = 1.0
    matrix = design.T @ design
    matrix[candidates:, candidates:] += ratio * np.eye(instances)
    inverse = np.linalg.inv(matrix)
    expected = inverse @ design.T @ scaled[seen]
    known = seen.astype(float)
    rows, columns = known.sum(axis=1), known.sum(axis=0)
    own = scaled.sum(axis=1) / rows
    effect, trace = _instance_effects(scaled, known, rows, columns, own, ratio)
    np.testing.assert_allclose(effect, expected[candidates:], atol=1e-12)
    assert trace == pytest.approx(np.trace(inverse[candidates:, candidates:]))


def test_easy_instances_that_all_have_seen_favour_nobody():
    """The one with 6 instances is 6 % worse on each of them; its mean so far is the smallest."""
    rng = np.random.default_rng(5)
    ease = np.where(np.arange(40) < 6, 0.8, 1.0)
    losses = ease * np.exp(0.02 * rng.standard_normal((3, 40))) * [[1.0], [1.001], [1.06]]
    counts = np.array([30, 34, 6])
    criterion = as_criterion("mean")
    assert np.argmin([row[:n].mean() for row, n in zip(losses, counts, strict=True)]) == 2
    found = predict(criterion, masked(losses, counts), counts, 64)
    assert np.argmax(found) == 2
    np.testing.assert_allclose(found[2] / found[:2].mean(), 1.06, rtol=0.02)
