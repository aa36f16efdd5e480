"""A selection with rungs: real trainings that are put aside, a killed race, what it tells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surefoot import Conv, ConvNet, registry
from surefoot.executors.local.executor import LocalExecutor
from surefoot.instances import Outcome, Status
from surefoot.journal import Journal, Role
from surefoot.learning.stopping import Stopping
from surefoot.racing import ByCurve, Halving
from surefoot.studies.select.rerace import rerace
from surefoot.studies.select.selection import recorded_selection
from surefoot.studies.select.study import SelectStudy
from surefoot.studies.watch import Watcher
from surefoot.testing import toy_setting

RUNGS = ByCurve(learning_from=16, reserve=2, epochs=(2, 4))


def candidates() -> tuple[ConvNet, ...]:
    """Forty that learn at different rates or hardly, and five of another recipe."""
    net = ConvNet((Conv(2),), (3,), "tanh", optimizer="nadam", batch_size=32)
    rates = np.concatenate([np.geomspace(1e-6, 1e-5, 10), np.geomspace(0.02, 0.1, 10)])
    found = [
        replace(net, learning_rate=float(f"{rate:.3g}"), decay=d)
        for rate in rates
        for d in (0.0, 0.1)
    ]
    others = [replace(one, schedule="cosine", average="ema(1 epochs)") for one in found[20:25]]
    return (*found, *others)


def study(**changes: object) -> SelectStudy:
    fields = {
        "candidates": candidates(),
        "setting": toy_setting(stopping=Stopping(10, reading="none")),
        "schedule": Halving(),
        "rungs": RUNGS,
        "certify": 2,
        "seed": 5,
    }
    return SelectStudy(**(fields | changes))


class Killed(Exception):
    pass


class Killer(Watcher):
    """Ends a race after so many outcomes."""

    def __init__(self, after: int) -> None:
        self.left = after

    def outcome(self, outcome: Outcome) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed


def run(asked: SelectStudy, path: Path, **options: object):
    with LocalExecutor(2, asked.engine) as executor:
        return asked.run(path, executor=executor, **options)


def folder_of(path: Path) -> Path:
    return path.with_name(path.name + ".checkpoints")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of a race that was not disturbed."""
    path = tmp_path_factory.mktemp("rungs") / "race.db"
    run(study(), path)
    return path


def told(path: Path):
    """What a journal says: who left when and why, every loss, and the certificate."""
    with Journal.read(path) as journal:
        found = recorded_selection(journal)
        losses = {(o.candidate, o.role, o.instance): o.curve.tobytes() for o in journal.outcomes()}
        fresh = {o.instance: o.loss for o in journal.outcomes(Role.CERTIFY)}
    return [(e.key, e.round, e.reason) for e in found.state.eliminations], losses, fresh


def test_who_leaves_at_a_rung_has_trained_no_further(whole: Path) -> None:
    with Journal.read(whole) as journal:
        found = recorded_selection(journal)
        paused = {one.candidate: one.epochs for one in journal.paused()}
        rungs = [one for one in found.state.rounds if one.name == "rung"]
        assert [one.epoch for one in rungs] == [2, 4]
        gone = {key: r.epoch for r in rungs for key in set(r.keys) - set(r.survivors)}
        assert gone
        assert paused == gone
        for key in gone:
            assert not journal.outcomes(Role.RACE, candidate=key)
    assert not folder_of(whole).exists(), "the checkpoints are deleted when all went well"


def test_other_recipes_of_a_few_are_trained_to_the_end(whole: Path) -> None:
    with Journal.read(whole) as journal:
        for one in candidates()[40:]:
            assert journal.outcomes(Role.RACE, candidate=one.key, instance=0)


@pytest.mark.parametrize("loses_checkpoints", [False, True])
def test_a_killed_race_goes_on_to_the_same_end(
    whole: Path, tmp_path: Path, loses_checkpoints: bool
) -> None:
    path, kills = tmp_path / "race.db", 0
    while True:
        try:
            run(study(), path, watch=Killer(17))
            break
        except Killed:
            kills += 1
        if loses_checkpoints:
            for number, file in enumerate(sorted(folder_of(path).glob("*/*"))):
                file.unlink() if number % 2 else file.write_bytes(b"damaged")
    assert kills > 3
    assert told(path) == told(whole)


def test_other_workers_and_another_engine_decide_the_same(whole: Path, tmp_path: Path) -> None:
    """Where trainings cannot be put aside, all are trained to the end: the same race."""
    names = {"fused_cpu": registry.lookup("engines", "fused_cpu")}

    class OneGo(names["fused_cpu"]):
        def pausing(self, candidate, setting):
            return None

    registry.register("engines", "fused_cpu", OneGo)
    try:
        run(study(), tmp_path / "race.db")
    finally:
        registry.register("engines", "fused_cpu", names["fused_cpu"])
    eliminations, losses, fresh = told(whole)
    others = told(tmp_path / "race.db")
    assert (others[0], others[2]) == (eliminations, fresh)
    assert others[1].items() >= losses.items()
    assert len(others[1]) > len(losses)


def test_it_can_be_raced_again_with_and_without(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "plain.db"
    run(study(rungs=None, schedule=Halving(warmup=3)), path)
    with_rungs = rerace(path, rungs=RUNGS, schedule=Halving())
    assert {one.name for one in with_rungs.state.rounds} == {"rung", "race"}
    same = {(e.key, e.reason) for e in with_rungs.state.eliminations if "risk" in e.reason}
    assert same <= {(key, reason) for key, _, reason in told(whole)[0]}
    without = rerace(whole, rungs=None)
    assert not without.state.over
    assert set(without.missing)


def test_a_limit_extends_a_race_with_rungs(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "race.db"
    short = run(study(limit=70), path)
    assert "limit" in short.state.stopped
    run(study(limit=200), path)
    assert told(path)[0] == told(whole)[0]


def test_visits_are_counted_in_epochs(tmp_path: Path) -> None:
    """A race budgeted in example-visits counts those of trainings that rungs ended."""
    path = tmp_path / "race.db"
    found = run(study(cost="visits", limit=70 * 10 * 70), path)
    with Journal.read(path) as journal:
        every = [*journal.outcomes(Role.RACE), *journal.paused()]
        visits = sum(one.sample * one.epochs for one in every)
    assert "limit" in found.state.stopped
    assert visits <= 70 * 10 * (70 + 16)


def test_the_result_tells_the_measured_risk(whole: Path) -> None:
    with Journal.read(whole) as journal:
        text = str(recorded_selection(journal))
    assert "Rungs" in text
    assert "a stated risk of 0.05 that all within 2 % of the best left" in " ".join(text.split())


def test_a_paused_outcome_is_none_of_the_journals(whole: Path) -> None:
    with Journal.read(whole) as journal:
        assert all(one.status is not Status.PAUSED for one in journal.outcomes())
        assert all(one.status is Status.PAUSED for one in journal.paused())
