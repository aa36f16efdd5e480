from __future__ import annotations

import numpy as np
import pytest

from surefoot.errors import ConfigurationError, JournalMismatchError, SamplingError
from surefoot.executors.local.executor import LocalExecutor
from surefoot.journal import MEMORY
from surefoot.seeds.ledger import Role
from surefoot.studies.replay import train_recorded
from surefoot.studies.sizes.robustness import RobustRule
from surefoot.studies.sizes.sample_size import (
    SampleSizeStudy,
    geometric_sizes,
    paper_sizes,
)
from tests.fakes import Fake, Seen, fake_loss, fake_setting

RULE = RobustRule(content=0.5, confidence=0.8, tolerance=0.5)


def study(**changes: object) -> SampleSizeStudy:
    fields = {"candidate": Fake(noise=0.1), "setting": fake_setting(), "seed": 3, "engine": "fake"}
    small = {"sizes": [10, 40], "n": 4, "rule": RULE}
    return SampleSizeStudy(**(fields | small | changes))


def test_the_papers_grid() -> None:
    """As read off the paper's vector figures."""
    assert paper_sizes() == [
        132, 149, 169, 192, 217, 246, 279, 316, 358, 405, 459, 520, 589, 667, 756, 856, 969,
        1098, 1244, 1409, 1596, 1807, 2047, 2319, 2626, 2974, 3369, 3816, 4322, 4895, 5544, 6280,
        7112, 8056, 9124, 10334, 11705, 13257, 15015, 17006, 19262, 21816, 24709, 27986, 31697,
    ]  # fmt: skip


def test_geometric_sizes_are_a_range_or_an_error() -> None:
    assert geometric_sizes(10, 80, 4) == [10, 20, 40, 80]
    with pytest.raises(ConfigurationError, match="are no range"):
        geometric_sizes(80, 10, 4)
    with pytest.raises(ConfigurationError, match="no 9 different sizes"):
        geometric_sizes(3, 6, 9)


def test_every_size_has_its_instances_on_their_luck() -> None:
    asked = study(sizes=[80, 10, 40], n=8)
    with asked.open(MEMORY) as journal, LocalExecutor(2, "fake") as executor:
        result = asked.run(journal, executor=executor)
        outcomes = {(o.sample, o.instance): o.loss for o in journal.outcomes(Role.SAMPLE_SIZE)}
    assert result.sizes == (10, 40, 80)
    assert result.losses.shape == (3, 8)
    assert len(outcomes) == 24
    for instance in study(sizes=[40], n=8).instances():
        assert instance.sampling.test_size == 40
        loss = fake_loss(instance, asked.setting)
        assert (
            outcomes[40, instance.seed.instance] == loss == result.losses[1, instance.seed.instance]
        )


def test_smaller_samples_begin_larger_ones() -> None:
    asked = study()
    small, large = (study(sizes=[size]).instances()[0] for size in (10, 40))
    rows = [one.draw(asked.setting).train for one in (small, large)]
    np.testing.assert_array_equal(rows[0], rows[1][:10])


def test_test_samples_are_as_large_only_if_asked() -> None:
    asked = study(equal_test=False)
    assert asked.sampling(40).test_size is None
    assert asked.largest == asked.setting.halves.pool.size
    drawn = asked.instances()[0].draw(asked.setting)
    assert drawn.test.size == asked.setting.halves.test.size


def test_more_sizes_and_instances_go_on_in_the_same_journal(tmp_path) -> None:
    path, seen = tmp_path / "sizes.db", Seen()
    study().run(path, workers=2)
    more = study(sizes=[10, 20, 40], n=6)
    first = more.run(path, workers=2, watch=seen)
    assert len(seen.outcomes) == 3 * 6 - 2 * 4
    again = more.run(path, workers=2, watch=seen)
    assert len(seen.outcomes) == 3 * 6 - 2 * 4
    assert again.losses.shape == (3, 6)
    np.testing.assert_array_equal(again.losses, first.losses)


def test_a_recorded_instance_can_be_trained_again() -> None:
    asked = study()
    with asked.open(MEMORY) as journal, LocalExecutor(2, "fake") as executor:
        asked.run(journal, executor=executor)
        for size in (10, 40):
            recorded, training = train_recorded(
                journal, asked.setting, asked.candidate.key, 2, Role.SAMPLE_SIZE,
                engine="fake", sample=size,
            )  # fmt: skip
            assert recorded.sample == training.outcome.sample == size
            assert recorded.loss == training.outcome.loss


def test_another_choice_of_test_samples_needs_another_journal() -> None:
    with (
        study().open(MEMORY) as journal,
        LocalExecutor(1, "fake") as executor,
        pytest.raises(JournalMismatchError, match="equal_test"),
    ):
        study(equal_test=False).run(journal, executor=executor)


def test_sizes_beyond_the_population_are_refused() -> None:
    with pytest.raises(SamplingError, match="a sample of 101 examples exceeds the 100"):
        study(sizes=[10, 101])
    with pytest.raises(SamplingError, match="a sample-size study needs at least one size"):
        study(sizes=[])


def test_one_instance_per_size_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="n = 1 instances per size"):
        study(n=1)
