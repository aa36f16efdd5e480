"""What all rungs promise: pure verdicts in which some stay, and a race that ends and replays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from surefoot.racing.criteria import as_criterion
from surefoot.racing.curves import CurveTable
from surefoot.racing.race import Race
from surefoot.racing.registry import describe, rebuild
from surefoot.racing.replay import Replay
from surefoot.racing.rungs.base import RungEvidence, RungField, Rungs
from surefoot.racing.state import RaceState
from surefoot.racing.table import Floats, Integers, LossTable

EPOCHS, CANDIDATES, INSTANCES = 40, 120, 6


def toy_curves(seed: int) -> Floats:
    """Return losses ``[instances, candidates, epochs]`` that fall, never fall, or diverge."""
    rng = np.random.default_rng(seed)
    shape = (INSTANCES, CANDIDATES, 1)
    ends = np.exp(rng.normal(-3.0, 0.4, (CANDIDATES, 1)) + 0.05 * rng.normal(size=shape))
    pace = np.exp(rng.normal(1.0, 0.5, (CANDIDATES, 1)))
    losses: Floats = ends + np.exp(-np.arange(1, EPOCHS + 1) / pace)
    losses *= np.exp(0.03 * rng.normal(size=losses.shape))
    losses[:, rng.random(CANDIDATES) < 0.3] = 1.0
    for instance, row in np.argwhere(rng.random(shape[:2]) < 0.1 * (seed % 2)):
        losses[instance, row, rng.integers(EPOCHS) :] = np.inf
    return losses


class RungsSuite:
    """What all rungs promise; a subclass gives a fixture ``rungs``, of 120 candidates and 40
    epochs.
    """

    def evidence(self, rungs: Rungs) -> Iterator[RungEvidence]:
        """Yield what a race of toy candidates shows at its rungs, if nobody left before."""
        criterion, rank = as_criterion("mean"), np.arange(CANDIDATES)
        for seed in range(4):
            curves = toy_curves(seed)
            field = RungField(criterion, curves[:, :, -1].T, np.zeros_like(rank), rank, CANDIDATES)
            asked = rungs.learning(field)
            losses = np.where(np.arange(INSTANCES) < asked[:, None], field.losses, np.nan)
            for epoch in rungs.at(EPOCHS):
                yield RungEvidence(
                    **vars(replace(field, losses=losses)),
                    epoch=epoch,
                    rungs=rungs.at(EPOCHS),
                    curves=curves[:, :, :epoch],
                    learners=asked > 0,
                    kept=np.zeros(CANDIDATES, np.bool_),
                )

    def race(self, rungs: Rungs | None, seed: int) -> tuple[Race, Floats]:
        """Return a race of toy candidates and their curves."""
        keys = (f"{row:04d}" for row in range(CANDIDATES))
        return Race(keys, schedule="halving", rungs=rungs, epochs=EPOCHS), toy_curves(seed)

    def test_a_journal_keeps_it(self, rungs: Rungs) -> None:
        """Its description in plain values gives an equal one."""
        assert rebuild("rungs", describe(rungs)) == rungs

    @pytest.mark.parametrize("epochs", [1, 2, 5, 40, 300])
    def test_rungs_ascend_and_come_before_the_end(self, rungs: Rungs, epochs: int) -> None:
        """Each is after an epoch at least, and none where a training ends."""
        found = rungs.at(epochs)
        assert list(found) == sorted(set(found))
        assert all(0 < epoch < epochs for epoch in found)
        for number in range(len(found)):
            assert 1 <= rungs.keep(50, number, len(found)) <= 50

    def test_it_learns_from_some_and_knows_when_it_has(self, rungs: Rungs) -> None:
        """Asked again with more losses it asks for no fewer instances, and comes to an end."""
        curves, criterion, rank = toy_curves(0), as_criterion("mean"), np.arange(CANDIDATES)
        losses, asked = np.full((CANDIDATES, INSTANCES), np.nan), np.zeros(CANDIDATES, np.int64)
        for _ in range(10):
            field = RungField(criterion, losses, np.zeros_like(rank), rank, CANDIDATES)
            more = rungs.learning(field)
            assert (more >= asked).all()
            assert more.max() <= rungs.instances(criterion)
            if (more == asked).all():
                return
            asked = more
            losses = np.where(np.arange(INSTANCES) < asked[:, None], curves[:, :, -1].T, np.nan)
        pytest.fail("it goes on asking for more")

    def test_some_stay_and_who_leaves_is_told_why(self, rungs: Rungs) -> None:
        """Nobody both leaves and is the reserve; predictions are losses; each reason is words."""
        for evidence in self.evidence(rungs):
            verdict = rungs.judge(evidence)
            assert verdict.leave.shape == verdict.reserve.shape == verdict.values.shape
            assert not verdict.leave.all()
            assert not (verdict.leave & verdict.reserve).any()
            assert not (verdict.leave & evidence.learners).any()
            assert not np.isnan(verdict.values).any()
            for row in np.flatnonzero(verdict.leave):
                assert f"{evidence.epoch} epoch" in verdict.reason(int(row))

    def test_a_verdict_is_a_pure_function(self, rungs: Rungs) -> None:
        """It is the same again, in any order of the candidates, and changes nothing it was
        given.
        """
        for evidence in self.evidence(rungs):
            before, order = evidence.curves.copy(), np.random.default_rng(1).permutation(CANDIDATES)
            first, again = rungs.judge(evidence), rungs.judge(evidence)
            np.testing.assert_array_equal(evidence.curves, before)
            np.testing.assert_array_equal(first.leave, again.leave)
            np.testing.assert_array_equal(first.values, again.values)
            turned = rungs.judge(
                replace(
                    evidence,
                    losses=evidence.losses[order],
                    recipes=evidence.recipes[order],
                    rank=evidence.rank[order],
                    curves=evidence.curves[:, order],
                    learners=evidence.learners[order],
                    kept=evidence.kept[order],
                )
            )
            np.testing.assert_array_equal(turned.leave, first.leave[order])

    @pytest.mark.parametrize("seed", [0, 1])
    def test_a_race_comes_to_the_same_end_step_by_step_and_at_once(
        self, rungs: Rungs, seed: int
    ) -> None:
        """It asks for nothing twice, and who left at a rung was trained no further."""
        race, curves = self.race(rungs, seed)
        trained = np.zeros((INSTANCES, CANDIDATES), np.int64)
        instances, width = rungs.instances(race.criterion), max(rungs.at(EPOCHS))

        def state(epochs: Integers, replay: Replay) -> RaceState:
            seen = np.arange(1, width + 1) <= epochs[:, :, None]
            known = CurveTable(
                np.where(seen, curves[:, :, :width], np.nan)[:instances], np.ones(CANDIDATES)
            )
            ended = LossTable(race.keys, np.where(epochs == EPOCHS, curves[:, :, -1], np.nan).T)
            return replay.run(ended, curves=known)

        replay = Replay(race)
        while not (found := state(trained, replay)).over:
            for key, instance in found.need:
                until = found.until or EPOCHS
                assert trained[instance, int(key)] < until
                trained[instance, int(key)] = until
        at_once = state(np.full_like(trained, EPOCHS), Replay(race))
        assert found.winner == at_once.winner
        assert [one.survivors for one in found.rounds] == [one.survivors for one in at_once.rounds]
        for one in found.rounds:
            if one.name == "rung":
                for key in set(one.keys) - set(one.survivors):
                    assert trained[0, int(key)] == one.epoch
        assert trained.sum() < EPOCHS * CANDIDATES + trained[1:].sum()
