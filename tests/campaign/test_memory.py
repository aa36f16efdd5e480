"""Little memory: a race ends well or in one sentence, and goes on when there is more."""

from __future__ import annotations

import resource
from functools import partial
from pathlib import Path

import pytest

from tests.campaign.campaign import campaign
from tests.campaign.races import content, finish, is_one_sentence, write_race


def limited_to(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
@pytest.mark.slow
def test_a_race_with_little_memory_ends_in_one_sentence(tmp_path):
    part = campaign("memory", 0, 100, slow=True)
    whole = write_race(tmp_path / "whole")
    assert finish(whole) == (0, "")
    expected, ends = content(whole), []
    for number, dice in enumerate(part.dice()):
        folder = write_race(tmp_path / f"race{number}")
        size = dice.randrange(600, 1600) << 20
        code, said = finish(folder, preexec_fn=partial(limited_to, size))
        ends.append((size >> 20, code))
        assert code in (0, 2), (size >> 20, said[-500:])
        assert code == 0 or is_one_sentence(said), (size >> 20, said[-800:])
        assert finish(folder)[0] == 0
        assert content(folder) == expected
    print(f"{part.name}: {sorted(ends)}")
