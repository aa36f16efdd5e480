import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from surefoot.errors import ConfigurationError
from surefoot.racing.criteria import as_criterion
from surefoot.testing import CriterionSuite

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


class TestConformance(CriterionSuite):
    @pytest.fixture(params=NAMES)
    def criterion(self, request):
        return as_criterion(request.param)


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
