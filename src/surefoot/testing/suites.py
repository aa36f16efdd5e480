"""What every engine, executor, criterion and journal promises, as suites to subclass."""

from __future__ import annotations

import functools
import itertools
import multiprocessing
import threading
import time
from collections.abc import Iterator, Mapping
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
from surefoot.engines.choose import Chooser
from surefoot.errors import EngineError, JournalError, JournalMismatchError, StatisticsError
from surefoot.executors.base import Executor
from surefoot.instances import Instance, Outcome, Setting, Status
from surefoot.journal import Extension, Journal, identity, verify
from surefoot.learning.losses import parse_loss
from surefoot.learning.stopping import Stopping
from surefoot.racing.criteria import Criterion, as_criterion
from surefoot.racing.table import Floats
from surefoot.seeds.ledger import InstanceSeed, Role, candidate_salt
from surefoot.testing.toys import (
    Stranger,
    content,
    toy_function,
    toy_instance,
    toy_population,
    toy_setting,
)


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
        assert engine.refusal(candidate, toy_setting()) is None
        assert Stranger.family in str(engine.refusal(Stranger(), toy_setting()))

    def test_order_changes_no_bit(self, engine: Engine, candidate: Candidate) -> None:
        setting, instances = toy_setting(), [toy_instance(candidate, i) for i in range(3)]
        forward = [bits(engine, instance, setting) for instance in instances]
        backward = [bits(engine, instance, setting) for instance in instances[::-1]]
        assert forward == backward[::-1]
        assert len(set(forward)) == 3

    def test_threads_change_no_bit(self, engine: Engine, candidate: Candidate) -> None:
        if engine.workers != "threads":
            pytest.skip("the engine runs in processes")
        setting, instances = toy_setting(), [toy_instance(candidate, i) for i in range(8)]
        alone = [bits(engine, instance, setting) for instance in instances]
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(lambda one: bits(engine, one, setting), instances)) == alone

    def test_another_process_changes_no_bit(self, engine: Engine, candidate: Candidate) -> None:
        told = engine, toy_instance(candidate, 2), toy_setting()
        assert other_process().submit(bits, *told).result() == bits(*told)

    @pytest.mark.parametrize("loss", ["relative_rmse", "mae", "huber(0.5)", "mse"])
    @pytest.mark.parametrize("test_size", [50, None])
    def test_the_loss_is_that_of_its_predictions(
        self, engine: Engine, candidate: Candidate, loss: str, test_size: int | None
    ) -> None:
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
        with np.errstate(all="ignore"):
            outcome = engine.train(toy_instance(diverging), toy_setting()).outcome
        assert (outcome.status, outcome.loss) == (Status.DIVERGED, float("inf"))
        assert np.isfinite(outcome.curve).all()
        assert outcome.epochs < self.epochs

    def test_an_exception_is_failed(self, engine: Engine, candidate: Candidate) -> None:
        sampling = Sampling(10_000, method="subsample")
        instance = replace(toy_instance(candidate, 4), sampling=sampling)
        training = engine.train(instance, toy_setting())
        outcome = training.outcome
        assert (outcome.status, outcome.loss) == (Status.FAILED, float("inf"))
        assert "a sample of 10000 examples cannot be drawn" in outcome.message
        assert (outcome.sample, outcome.epochs, training.predictor) == (10_000, 0, None)

    def test_a_flag_that_is_set_stops_at_once(self, engine: Engine, candidate: Candidate) -> None:
        with pytest.raises(Stopped):
            engine.train(toy_instance(candidate), toy_setting(), np.ones(1, dtype=np.uint8))

    def test_draw_and_luck_can_be_overridden(self, engine: Engine, candidate: Candidate) -> None:
        def of(number: int, **overrides: int) -> bytes:
            return bits(engine, toy_instance(candidate, number, **overrides), toy_setting())

        assert of(7, draw=5, init=5) == of(5)
        assert of(7, draw=5) != of(7)
        assert (of(7, draw=5) == of(5)) is not self.has_luck(candidate)
        salt = candidate_salt(candidate.key)
        assert of(0) != of(0, salt=salt), "unpaired candidates have luck of their own"

    @pytest.mark.parametrize("size", [1, 2, 31, 33, 64, 119])
    def test_any_sample_size_trains(self, engine: Engine, candidate: Candidate, size: int) -> None:
        instance = replace(toy_instance(candidate), sampling=Sampling(size, test_size=9))
        outcome = engine.train(instance, toy_setting()).outcome
        assert (outcome.status, outcome.sample) == (Status.FINISHED, size)


class EpochEngineSuite(EngineSuite):
    """What engines that train in epochs promise besides."""

    epochs = 3

    def test_a_flag_stops_within_two_seconds(self, engine: Engine, candidate: Candidate) -> None:
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
        """At every epoch, at any, twice, by another process; without a checkpoint it begins anew.

        An engine that trains in one go leaves a whole outcome at once.
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
        rule = Stopping(9, min_epochs=3, window=2, tolerance=tolerance, reading=reading)
        setting = toy_setting(stopping=rule)
        outcome = engine.train(toy_instance(candidate), setting).outcome
        curve = [float(loss) for loss in outcome.curve]
        paused = engine.train(replace(toy_instance(candidate), until=len(curve)), setting).outcome
        assert content(paused) == content(outcome), "who ends at an epoch is not put aside there"
        assert rule.should_stop(curve)
        assert not any(rule.should_stop(curve[:epochs]) for epochs in range(1, len(curve)))

    def test_a_longer_training_begins_alike(self, engine: Engine, candidate: Candidate) -> None:
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
        given = toy_population()
        assert given.side is not None
        shuffled = Population(given.features, given.target, given.side[::-1], given.groups)
        one, other = (
            bits(engine, toy_instance(candidate), toy_setting(data)) for data in (given, shuffled)
        )
        assert (one != other) is bool(getattr(candidate, "side", 0))


class ExecutorSuite:
    """What every executor promises; a subclass gives a fixture ``executor``.

    It may give ``candidate`` too, to be trained by another engine than that of functions.
    """

    @pytest.fixture
    def candidate(self) -> Candidate:
        """Return what the executor trains."""
        candidate: Candidate = toy_function.candidate(shrink=0.9)
        return candidate

    def test_outcomes_are_the_engines(self, executor: Executor, candidate: Candidate) -> None:
        for setting in (toy_setting(), toy_setting(toy_population(seed=6))):
            instances = [toy_instance(candidate, number) for number in range(12)]
            engine = Chooser(executor.engine).choose(candidate, setting)
            outcomes = sorted(executor.run(instances, setting), key=lambda one: one.instance)
            expected = [engine.train(instance, setting).outcome for instance in instances]
            assert list(map(content, outcomes)) == list(map(content, expected))

    def test_a_failure_costs_one_instance(self, executor: Executor, candidate: Candidate) -> None:
        instances = [toy_instance(candidate, number) for number in range(5)]
        instances[2] = replace(instances[2], sampling=Sampling(10_000, "subsample"))
        outcomes = {one.instance: one for one in executor.run(instances, toy_setting())}
        assert "10000 examples cannot be drawn" in outcomes[2].message
        assert outcomes.pop(2).status is Status.FAILED
        assert [one.status for one in outcomes.values()] == [Status.FINISHED] * 4

    def test_instances_wait_to_be_taken(self, executor: Executor, candidate: Candidate) -> None:
        taken = itertools.count()

        def endless() -> Iterator[Instance]:
            for number in taken:
                yield toy_instance(candidate, number)

        outcomes = executor.run(endless(), toy_setting())
        next(outcomes)
        outcomes.close()  # type: ignore[attr-defined]
        assert next(taken) < 50 + 10 * executor.workers

    def test_what_nobody_trains_is_named(self, executor: Executor) -> None:
        with pytest.raises(EngineError, match="no engine trains stranger"):
            list(executor.run([toy_instance(Stranger())], toy_setting()))


def loss_tables() -> Iterator[Floats]:
    """Yield losses [candidates, n], up to 12 x 12, some with equal ones, some with +inf."""
    for seed in range(60):
        generator = np.random.default_rng(seed)
        losses: Floats = np.exp(generator.normal(0.0, 5.0, generator.integers(1, 13, 2)))
        losses = np.round(losses) if seed % 2 else losses
        losses[generator.random(losses.shape) < 0.2 * (seed % 3)] = np.inf
        yield losses


class CriterionSuite:
    """What every criterion promises; a subclass gives a fixture ``criterion``."""

    def test_its_name_is_read_back(self, criterion: Criterion) -> None:
        assert as_criterion(criterion.name) == criterion
        assert hash(as_criterion(criterion.name)) == hash(criterion)

    def test_each_row_has_a_value_of_its_own(self, criterion: Criterion) -> None:
        for losses in loss_tables():
            values = criterion.values(losses)
            assert values.shape == (len(losses),)
            assert (values > -np.inf).all(), "never NaN or -inf"
            alone = [criterion.values(row[None, :])[0] for row in losses]
            np.testing.assert_allclose(values, alone, rtol=1e-9, atol=1e-6)

    def test_order_and_unit_do_not_matter(self, criterion: Criterion) -> None:
        for losses in loss_tables():
            order = np.random.default_rng(1).permutation(losses.shape[1])
            values = criterion.values(1000.0 * losses[:, order]) / 1000.0
            np.testing.assert_allclose(criterion.values(losses), values, rtol=1e-9, atol=1e-6)

    def test_a_divergence_makes_nothing_better(self, criterion: Criterion) -> None:
        for losses in loss_tables():
            worse = losses.copy()
            worse[np.arange(len(losses)), np.argmax(losses, axis=1)] = np.inf
            assert (criterion.values(worse) >= criterion.values(losses) * (1 - 1e-12)).all()

    def test_what_is_not_trained_is_refused(self, criterion: Criterion) -> None:
        with pytest.raises(StatisticsError, match="NaN or -inf"):
            criterion.values(np.array([[0.1, np.nan]]))
        with pytest.raises(StatisticsError, match="n >= 1"):
            criterion.values(np.empty((3, 0)))


STUDY = {"seed": str(2**64 - 1), "stopping": {"max_epochs": 100}}
CANDIDATE = toy_function.candidate(shrink=0.3)
FINISHED = Outcome.of(toy_instance(CANDIDATE), toy_setting(), "toy", [1.5, 5e-324, 0.1], 1 / 3)
FAILED = replace(FINISHED, instance=2**48 - 1, status=Status.FAILED, loss=np.inf, message="«no»")


class JournalSuite:
    """What every journal promises; a subclass of another kind gives its own ``place``."""

    def place(self, folder: Path) -> str | Path:
        """Return where the one journal of a test is, whose folder is empty."""
        return folder / "race.db"

    def open(self, folder: Path, study: Mapping[str, Any] = STUDY, **more: Any) -> Journal:
        """Open the one journal of a test, or open it again."""
        return Journal.open(self.place(folder), study, [CANDIDATE], **more)

    def test_what_was_recorded_is_read_back(self, tmp_path: Path) -> None:
        plain = np.array([0.2], np.float32)
        certifying = replace(FINISHED, role=Role.CERTIFY, sample=40, plain=plain)
        recorded = [FINISHED, FAILED, certifying]
        with self.open(tmp_path) as journal:
            journal.add(*recorded[:2])
            journal.add(certifying)
        with self.open(tmp_path) as journal:
            assert list(map(content, journal.outcomes())) == list(map(content, recorded))
            assert [one.seconds for one in journal.outcomes(Role.CERTIFY)] == [1 / 3]
            assert (journal.study, journal.count()) == (STUDY, 3)

    def test_an_instance_is_recorded_once_and_a_batch_whole(self, tmp_path: Path) -> None:
        other = replace(FINISHED, instance=1)
        with self.open(tmp_path) as journal:
            journal.add(FINISHED)
            for bad, words in (
                (FINISHED, r"instance 0 .* is recorded .* already"),
                (replace(FINISHED, candidate="f" * 16), "does not know"),
                (replace(FINISHED, instance=2, loss=float("nan")), "NaN"),
            ):
                with pytest.raises(JournalError, match=words):
                    journal.add(other, bad)
            assert journal.count() == 1

    def test_a_failed_instance_may_be_tried_again(self, tmp_path: Path) -> None:
        with self.open(tmp_path) as journal:
            journal.add(FINISHED, FAILED)
            assert {number for _, _, number, _ in journal.failed()} == {FAILED.instance}
            with pytest.raises(JournalError, match="already"):
                journal.add(FINISHED, retry=True)
            journal.add(replace(FINISHED, instance=FAILED.instance), retry=True)
            assert (journal.failed(), journal.count()) == (set(), 2)

    def test_a_training_put_aside_is_unrecorded_until_it_ends(self, tmp_path: Path) -> None:
        curve = FINISHED.curve
        first, second = (
            replace(FINISHED, status=Status.PAUSED, curve=curve[:n], loss=float(curve[n - 1]))
            for n in (1, 2)
        )
        what = identity(FINISHED)
        with self.open(tmp_path) as journal:
            journal.add(first)
            journal.add(second, FAILED)
            journal.add(first)
            assert (journal.has(*what), journal.count(), len(journal.outcomes())) == (False, 1, 1)
        with self.open(tmp_path) as journal:
            assert journal.epochs_put_aside(*what) == 2
            assert list(map(content, journal.paused())) == [content(second)]
            assert journal.paused(Role.CERTIFY) == journal.paused(instance=5) == []
            journal.add(FINISHED)
            assert (journal.has(*what), journal.paused()) == (True, [])

    def test_another_study_is_refused(self, tmp_path: Path) -> None:
        self.open(tmp_path).close()
        with pytest.raises(JournalMismatchError, match=r"stopping.max_epochs: 100 -> 200"):
            self.open(tmp_path, {**STUDY, "stopping": {"max_epochs": 200}})

    def test_an_extended_study_keeps_what_it_was(self, tmp_path: Path) -> None:
        longer = {**STUDY, "stopping": {"max_epochs": 200}}
        with self.open(tmp_path, notes={"by": "one"}) as journal:
            journal.add(FINISHED)
        with self.open(
            tmp_path, longer, notes={"by": "two"}, extends=lambda old, new: Extension(("longer",))
        ) as journal:
            journal.add(FAILED)
        with Journal.read(self.place(tmp_path)) as journal:
            assert [(one.study, one.changes) for one in journal.extensions()] == [
                (STUDY, ("longer",))
            ]
            assert (journal.study, journal.count()) == (longer, 2)
            assert journal.notes() == {"by": "two"}
        rows = {"study": 2, "candidates": 1, "extensions": 1, "notes": 2, "outcomes": 2}
        rows["partials"] = 0
        assert verify(self.place(tmp_path)).rows == rows

    def test_one_writes_at_a_time_and_any_number_read(self, tmp_path: Path) -> None:
        with self.open(tmp_path) as journal:
            with pytest.raises(JournalError, match="in use by another surefoot"):
                self.open(tmp_path)
            with (
                Journal.read(self.place(tmp_path)) as one,
                Journal.read(self.place(tmp_path)) as other,
            ):
                journal.add(FINISHED)
                assert len(one.outcomes()) == len(other.outcomes()) == 1
                with pytest.raises(JournalError, match="opened to be read only"):
                    one.add(FAILED)
        self.open(tmp_path).close()

    def test_who_follows_reads_what_is_new_and_nothing_else(self, tmp_path: Path) -> None:
        again = replace(FINISHED, instance=FAILED.instance)
        with self.open(tmp_path) as journal, Journal.read(self.place(tmp_path)) as follower:
            for batch in ((FINISHED, FAILED), (), (again,)):
                journal.add(*batch, retry=batch == (again,))
                assert list(map(content, follower.catch_up())) == list(map(content, batch))
                assert follower.chain == journal.chain
                assert (follower.count(), follower.failed()) == (journal.count(), journal.failed())
            times, outcomes = zip(*follower.latest(2), strict=True)
            assert list(map(content, outcomes)) == [content(FAILED), content(again)]
            assert list(times) == sorted(times)
