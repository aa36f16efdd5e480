"""What every engine promises: the same instance, the same bits, and a failure is an outcome."""

from __future__ import annotations

import functools
import multiprocessing
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from surefoot.candidates.base import Candidate
from surefoot.checkpoints import CheckpointStore
from surefoot.data.population import Population, Sampling
from surefoot.engines.base import Engine, Stopped
from surefoot.instances import Instance, Setting, Status
from surefoot.learning.losses import parse_loss
from surefoot.learning.stopping import Stopping
from surefoot.seeds.ledger import InstanceSeed, Role, candidate_salt
from surefoot.testing.toys import Stranger, content, toy_instance, toy_population, toy_setting


@functools.cache
def other_process() -> ProcessPoolExecutor:
    """Return a process that shares nothing with this one."""
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))


def bits(engine: Engine, instance: Instance, setting: Setting) -> bytes:
    """Return everything of a training that must not depend on chance."""
    training = engine.train(instance, setting)
    outcome, predictor = training.outcome, training.predictor
    weights = {} if predictor is None else predictor.weights
    arrays = b"".join(weights[name].tobytes() for name in sorted(weights))
    return f"{outcome.status} {outcome.loss!r} ".encode() + outcome.curve.tobytes() + arrays


class EngineSuite:
    """What every engine promises; of trainings in epochs, see `EpochEngineSuite`.

    A subclass gives three fixtures: ``engine``; ``candidate``, of which there may be several
    (``params``), trained on images [15, 15] with one target (`toy_population`); and ``diverging``,
    a candidate whose loss there becomes NaN or infinite.
    """

    epochs: ClassVar[int] = 1
    """Number of test losses in a curve of the `toy_setting`."""

    def has_luck(self, candidate: Candidate) -> bool:
        """Return whether a candidate has luck beside its draw."""
        return self.epochs > 1

    def test_an_outcome_says_what_was_trained(self, engine: Engine, candidate: Candidate) -> None:
        """An outcome names candidate, number, engine and sample; its curve ends with the loss."""
        instance = Instance(candidate, InstanceSeed(1, Role.CERTIFY, 17))
        outcome = engine.train(instance, toy_setting()).outcome
        assert outcome.status is Status.FINISHED
        said = (outcome.candidate, outcome.role, outcome.instance)
        assert said == (candidate.key, Role.CERTIFY, 17)
        assert (outcome.engine, outcome.sample, outcome.message) == (engine.name, 70, "")
        assert outcome.curve.dtype == np.float32
        assert outcome.curve.shape == (outcome.epochs,) == (self.epochs,)
        assert outcome.loss == float(outcome.curve[-1])
        assert 0 < outcome.seconds < 60

    def test_strangers_are_refused(self, engine: Engine, candidate: Candidate) -> None:
        """A candidate of an unknown family is refused by its family; one of its own is not."""
        assert engine.refusal(candidate, toy_setting()) is None
        assert Stranger.family in str(engine.refusal(Stranger(), toy_setting()))

    def test_order_changes_no_bit(self, engine: Engine, candidate: Candidate) -> None:
        """Instances give the same bits in whatever order they are trained, and no two the same."""
        setting, instances = toy_setting(), [toy_instance(candidate, i) for i in range(3)]
        forward = [bits(engine, instance, setting) for instance in instances]
        backward = [bits(engine, instance, setting) for instance in instances[::-1]]
        assert forward == backward[::-1]
        assert len(set(forward)) == 3

    def test_threads_change_no_bit(self, engine: Engine, candidate: Candidate) -> None:
        """An engine that works in threads gives the same bits with four at once."""
        if engine.workers != "threads":
            pytest.skip("the engine runs in processes")
        setting, instances = toy_setting(), [toy_instance(candidate, i) for i in range(8)]
        alone = [bits(engine, instance, setting) for instance in instances]
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(lambda one: bits(engine, one, setting), instances)) == alone

    def test_another_process_changes_no_bit(self, engine: Engine, candidate: Candidate) -> None:
        """An instance trained in a fresh process gives the same bits."""
        told = engine, toy_instance(candidate, 2), toy_setting()
        assert other_process().submit(bits, *told).result() == bits(*told)

    @pytest.mark.parametrize("loss", ["relative_rmse", "mae", "huber(0.5)", "mse"])
    @pytest.mark.parametrize("test_size", [50, None])
    def test_the_loss_is_that_of_its_predictions(
        self, engine: Engine, candidate: Candidate, loss: str, test_size: int | None
    ) -> None:
        """The loss is that of the predictor's float32 predictions for the test rows drawn."""
        setting = toy_setting(loss=parse_loss(loss), sampling=Sampling(40, test_size=test_size))
        instance, population = toy_instance(candidate), setting.halves.population
        rows = instance.draw(setting).test
        assert rows.size == (test_size or setting.halves.test.size)
        training = engine.train(instance, setting)
        features, side, target = population.at(rows)
        assert training.predictor is not None
        prediction = training.predictor.predict(features, side)
        assert prediction.shape == (rows.size, population.outputs)
        assert prediction.dtype == np.float32
        expected = setting.loss.value(prediction, target)
        assert training.outcome.loss == pytest.approx(expected, rel=1e-5)

    def test_a_loss_that_explodes_is_diverged(self, engine: Engine, diverging: Candidate) -> None:
        """A training whose loss stops being finite ends there as diverged, with the loss +inf."""
        with np.errstate(all="ignore"):
            outcome = engine.train(toy_instance(diverging), toy_setting()).outcome
        assert (outcome.status, outcome.loss) == (Status.DIVERGED, float("inf"))
        assert np.isfinite(outcome.curve).all()
        assert outcome.epochs < self.epochs

    def test_an_exception_is_failed(self, engine: Engine, candidate: Candidate) -> None:
        """An exception makes a failed outcome that has its words, and leaves no predictor."""
        sampling = Sampling(10_000, method="subsample")
        instance = replace(toy_instance(candidate, 4), sampling=sampling)
        training = engine.train(instance, toy_setting())
        outcome = training.outcome
        assert (outcome.status, outcome.loss) == (Status.FAILED, float("inf"))
        assert "a sample of 10000 examples cannot be drawn" in outcome.message
        assert (outcome.sample, outcome.epochs, training.predictor) == (10_000, 0, None)

    def test_a_flag_that_is_set_stops_at_once(self, engine: Engine, candidate: Candidate) -> None:
        """A training that begins with the flag set raises `Stopped`."""
        with pytest.raises(Stopped):
            engine.train(toy_instance(candidate), toy_setting(), np.ones(1, dtype=np.uint8))

    def test_draw_and_luck_can_be_overridden(self, engine: Engine, candidate: Candidate) -> None:
        """An instance may take its draw and its luck from other numbers of the ledger."""

        def of(number: int, **overrides: int) -> bytes:
            return bits(engine, toy_instance(candidate, number, **overrides), toy_setting())

        assert of(7, draw=5, init=5) == of(5)
        assert of(7, draw=5) != of(7)
        assert (of(7, draw=5) == of(5)) is not self.has_luck(candidate)
        salt = candidate_salt(candidate.key)
        assert of(0) != of(0, salt=salt), "unpaired candidates have luck of their own"

    @pytest.mark.parametrize("size", [1, 2, 31, 33, 64, 119])
    def test_any_sample_size_trains(self, engine: Engine, candidate: Candidate, size: int) -> None:
        """Samples of one example, and of no multiple of a batch, train too."""
        instance = replace(toy_instance(candidate), sampling=Sampling(size, test_size=9))
        outcome = engine.train(instance, toy_setting()).outcome
        assert (outcome.status, outcome.sample) == (Status.FINISHED, size)


class EpochEngineSuite(EngineSuite):
    """What engines that train in epochs promise besides."""

    epochs = 3

    def test_a_flag_stops_within_two_seconds(self, engine: Engine, candidate: Candidate) -> None:
        """A training under way raises `Stopped` within two seconds of the flag."""
        engine.train(toy_instance(candidate), toy_setting())
        stop, raised_at = np.zeros(1, dtype=np.uint8), []

        def raise_flag() -> None:
            raised_at.append(time.perf_counter())
            stop[0] = 1

        threading.Timer(0.2, raise_flag).start()
        endless = toy_setting(stopping=Stopping(10**6, reading="none"))
        with pytest.raises(Stopped):
            engine.train(toy_instance(candidate), endless, stop)
        assert time.perf_counter() - raised_at[0] < 2.0

    def test_a_training_that_is_put_aside_ends_with_the_same_bits(
        self, engine: Engine, candidate: Candidate, tmp_path: Path
    ) -> None:
        """A training put aside at epochs, by another process too, ends as an undisturbed one.

        A damaged checkpoint is none; an engine without checkpoints leaves a whole outcome at once.
        """
        whole = toy_setting(stopping=Stopping(5, reading="none"), plain_curves=True)
        instance = toy_instance(candidate)
        expected = bits(engine, instance, whole)
        goes_on = engine.pausing(candidate, whole) is not None
        for place, stops in enumerate(((1, 2, 3, 4), (3,), (2, 2), (4, 1))):
            store = CheckpointStore(tmp_path / str(place), "toys")
            store.folder.mkdir()
            kept = replace(whole, checkpoints=store)
            for until in stops:
                outcome = engine.train(replace(instance, until=until), kept).outcome
                assert outcome.status is (Status.PAUSED if goes_on else Status.FINISHED)
                assert outcome.epochs == (until if goes_on else 5)
            assert any(tmp_path.glob(f"{place}/*/*.npz")) is goes_on
            told = engine, instance, kept
            ended = other_process().submit(bits, *told).result() if place == 1 else bits(*told)
            assert ended == expected
            assert not any(tmp_path.glob(f"{place}/*/*"))
            engine.train(replace(instance, until=2), kept)
            for file in tmp_path.glob(f"{place}/*/*.npz"):
                damaged = bytearray(file.read_bytes())
                damaged[len(damaged) // 2] ^= 1 + place
                file.write_bytes(damaged[: len(damaged) - place])
            assert bits(*told) == expected, "a damaged checkpoint is none"
        assert bits(engine, replace(instance, until=9), whole) == expected

    @pytest.mark.parametrize("reading", ["plateau", "explosion", "none"])
    @pytest.mark.parametrize("tolerance", [0.0, 0.05, 100.0])
    def test_training_ends_when_the_rule_says(
        self, engine: Engine, candidate: Candidate, reading: Any, tolerance: float
    ) -> None:
        """A training ends at the first epoch at which its rule says so, and is finished then."""
        rule = Stopping(9, min_epochs=3, window=2, tolerance=tolerance, reading=reading)
        setting = toy_setting(stopping=rule)
        outcome = engine.train(toy_instance(candidate), setting).outcome
        curve = [float(loss) for loss in outcome.curve]
        paused = engine.train(replace(toy_instance(candidate), until=len(curve)), setting).outcome
        assert content(paused) == content(outcome), "who ends at an epoch is not put aside there"
        assert rule.should_stop(curve)
        assert not any(rule.should_stop(curve[:epochs]) for epochs in range(1, len(curve)))

    def test_a_longer_training_begins_alike(self, engine: Engine, candidate: Candidate) -> None:
        """The first epochs do not depend on how many follow, and more of them lower the loss."""
        short, long = (
            engine.train(
                toy_instance(candidate),
                toy_setting(sampling=Sampling(None), stopping=Stopping(epochs, reading="none")),
            ).outcome.curve
            for epochs in (2, 30)
        )
        np.testing.assert_array_equal(short, long[:2])
        assert long[-5:].mean() < 0.8 * long[0]

    def test_every_example_matters(self, engine: Engine, candidate: Candidate) -> None:
        """An epoch visits each example once, so a change to any of 70 rows changes the result."""
        setting = toy_setting(stopping=Stopping(1, reading="none"))
        instance = toy_instance(candidate)
        instance = replace(instance, sampling=Sampling(70, "subsample", test_size=50))
        before, population = bits(engine, instance, setting), setting.halves.population
        for row in instance.draw(setting).train[[0, 35, 69]]:
            target = population.target.copy()
            target[row] += 1.0
            changed = Population(population.features, target, population.side)
            halves = replace(setting.halves, population=changed)
            assert bits(engine, instance, replace(setting, halves=halves)) != before

    def test_side_features_matter_if_taken(self, engine: Engine, candidate: Candidate) -> None:
        """Other side features change the result of exactly those candidates that take some."""
        given = toy_population()
        assert given.side is not None
        shuffled = Population(given.features, given.target, given.side[::-1], given.groups)
        one, other = (
            bits(engine, toy_instance(candidate), toy_setting(data)) for data in (given, shuffled)
        )
        assert (one != other) is bool(getattr(candidate, "side", 0))
