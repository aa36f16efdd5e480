"""What every engine promises (`surefoot.engines.base.Engine`), tested for all of them alike."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from surefoot.candidates.base import Candidate
from surefoot.candidates.convnet.network import ConvNet
from surefoot.data.population import Population, Sampling
from surefoot.engines.base import Stopped
from surefoot.instances import Instance, Setting, Status, Training
from surefoot.learning.losses.base import Loss, parse_loss
from surefoot.learning.stopping import Stopping
from surefoot.seeds.ledger import InstanceSeed, Role, candidate_salt
from tests.engines.cases import CASES, Case, blobs, cases, instance_of, pairs, setting_of

every_case = pytest.mark.parametrize("case", cases())
every_pair = pytest.mark.parametrize(("case", "candidate"), pairs())
epochs_only = pytest.mark.parametrize(("case", "candidate"), pairs(lambda c: c.trains_epochs))


def bits(training: Training) -> bytes:
    """Everything of a training that must not depend on chance, as bytes."""
    outcome, predictor = training.outcome, training.predictor
    weights = {} if predictor is None else predictor.weights
    arrays = b"".join(weights[name].tobytes() for name in sorted(weights))
    return f"{outcome.status} {outcome.loss!r} ".encode() + outcome.curve.tobytes() + arrays


def recomputed(training: Training, instance: Instance, setting: Setting) -> float:
    """Return the setting's loss of a predictor on the rows of the instance's test sample."""
    population, rows = setting.halves.population, instance.draw(setting).test
    side = None if population.side is None else population.side[rows]
    assert training.predictor is not None
    prediction = training.predictor.predict(population.features[rows], side)
    assert prediction.shape == (rows.size, population.outputs)
    assert prediction.dtype == np.float32
    return setting.loss.value(prediction, population.target[rows])


@every_pair
def test_an_outcome_says_what_was_trained_and_by_whom(case: Case, candidate: Candidate) -> None:
    setting = setting_of()
    seed = InstanceSeed(1, Role.CERTIFY, 17)
    outcome = case.train(Instance(candidate, seed), setting).outcome
    assert outcome.status is Status.FINISHED
    assert (outcome.candidate, outcome.role, outcome.instance) == (candidate.key, Role.CERTIFY, 17)
    assert (outcome.engine, outcome.sample, outcome.message) == (case.engine, 70, "")
    assert outcome.curve.dtype == np.float32
    assert outcome.curve.shape == (outcome.epochs,) == (3 if case.trains_epochs else 1,)
    assert outcome.loss == float(outcome.curve[-1])
    assert 0 < outcome.seconds < 60


@every_pair
def test_the_same_instance_twice_has_the_same_bits(case: Case, candidate: Candidate) -> None:
    first, second = (case.train(instance_of(candidate, 3), setting_of()) for _ in range(2))
    assert bits(first) == bits(second)


@every_case
def test_an_instance_does_not_depend_on_those_before_it(case: Case) -> None:
    setting, engine, stop = setting_of(), case.make(), np.zeros(1, dtype=np.uint8)
    instances = [instance_of(c, i) for c in case.candidates.values() for i in range(2)]
    forward = [bits(engine.train(instance, setting, stop)) for instance in instances]
    backward = [bits(engine.train(instance, setting, stop)) for instance in instances[::-1]]
    assert forward == backward[::-1]
    assert len(set(forward)) == len(forward)


@pytest.mark.parametrize("case", cases(lambda case: case.make().workers == "threads"))
def test_instances_in_threads_have_the_same_bits(case: Case) -> None:
    setting, engine, stop = setting_of(), case.make(), np.zeros(1, dtype=np.uint8)
    instances = [instance_of(c, i) for c in case.candidates.values() for i in range(3)]
    alone = [bits(engine.train(instance, setting, stop)) for instance in instances]
    with ThreadPoolExecutor(4) as pool:
        together = pool.map(lambda instance: bits(engine.train(instance, setting, stop)), instances)
    assert list(together) == alone


@every_case
def test_a_fresh_process_replays_the_same_bits(case: Case) -> None:
    candidate = next(iter(case.candidates.values()))
    here = bits(case.train(instance_of(candidate, 2), setting_of()))
    program = (
        "import sys; from tests.engines.test_conformance import replay;"
        f"sys.stdout.buffer.write(replay({CASES.index(case)}, 2))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == here


def replay(place: int, number: int) -> bytes:
    """Return the bits of an instance of a case's first candidate (run in a fresh process)."""
    case = CASES[place]
    candidate = next(iter(case.candidates.values()))
    return bits(case.train(instance_of(candidate, number), setting_of()))


@every_pair
@pytest.mark.parametrize("loss", ["relative_rmse", "mae", "huber(0.5)", "mse"])
def test_the_loss_is_that_of_its_predictions(case: Case, candidate: Candidate, loss: str) -> None:
    setting, instance = setting_of(loss=parse_loss(loss)), instance_of(candidate)
    training = case.train(instance, setting)
    assert recomputed(training, instance, setting) == pytest.approx(training.outcome.loss, rel=1e-5)


@every_pair
def test_the_whole_test_half_is_used_without_a_test_size(case: Case, candidate: Candidate) -> None:
    setting, instance = setting_of(sampling=Sampling(40)), instance_of(candidate)
    training = case.train(instance, setting)
    assert instance.draw(setting).test.size == setting.halves.test.size
    assert recomputed(training, instance, setting) == pytest.approx(training.outcome.loss, rel=1e-5)


@every_case
def test_a_loss_that_explodes_is_diverged(case: Case) -> None:
    with np.errstate(all="ignore"):
        training = case.train(instance_of(case.diverging), setting_of())
    assert training.outcome.status is Status.DIVERGED
    assert training.outcome.loss == float("inf")
    assert np.isfinite(training.outcome.curve).all()
    assert training.outcome.epochs < (3 if case.trains_epochs else 1)


@every_pair
def test_an_exception_is_failed_with_its_message(case: Case, candidate: Candidate) -> None:
    sampling = Sampling(10_000, method="subsample")
    instance = replace(instance_of(candidate, 4), sampling=sampling)
    training = case.train(instance, setting_of())
    outcome = training.outcome
    assert (outcome.status, outcome.loss) == (Status.FAILED, float("inf"))
    assert "a sample of 10000 examples cannot be drawn without replacement" in outcome.message
    assert (outcome.sample, outcome.epochs, training.predictor) == (10_000, 0, None)


@every_pair
def test_a_stop_flag_that_is_set_stops_at_once(case: Case, candidate: Candidate) -> None:
    with pytest.raises(Stopped):
        case.make().train(instance_of(candidate), setting_of(), np.ones(1, dtype=np.uint8))


@epochs_only
def test_a_stop_flag_set_in_training_stops_within_two_seconds(
    case: Case, candidate: Candidate
) -> None:
    stop = np.zeros(1, dtype=np.uint8)
    engine, setting = case.make(), setting_of(stopping=Stopping(10**6, reading="none"))
    case.train(instance_of(candidate), setting_of())
    raised_at: list[float] = []

    def raise_flag() -> None:
        raised_at.append(time.perf_counter())
        stop[0] = 1

    timer = threading.Timer(0.2, raise_flag)
    timer.start()
    with pytest.raises(Stopped):
        engine.train(instance_of(candidate), setting, stop)
    assert time.perf_counter() - raised_at[0] < 2.0


@epochs_only
@pytest.mark.parametrize("reading", ["plateau", "explosion", "none"])
@pytest.mark.parametrize("tolerance", [0.0, 0.05, 100.0])
def test_training_ends_when_the_rule_says(
    case: Case, candidate: Candidate, reading: str, tolerance: float
) -> None:
    rule = Stopping(9, min_epochs=3, window=2, tolerance=tolerance, reading=reading)  # type: ignore[arg-type]
    outcome = case.train(instance_of(candidate), setting_of(stopping=rule)).outcome
    curve = [float(loss) for loss in outcome.curve]
    assert rule.should_stop(curve)
    assert not any(rule.should_stop(curve[:epochs]) for epochs in range(1, len(curve)))


@epochs_only
def test_a_longer_training_begins_as_a_shorter_one(case: Case, candidate: Candidate) -> None:
    short, long = (
        case.train(
            instance_of(candidate), setting_of(stopping=Stopping(epochs, reading="none"))
        ).outcome.curve
        for epochs in (2, 5)
    )
    np.testing.assert_array_equal(short, long[:2])


@epochs_only
def test_training_learns(case: Case, candidate: Candidate) -> None:
    setting = setting_of(sampling=Sampling(None), stopping=Stopping(30, reading="none"))
    curve = case.train(instance_of(candidate), setting).outcome.curve
    assert curve[-5:].mean() < 0.8 * curve[0]


@every_pair
def test_overridden_draw_and_luck_are_those_of_the_other_instance(
    case: Case, candidate: Candidate
) -> None:
    setting = setting_of()
    five = case.train(instance_of(candidate, 5), setting)
    seven = case.train(instance_of(candidate, 7), setting)
    dressed = case.train(instance_of(candidate, 7, draw=5, init=5), setting)
    drawn = case.train(instance_of(candidate, 7, draw=5), setting)
    assert dressed.outcome.instance == 7
    assert bits(dressed) == bits(five)
    assert bits(drawn) != bits(seven)
    has_luck = case.trains_epochs or candidate in [case.candidates[name] for name in case.seeded]
    assert (bits(drawn) == bits(five)) is not has_luck


@every_pair
def test_unpaired_candidates_have_luck_of_their_own(case: Case, candidate: Candidate) -> None:
    salt = candidate_salt(candidate.key)
    paired, unpaired = (
        case.train(instance_of(candidate, salt=luck), setting_of()) for luck in (0, salt)
    )
    assert bits(paired) != bits(unpaired)


@every_pair
@pytest.mark.parametrize("size", [1, 2, 31, 33, 64, 119])
def test_any_sample_size_trains(case: Case, candidate: Candidate, size: int) -> None:
    instance = replace(instance_of(candidate), sampling=Sampling(size, test_size=9))
    outcome = case.train(instance, setting_of()).outcome
    assert (outcome.status, outcome.sample) == (Status.FINISHED, size)


@epochs_only
def test_every_example_of_a_partial_batch_matters(case: Case, candidate: Candidate) -> None:
    """An epoch visits each example once, so a change to any of 70 rows changes the result."""
    setting = setting_of(stopping=Stopping(1, reading="none"))
    instance = replace(instance_of(candidate), sampling=Sampling(70, "subsample", test_size=50))
    before = bits(case.train(instance, setting))
    population = setting.halves.population
    for row in instance.draw(setting).train[[0, 35, 69]]:
        target = population.target.copy()
        target[row] += 1.0
        changed = Population(population.features, target, population.side)
        halves = replace(setting.halves, population=changed)
        assert bits(case.train(instance, replace(setting, halves=halves))) != before


@epochs_only
def test_side_features_matter_exactly_where_a_network_takes_them(
    case: Case, candidate: Candidate
) -> None:
    population = blobs()
    assert population.side is not None
    shuffled = Population(
        population.features, population.target, population.side[::-1], population.groups
    )
    with_side, without = (
        bits(case.train(instance_of(candidate), setting_of(p))) for p in (population, shuffled)
    )
    assert (with_side != without) is bool(getattr(candidate, "side", 0))


@every_case
def test_the_curve_is_the_settings_loss_even_if_another_is_trained(case: Case) -> None:
    nets = [c for c in case.candidates.values() if isinstance(c, ConvNet)]
    for net in nets:
        other = replace(net, loss=Loss("mae"))
        setting, instance = setting_of(), instance_of(other)
        training = case.train(instance, setting)
        assert bits(training) != bits(case.train(instance_of(net), setting))
        assert recomputed(training, instance, setting) == pytest.approx(
            training.outcome.loss, rel=1e-5
        )


@every_pair
def test_what_fits_is_not_refused_and_strangers_are(case: Case, candidate: Candidate) -> None:
    setting = setting_of()
    assert case.make().refusal(candidate, setting) is None
    own = {type(c) for o in CASES if o.engine == case.engine for c in o.candidates.values()}
    stranger = next(c for o in CASES for c in o.candidates.values() if type(c) not in own)
    reason = case.make().refusal(stranger, setting)
    assert reason is not None
    assert stranger.family in reason


@every_pair
def test_outcomes_travel_between_processes(case: Case, candidate: Candidate) -> None:
    outcome = case.train(instance_of(candidate), setting_of()).outcome
    copy = pickle.loads(pickle.dumps(outcome))
    assert (copy.loss, copy.candidate, copy.status) == (
        outcome.loss,
        outcome.candidate,
        outcome.status,
    )
    np.testing.assert_array_equal(copy.curve, outcome.curve)


@every_case
def test_instances_differ_in_their_luck(case: Case) -> None:
    candidate = next(iter(case.candidates.values()))
    losses = [case.train(instance_of(candidate, i), setting_of()).outcome.loss for i in range(5)]
    assert all(a != b for a, b in pairwise(sorted(losses)))
