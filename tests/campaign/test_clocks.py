"""Clocks that jump, forth and back: losses and the race are the same."""

from __future__ import annotations

import random
import time

import pytest

import surefoot
from tests.campaign.races import content, write_race


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_race_under_clocks_that_jump_is_the_same(tmp_path, monkeypatch, seed):
    study = surefoot.read_study(write_race(tmp_path / "whole") / "s.toml")
    study.run(tmp_path / "whole" / "r.db", executor=surefoot.InlineExecutor())
    dice = random.Random(seed)
    for name, most in (("time", 3e8), ("perf_counter", 1e4), ("monotonic", 1e4)):
        real, ahead = getattr(time, name), [0.0]

        def jumping(real=real, ahead=ahead, most=most, name=name):
            if dice.random() < 0.05:
                least = 0.0 if name == "monotonic" else -most
                ahead[0] += dice.uniform(least, most)
            return real() + ahead[0]

        monkeypatch.setattr(time, name, jumping)
    folder = write_race(tmp_path / "jumping")
    study = surefoot.read_study(folder / "s.toml")
    with surefoot.LocalExecutor(2) as executor:
        found = study.run(folder / "r.db", executor=executor)
    assert content(folder) == content(tmp_path / "whole")
    assert str(found)
