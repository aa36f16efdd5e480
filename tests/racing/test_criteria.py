import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from surefoot.errors import ConfigurationError, StatisticsError
from surefoot.racing.criteria import Criterion, as_criterion

NAMES = [
    "mean",
    "median",
    "min",
    "max",
    "q1",
    "q3",
    "quantile(0.9)",
    "quantile(0)",
    "quantile(1)",
    "cvar(0.1)",
    "cvar(0.35)",
    "cvar(1)",
    "sd",
    "iqr",
    "q3+iqr",
    "mean+sd",
    "mean+2*sd",
    "0.5*max+median",
]
finite = st.floats(0.0, 1e6, allow_subnormal=False)
shapes = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)
tables = hnp.arrays(np.float64, shapes, elements=finite)
broken = hnp.arrays(np.float64, shapes, elements=st.one_of(finite, st.just(np.inf)))


@pytest.mark.parametrize("name", NAMES)
class TestConformance:
    """What every criterion must do; a new one joins by its name."""

    def test_its_name_is_read_back(self, name):
        criterion = as_criterion(name)
        assert isinstance(criterion, Criterion)
        assert as_criterion(criterion.name) == criterion
        assert hash(as_criterion(criterion.name)) == hash(criterion)

    @given(losses=broken)
    def test_never_nan_one_value_per_row(self, name, losses):
        values = as_criterion(name).values(losses)
        assert values.shape == (len(losses),)
        assert not np.isnan(values).any()
        assert not np.isneginf(values).any()

    @given(losses=broken, random=st.randoms())
    def test_the_order_of_instances_does_not_matter(self, name, losses, random):
        columns = list(range(losses.shape[1]))
        random.shuffle(columns)
        criterion = as_criterion(name)
        np.testing.assert_allclose(
            criterion.values(losses), criterion.values(losses[:, columns]), rtol=1e-9, atol=1e-6
        )

    @given(losses=tables)
    def test_rows_do_not_touch_each_other(self, name, losses):
        criterion = as_criterion(name)
        alone = [criterion.values(row[None, :])[0] for row in losses]
        np.testing.assert_allclose(criterion.values(losses), alone, rtol=1e-9, atol=1e-6)

    @given(losses=tables)
    def test_a_unit_is_only_a_factor(self, name, losses):
        criterion = as_criterion(name)
        np.testing.assert_allclose(
            criterion.values(1000.0 * losses),
            1000.0 * criterion.values(losses),
            rtol=1e-9,
            atol=1e-6,
        )

    @given(losses=tables)
    def test_a_divergence_never_makes_a_candidate_better(self, name, losses):
        criterion = as_criterion(name)
        worse = losses.copy()
        worse[np.arange(len(losses)), np.argmax(losses, axis=1)] = np.inf
        assert (criterion.values(worse) >= criterion.values(losses) * (1 - 1e-12)).all()

    def test_untrained_cells_and_empty_rows_are_refused(self, name):
        with pytest.raises(StatisticsError, match="NaN or -inf"):
            as_criterion(name).values(np.array([[0.1, np.nan]]))
        with pytest.raises(StatisticsError, match="n >= 1"):
            as_criterion(name).values(np.empty((3, 0)))


@given(tables)
def test_values_are_those_of_numpy_and_scipy(losses):
    def check(name, expected):
        np.testing.assert_allclose(
            as_criterion(name).values(losses), expected, rtol=1e-9, atol=1e-6
        )

    check("mean", losses.mean(axis=1))
    check("median", np.median(losses, axis=1))
    check("min", losses.min(axis=1))
    check("max", losses.max(axis=1))
    check("quantile(0.9)", np.quantile(losses, 0.9, axis=1))
    check("q1", np.quantile(losses, 0.25, axis=1))
    check("iqr", stats.iqr(losses, axis=1))
    check("q3+iqr", np.quantile(losses, 0.75, axis=1) + stats.iqr(losses, axis=1))
    check("cvar(1)", losses.mean(axis=1))
    if losses.shape[1] > 1:
        check("sd", losses.std(axis=1, ddof=1))
        check("mean+2*sd", losses.mean(axis=1) + 2 * losses.std(axis=1, ddof=1))


def test_cvar_by_hand():
    losses = np.array([[5.0, 1.0, 4.0, 2.0, 3.0]])
    assert as_criterion("cvar(0.4)").values(losses)[0] == pytest.approx(4.5)
    assert as_criterion("cvar(0.5)").values(losses)[0] == pytest.approx((5 + 4 + 0.5 * 3) / 2.5)
    assert as_criterion("cvar(0.1)").values(losses)[0] == 5.0


def test_cvar_is_the_mean_of_the_quantile_function_over_the_tail():
    losses = np.random.default_rng(3).lognormal(size=(1, 40))
    grid = (np.arange(40_000) + 0.5) / 40_000
    step = np.sort(losses[0])[np.floor(grid * 40).astype(int)]
    expected = step[grid > 1 - 0.135].mean()
    assert as_criterion("cvar(0.135)").values(losses)[0] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    "name", ["mean", "max", "sd", "cvar(0.1)", "quantile(0.9)", "mean+sd", "quantile(1)"]
)
def test_one_divergence_in_five_is_infinite(name):
    assert as_criterion(name).values(np.array([[0.1, 0.2, np.inf, 0.1, 0.3]]))[0] == np.inf


def test_order_statistics_take_infinity_as_a_loss():
    one, all_but_one = [0.1, 0.2, np.inf, 0.4, 0.3], [np.inf, np.inf, 0.1, np.inf, np.inf]
    losses = np.array([one, all_but_one])
    np.testing.assert_allclose(as_criterion("min").values(losses), [0.1, 0.1])
    np.testing.assert_allclose(as_criterion("median").values(losses), [0.3, np.inf])
    np.testing.assert_allclose(as_criterion("q3").values(losses), [0.4, np.inf])
    np.testing.assert_allclose(as_criterion("iqr").values(losses), [0.2, np.inf])
    np.testing.assert_allclose(as_criterion("min").values(np.full((1, 3), np.inf)), [np.inf])


def test_the_needs_and_the_drift_of_a_sum_are_those_of_its_terms():
    assert as_criterion("mean").needs == 1
    assert as_criterion("mean+sd").needs == 2
    assert not as_criterion("mean+sd").depends_on_n
    assert as_criterion("q3+iqr").depends_on_n


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("meen", "did you mean 'mean'"),
        ("quantil(0.9)", "did you mean 'quantile'"),
        ("quantile(1.5)", "share between 0 and 1"),
        ("cvar(0)", "share between 0 and 1"),
        ("mean(2)", "takes no parameter"),
        ("mean+", "cannot be read"),
        ("mean-sd", "cannot be read"),
        ("mean+0*sd", "factor 0"),
        ("", "cannot be read"),
    ],
)
def test_a_name_that_cannot_be_read_says_what_would_be_right(name, message):
    with pytest.raises(ConfigurationError, match=message):
        as_criterion(name)


def test_spaces_and_case_do_not_matter():
    assert as_criterion(" Mean + 2 * SD ") == as_criterion("mean+2*sd")
    assert as_criterion("quantile") == as_criterion("quantile(0.9)")
    assert as_criterion("quantile(0.5)") == as_criterion("median")
