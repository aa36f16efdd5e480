"""Grids: every candidate on the same draws, recorded, resumed and read again."""

import numpy as np
import pytest

import surefoot
from surefoot.errors import ConfigurationError, JournalError, JournalMismatchError
from surefoot.journal import Journal
from surefoot.seeds.ledger import Role
from surefoot.studies.grid.study import GridStudy, recorded_grid
from tests.fakes import Fake, Seen, fake_loss, fake_setting

SETTING = fake_setting()
SPACE = tuple(
    Fake(quality=quality, noise=noise) for quality in (1.0, 1.2, 1.5) for noise in (0.05, 0.1)
)
BASELINE = Fake(quality=1.3, noise=0.02)


def study(**changes):
    fields = {"candidates": SPACE, "setting": SETTING, "seed": 4, "engine": "fake", "n": 8}
    return GridStudy(**(fields | changes))


def test_every_candidate_has_the_same_luck_and_its_own_losses():
    asked = study(baseline=BASELINE)
    assert len(asked.instances()) == 7 * 8
    assert {(one.seed.role, one.seed.candidate) for one in asked.instances()} == {(Role.GRID, 0)}
    found = asked.run(workers=1)
    for row, candidate in enumerate(SPACE):
        for number in range(8):
            instance = asked.instance(candidate.key, Role.GRID, number)
            assert found.losses[row, number] == fake_loss(instance, SETTING)
    assert found.baseline.shape == (8,)
    assert found.labels[found.ranking[0]] == "fake 1"
    assert "; that of 4 candidates is lower" in found.lines()[2]


def test_more_instances_and_other_fields_go_on_in_the_same_journal(tmp_path):
    path, seen = tmp_path / "g.db", Seen()
    first = study(n=5, by=["quality"]).run(path, workers=1, watch=seen)
    second = study(n=8, by=["noise"]).run(path, workers=1, watch=seen)
    assert len(seen.outcomes) == 6 * 8
    np.testing.assert_array_equal(second.losses[:, :5], first.losses)
    assert (first.asked, second.asked) == (("quality",), ("noise",))
    assert list(second.effects) == ["noise", "quality"]
    with Journal.read(path) as journal:
        again = recorded_grid(journal)
        assert str(again) == str(second)
    with pytest.raises(JournalMismatchError, match="candidates"):
        study(candidates=SPACE[:2]).open(path)
    with pytest.raises(JournalMismatchError, match="baseline"):
        study(baseline=BASELINE).open(path)


def test_an_unfinished_grid_is_a_smaller_one(tmp_path):
    whole, part = tmp_path / "whole.db", tmp_path / "part.db"
    full = study().run(whole, workers=1)
    with Journal.read(whole) as journal:
        order = [(one.candidate.key, one.seed.instance) for one in study().instances()]
        known = {(one.candidate, one.instance): one for one in journal.outcomes()}
    with study().open(part) as journal:
        journal.add(*(known[one] for one in order[:11]))
        with pytest.raises(JournalError, match="too few instances are recorded yet"):
            recorded_grid(journal)
        journal.add(*(known[one] for one in order[11:27]))
        found = recorded_grid(journal)
    assert found.n == 4
    np.testing.assert_array_equal(found.losses, full.losses[:, :4])
    seen = Seen()
    assert str(study().run(part, workers=1, watch=seen)) == str(full)
    assert len(seen.outcomes) == 48 - 27


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"candidates": SPACE[:1]}, "needs two candidates or more, not 1"),
        ({"candidates": SPACE[:1] * 2}, "is given twice"),
        ({"n": 1}, "n = 1 instances of each candidate say nothing"),
        ({"n": 2, "criterion": "sd"}, "give 3 or more"),
        ({"by": ["qualty"]}, "did you mean 'quality'.*differ in noise, quality"),
        ({"by": "quality"}, "must be a list of names of fields"),
        ({"confidence": 1.0}, "confidence = 1 must lie between"),
    ],
)
def test_what_is_no_grid(changes, message):
    with pytest.raises(ConfigurationError, match=message):
        study(**changes)


def test_too_few_instances_for_any_test_are_said_beforehand():
    assert study(n=8).cautions() == []
    (said,) = study(n=5, by=["quality"]).cautions()
    assert said == (
        "5 instances cannot tell the 3 values of quality apart, whatever the losses: that takes 6"
    )
    found = study(n=5, by=["quality"]).run(workers=1)
    assert found.effect("quality").marginal.alike.all()


def test_a_grid_in_one_call():
    space = surefoot.SearchSpace.product(Fake, quality=[1.0, 2.0], noise=[0.1, 0.2])
    found = surefoot.grid(
        space, SETTING.halves.population, engine="fake", sample_size=20, n=6, by=["quality"]
    )
    assert found.fields.names == ("noise", "quality")
    assert "By quality:" in str(found)
    assert "By noise:" not in str(found)
    assert found.effect("quality").overview()[0]["quality"] == "1"
    with pytest.raises(ConfigurationError, match="is no field"):
        found.effect("depth")
