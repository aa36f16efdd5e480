"""Comparisons: paired instances at several sizes, recorded, resumed and replayed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import surefoot
from surefoot.calorimeter.baselines import ScaledSum
from surefoot.candidates.convnet.notation import convnet
from surefoot.data.population import Population, Sampling
from surefoot.errors import ConfigurationError, JournalMismatchError, SamplingError
from surefoot.instances import Setting
from surefoot.journal import Journal
from surefoot.learning.losses import parse_loss
from surefoot.learning.stopping import Stopping
from surefoot.seeds.ledger import Role
from surefoot.studies.replay import train_recorded
from surefoot.studies.sizes.compare import PAPER_SIZES, CompareStudy, Comparison
from tests.fakes import Seen

SUMS = (ScaledSum(), ScaledSum(window="3x3"), ScaledSum(linear=True))
NETWORK = convnet([2], [3], input_shape=(1, 5, 5), learning_rate=1e-2)


@pytest.fixture(scope="module")
def setting():
    rng = np.random.default_rng(3)
    energy = rng.uniform(1.0, 100.0, 200)
    cells = rng.dirichlet(np.full(25, 0.7), 200) * (energy * rng.normal(0.25, 0.01, 200))[:, None]
    population = Population(cells, energy, target_name="energy", target_unit="GeV")
    stopping = Stopping(max_epochs=2, min_epochs=1, reading="none")
    return Setting(population.split(1), Sampling(), parse_loss("relative_rmse"), stopping)


def study(setting, candidates=SUMS, **changes):
    fields = {"sizes": [30, 60], "n": 4, **changes}
    return CompareStudy(candidates=candidates, setting=setting, seed=4, **fields)


def test_every_candidate_has_the_same_draws_at_every_size(setting):
    asked = study(setting)
    instances = asked.instances()
    assert len(instances) == 3 * 2 * 4
    halves = setting.halves
    seen = {}
    for one in instances:
        assert one.seed.role is Role.COMPARE
        draw = halves.draw(one.sampling, one.seed)
        assert len(draw.train) == len(draw.test) == one.sampling.size
        key = one.seed.instance, one.sampling.size
        rows = seen.setdefault(key, draw.train)
        np.testing.assert_array_equal(rows, draw.train)
    for number in range(4):
        small, large = seen[number, 30], seen[number, 60]
        np.testing.assert_array_equal(small, large[:30])


def test_losses_are_those_of_fits_by_hand(setting):
    asked = study(setting, equal_test=False, sizes=[50, 25], n=5, baseline=SUMS[0])
    found = asked.run(workers=1)
    assert found.sizes == (25, 50)
    assert found.losses.shape == (3, 2, 5)
    population, halves = setting.halves.population, setting.halves
    instance = next(
        i
        for i in asked.instances()
        if i.seed.instance == 3 and i.candidate == SUMS[1] and i.sampling.size == 25
    )
    draw = halves.draw(instance.sampling, instance.seed)
    assert len(draw.test) == halves.test.size
    predict = SUMS[1].fit(population.features[draw.train], None, population.target[draw.train])
    true = population.target[draw.test].astype(float)
    ratio = predict(population.features[draw.test], None) / true - 1.0
    assert found.losses[1, 0, 3] == pytest.approx(np.sqrt(np.mean(ratio**2)), rel=1e-6)


def test_more_instances_and_sizes_go_on_in_the_same_journal(setting, tmp_path):
    path, seen = tmp_path / "c.db", Seen()
    first = study(setting, sizes=[30], n=3).run(path, workers=1, watch=seen)
    second = study(setting, sizes=[30, 40], n=5).run(path, workers=1, watch=seen)
    assert len(seen.outcomes) == 3 * 2 * 5
    np.testing.assert_array_equal(second.losses[:, 0, :3], first.losses[:, 0])
    with pytest.raises(JournalMismatchError, match="candidates"):
        study(setting, SUMS[:2]).open(path)


def test_a_recorded_instance_is_replayed_to_the_bit(setting, tmp_path):
    path = tmp_path / "c.db"
    study(setting, (NETWORK, SUMS[0]), sizes=[32, 48], n=2).run(path, workers=1)
    with Journal.read(path) as journal:
        for size in (32, 48):
            old, new = train_recorded(journal, setting, NETWORK.key, 1, Role.COMPARE, sample=size)
            assert old.sample == size
            assert new.outcome.loss == old.loss


@pytest.mark.parametrize(
    ("candidates", "message"),
    [((SUMS[0],), "needs two candidates or more, not 1"), (SUMS[:1] * 2, "is given twice")],
)
def test_what_is_no_comparison(setting, candidates, message):
    with pytest.raises(ConfigurationError, match=message):
        study(setting, candidates)


def test_sizes_beyond_the_pool_are_refused(setting):
    with pytest.raises(SamplingError, match=r"32,000 examples exceeds the 100"):
        study(setting, sizes=PAPER_SIZES)
    with pytest.raises(SamplingError, match="a compare study needs at least one size"):
        study(setting, sizes=[])
    with pytest.raises(ConfigurationError, match="n = 1 instances"):
        study(setting, n=1)


def test_a_comparison_in_one_call(setting):
    population = setting.halves.population
    found = surefoot.compare(
        {"core": SUMS[1]}, population, baseline=SUMS[0], n=3, loss="relative_rmse", workers=1
    )
    assert found.names == ("core", SUMS[0].label)
    assert found.sizes == (6, 12, 25, 50)
    assert found.reference == 1
    assert "examples: " in str(found)
    with pytest.raises(ConfigurationError, match="two candidates or more, not 1"):
        surefoot.compare([SUMS[0]], population, baseline=SUMS[0], loss="relative_rmse")


RNG = np.random.default_rng(0)
LUCK = RNG.normal(0.0, 0.01, 59)


def comparison(*rows, **changes):
    losses = np.array(rows, dtype=float)[:, None, :]
    names = tuple("abcdef"[: len(rows)])
    return Comparison(names, (1000,), losses, **changes)


def test_a_small_steady_advantage_is_seen_because_losses_are_paired():
    found = comparison(1.0 + LUCK, 1.001 + LUCK, 1.0 + RNG.normal(0.0, 0.05, 59), reference=1)
    assert found.alike(0)[0] == 0
    assert 1 not in found.alike(0)
    chance = found.wins(0, 1, 0)
    assert chance.estimate == 1.0
    assert chance.low > 0.95
    assert "a has the lowest median loss" in found.lines()[0]


def test_candidates_of_equal_losses_cannot_be_told_apart():
    found = comparison(1.0 + LUCK, 1.0 + LUCK[::-1])
    assert sorted(found.alike(0)) == [0, 1]
    assert "no test tells" in found.lines()[0]


def test_the_bound_of_59_losses_is_the_largest():
    found = comparison(1.0 + LUCK, 2.0 + LUCK)
    assert found.certificate(0, 0).bound.value == (1.0 + LUCK).max()
    assert found.certificate(0, 0).reached


@given(
    st.lists(st.one_of(st.floats(0.1, 10.0), st.just(np.inf)), min_size=2, max_size=12),
    st.sampled_from([0.25, 0.5, 0.75]),
)
def test_quantiles_agree_with_numpy_and_divergences_are_large(losses, share):
    found = comparison(losses, losses).quantiles(share)[0, 0]
    finite = np.minimum(losses, 1e30)
    expected = np.quantile(finite, share)
    if expected > 1e20:
        assert np.isinf(found)
    else:
        assert found == pytest.approx(expected)


def test_who_diverges_often_has_no_spread_and_no_bound():
    diverging = np.where(np.arange(59) % 2, np.inf, 1.0)
    found = comparison(diverging, 2.0 + LUCK)
    assert np.isinf(found.spreads[0, 0])
    assert np.isinf(found.certificate(0, 0).bound.value)
    assert "the steadiest is b" in found.lines()[0]


def test_the_share_that_a_bound_holds_for_is_rounded_down():
    assert "at least 95 % of" in Comparison(("a",), (10,), np.ones((1, 1, 59))).bound_line()
    assert "at least 86 % of" in Comparison(("a",), (10,), np.ones((1, 1, 20))).bound_line()
