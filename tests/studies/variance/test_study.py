from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from surefoot.data.population import Sampling
from surefoot.errors import ConfigurationError, JournalMismatchError
from surefoot.executors.base import Executor
from surefoot.executors.inline import InlineExecutor
from surefoot.executors.local.executor import LocalExecutor
from surefoot.instances import Instance, Setting
from surefoot.journal import MEMORY, Journal
from surefoot.seeds.ledger import FactorLevels, Role
from surefoot.studies.replay import train_recorded
from surefoot.studies.variance.design import Design
from surefoot.studies.variance.study import VarianceStudy, recorded_variance
from tests.fakes import Fake, Seen, fake_loss, fake_setting

SMALL = {"alone": 6, "draws": 3, "inits": 4, "replicates": 1, "tested": 2, "tests": 3}
SETTING = replace(fake_setting(), sampling=Sampling(20, test_size=30))


def study(**changes: object) -> VarianceStudy:
    fields = {"candidate": Fake(noise=0.3), "setting": SETTING, "seed": 11, "engine": "fake"}
    return VarianceStudy(**(fields | SMALL | changes))


def test_designs_share_instances() -> None:
    levels = study().design.levels()
    # Both alone and both together start at (0, 0); the crossed design holds their first ones.
    alone = {(0, i) for i in range(6)} | {(i, 0) for i in range(6)} | {(i, i) for i in range(6)}
    crossed = {(d, i) for d in range(3) for i in range(4)}
    assert {(c.draw, c.init) for c in levels if not c.test} == alone | crossed
    assert len(levels) == len(alone | crossed) + 2 * 3
    assert len(study(setting=fake_setting()).design.levels()) == len(alone | crossed)


def test_replicates_have_batch_orders_of_their_own() -> None:
    design = study(alone=0, draws=2, inits=2, replicates=3, tested=0)
    assert {cell.order for cell in design.design.levels()} == {1, 2, 3}
    assert len(design.design.levels()) == 12


def test_every_outcome_has_the_luck_of_its_cell_and_is_recorded() -> None:
    asked = study()
    seen = Seen()
    with asked.open(MEMORY) as journal, LocalExecutor(2, "fake") as executor:
        result = asked.run(journal, executor=executor, watch=seen)
        outcomes = journal.outcomes(Role.VARIANCE)
    assert len(seen.outcomes) == len(outcomes) == len(asked.design.levels())
    fixed = {o.instance: o.loss for o in outcomes}
    instance = Instance(asked.candidate, FactorLevels(0, 3).seed(11))
    assert fixed[FactorLevels(0, 3).number] == fake_loss(instance, SETTING)
    # A fake's loss knows no test sample.
    assert result.test is not None
    assert result.test.estimate == 0.0
    assert result.crossed is not None
    assert result.crossed.losses.shape == (3, 4, 1)
    assert result.crossed.losses[0, 3, 0] == fixed[FactorLevels(0, 3).number]


def test_a_larger_design_goes_on_in_the_same_journal() -> None:
    asked = study()
    with asked.open(MEMORY) as journal, LocalExecutor(2, "fake") as executor:
        asked.run(journal, executor=executor)
        before = journal.count()
        larger, seen = study(alone=8, draws=4), Seen()
        first = larger.run(journal, executor=executor, watch=seen)
        assert before + len(seen.outcomes) == journal.count() == len(larger.design.levels())
        second = larger.run(journal, executor=executor, watch=seen)
    assert first.lines() == second.lines()
    assert before + len(seen.outcomes) == len(larger.design.levels())


def test_an_interrupted_study_goes_on_where_it_was(tmp_path) -> None:
    asked, path = study(), tmp_path / "variance.db"

    class Interrupted(Executor):
        engine, workers = "fake", 1

        def batches(self, instances: Iterator[Instance], setting: Setting):
            for count, batch in enumerate(InlineExecutor("fake").batches(instances, setting)):
                yield batch
                if count == 4:
                    raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asked.run(path, executor=Interrupted())
    with Journal.read(path) as journal:
        kept = journal.count()
    assert kept == 5
    seen = Seen()
    result = asked.run(path, workers=2, watch=seen)
    assert len(seen.outcomes) == len(asked.design.levels()) - kept
    assert asked.run(workers=2).lines() == result.lines()


def test_a_recorded_instance_can_be_trained_again() -> None:
    asked = study()
    number = FactorLevels(2, 3).number
    with asked.open(MEMORY) as journal, LocalExecutor(2, "fake") as executor:
        asked.run(journal, executor=executor)
        recorded, training = train_recorded(
            journal, SETTING, asked.candidate.key, number, Role.VARIANCE, engine="fake"
        )
    assert recorded.loss == training.outcome.loss


def test_another_candidate_needs_another_journal() -> None:
    with (
        study().open(MEMORY) as journal,
        LocalExecutor(1, "fake") as executor,
        pytest.raises(JournalMismatchError),
    ):
        study(candidate=Fake(quality=2.0)).run(journal, executor=executor)


def test_on_the_whole_test_half_no_test_sample_is_varied() -> None:
    asked = study(setting=fake_setting())
    with asked.open(MEMORY) as journal, LocalExecutor(2, "fake") as executor:
        result = asked.run(journal, executor=executor)
        numbers = [o.instance for o in journal.outcomes()]
    assert result.test is None
    assert all(FactorLevels.numbered(number).test == 0 for number in numbers)


def test_the_initialisation_dominates_where_it_should() -> None:
    result = study(alone=40, draws=10, inits=10, replicates=1, tested=0, tests=5).run(workers=2)
    # A fake's log loss moves by 0.5 of a normal with the weights and by 0.5 of the mean of 20
    # normals with the sample: 20 times the variance.
    assert result.ratio is not None
    assert result.ratio.high < 1.0
    assert result.shares["init"].estimate == pytest.approx(20 / 21, abs=0.06)
    assert np.isclose(sum(result.crossed.components.shares().values()), 1.0)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"alone": 4}, "alone = 4 says nothing"),
        ({"draws": 1}, "draws = 1 says nothing"),
        ({"draws": 0}, "give both, or 0 for both"),
        ({"alone": 0, "draws": 0, "inits": 0}, "leave no instance"),
        ({"replicates": 0}, "replicates = 0"),
    ],
)
def test_designs_that_say_nothing_are_refused(fields: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        study(**fields)


@pytest.mark.parametrize("design", [{}, {"draws": 0, "inits": 0}, {"alone": 0}, {"replicates": 2}])
def test_a_journal_alone_says_what_the_study_did(tmp_path, design):
    asked = VarianceStudy(
        candidate=Fake(noise=0.2),
        setting=fake_setting(),
        engine="fake",
        **{"alone": 6, "draws": 3, "inits": 4, "tests": 0, **design},
    )
    with asked.open(tmp_path / "a.db") as journal, LocalExecutor(1, "fake") as executor:
        found = asked.run(journal, executor=executor)
        assert recorded_variance(journal).lines() == found.lines()
        known = set(asked.design.levels())
        # Older journals do not note the design: what their instances allow is shown.
        derived = Design.within(known, whole_test=True)
        assert known.issuperset(derived.levels())
        assert derived.alone >= asked.alone
        assert not asked.draws or derived.draws >= asked.draws
