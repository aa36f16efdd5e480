from types import SimpleNamespace

import numpy as np
import pytest

from surefoot.calorimeter.baselines import ScaledSum
from surefoot.candidates.convnet.notation import convnet, preset
from surefoot.data.population import Population, Sampling
from surefoot.engines import compiling
from surefoot.engines.choose import Chooser
from surefoot.instances import Setting, Status
from surefoot.learning.losses import Loss
from surefoot.studies.duration import TimeLeft, duration_words, mean_seconds, probe, work_of


@pytest.fixture(autouse=True)
def nothing_compiled(monkeypatch):
    """What other tests compiled in this process is no matter of these."""
    monkeypatch.setattr(compiling, "within", lambda seconds: False)


@pytest.fixture
def setting():
    rng = np.random.default_rng(0)
    halves = Population(rng.random((100, 25)), rng.random(100) + 1).split(1)
    return Setting(halves, Sampling(30, test_size=12), Loss("rmse"))


def test_work_is_that_of_the_training_sample_and_a_third_of_it_for_the_test_sample(setting):
    net = convnet([2], input_shape=(1, 5, 5))
    assert work_of(net, setting) == pytest.approx(net.flops * (30 + 12 / 3))


def test_a_torch_module_trains_in_epochs_of_as_many_examples(setting):
    net = preset("resnet")
    assert work_of(net, setting) == pytest.approx(30 + 12 / 3)
    assert mean_seconds([net], setting, {net.family: 2.0}, 7) == pytest.approx(2.0 * 34 * 7)


def test_time_left_scales_with_work_and_workers(setting):
    small, large = (convnet([c], input_shape=(1, 5, 5)) for c in (2, 6))
    left = TimeLeft([small, large], setting, workers=4)
    assert left.seconds(10, [small.key]) is None
    for seconds in (2.0, 4.0, 3.0):
        left.record(SimpleNamespace(candidate=small.key, seconds=seconds, status=Status.FINISHED))
    left.record(SimpleNamespace(candidate="the baseline", seconds=99.0, status=Status.FINISHED))
    assert left.seconds(10, [small.key]) == pytest.approx(10 * 3.0 / 4)
    assert left.seconds(10, [large.key]) == pytest.approx(
        10 * 3.0 / 4 * work_of(large, setting) / work_of(small, setting)
    )
    both = left.seconds(10, [small.key, large.key])
    assert left.seconds(10, [small.key]) < both < left.seconds(10, [large.key])


def test_the_probe_measures_the_engine_and_records_nothing(setting):
    nets = [convnet([c], input_shape=(1, 5, 5)) for c in (1, 2, 3, 4)]
    rates = probe([*nets, ScaledSum()], setting, "auto")
    assert rates.keys() == {"convnet", "scaled_sum"}
    assert all(0.0 < rate < 1e-3 for rate in rates.values())


def test_the_probe_trains_on_no_more_than_an_instance_does(setting, monkeypatch):
    asked, choose = [], Chooser.choose

    def noted(self, candidate, small):
        asked.append((small.sampling.size, small.sampling.test_size))
        return choose(self, candidate, small)

    monkeypatch.setattr(Chooser, "choose", noted)
    probe([ScaledSum()], setting, "auto")
    assert set(asked) == {(30, 12)}


def test_the_probe_does_not_count_what_an_instance_takes_before_its_epochs(setting, monkeypatch):
    class Timed:
        def train(self, instance, small):
            epochs = small.stopping.max_epochs
            return SimpleNamespace(outcome=SimpleNamespace(seconds=0.01 + 0.02 * epochs))

    monkeypatch.setattr(Chooser, "choose", lambda *_: Timed())
    net, formula = convnet([2], input_shape=(1, 5, 5)), ScaledSum()
    rates = probe([net, formula], setting, "auto")
    assert rates["convnet"] * work_of(net, setting) == pytest.approx(0.02, rel=0.1)
    assert rates["scaled_sum"] * work_of(formula, setting) == pytest.approx(0.03)


def test_a_first_instance_that_waited_for_the_compiler_does_not_count_for_long(setting):
    net = convnet([2], input_shape=(1, 5, 5))
    left = TimeLeft([net], setting, workers=1)
    for seconds in (60.0, 1.0, 1.0):
        left.record(SimpleNamespace(candidate=net.key, seconds=seconds, status=Status.FINISHED))
    assert left.seconds(10, [net.key]) == pytest.approx(10.0)


def test_an_instance_during_which_this_process_compiled_does_not_count(setting, monkeypatch):
    net = convnet([2], input_shape=(1, 5, 5))
    left = TimeLeft([net], setting, workers=1)
    monkeypatch.setattr(compiling, "within", lambda seconds: seconds > 10.0)
    for seconds in (60.0, 1.0):
        left.record(SimpleNamespace(candidate=net.key, seconds=seconds, status=Status.FINISHED))
    assert left.seconds(10, [net.key]) == pytest.approx(10.0)


def test_only_networks_take_longer_with_more_epochs(setting):
    net, fit = convnet([2], input_shape=(1, 5, 5)), ScaledSum()
    rates = {"convnet": 2.0, "scaled_sum": 3.0}
    assert mean_seconds([net, fit], setting, rates, 7) == pytest.approx(
        (2.0 * work_of(net, setting) * 7 + 3.0 * 30) / 2
    )


def test_families_have_rates_of_their_own(setting):
    net, fit = convnet([2], input_shape=(1, 5, 5)), ScaledSum()
    left = TimeLeft([net, fit], setting, workers=1)
    left.record(SimpleNamespace(candidate=net.key, seconds=8.0, status=Status.FINISHED))
    assert left.seconds(1, [fit.key]) == pytest.approx(8.0)
    left.record(SimpleNamespace(candidate=fit.key, seconds=0.5, status=Status.FINISHED))
    assert left.seconds(4, [net.key, fit.key]) == pytest.approx(4 * (8.0 + 0.5) / 2)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "0.4 s"),
        (59.4, "59 s"),
        (59.7, "1 min 0 s"),
        (179.8, "3 min 0 s"),
        (3599.7, "1.0 h"),
        (900_000.0, "250 h (10 days)"),
    ],
)
def test_durations_never_show_sixty_seconds(seconds, said):
    assert duration_words(seconds) == said
