from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surefoot.errors import ConfigurationError, JournalMismatchError, RaceError
from surefoot.executors.base import Executor
from surefoot.executors.local.executor import LocalExecutor
from surefoot.instances import Instance, Outcome, Setting, Status
from surefoot.journal import MEMORY, Journal
from surefoot.racing.schedules.rounds import Halving
from surefoot.racing.schedules.stages import default_schedule
from surefoot.racing.screen import Screen
from surefoot.racing.state import Round
from surefoot.seeds.ledger import Role, Stream
from surefoot.studies.watch import Watcher
from tests.fakes import Fake, fake_loss
from tests.studies.races import BASELINE, CANDIDATES, run, slow_study, study

ROOT = Path(__file__).parents[3]


def test_the_race_is_the_paper_algorithm_written_out_plainly() -> None:
    asked = study()
    selection = run(asked)
    left, count = list(CANDIDATES), 0
    while len(left) > 1:
        count += 1
        scores = {
            c.key: np.mean(
                [
                    fake_loss(asked.instance(c.key, Role.RACE, n), asked.setting)
                    for n in range(count)
                ]
            )
            for c in left
        }
        left = sorted(left, key=lambda c: (scores[c.key], c.key))[: max(1, len(left) // 2)]
    assert selection.winner == left[0]
    assert selection.value == pytest.approx(scores[left[0].key], rel=1e-12)
    assert len(selection.losses(left[0].key)) == count


def test_the_certificate_rests_on_fresh_instances_only() -> None:
    asked = study(criterion="max")
    selection = run(asked)
    fresh = [
        fake_loss(asked.instance(selection.winner.key, Role.CERTIFY, n), asked.setting)
        for n in range(12)
    ]
    certificate = selection.certificate
    assert certificate is not None
    assert certificate.losses == tuple(fresh)
    judged = selection.state.instances()[selection.winner.key]
    assert certificate.racing_value == max(selection.losses(selection.winner.key)[:judged])
    assert certificate.fresh_value == max(fresh[:judged])
    assert not set(fresh) & set(selection.losses(selection.winner.key))
    assert "80 %" in str(selection)


def test_paired_candidates_share_their_luck_and_unpaired_ones_do_not() -> None:
    for paired in (True, False):
        asked = study(paired=paired)
        one, other = (asked.instance(c.key, Role.RACE, 3) for c in CANDIDATES[:2])
        for stream in Stream:
            assert (one.seed.key(stream) == other.seed.key(stream)) is paired


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("margin", ["none", "noise"])
def test_the_screen_compares_with_the_baseline_on_the_same_draws(paired: bool, margin: str) -> None:
    asked = study(
        baseline=BASELINE,
        screen=Screen(0.05, margin=margin, pilot=4, extra=3),
        paired=paired,
        candidates=tuple(Fake(quality=1.2 + 0.05 * i, noise=0.1) for i in range(20)),
    )
    with asked.open(MEMORY) as journal:
        selection = asked.run(journal, executor=LocalExecutor(2, "fake"))
        mine = journal.outcomes(Role.RACE, BASELINE.key)
    first = selection.state.rounds[0]
    assert first.name == "screen"
    assert 0 < len(first.eliminations) < 20
    bars = {}
    for place, candidate in enumerate(asked.candidates):
        twin = replace(asked.instance(candidate.key, Role.RACE, 0), candidate=BASELINE)
        bars[candidate.key] = 1.05 * fake_loss(twin, asked.setting)
        assert place >= 0
    if margin == "none":
        for candidate in asked.candidates:
            loss = selection.losses(candidate.key)[0]
            assert (candidate.key in first.survivors) == (loss <= bars[candidate.key])
        assert len(mine) == (1 if paired else 20)
    else:
        assert len(mine) == (4 if paired else 20 + 4 * 3)


def test_a_baseline_that_races_too_is_trained_once() -> None:
    asked = study(baseline=CANDIDATES[3], screen=Screen(0.2))
    with asked.open(MEMORY) as journal:
        asked.run(journal, executor=LocalExecutor(2, "fake"))
        assert len(journal.candidates()) == len(CANDIDATES)
        assert len(journal.outcomes(Role.RACE, CANDIDATES[3].key, 0)) == 1


def test_everyone_screened_out_says_by_how_much_and_keeps_the_record(tmp_path: Path) -> None:
    asked = study(baseline=Fake(quality=0.1), screen=Screen(0.2))
    for _ in range(2):
        with pytest.raises(RaceError, match=r"every one of the 24 .* above the bar"):
            run(asked, tmp_path / "r.db")
    with Journal.read(tmp_path / "r.db") as journal:
        assert journal.count() == 25


def test_diverged_and_failed_instances_count_as_infinite() -> None:
    fates = (
        Fake(quality=0.1, fate="raise", when=(0,)),
        Fake(quality=0.2, fate="diverge", when=(1,)),
    )
    asked = study(candidates=(*fates, *CANDIDATES))
    selection = run(asked)
    assert selection.winner not in fates
    assert selection.state.values[fates[0].key] == np.inf
    reasons = {row["key"]: row["reason"] for row in selection.ranking()}
    assert "inf" in reasons[fates[0].key]


def test_the_best_of_each_group_is_certified() -> None:
    candidates = tuple(Fake(quality=1.0 + 0.1 * i, side=i % 2) for i in range(8))
    selection = run(study(candidates=candidates, certify_best_of="side"))
    sides = [selection.candidate(key).side for key in selection.certificates]
    assert next(iter(selection.certificates)) == selection.winner.key
    assert sorted(sides) == [0, 1]
    with pytest.raises(ConfigurationError, match="did you mean 'side'"):
        study(certify_best_of="sides")


def test_no_certificate_when_none_is_asked_for() -> None:
    selection = run(study(certify=0))
    assert selection.certificate is None
    assert selection.winner.label in str(selection)
    assert selection.train().outcome.loss == selection.losses(selection.winner.key)[0]


def test_training_the_winner_again_gives_its_certifying_loss() -> None:
    selection = run(study())
    training = selection.train(5)
    assert selection.certificate is not None
    assert training.outcome.loss == selection.certificate.losses[5]
    assert training.predictor is not None


class Notes(Watcher):
    def __init__(self, journal: Journal) -> None:
        self.journal, self.rounds, self.seen, self.left = journal, [], 0, 0

    def round_started(self, planned: object, left: int) -> None:
        self.left += left

    def certifying(self, candidate: object, left: int) -> None:
        self.left += left

    def outcome(self, outcome: Outcome) -> None:
        assert self.journal.has(outcome.candidate, outcome.role, outcome.instance, outcome.sample)
        self.seen += 1

    def round_finished(self, finished: Round) -> None:
        self.rounds.append(finished.number)


def test_a_watcher_sees_only_what_is_recorded_and_all_of_it() -> None:
    asked = study()
    with asked.open(MEMORY) as journal:
        notes = Notes(journal)
        selection = asked.run(journal, executor=LocalExecutor(2, "fake"), watch=notes)
        assert notes.seen == notes.left == journal.count() == 24 + 12 + 6 + 3 + 12
        assert notes.rounds == [r.number for r in selection.state.rounds]


class Shuffled(Executor):
    """Trains everything in a random order and dies after some outcomes."""

    engine = "fake"
    workers = 1

    def __init__(self, seed: int, lives: int) -> None:
        self.random, self.lives, self.trained = random.Random(seed), lives, []

    def batches(
        self, instances: Sequence[Instance], setting: Setting
    ) -> Iterator[tuple[Outcome, ...]]:
        order = list(instances)
        self.random.shuffle(order)
        with LocalExecutor(1, "fake") as local:
            for instance in order:
                if not self.lives:
                    raise InterruptedError
                self.lives -= 1
                self.trained.append((instance.candidate.key, instance.seed))
                yield from local.batches([instance], setting)


@pytest.mark.parametrize("paired", [True, False])
def test_a_race_stopped_anywhere_goes_on_to_the_same_end(tmp_path: Path, paired: bool) -> None:
    asked = study(
        schedule=default_schedule(24),
        baseline=BASELINE,
        screen=Screen(0.2, margin="noise", pilot=3, extra=2),
        paired=paired,
        certify=3,
    )
    whole = run(asked, tmp_path / "whole.db")
    random_lives, trained = random.Random(1), []
    for attempt in range(100):
        executor = Shuffled(attempt, random_lives.randrange(1, 40))
        with asked.open(tmp_path / "pieces.db") as journal:
            try:
                pieces = asked.run(journal, executor=executor)
                break
            except InterruptedError:
                pass
            finally:
                trained += executor.trained
    assert attempt > 2
    assert len(trained) == len(set(trained))
    assert dump(tmp_path / "pieces.db") == dump(tmp_path / "whole.db")
    assert pieces.winner == whole.winner
    assert pieces.ranking() == whole.ranking()
    assert pieces.certificates == whole.certificates


def dump(path: Path) -> list[tuple[object, ...]]:
    """Everything of the outcomes that may not differ, loss and curve bit for bit."""
    with closing(sqlite3.connect(path)) as raw:
        return raw.execute(
            "SELECT c.key, role, instance, sample, attempt, status, loss, hex(curve), engine"
            " FROM outcomes o JOIN candidates c ON o.candidate = c.id ORDER BY 1, 2, 3, 4, 5"
        ).fetchall()


SCRIPT = """
    import sys
    from surefoot.executors.local.executor import LocalExecutor
    from tests.studies.races import slow_study

    asked = slow_study(sys.argv[2])
    with asked.open(sys.argv[1]) as journal, LocalExecutor(2, asked.engine) as executor:
        print(asked.run(journal, executor=executor).winner.key)
"""


def start(path: Path, engine: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), str(path), engine],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_race_killed_at_random_moments_ends_as_an_uninterrupted_one(tmp_path: Path) -> None:
    whole = start(tmp_path / "whole.db", "fake")
    killed, moments = tmp_path / "killed.db", random.Random(7)
    recorded = 0
    for _ in range(3):
        process = start(killed, "fake")
        while not grown_beyond(killed, recorded):
            time.sleep(0.005)
        time.sleep(moments.uniform(0.0, 0.15))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        recorded = len(dump(killed))
    last = start(killed, "fake")
    assert last.communicate(timeout=30) == whole.communicate(timeout=30)
    assert last.returncode == whole.returncode == 0
    assert len(dump(killed)) > recorded
    assert dump(killed) == dump(tmp_path / "whole.db")


def grown_beyond(path: Path, size: int) -> bool:
    """Whether a journal that another process writes to holds more outcomes than that."""
    try:
        return len(dump(path)) > size
    except sqlite3.Error:
        return False


def test_failed_instances_are_tried_again_on_request_only(tmp_path: Path) -> None:
    flag = tmp_path / "fixed"
    flaky = Fake(quality=0.5, fate=f"raise unless {flag}", when=(0,))
    asked = study(candidates=(flaky, *CANDIDATES))
    path = tmp_path / "r.db"
    assert run(asked, path).winner != flaky
    flag.touch()
    assert run(asked, path).winner != flaky
    assert run(asked, path, retry_failed=True).winner == flaky
    again = run(asked, path)
    assert again.winner == flaky
    with Journal.read(path) as journal:
        assert not journal.failed()
        assert journal.outcomes(Role.RACE, flaky.key, 0)[0].status is Status.FINISHED


def test_an_instance_that_fails_again_is_not_tried_for_ever(tmp_path: Path) -> None:
    asked = study(candidates=(Fake(quality=0.5, fate="raise", when=(0,)), *CANDIDATES))
    first = run(asked, tmp_path / "r.db")
    again = run(asked, tmp_path / "r.db", retry_failed=True)
    assert again.ranking() == first.ranking()


def test_what_does_not_fit_together_is_refused(tmp_path: Path) -> None:
    asked = study()
    with asked.open(MEMORY) as journal:
        with pytest.raises(JournalMismatchError, match='criterion: "mean" -> "max"'):
            study(criterion="max").run(journal, executor=LocalExecutor(1, "fake"))
        with pytest.raises(ConfigurationError, match="make them agree"):
            asked.run(journal, executor=LocalExecutor(1))
    with pytest.raises(ConfigurationError, match="needs at least one candidate"):
        study(candidates=())
    with pytest.raises(ConfigurationError, match="compares with a baseline"):
        study(screen=Screen(0.2))


def test_a_budget_in_visits_ends_the_race_early_and_resumes_under_a_larger_one() -> None:
    short = run(study(cost="visits", limit=24 * 40 + 10))
    assert short.state.stopped
    assert [r.trainings for r in short.state.rounds] == [24]
    longer = run(study(cost="visits", limit=1e9))
    assert not longer.state.stopped


def test_a_description_is_plain_json_and_gives_back_the_race() -> None:
    from surefoot.journal.descriptions import canonical
    from surefoot.studies.description import RaceDescription

    for schedule in (Halving(warmup=5), default_schedule(24)):
        asked = study(
            schedule=schedule, criterion="mean+2*sd", baseline=BASELINE, screen=Screen(0.1)
        )
        text = canonical(asked.description.json())
        assert str(2**64 - 5) in text
        rebuilt = RaceDescription.read(asked.description.json()).race
        assert rebuilt == asked.race


def test_an_interrupt_records_what_is_finished_and_the_race_goes_on(tmp_path: Path) -> None:
    asked = slow_study("fake")
    path = tmp_path / "r.db"
    process = start(path, "fake")
    while not grown_beyond(path, 0):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == -signal.SIGINT
    assert [file.name for file in tmp_path.iterdir()] == ["r.db"]
    recorded = dump(path)
    assert 0 < len(recorded) < 24
    resumed = run(asked, path)
    assert set(recorded) < set(dump(path))
    assert resumed.ranking() == run(asked).ranking()
