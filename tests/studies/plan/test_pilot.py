from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from surefoot.errors import ConfigurationError, JournalError, JournalMismatchError
from surefoot.executors.base import Executor
from surefoot.executors.inline import InlineExecutor
from surefoot.executors.local.executor import LocalExecutor
from surefoot.instances import Instance, Setting
from surefoot.journal import MEMORY
from surefoot.racing.rules.tests import ByTest
from surefoot.racing.schedules.rounds import FlatBudget, Halving
from surefoot.racing.screen import Screen
from surefoot.seeds.ledger import Role
from surefoot.studies.plan.pilot import PilotRecord, pilot_study, recorded_pilot
from surefoot.studies.plan.plan import OWN, plan_races
from surefoot.studies.select.study import SelectStudy
from tests.fakes import Fake, Seen, fake_setting
from tests.studies.races import BASELINE, study

MANY = tuple(Fake(quality=1.0 + 0.02 * i, noise=0.4) for i in range(200))


def pilot(asked: SelectStudy, size: int = 24, n: int = 6) -> PilotRecord:
    return pilot_study(asked, size, n).run(workers=2)


def test_a_pilot_trains_some_candidates_on_shared_luck() -> None:
    asked = study(candidates=MANY)
    small = pilot_study(asked, 12, 3)
    assert len({c.key for c in small.everyone}) == 12
    assert small.everyone != MANY[:12]
    assert pilot_study(asked, 20).everyone[:12] == small.everyone
    instances = small.instances()
    assert len(instances) == 36
    assert {i.seed.role for i in instances} == {Role.PILOT}
    assert len({i.seed for i in instances}) == 3
    found = pilot(asked, 12, 3)
    assert found.table.count == 36
    assert found.role is Role.PILOT


def test_a_larger_pilot_goes_on_in_the_same_journal(tmp_path) -> None:
    asked, seen = study(candidates=MANY), Seen()
    for size, n in ((10, 3), (14, 4)):
        pilot_study(asked, size, n).run(tmp_path / "pilot.db", workers=2, watch=seen)
    assert len(seen.outcomes) == 14 * 4
    other = pilot_study(study(candidates=MANY[:100]))
    with pytest.raises(JournalMismatchError):
        other.open(tmp_path / "pilot.db")


def test_every_race_has_a_price_and_a_chance() -> None:
    asked = study(candidates=MANY, schedule=Halving(keep=0.3), paired=False)
    seen: list[None] = []
    rows = plan_races(asked, pilot(asked), 2, races=30, each=lambda: seen.append(None))
    assert len(seen) == 30
    assert [row.seconds for row in rows] == sorted(row.seconds for row in rows)
    by_name = {row.choice.name: row for row in rows}
    assert OWN in by_name
    paper = by_name["paper"].forecast
    assert paper.trainings == sum(one.trainings for one in study(
        candidates=MANY, schedule=Halving()).race.plan())  # fmt: skip
    rich = by_name["flat, rich"].forecast
    assert rich.trainings > paper.trainings
    assert rich.regret < paper.regret
    assert rich.p_within >= rich.p_best > paper.p_best
    assert all(0.0 <= row.forecast.p_best <= row.forecast.p_within <= 1.0 for row in rows)


def test_seconds_are_those_of_the_pilot_shared_by_the_workers() -> None:
    asked = study(candidates=MANY)
    found = pilot(asked)
    slow = replace(found, costs={**found.costs, "seconds": np.full(len(found.table.keys), 7.0)})
    assert slow.seconds == 7.0
    row = plan_races(asked, slow, 2, races=1)[0]
    assert row.seconds == pytest.approx(row.forecast.trainings * 3.5)


def test_a_pilot_trains_the_baseline_on_the_same_draws() -> None:
    asked = study(candidates=MANY, baseline=BASELINE, screen=Screen(0.2))
    found = pilot(asked, 12, 4)
    assert found.table.count == 48
    assert found.baseline.shape == (4,)
    slow = replace(found, baseline_seconds=1000.0)
    quick, dear = (plan_races(asked, one, 2, races=1) for one in (found, slow))
    names = {row.choice.name: row.seconds for row in quick}
    for row in dear:
        screens = row.choice.race.screen is not None
        assert row.seconds - names[row.choice.name] == pytest.approx(500.0 * screens)


def test_a_screen_needs_the_baselines_losses() -> None:
    asked = study(candidates=MANY, baseline=BASELINE, screen=Screen(0.2))
    found = replace(pilot(asked, 8, 3), baseline=np.empty(0))
    with pytest.raises(ConfigurationError, match="no loss of its baseline"):
        plan_races(asked, found, 1, races=1)


@pytest.mark.parametrize(
    "changes",
    [
        {"cost": "seconds", "limit": 2.0, "schedule": FlatBudget(0.6)},
        {"cost": "visits", "limit": 16_000.0, "schedule": Halving()},
        {"limit": 500.0},
        {"rule": ByTest(), "schedule": FlatBudget(600.0)},
        {"paired": False, "baseline": BASELINE, "screen": Screen(0.5, margin="noise")},
    ],
)
def test_the_studys_own_race_is_simulated_whatever_its_rules(changes: dict[str, Any]) -> None:
    asked = study(candidates=tuple(replace(one, seconds=0.001) for one in MANY), **changes)
    rows = {row.choice.name: row for row in plan_races(asked, pilot(asked), 2, races=4)}
    own = next(row for name, row in rows.items() if name.startswith(OWN))
    assert own.forecast.trainings > 0
    limit = changes.get("limit")
    if limit is not None and asked.cost != "instances":
        assert own.forecast.costs[asked.cost] <= limit
    elif limit is not None:
        assert own.forecast.max_trainings <= limit


def test_a_plan_is_the_same_every_time() -> None:
    asked = study(candidates=MANY)
    found = pilot(asked)
    one, other = (plan_races(asked, found, 1, races=5) for _ in range(2))
    assert one == other


def test_a_pilot_says_the_same_whoever_ended_first() -> None:
    class Backwards(Executor):
        engine, workers = "fake", 1

        def batches(self, instances: Iterator[Instance], setting: Setting) -> Iterator[Any]:
            yield from reversed(list(InlineExecutor("fake").batches(instances, setting)))

    small = pilot_study(study(candidates=MANY, baseline=BASELINE), 8, 3)
    one, other = (small.run(executor=one) for one in (InlineExecutor("fake"), Backwards()))
    assert one.table.keys == other.table.keys
    assert np.array_equal(one.table.losses, other.table.losses)
    assert np.array_equal(one.baseline, other.baseline)


def test_a_pilot_of_another_setting_is_noticed() -> None:
    asked = study(candidates=MANY)
    assert pilot(asked).differences(asked) == []
    other = study(candidates=MANY, setting=fake_setting(size=30))
    assert pilot(asked).differences(other) == ["sampling.size: 20 -> 30"]


@pytest.mark.parametrize("paired", [True, False])
def test_a_recorded_race_serves_as_a_pilot(paired: bool) -> None:
    screen = {"baseline": BASELINE, "screen": Screen(3.0)}
    asked = study(schedule=FlatBudget(24 * 4, cap=8), certify=2, paired=paired, **screen)
    with asked.open(MEMORY) as journal, LocalExecutor(2, "fake") as executor:
        asked.run(journal, executor=executor)
        found = recorded_pilot(journal)
    assert found.role is Role.RACE
    assert found.baseline.size == (1 if paired else 24)
    assert found.table.instances <= 64
    assert len(plan_races(asked, found, 2, races=3)) >= 5
    with asked.open(MEMORY) as journal, pytest.raises(JournalError, match="no racing or pilot"):
        recorded_pilot(journal)


def test_pilots_that_say_nothing_are_refused() -> None:
    asked = study(candidates=MANY)
    with pytest.raises(ConfigurationError, match="a pilot of 4 candidates"):
        pilot_study(asked, 4)
    with pytest.raises(ConfigurationError, match="needs no plan"):
        pilot_study(study(candidates=MANY[:5], setting=fake_setting()))
    with pytest.raises(ConfigurationError, match="2 instances each"):
        pilot_study(asked, n=2)
    with pytest.raises(ConfigurationError, match="races = 0"):
        plan_races(asked, pilot(asked, 8, 3), 1, races=0)
