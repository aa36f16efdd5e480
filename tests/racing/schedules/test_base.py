import numpy as np
import pytest

from surefoot.errors import ConfigurationError
from surefoot.racing.race import Race
from surefoot.racing.schedules.rounds import Halving
from surefoot.racing.screen import Screen

KEYS = tuple(f"{i:05d}" for i in range(6912))


def test_the_papers_number_of_trainings():
    plan = Race(KEYS, schedule=Halving(warmup=5)).plan()
    assert len(plan) == 12
    later = [3456, 1728, 864, 432, 216, 108, 54, 27, 13, 6, 3]
    assert [r.trainings for r in plan] == [6912 * 5, *later]
    assert [r.keep for r in plan] == [*later, 1]
    assert sum(r.trainings for r in plan) == 41_467
    assert sum(r.trainings for r in plan) + 2 * 50 == 41_567
    assert all(r.exact for r in plan)


def test_warmup_of_one():
    assert sum(r.trainings for r in Race(KEYS, schedule="halving").plan()) == 13_819


def test_after_a_screen_the_first_cut_is_over_two_instances_and_not_exact():
    plan = Race(KEYS, screen=Screen(), schedule="halving").plan()
    assert [(r.name, r.trainings, r.keep, r.exact) for r in plan[:3]] == [
        ("screen", 6912, None, True),
        ("race", 6912, 3456, False),
        ("race", 3456, 1728, False),
    ]


def test_a_spread_is_never_judged_on_one_instance():
    assert Race(KEYS, "sd", schedule="halving").plan()[0].trainings == 2 * 6912


@pytest.mark.parametrize("fields", [{"keep": 1.0}, {"keep": 0.0}, {"per_round": 0}, {"warmup": 0}])
def test_bad_fields(fields):
    with pytest.raises(ConfigurationError, match="give"):
        Halving(**fields)


@pytest.mark.parametrize("keep", [0.1, 0.3, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("candidates", [1, 2, 3, 10, 97])
def test_halving_always_ends_with_one(keep, candidates):
    plan = Race(KEYS[:candidates], schedule=Halving(keep=keep)).plan()
    survivors = [r.survivors for r in plan] + [1]
    assert survivors[0] == candidates or candidates == 1
    assert (np.diff(survivors) < 0).all()
